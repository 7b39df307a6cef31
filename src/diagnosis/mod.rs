//! Symptoms + findings → ranked causes. Pure: it reads the case and what the
//! checks said, and decides what explains what. Words for the terminal live in
//! `report/`, judgements about one fact in `checks/`.

mod cause;
mod fit;
mod timeline;
mod verify;

pub use self::{
    cause::Cause,
    timeline::{Attempt, Outcome, StepRun, Timeline},
    verify::{TriedFix, try_fixes},
};
use crate::{
    catalogue::Severity,
    checks::{self, Case, CheckResult, Finding, Selection},
    report::v1::Verdict,
};

/// The answer about one secret.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// The answer in one word.
    pub verdict: Verdict,
    /// Attempts, and since when it fails.
    pub timeline: Timeline,
    /// What explains the failure, most certain first.
    pub causes: Vec<Cause>,
    /// Everything that is wrong now, worst first.
    pub findings: Vec<Finding>,
}

/// Diagnoses one case from what the checks said.
pub fn diagnose(case: &Case<'_>, results: &[CheckResult], selection: &Selection) -> Diagnosis {
    let timeline = Timeline::of(case);
    let mut findings = findings(results, selection);
    fit::drop_moot(&mut findings);
    let verdict = verdict(case, &timeline, &findings);
    let causes = cause::rank(&timeline, verdict, &mut findings);
    Diagnosis { verdict, timeline, causes, findings }
}

/// Every finding of the selected codes; one code on one resource is one
/// finding, however many checks report it.
fn findings(results: &[CheckResult], selection: &Selection) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for result in results {
        let checks::Outcome::Findings(found) = &result.outcome else { continue };
        for finding in found.iter().filter(|f| selection.includes_code(result.check, f.code())) {
            match findings.iter_mut().find(|other| other.code() == finding.code()) {
                Some(other) if same_thing(other, finding) => other.absorb(finding),
                _ => findings.push(finding.clone()),
            }
        }
    }
    // Among equals the order of the checks stays, and with it the rank that a
    // check gives its candidates.
    findings.sort_by_key(|finding| (finding.severity, finding.basis));
    findings
}

/// A log line rarely knows the ARN of what it complains about, so a finding by
/// the log and one by the state with the same code are one thing.
fn same_thing(a: &Finding, b: &Finding) -> bool {
    a.resource == b.resource || a.basis.is_by_log() != b.basis.is_by_log()
}

fn verdict(case: &Case<'_>, timeline: &Timeline, findings: &[Finding]) -> Verdict {
    if timeline.failing {
        return Verdict::Failing;
    }
    if findings.iter().any(|finding| finding.severity <= Severity::Warning) {
        return Verdict::AtRisk;
    }
    if case.secret().is_unseen() && timeline.attempts.is_empty() {
        return Verdict::Unknown;
    }
    Verdict::Healthy
}
