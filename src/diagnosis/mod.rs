//! Symptoms + findings → ranked causes. Pure: it reads the case and what the
//! checks said, and decides what explains what. Words for the terminal live in
//! `report/`, judgements about one fact in `checks/`.

mod cause;
mod changes;
mod fixed_since;
mod plan;
mod progress;
mod recovery;
mod related_resources;
mod rollback;
mod timeline;
mod unexplained;
mod verdict;
mod verify;

pub use self::{
    cause::Cause,
    changes::{Changed, Changes},
    plan::{Plan, plan},
    progress::{Progress, progress, waits_since},
    recovery::{Action, Password, Pending, Recovery, RecoveryStep},
    rollback::{Rollback, rollback},
    timeline::{Attempt, Outcome, StepRun, Timeline},
    unexplained::Unexplained,
    verdict::{Confidence, Verdict},
    verify::{TriedFix, try_fixes},
};
use crate::{
    catalogue::Severity,
    checks::{self, Basis, Case, CheckResult, Finding, Selection},
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
    /// What changed before it broke; only where it fails.
    pub changes: Option<Changes>,
    /// How to get rotation going once the cause is gone; only where it fails.
    pub recovery: Option<Recovery>,
    /// The error that is seen and that no cause explains.
    pub unexplained: Option<Unexplained>,
}

/// Diagnoses one case from what the checks said.
pub fn diagnose(case: &Case<'_>, results: &[CheckResult], selection: &Selection) -> Diagnosis {
    let timeline = Timeline::of(case);
    let mut findings = findings(results, selection);
    drop_moot(&mut findings);
    let mut verdict = verdict(case, &timeline, &findings);
    let mut causes = cause::rank(&timeline, verdict, &mut findings);
    if verdict == Verdict::Failing {
        if fixed_since::all_fixed(case, results, &causes) {
            verdict = Verdict::Recovering;
            fixed_since::settle(case, results, &mut causes, &mut findings);
        } else {
            fixed_since::note(case, results, &timeline, &mut causes);
        }
    }
    let failing = matches!(verdict, Verdict::Failing | Verdict::Recovering);
    let changes = failing.then(|| changes::changes(case, &timeline));
    let recovery = failing.then(|| {
        let first = causes.first().map(|cause| cause.finding.entry);
        recovery::recovery(case, &timeline, first)
    });
    let unexplained = unexplained::unexplained(case, &timeline, &causes);
    let recovery = recovery.flatten();
    Diagnosis { verdict, timeline, causes, findings, changes, recovery, unexplained }
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
    for finding in &mut findings {
        lower_where_state_says_otherwise(finding, results);
    }
    // Among equals the order of the checks stays, and with it the rank that a
    // check gives its candidates.
    findings.sort_by_key(|finding| (finding.severity, finding.basis));
    findings
}

/// Removes what is no fault of its own beside another: a function that does not exist
/// has no policy either.
fn drop_moot(findings: &mut Vec<Finding>) {
    let errors: Vec<(&str, String)> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| (finding.code(), finding.resource.clone()))
        .collect();
    findings.retain(|finding| {
        let beside = |(code, resource): &(&str, String)| {
            finding.entry.moot_beside.contains(code) && *resource == finding.resource
        };
        !errors.iter().any(beside)
    });
}

/// A line of the past is weaker than the state of now: where the check that looks
/// at the state itself found nothing wrong, the line is only a candidate.
fn lower_where_state_says_otherwise(finding: &mut Finding, results: &[CheckResult]) {
    if finding.basis != Basis::Line {
        return;
    }
    let disproof = results.iter().find(|result| {
        result.outcome == checks::Outcome::Passed
            && result.check.codes.contains(&finding.code())
            && !result.check.judges_text()
    });
    if let Some(result) = disproof {
        finding.basis = Basis::Candidate;
        finding.summary.push_str(&format!(
            " As things stand now, the check {} finds nothing of this.",
            result.check.name
        ));
    }
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
    if cannot_tell(case, timeline) {
        return Verdict::Unknown;
    }
    Verdict::Healthy
}

/// Whether the secret alone shows that rotation keeps its schedule: it was rotated, the
/// next time is still to come, and no new version waits. Less than a log shows, and
/// enough where none was asked for.
pub(crate) fn keeps_its_schedule(case: &Case<'_>) -> bool {
    case.secret().if_known().is_some_and(|secret| {
        let last = secret.last_rotated_date;
        let days = secret.rotation_rules.as_ref().and_then(|rules| rules.automatically_after_days);
        let reckoned = last.zip(days).and_then(|(last, days)| {
            last.0
                .checked_add(jiff::SignedDuration::from_hours(days * 24))
                .ok()
                .map(crate::evidence::Time)
        });
        last.is_some()
            && secret.next_rotation_date.or(reckoned).is_some_and(|next| next >= case.now())
            && secret.stuck_pending().is_none()
    })
}

/// Whether too little was seen to say that rotation does not fail.
fn cannot_tell(case: &Case<'_>, timeline: &Timeline) -> bool {
    // An attempt whose end was not seen may have failed.
    if let Some(last) = timeline.attempts.last() {
        return last.outcome == Outcome::Open
            && last.started_at.is_none_or(|at| Some(at) > timeline.last_success);
    }
    let Some(secret) = case.secret().if_known() else { return true };
    let rotates = secret.rotation_enabled == Some(true) && secret.owning_service.is_none();
    rotates && case.log().is_unseen() && case.trail_events().is_unseen()
}

#[cfg(test)]
mod tests {
    use super::{Finding, drop_moot};

    #[test]
    fn a_function_that_is_gone_lacks_no_permission() {
        let on = |code, resource: &str| Finding::new(code, resource, code);
        let mut all = vec![on("IAM08", "gone"), on("RUN15", "gone"), on("IAM08", "another")];
        drop_moot(&mut all);
        let left: Vec<_> = all.iter().map(|one| (one.code(), one.resource.as_str())).collect();
        assert_eq!(left, [("RUN15", "gone"), ("IAM08", "another")]);
    }
}
