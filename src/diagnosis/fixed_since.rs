//! Causes that the log names and the state no longer shows: somebody has fixed them since
//! the last attempt, or nobody can see them. Where all of them are gone, the secret is
//! recovering; else the cause stays, with what is known now beside it.

use super::{cause::Cause, timeline::Timeline};
use crate::{
    aws::commands::Command,
    catalogue::Severity,
    checks::{Case, CheckResult, Finding, Fix, Outcome},
    evidence::Fact,
};

/// Whether this check judges things as they are, and not what a failure left behind.
fn is_about_state(result: &CheckResult) -> bool {
    let left_behind = [Fact::LogEvents, Fact::TrailEvents, Fact::StackEvents];
    result.check.facts.first().is_some_and(|fact| !left_behind.contains(fact))
}

/// The check of the state that sees all of what a cause from the log is about, and finds
/// nothing wrong. `None` where no check sees all of it, or one that does could not decide.
fn passed_check(case: &Case<'_>, results: &[CheckResult], cause: &Cause) -> Option<&'static str> {
    let entry = cause.finding.entry;
    if !cause.finding.basis.is_by_log() || !entry.state_decides {
        return None;
    }
    // A timeout that the function still has cannot have been raised since.
    if entry.area == "TMO" && !timeout_changed(case) {
        return None;
    }
    let question = entry.same_fault_as.unwrap_or(entry.code);
    let mut checks = results
        .iter()
        .filter(|result| result.check.codes.contains(&question) && is_about_state(result));
    if checks.clone().any(|result| matches!(result.outcome, Outcome::Inconclusive(_))) {
        return None;
    }
    checks.find(|result| matches!(result.outcome, Outcome::Passed)).map(|result| result.check.name)
}

/// Whether the function's timeout is another one than that at which it was last ended.
fn timeout_changed(case: &Case<'_>) -> bool {
    let function = case.function();
    let timeout = function.if_known().and_then(|function| function.configuration.timeout);
    let log = case.log();
    let ended_after = log.if_known().and_then(|log| {
        log.invocations.iter().rev().find_map(|invocation| invocation.timed_out_after)
    });
    timeout.zip(ended_after).is_some_and(|(now, then)| (then - now as f64).abs() >= 1.0)
}

/// Whether what stopped the last attempt is gone: its causes come from the log alone, and
/// the state shows none of those that are as certain as the first.
pub(super) fn all_fixed(case: &Case<'_>, results: &[CheckResult], causes: &[Cause]) -> bool {
    let Some(surest) = causes.first().map(|cause| cause.confidence) else { return false };
    causes.iter().all(|cause| cause.finding.basis.is_by_log())
        && causes
            .iter()
            .filter(|cause| cause.confidence == surest)
            .all(|cause| passed_check(case, results, cause).is_some())
}

/// Leaves of a fixed failure what is still true: its causes, without a fix, explain the
/// last attempt and are no findings any more; what followed from them needs no fix of its
/// own, since the next attempt settles it. What the log shows and stops no rotation, such
/// as a printed password, stays.
pub(super) fn settle(
    case: &Case<'_>,
    results: &[CheckResult],
    causes: &mut Vec<Cause>,
    findings: &mut Vec<Finding>,
) {
    causes.retain_mut(|cause| {
        let Some(check) = passed_check(case, results, cause) else { return false };
        cause.finding.summary += &format!(" Now {check} finds nothing wrong.");
        cause.finding.fixes.clear();
        cause.finding.confirm.clear();
        true
    });
    findings.retain(|finding| !finding.basis.is_by_log() || finding.entry.stops.is_empty());
    for finding in findings.iter_mut().filter(|finding| finding.entry.consequence) {
        finding.severity = Severity::Note;
    }
}

/// Adds to each cause from the log, where the checks of the state find nothing wrong,
/// that it may be fixed by now.
pub(super) fn note(
    case: &Case<'_>,
    results: &[CheckResult],
    timeline: &Timeline,
    causes: &mut [Cause],
) {
    for cause in causes {
        let Some(check) = passed_check(case, results, cause) else { continue };
        let newest = timeline.attempts.iter().rev().find_map(|attempt| attempt.started_at);
        let since = newest.map(|at| format!(" since {at}")).unwrap_or_default();
        cause.finding.summary += &format!(
            " That is what the log says; as things are now, {check} finds nothing wrong: if it was \
             fixed{since}, a new attempt shows it."
        );
        let rotate = Command::aws("secretsmanager", "rotate-secret");
        let follow = Command::rotdoctor("diagnose").operand("SECRET", case.secret_id());
        let again = Fix {
            summary: "If it was fixed since: begin the rotation again, and follow it.".to_owned(),
            commands: vec![rotate.option("--secret-id", case.secret_id()), follow.flag("--wait")],
            template: None,
            change: None,
        };
        cause.finding.fixes.insert(0, again);
    }
}
