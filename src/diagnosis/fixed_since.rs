//! Causes that the log names and the facts no longer show: somebody may have fixed them
//! since the last attempt. The cause stays, with what is known now beside it.

use super::{cause::Cause, timeline::Timeline};
use crate::{
    aws::commands::Command,
    checks::{Case, CheckResult, Fix, Outcome},
    evidence::Fact,
};

/// The areas whose checks see all that they ask about: where these find nothing wrong,
/// nothing is. A password that changed unseen, in comparison, stays unknown.
const AREAS: [&str; 3] = ["NET", "IAM", "KMS"];

/// Whether this check judges things as they are, and not what a failure left behind.
fn is_about_state(result: &CheckResult) -> bool {
    let left_behind = [Fact::LogEvents, Fact::TrailEvents, Fact::StackEvents];
    result.check.facts.first().is_some_and(|fact| !left_behind.contains(fact))
}

/// Adds to each cause from the log, where the checks of the state find nothing wrong,
/// that it may be fixed by now.
pub(super) fn note(
    case: &Case<'_>,
    results: &[CheckResult],
    timeline: &Timeline,
    causes: &mut [Cause],
) {
    for cause in causes.iter_mut().filter(|cause| cause.finding.basis.is_by_log()) {
        let entry = cause.finding.entry;
        if !AREAS.contains(&entry.area) {
            continue;
        }
        let question = entry.same_fault_as.unwrap_or(entry.code);
        let in_order = results.iter().find(|result| {
            matches!(result.outcome, Outcome::Passed)
                && result.check.codes.contains(&question)
                && is_about_state(result)
        });
        let Some(check) = in_order.map(|result| result.check.name) else { continue };
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
