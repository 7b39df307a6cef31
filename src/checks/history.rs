//! The history of a secret's rotations out of CloudTrail, the log and its own dates:
//! which attempts there were, which failed, who else wrote.

use super::Case;
use crate::{
    evidence::{RotationStep, Time, TrailEvent},
    rotation_log::AttemptOutcome,
};

/// The CloudTrail events of one case, oldest first.
pub(super) struct Trail<'a> {
    events: Vec<(Time, &'a TrailEvent)>,
}

impl<'a> Trail<'a> {
    /// Those among the events that are about the case's secret, or that name
    /// no secret (a database, a role).
    pub(super) fn of(case: &Case<'_>, events: &'a [TrailEvent]) -> Self {
        let secret = case.secret().if_known();
        let mut events: Vec<_> = events
            .iter()
            .filter(|event| secret.is_none_or(|secret| event.may_concern(secret)))
            .filter_map(|event| Some((event.event_time?, event)))
            .collect();
        events.sort_by_key(|(at, _)| *at);
        Self { events }
    }

    /// The events of these names, oldest first.
    pub(super) fn named(
        &self,
        names: &'static [&'static str],
    ) -> impl DoubleEndedIterator<Item = (Time, &'a TrailEvent)> {
        self.events.iter().copied().filter(move |(_, event)| {
            event.event_name.as_deref().is_some_and(|n| names.contains(&n))
        })
    }

    /// When the event of this name last happened.
    pub(super) fn last(&self, names: &'static [&'static str]) -> Option<Time> {
        self.named(names).next_back().map(|(at, _)| at)
    }
}

/// The first attempt that failed since the last one that succeeded.
pub(super) struct FirstFailure {
    /// When it started, or when CloudTrail recorded its failure.
    pub(super) at: Option<Time>,
    /// The step that failed.
    pub(super) step: Option<RotationStep>,
    /// Where this is known from.
    pub(super) source: &'static str,
}

/// The first attempt that failed since the last success, out of the log, else
/// out of CloudTrail.
pub(super) fn first_failure(case: &Case<'_>) -> Option<FirstFailure> {
    let from_log = case.log().if_known().and_then(|log| {
        let run_of_failures = log
            .attempts
            .iter()
            .rposition(|attempt| attempt.outcome == AttemptOutcome::Succeeded)
            .map_or(0, |last_success| last_success + 1);
        let first = log.attempts[run_of_failures..]
            .iter()
            .find(|attempt| attempt.outcome == AttemptOutcome::Failed)?;
        Some(FirstFailure { at: first.started_at, step: first.failed_step, source: "rotation log" })
    });
    let from_trail = case.trail_events().if_known().and_then(|events| {
        let trail = Trail::of(case, events);
        let success = trail.last(&["RotationSucceeded"]);
        let (at, event) = trail
            .named(&["RotationFailed"])
            .find(|(at, _)| success.is_none_or(|then| *at > then))?;
        Some(FirstFailure { at: Some(at), step: failed_step(event), source: "CloudTrail" })
    });
    // CloudTrail keeps 90 days, a log often less: the earlier one is the first.
    match (from_log, from_trail) {
        (Some(log), Some(trail)) if log.at.is_none() || trail.at < log.at => Some(FirstFailure {
            step: trail.step.or(log.step.filter(|_| log.at.is_none())),
            ..trail
        }),
        (log, trail) => log.or(trail),
    }
}

/// The step that a RotationFailed event names.
pub(super) fn failed_step(event: &TrailEvent) -> Option<RotationStep> {
    let message = event.error_message()?;
    RotationStep::ALL.into_iter().find(|step| message.contains(step.name()))
}

/// Whether the last attempt is known to have failed, or AWSPENDING is stuck.
pub(super) fn failing(case: &Case<'_>) -> bool {
    let stuck = case.secret().if_known().is_some_and(|secret| secret.stuck_pending().is_some());
    stuck || first_failure(case).is_some()
}

/// The step that the attempt with this token failed in last, where known.
pub(crate) fn step_reached(case: &Case<'_>, token: &str) -> Option<RotationStep> {
    let from_log = case.log().if_known().and_then(|log| {
        log.attempts
            .iter()
            .filter(|attempt| attempt.token.as_deref() == Some(token))
            .filter_map(|attempt| attempt.failed_step)
            .max()
    });
    let from_trail = case.trail_events().if_known().and_then(|events| {
        Trail::of(case, events)
            .named(&["RotationFailed"])
            .filter(|(_, event)| event.rotation_token().as_deref() == Some(token))
            .filter_map(|(_, event)| failed_step(event))
            .max()
    });
    from_log.max(from_trail)
}

/// Who made a call: the role behind an assumed role, else the user's ARN, else
/// the name that CloudTrail shows.
pub(crate) fn caller(event: &TrailEvent) -> String {
    let detail = event.detail().unwrap_or_default();
    [
        "/userIdentity/sessionContext/sessionIssuer/arn",
        "/userIdentity/arn",
        "/userIdentity/invokedBy",
    ]
    .iter()
    .find_map(|pointer| detail.pointer(pointer)?.as_str().map(str::to_owned))
    .or_else(|| event.username.clone())
    .unwrap_or_else(|| "an unnamed caller".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{caller, failing, first_failure, step_reached};
    use crate::{
        checks::{
            Case,
            testing::{evidence, failed_log},
        },
        evidence::RotationStep,
    };

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf";
    const TOKEN: &str = "11111111-2222-4333-8444-555555555555";

    fn failed(at: &str, arn: &str, step: &str) -> Value {
        json!({"EventName": "RotationFailed", "EventTime": at, "CloudTrailEvent": json!({
            "errorMessage": format!("Error when executing lambda f during {step} step"),
            "requestID": format!("Rotation-{arn}-{TOKEN}"),
            "additionalEventData": {"SecretId": arn}}).to_string()})
    }

    fn bundle(events: Value) -> crate::evidence::Evidence {
        evidence(json!({"Secret": {"ARN": ARN, "Name": "app"}, "TrailEvents": events}))
    }

    #[test]
    fn the_first_failure_is_the_first_since_the_last_success() {
        let evidence = bundle(json!([
            failed("2026-11-20T00:00:00Z", ARN, "testSecret"),
            failed("2026-11-10T00:00:00Z", ARN, "createSecret"),
            {"EventName": "RotationSucceeded", "EventTime": "2026-11-15T00:00:00Z"},
        ]));
        let case = Case::new(&evidence);
        let first = first_failure(&case).expect("a failure");
        assert_eq!((first.step, first.source), (Some(RotationStep::TestSecret), "CloudTrail"));
        assert_eq!(step_reached(&case, TOKEN), Some(RotationStep::TestSecret));
        assert!(failing(&case));
    }

    #[test]
    fn events_of_another_secret_do_not_count() {
        let other = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:other-AbCdEf";
        let evidence = bundle(json!([failed("2026-11-20T00:00:00Z", other, "setSecret")]));
        assert!(first_failure(&Case::new(&evidence)).is_none());
        let partial = ARN.strip_suffix("-AbCdEf").expect("suffix");
        let evidence = bundle(json!([failed("2026-11-20T00:00:00Z", partial, "setSecret")]));
        assert!(first_failure(&Case::new(&evidence)).is_some());
    }

    #[test]
    fn an_earlier_failure_in_the_log_wins_over_cloudtrail() {
        let evidence = bundle(json!([failed("2026-11-20T00:00:00Z", ARN, "setSecret")]));
        let log = failed_log(TOKEN, "2026-11-19T00:00:00Z", RotationStep::CreateSecret);
        let first = first_failure(&Case::with_log(&evidence, log)).expect("a failure");
        assert_eq!((first.step, first.source), (Some(RotationStep::CreateSecret), "rotation log"));
    }

    #[test]
    fn the_role_behind_a_session_is_the_caller() {
        let event = serde_json::from_value(json!({"Username": "session", "CloudTrailEvent":
            r#"{"userIdentity":{"arn":"arn:aws:sts::1:assumed-role/r/s",
                "sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::1:role/r"}}}}"#}))
        .expect("event");
        assert_eq!(caller(&event), "arn:aws:iam::1:role/r");
    }
}
