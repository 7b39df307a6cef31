//! When rotation was tried, by token, from the log and from CloudTrail; since
//! when it fails. No cause is decided here.

use crate::{
    catalogue::secret_limits,
    checks::Case,
    evidence::{RotationStep, Secret, Time, TrailEvent},
    rotation_log::{self, AttemptOutcome, Invocation, RunOutcome},
};

/// A CloudTrail event and a log attempt this close are the same attempt, where
/// no token identifies them.
const SAME_ATTEMPT_SECONDS: f64 = 300.0;

/// Retries of a failing step go on for some minutes before the attempt ends.
pub(super) const RETRIES_SECONDS: f64 = 1800.0;

/// The history of one secret's rotation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// Attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// End of the last successful rotation.
    pub last_success: Option<Time>,
    /// First failed attempt since then.
    pub failing_since: Option<Time>,
    /// Failed attempts since then.
    pub failed_attempts: u64,
    /// Whether rotation is failing: the last attempt failed, or AWSPENDING is stuck.
    pub failing: bool,
    /// The version that is stuck as AWSPENDING.
    pub stuck_version: Option<String>,
    /// From when to when the function's log was seen, where it was.
    pub log_span: Option<(Time, Time)>,
}

/// One attempt at a rotation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attempt {
    /// Start.
    pub started_at: Option<Time>,
    /// End of its last invocation, where that was seen.
    pub ended_at: Option<Time>,
    /// ClientRequestToken.
    pub token: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// The step that failed.
    pub failed_step: Option<RotationStep>,
    /// Invocations, in order.
    pub steps: Vec<StepRun>,
    /// The error that ended it.
    pub error: Option<String>,
    /// Whether the function was seen to run.
    pub invoked: bool,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// It finished.
    Succeeded,
    /// A step failed.
    Failed,
    /// Its end was not seen.
    #[default]
    Open,
}

/// One invocation for a step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRun {
    /// The step, where it is known.
    pub step: Option<RotationStep>,
    /// What became of it.
    pub outcome: RunOutcome,
    /// Request id.
    pub request_id: Option<String>,
    /// Milliseconds.
    pub duration_ms: Option<f64>,
}

impl Timeline {
    /// The history as the log, CloudTrail and the secret show it together.
    pub fn of(case: &Case<'_>) -> Self {
        let mut attempts: Vec<Attempt> = match case.log().if_known() {
            Some(log) => log.attempts.iter().map(|attempt| from_log(log, attempt)).collect(),
            None => Vec::new(),
        };
        for event in case.trail_events().if_known().into_iter().flatten() {
            place(&mut attempts, event, case.secret().if_known());
        }
        in_order(&mut attempts);

        let secret = case.secret().if_known();
        let last_success = attempts
            .iter()
            .filter(|attempt| attempt.outcome == Outcome::Succeeded)
            // What was tried again for hours succeeded at its end.
            .filter_map(|attempt| attempt.ended_at.or(attempt.started_at))
            .chain(case.last_rotated())
            .max();
        let succeeded = attempts.iter().rposition(|one| one.outcome == Outcome::Succeeded);
        let failed: Vec<&Attempt> = attempts
            .iter()
            .enumerate()
            .filter(|(_, attempt)| attempt.outcome == Outcome::Failed)
            .filter(|(index, attempt)| match (attempt.started_at, last_success) {
                // Times of whole seconds: what follows at once begins as the other ends.
                (Some(at), Some(success)) if at != success => at > success,
                _ => Some(*index) > succeeded,
            })
            .map(|(_, attempt)| attempt)
            .collect();
        let last_done = attempts.iter().rev().find(|attempt| attempt.outcome != Outcome::Open);
        let last_failed = last_done.is_some_and(|last| failed.contains(&last));
        let stuck_version = secret
            .and_then(Secret::stuck_pending)
            .filter(|version| last_failed || !under_way(case, version))
            .map(str::to_owned);
        Self {
            failing_since: failed.iter().find_map(|attempt| attempt.started_at),
            failed_attempts: failed.len() as u64,
            failing: last_failed || stuck_version.is_some(),
            last_success,
            log_span: case.log().if_known().and_then(span),
            stuck_version,
            attempts,
        }
    }

    /// The newest attempt that failed since the last success.
    pub fn last_failure(&self) -> Option<&Attempt> {
        if self.failed_attempts == 0 {
            return None;
        }
        self.attempts.iter().rev().find(|attempt| attempt.outcome == Outcome::Failed)
    }
}

/// Sorts by start; an attempt without a time keeps its place after the one before.
fn in_order(attempts: &mut Vec<Attempt>) {
    let mut newest = None;
    let mut keyed: Vec<(Option<Time>, Attempt)> = std::mem::take(attempts)
        .into_iter()
        .map(|attempt| {
            newest = attempt.started_at.or(newest);
            (newest, attempt)
        })
        .collect();
    keyed.sort_by_key(|(at, _)| *at);
    attempts.extend(keyed.into_iter().map(|(_, attempt)| attempt));
}

/// The time that the log's invocations cover.
fn span(log: &rotation_log::RotationLog) -> Option<(Time, Time)> {
    let times = || log.invocations.iter().filter_map(|run| run.started_at);
    times().min().zip(times().max())
}

/// Whether the pending version is so young that its rotation may still run.
fn under_way(case: &Case<'_>, version: &str) -> bool {
    let versions = case.secret_versions();
    let created = versions.if_known().and_then(|versions| versions.created(version));
    let limit = secret_limits().under_way_minutes.value as f64 * 60.0;
    created.is_some_and(|created| (0.0..limit).contains(&case.now().seconds_since(created)))
}

fn from_log(log: &rotation_log::RotationLog, attempt: &rotation_log::Attempt) -> Attempt {
    Attempt {
        started_at: attempt.started_at,
        ended_at: log.runs(attempt).rev().find_map(|run| run.ended_at),
        token: attempt.token.clone(),
        outcome: match attempt.outcome {
            AttemptOutcome::Succeeded => Outcome::Succeeded,
            AttemptOutcome::Failed => Outcome::Failed,
            AttemptOutcome::Open => Outcome::Open,
        },
        failed_step: attempt.failed_step,
        steps: log
            .runs(attempt)
            .map(|run| StepRun {
                step: run.step,
                outcome: run.outcome,
                request_id: run.request_id.clone(),
                duration_ms: run.duration_ms,
            })
            .collect(),
        error: log.runs(attempt).rev().find(|run| run.failed()).and_then(error_of),
        invoked: true,
    }
}

/// The error that ended an invocation, in one line.
fn error_of(run: &Invocation) -> Option<String> {
    if let Some(error) = &run.error {
        return Some(format!("{}: {}", error.error_type, error.message));
    }
    match run.outcome {
        RunOutcome::TimedOut => {
            let seconds = run.timed_out_after.or(run.seconds())?;
            Some(format!("Task timed out after {seconds:.2} seconds"))
        }
        _ => run
            .lines
            .iter()
            .rev()
            .find(|line| line.level == Some(rotation_log::Level::Error))
            .map(|line| line.text.clone()),
    }
}

/// Puts a CloudTrail event to the attempt it belongs to, or makes one of it.
fn place(attempts: &mut Vec<Attempt>, event: &TrailEvent, secret: Option<&Secret>) {
    let Some(outcome) = event.event_name.as_deref().and_then(outcome_of) else { return };
    if secret.is_some_and(|secret| !event.may_concern(secret)) {
        return;
    }
    let token = event.rotation_token();
    let near = |attempt: &Attempt| match (attempt.started_at, event.event_time) {
        // The end of an attempt is recorded when its retries are used up.
        (Some(start), Some(at)) => {
            (-SAME_ATTEMPT_SECONDS..=RETRIES_SECONDS).contains(&at.seconds_since(start))
        }
        _ => false,
    };
    let index = attempts
        .iter()
        .position(|attempt| token.is_some() && attempt.token == token)
        .or_else(|| {
            attempts
                .iter()
                .rposition(|attempt| near(attempt) && (token.is_none() || attempt.token.is_none()))
        });
    let index = index.unwrap_or_else(|| {
        attempts.push(Attempt { started_at: event.event_time, ..Attempt::default() });
        attempts.len() - 1
    });
    let attempt = &mut attempts[index];
    attempt.token = attempt.token.take().or(token);
    if outcome == Outcome::Open {
        attempt.started_at = [attempt.started_at, event.event_time].into_iter().flatten().min();
        return;
    }
    attempt.outcome = outcome;
    if let Some(message) = event.error_message() {
        attempt.failed_step = attempt.failed_step.or_else(|| {
            RotationStep::ALL
                .into_iter()
                .find(|step| message.contains(&format!("during {step} step")))
        });
        attempt.error.get_or_insert(message);
    }
}

fn outcome_of(event_name: &str) -> Option<Outcome> {
    match event_name {
        "RotationStarted" => Some(Outcome::Open),
        "RotationSucceeded" => Some(Outcome::Succeeded),
        "RotationFailed" | "RotationAbandoned" => Some(Outcome::Failed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Timeline};
    use crate::{
        checks::Case,
        evidence::{Evidence, RotationStep},
    };

    fn timeline(bundle: serde_json::Value) -> Timeline {
        let mut evidence: Evidence = serde_json::from_value(bundle).expect("bundle");
        evidence.settle();
        Timeline::of(&Case::new(&evidence))
    }

    fn event(name: &str, at: &str, detail: serde_json::Value) -> serde_json::Value {
        serde_json::json!({"EventName": name, "EventTime": at, "CloudTrailEvent": detail.to_string()})
    }

    const TOKEN: &str = "7f6c2a10-1111-4222-8333-444455556666";

    #[test]
    fn cloudtrail_alone_tells_the_failed_step() {
        let id = format!("Rotation-arn:aws:secretsmanager:eu-west-1:1:secret:a-AbCdEf-{TOKEN}");
        let timeline = timeline(serde_json::json!({
            "CapturedAt": "2026-11-21T00:00:00Z",
            "Secret": {"ARN": "arn:aws:secretsmanager:eu-west-1:1:secret:a-AbCdEf", "LastRotatedDate": "2026-10-20T00:00:00Z"},
            "TrailEvents": [
                event("RotationStarted", "2026-11-20T03:00:00Z", serde_json::json!({"requestID": id})),
                event("RotationFailed", "2026-11-20T03:05:00Z", serde_json::json!({"requestID": id,
                    "errorMessage": "Error when executing lambda arn:x during setSecret step"})),
            ],
        }));
        assert!(timeline.failing);
        assert_eq!((timeline.attempts.len(), timeline.failed_attempts), (1, 1));
        let attempt = &timeline.attempts[0];
        assert_eq!(attempt.failed_step, Some(RotationStep::SetSecret));
        assert_eq!(attempt.outcome, Outcome::Failed);
        assert_eq!(attempt.token.as_deref(), Some(TOKEN));
        assert_eq!(
            timeline.failing_since.map(|t| t.minute()),
            Some("2026-11-20 03:00 UTC".to_owned())
        );
    }

    #[test]
    fn a_later_success_ends_the_failure_and_other_secrets_do_not_count() {
        let other = serde_json::json!({"requestID": "x", "additionalEventData": {"SecretId": "arn:aws:secretsmanager:eu-west-1:1:secret:b-AbCdEf"}});
        let timeline = timeline(serde_json::json!({
            "CapturedAt": "2026-11-21T00:00:00Z",
            "Secret": {"ARN": "arn:aws:secretsmanager:eu-west-1:1:secret:a-AbCdEf", "LastRotatedDate": "2026-11-20T05:00:00Z"},
            "TrailEvents": [
                event("RotationFailed", "2026-11-20T03:05:00Z", serde_json::json!({})),
                event("RotationFailed", "2026-11-20T06:05:00Z", other),
            ],
        }));
        assert!(!timeline.failing);
        assert_eq!(timeline.failed_attempts, 0);
        assert_eq!(timeline.attempts.len(), 1);
    }

    #[test]
    fn a_pending_version_is_stuck_unless_it_is_minutes_old() {
        let bundle = |created: &str| {
            serde_json::json!({
                "CapturedAt": "2026-11-21T00:00:00Z",
                "Secret": {"VersionIdsToStages": {"a": ["AWSCURRENT"], "b": ["AWSPENDING"]}},
                "SecretVersions": {"Versions": [{"VersionId": "b", "CreatedDate": created}]},
            })
        };
        assert!(timeline(bundle("2026-11-20T00:00:00Z")).failing);
        assert!(!timeline(bundle("2026-11-20T23:58:00Z")).failing);
    }

    #[test]
    fn a_pending_version_and_a_log_that_ends_in_failure_outweigh_a_later_date() {
        let bundle = |stages: serde_json::Value| {
            serde_json::json!({
                "CapturedAt": "2026-11-21T00:01:00Z",
                "Secret": {"VersionIdsToStages": stages, "LastRotatedDate": "2026-11-21T00:00:00Z"},
                "SecretVersions": {"Versions": [{"VersionId": "b", "CreatedDate": "2026-11-21T00:00:30Z"}]},
                "LogEvents": [
                    {"timestamp": 1795215600000_i64, "message": "START RequestId: 0c1e5a1e-0000-4000-8000-000000000001 Version: $LATEST", "logStreamName": "x"},
                    {"timestamp": 1795215601000_i64, "message": "[ERROR] KeyError: 'host key is missing from secret JSON'", "logStreamName": "x"},
                    {"timestamp": 1795215602000_i64, "message": "END RequestId: 0c1e5a1e-0000-4000-8000-000000000001", "logStreamName": "x"},
                ],
            })
        };
        let stuck = timeline(bundle(serde_json::json!({"a": ["AWSCURRENT"], "b": ["AWSPENDING"]})));
        assert!(stuck.failing && stuck.failed_attempts == 1, "{stuck:?}");
        let done = timeline(bundle(serde_json::json!({"b": ["AWSCURRENT"]})));
        assert!(!done.failing && done.failed_attempts == 0, "{done:?}");
    }
}
