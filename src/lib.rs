//! A doctor for AWS Secrets Manager rotation.
//!
//! ```text
//! target → collect → seal → Evidence ⇄ bundle file
//!                              │
//!        template / plan ──────┤
//!                              ▼
//!                        checks (pure) → findings, inconclusive, passed
//!                              ▼
//!                     diagnosis (pure) → ranked causes, tried fixes
//!                              ▼
//!                  configuration (pure) → severities, waivers, baseline
//!                              ▼
//!                            report → one file per format
//! ```
//!
//! One direction, no way back. Only `collect` (feature `live`) is async and
//! names an AWS SDK type; checks and diagnosis read nothing but the evidence:
//!
//! ```
//! use rotdoctor::{bundle, checks::Selection, examine, report::v1::{Mode, Verdict}};
//!
//! let text = r#"{"CapturedAt": "2026-11-21T03:00:00Z",
//!                "Secret": {"Name": "prod/orders", "DeletedDate": "2026-11-20T00:00:00Z"}}"#;
//! let evidence = bundle::read(text)?.evidence;
//! let report = examine(&evidence, Mode::Bundle, &Selection::default());
//! assert_eq!(report.verdict, Verdict::AtRisk);
//! # Ok::<(), bundle::BundleError>(())
//! ```

pub mod bundle;
pub mod catalogue;
pub mod checks;
pub mod cli;
#[cfg(feature = "live")]
pub mod collect;
pub mod configuration;
pub mod diagnosis;
pub mod evidence;
mod json;
pub mod network;
pub mod package;
mod packed;
pub mod policy;
pub mod report;
pub mod rotation_log;
pub mod schema;
pub mod seal;
pub mod template;

use checks::{Case, Selection};
use evidence::Evidence;
use report::v1::{Mode, Report, Verdict};
use rotation_log::RotationLog;

/// Examines one secret: checks, diagnosis, report.
pub fn examine(evidence: &Evidence, mode: Mode, selection: &Selection) -> Report {
    examine_case(&Case::new(evidence), mode, selection)
}

/// Examines one of many secrets, whose evidence leaves some facts out on purpose: what
/// only these could tell is no question here.
pub fn examine_in_audit(
    evidence: &Evidence,
    selection: &Selection,
    left_out: &std::collections::BTreeSet<evidence::Fact>,
) -> Report {
    let case = Case::new(evidence);
    let mut results = checks::run(&case, selection);
    for result in &mut results {
        if let checks::Outcome::Inconclusive(missing) = &result.outcome
            && missing.iter().all(|missing| left_out.contains(&missing.fact))
        {
            let facts: std::collections::BTreeSet<&str> =
                missing.iter().map(|missing| missing.fact.name()).collect();
            let facts: Vec<&str> = facts.into_iter().collect();
            let how: std::collections::BTreeSet<&str> =
                missing.iter().map(|missing| asked_for_by(missing.fact)).collect();
            let how: Vec<&str> = how.into_iter().collect();
            result.outcome = checks::Outcome::NotApplicable(format!(
                "an audit of many leaves out {}; {} asks for it",
                facts.join(", "),
                how.join(" and ")
            ));
        }
    }
    let mut diagnosis = diagnosis::diagnose(&case, &results, selection);
    if diagnosis.verdict == Verdict::Unknown
        && left_out.contains(&evidence::Fact::LogEvents)
        && diagnosis::keeps_its_schedule(&case)
    {
        diagnosis.verdict = Verdict::Healthy;
    }
    report::assemble(&case, Mode::Live, &results, &diagnosis, selection)
}

/// Whether a check that reads a fact finds something, as the evidence has it: with the
/// fact assumed to be absent, whether it is worth to be asked for.
pub fn finds_by(evidence: &Evidence, selection: &Selection, fact: evidence::Fact) -> bool {
    let results = checks::run_those_of(&Case::new(evidence), selection, fact);
    results.iter().any(|result| {
        matches!(&result.outcome, checks::Outcome::Findings(findings)
            if findings.iter().any(|finding| finding.severity <= catalogue::Severity::Warning))
    })
}

/// What makes an audit ask for a fact that it leaves out.
fn asked_for_by(fact: evidence::Fact) -> &'static str {
    use evidence::Fact as F;
    match fact {
        F::LogEvents | F::LogGroup => "--logs",
        F::SecretShape | F::SuperuserSecret => "--read-secret",
        F::SecretVersions | F::SecretPolicy => "--each",
        _ => "`rotdoctor diagnose`",
    }
}

/// Examines a case, such as one whose log was read from a stream.
pub fn examine_case(case: &Case<'_>, mode: Mode, selection: &Selection) -> Report {
    let mut results = checks::run(case, selection);
    if mode == Mode::Logs {
        // A log alone was given: what only other facts could say was not asked.
        // A log may have CloudTrail events among its lines.
        let with_trail = case.trail_events().if_known().is_some();
        results.retain(|result| {
            let reads = |fact| result.check.facts.contains(&fact);
            (reads(evidence::Fact::LogEvents) || with_trail && reads(evidence::Fact::TrailEvents))
                && !asks_for_more_than(&result.outcome, evidence::Fact::LogEvents)
        });
    }
    if mode == Mode::Package {
        // A package alone was given: the same.
        results.retain(|result| {
            result.check.facts.contains(&evidence::Fact::Package)
                && !asks_for_more_than(&result.outcome, evidence::Fact::Package)
        });
    }
    if matches!(mode, Mode::Template | Mode::Plan) {
        for result in &mut results {
            not_before_it_is_deployed(&mut result.outcome);
        }
    }
    let mut diagnosis = diagnosis::diagnose(case, &results, selection);
    if mode == Mode::Package && diagnosis.verdict == Verdict::Unknown && package_was_read(case) {
        diagnosis.verdict = Verdict::Healthy;
    }
    let open = |result: &checks::CheckResult| {
        matches!(result.outcome, checks::Outcome::Inconclusive(_) | checks::Outcome::Crashed(_))
    };
    if matches!(mode, Mode::Template | Mode::Plan)
        && diagnosis.verdict == Verdict::Unknown
        && !results.iter().any(open)
    {
        // What has not run yet cannot have failed.
        diagnosis.verdict = Verdict::Healthy;
    }
    report::assemble(case, mode, &results, &diagnosis, selection)
}

/// Examines a log alone: the lines about one secret, with the CloudTrail events that
/// stood among them.
pub fn examine_log(mut log: RotationLog, selection: &Selection) -> Report {
    let events = std::mem::take(&mut log.trail_events);
    // A log has no capture time; the last thing it saw is the nearest to one.
    let seen = log.invocations.iter().filter_map(|run| run.ended_at.or(run.started_at));
    let told = events.iter().filter_map(|event| event.event_time);
    let captured_at = seen.chain(told).max().unwrap_or_default();
    let mut evidence = Evidence { captured_at, ..Evidence::default() };
    if !events.is_empty() {
        evidence.trail_events = evidence::Observed::Known(events);
        seal::evidence(&mut evidence);
    }
    examine_case(&Case::with_log(&evidence, log), Mode::Logs, selection)
}

/// What only a thing that runs can show is no question to a file: nobody failed to see
/// it. What the file leaves open stays inconclusive.
fn not_before_it_is_deployed(outcome: &mut checks::Outcome) {
    if let checks::Outcome::Inconclusive(missing) = outcome
        && missing.iter().all(|missing| missing.fact.shows_only_once_deployed())
    {
        let facts: Vec<&str> = missing.iter().map(|missing| missing.fact.name()).collect();
        *outcome = checks::Outcome::NotApplicable(format!(
            "{} can be seen only once it is deployed",
            facts.join(", ")
        ));
    }
}

/// Whether all that matters in the package was read.
fn package_was_read(case: &Case<'_>) -> bool {
    case.package().if_known().is_some_and(|package| {
        !package.archives.is_empty()
            && package.archives.iter().all(|archive| archive.complete == Some(true))
    })
}

fn asks_for_more_than(outcome: &checks::Outcome, fact: evidence::Fact) -> bool {
    matches!(outcome, checks::Outcome::Inconclusive(missing)
        if missing.iter().any(|missing| missing.fact != fact))
}
