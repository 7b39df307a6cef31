//! What the log blames and the facts no longer show: somebody may have mended it since
//! the last attempt. The log's word stays, with what is known now beside it.

use super::{cause::Cause, timeline::Timeline};
use crate::{
    aws::commands::Command,
    checks::{Case, CheckResult, Fix, Outcome},
    evidence::Fact,
};

/// The areas whose checks see the whole of what they ask about: where these find nothing
/// wrong, it is in order. That a password was not seen to be changed is another thing.
const AREAS: [&str; 3] = ["NET", "IAM", "KMS"];

/// Whether this check judges things as they are, and not what a failure left behind.
fn is_about_state(result: &CheckResult) -> bool {
    let left_behind = [Fact::LogEvents, Fact::TrailEvents, Fact::StackEvents];
    result.check.facts.first().is_some_and(|fact| !left_behind.contains(fact))
}

/// Says so of each cause by the log whose own question was looked at and is in order.
pub(super) fn say(
    case: &Case<'_>,
    results: &[CheckResult],
    timeline: &Timeline,
    causes: &mut [Cause],
) {
    for cause in causes.iter_mut().filter(|cause| cause.finding.basis.is_by_log()) {
        let code = cause.finding.code();
        if !AREAS.iter().any(|area| code.starts_with(area)) {
            continue;
        }
        // NET10T is NET10 as the log tells it.
        let question = code.trim_end_matches('T');
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
             mended{since}, a new attempt shows it."
        );
        let rotate = Command::aws("secretsmanager", "rotate-secret");
        let follow = Command::rotdoctor("diagnose").operand("SECRET", case.secret_id());
        let again = Fix {
            summary: "If it was mended since: begin the rotation again, and follow it.".to_owned(),
            commands: vec![rotate.option("--secret-id", case.secret_id()), follow.flag("--wait")],
            template: None,
            change: None,
        };
        cause.finding.fixes.insert(0, again);
    }
}
