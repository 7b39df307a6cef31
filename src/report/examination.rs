//! From evidence to a report: runs the checks and the diagnosis, and leaves out what a mode
//! does not ask for.

use std::collections::BTreeSet;

use super::v1::{Mode, Report, Verdict};
use crate::{
    catalogue::Severity,
    checks::{self, Case, CheckResult, Missing, Outcome, Selection},
    diagnosis::{self, Diagnosis},
    evidence::{Evidence, Fact, Observed, OptIn},
    rotation_log::RotationLog,
    seal,
};

/// Examines one secret: checks, diagnosis, report.
pub fn examine(evidence: &Evidence, mode: Mode, selection: &Selection) -> Report {
    let case = match mode {
        Mode::Template | Mode::Plan => Case::declared(evidence),
        _ => Case::new(evidence),
    };
    examine_case(&case, mode, selection)
}

/// Examines one secret that was collected with a profile, which the commands name too.
pub fn examine_with_profile(
    evidence: &Evidence,
    mode: Mode,
    selection: &Selection,
    profile: Option<&str>,
) -> Report {
    examine_as(&Case::new(evidence), mode, selection, profile)
}

/// Examines a case, such as one whose log was read from a stream.
pub fn examine_case(case: &Case<'_>, mode: Mode, selection: &Selection) -> Report {
    examine_as(case, mode, selection, None)
}

fn examine_as(case: &Case<'_>, mode: Mode, selection: &Selection, profile: Option<&str>) -> Report {
    let mut results = checks::run(case, selection);
    match mode {
        Mode::Logs => {
            // A log may have CloudTrail events among its lines.
            let with_trail = case.trail_events().if_known().is_some();
            results.retain(|result| {
                told_by(result, Fact::LogEvents)
                    || with_trail && told_by_with(result, Fact::TrailEvents, Fact::LogEvents)
            });
        }
        Mode::Package => results.retain(|result| told_by(result, Fact::Package)),
        Mode::Template | Mode::Plan => {
            // What only a thing that runs can show is no question to a file: nobody failed
            // to see it. What the file leaves open stays inconclusive, and so does a path
            // that ends at an interface: whether it leads there is the question.
            let only_deployed =
                |fact: Fact| fact.shows_only_once_deployed() && fact != Fact::NetworkInterfaces;
            no_question(&mut results, only_deployed, |missing| {
                format!("{} can be seen only once it is deployed", names(missing))
            });
        }
        _ => {}
    }
    let mut diagnosis = diagnosis::diagnose(case, &results, selection);
    match mode {
        Mode::Package if package_was_read(case) => nothing_wrong(&mut diagnosis),
        // What has not run yet cannot have failed.
        Mode::Template | Mode::Plan if !results.iter().any(is_open) => {
            nothing_wrong(&mut diagnosis);
        }
        _ => {}
    }
    super::assemble(case, mode, &results, &diagnosis, selection, profile)
}

/// Examines one of many secrets, whose evidence leaves some facts out on purpose: what
/// only these could tell is no question here.
pub fn examine_in_audit(
    evidence: &Evidence,
    selection: &Selection,
    left_out: &BTreeSet<Fact>,
    profile: Option<&str>,
) -> Report {
    let case = Case::new(evidence);
    let mut results = checks::run(&case, selection);
    no_question(
        &mut results,
        |fact| left_out.contains(&fact),
        |missing| {
            let how: BTreeSet<&str> = missing.iter().map(|one| asked_for_by(one.fact)).collect();
            let how = how.into_iter().collect::<Vec<_>>().join(" and ");
            format!("an audit of many leaves out {}; {how} asks for it", names(missing))
        },
    );
    let mut diagnosis = diagnosis::diagnose(&case, &results, selection);
    if left_out.contains(&Fact::LogEvents) && diagnosis::keeps_its_schedule(&case) {
        nothing_wrong(&mut diagnosis);
    }
    super::assemble(&case, Mode::Live, &results, &diagnosis, selection, profile)
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
        evidence.trail_events = Observed::Known(events);
        seal::evidence(&mut evidence);
    }
    examine_case(&Case::with_log(&evidence, log), Mode::Logs, selection)
}

/// Whether a check that reads a fact finds something, as the evidence has it: with the
/// fact assumed to be absent, whether it is worth to be asked for.
pub fn finds_by(evidence: &Evidence, selection: &Selection, fact: Fact) -> bool {
    let results = checks::run_those_of(&Case::new(evidence), selection, fact);
    results.iter().any(|result| {
        matches!(&result.outcome, Outcome::Findings(findings)
            if findings.iter().any(|finding| finding.severity <= Severity::Warning))
    })
}

/// Where this fact alone was given: whether a check reads it and lacks no other.
fn told_by(result: &CheckResult, fact: Fact) -> bool {
    told_by_with(result, fact, fact)
}

/// Whether a check reads this fact, and lacks nothing but that one.
fn told_by_with(result: &CheckResult, fact: Fact, may_lack: Fact) -> bool {
    let lacks_more = matches!(&result.outcome, Outcome::Inconclusive(missing)
        if missing.iter().any(|missing| missing.fact != may_lack));
    result.check.facts.contains(&fact) && !lacks_more
}

/// A check that lacks nothing but what nobody set out to see does not apply.
fn no_question(
    results: &mut [CheckResult],
    is_none: impl Fn(Fact) -> bool,
    why: impl Fn(&[Missing]) -> String,
) {
    for result in results {
        if let Outcome::Inconclusive(missing) = &result.outcome
            && missing.iter().all(|missing| is_none(missing.fact))
        {
            result.outcome = Outcome::NotApplicable(why(missing));
        }
    }
}

/// The facts that are missing, each once.
fn names(missing: &[Missing]) -> String {
    let names: BTreeSet<&str> = missing.iter().map(|missing| missing.fact.name()).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// Settles a verdict that was open only for want of what nobody set out to see.
fn nothing_wrong(diagnosis: &mut Diagnosis) {
    if diagnosis.verdict == Verdict::Unknown {
        diagnosis.verdict = Verdict::Healthy;
    }
}

fn is_open(result: &CheckResult) -> bool {
    matches!(result.outcome, Outcome::Inconclusive(_) | Outcome::Crashed(_))
}

/// What makes an audit ask for a fact that it leaves out.
fn asked_for_by(fact: Fact) -> &'static str {
    match fact.row().opt_in {
        Some(OptIn::Logs) => "--logs",
        Some(OptIn::SecretValue) => "--read-secret",
        Some(OptIn::EachSecret) => "--each",
        Some(OptIn::Simulation) | None => "`rotdoctor diagnose`",
    }
}

/// Whether all that matters in the package was read.
fn package_was_read(case: &Case<'_>) -> bool {
    case.package().if_known().is_some_and(|package| {
        !package.archives.is_empty()
            && package.archives.iter().all(|archive| archive.complete == Some(true))
    })
}
