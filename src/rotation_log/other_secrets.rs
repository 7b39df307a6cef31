//! Attempts in a shared function's log that are of another secret although none of
//! their lines says so: the secret's labels and CloudTrail decide. What the log itself
//! names is told apart in `reader`.

use super::{Attempt, AttemptOutcome, RotationLog};
use crate::evidence::{Secret, Time, TrailEvent};

/// An event and an attempt this close belong together (Secrets Manager retries a
/// failing step for some minutes).
const TOGETHER_SECONDS: f64 = 900.0;

/// An attempt that begins this long after the secret last changed did not change
/// it. The clocks of Lambda and Secrets Manager differ by less.
const AFTER_SECONDS: f64 = 60.0;

impl RotationLog {
    /// Leaves out the attempts that failed and cannot be this secret's. Every
    /// attempt at a rotation labels a version AWSPENDING first, which changes the
    /// secret, and the label stays until the attempt succeeds or somebody takes it
    /// off, which changes the secret again (DescribeSecret: LastChangedDate is of
    /// any change). So one that names no secret and no version, began after the last
    /// change, and left no such label is of another secret that the function
    /// rotates, or was made by hand. An event of a rotation near it says otherwise.
    #[must_use]
    pub fn without_other_secrets(
        mut self,
        secret: Option<&Secret>,
        events: Option<&[TrailEvent]>,
    ) -> Self {
        let Some(secret) = secret else { return self };
        let Some(changed) = secret.last_changed_date else { return self };
        if secret.version_ids_to_stages.is_empty() || secret.stuck_pending().is_some() {
            return self;
        }
        let rotations: Vec<Time> = events
            .into_iter()
            .flatten()
            .filter(|event| event.event_name.as_deref().is_some_and(|n| n.contains("Rotation")))
            .filter(|event| event.may_concern(secret))
            .filter_map(|event| event.event_time)
            .collect();
        let mut attempts = std::mem::take(&mut self.attempts);
        let before = attempts.len();
        attempts.retain(|attempt| {
            attempt.outcome != AttemptOutcome::Failed
                || !self.is_anonymous(attempt, secret)
                || attempt.started_at.is_none_or(|start| {
                    start.seconds_since(changed) < AFTER_SECONDS
                        || rotations
                            .iter()
                            .any(|at| at.seconds_since(start).abs() < TOGETHER_SECONDS)
                })
        });
        self.other_secrets += (before - attempts.len()) as u64;
        self.attempts = attempts;
        self
    }

    fn is_anonymous(&self, attempt: &Attempt, secret: &Secret) -> bool {
        let named = |text: &str| secret.arn.as_deref().is_some_and(|arn| text.contains(arn));
        attempt.token.is_none()
            && !self.runs(attempt).any(|run| {
                run.error.as_ref().is_some_and(|error| named(&error.message))
                    || run.lines.iter().any(|line| named(&line.text))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotation_log::{Invocation, RunOutcome};

    fn at(text: &str) -> Option<Time> {
        Time::parse(text)
    }

    fn secret(changed: &str, pending: bool) -> Secret {
        let mut secret = Secret { last_changed_date: at(changed), ..Secret::default() };
        secret.arn = Some("arn:aws:secretsmanager:eu-west-1:1:secret:app-AbCdEf".to_owned());
        let labels = |label: &str| vec![label.to_owned()];
        secret.version_ids_to_stages.insert("now".to_owned(), labels("AWSCURRENT"));
        if pending {
            secret.version_ids_to_stages.insert("new".to_owned(), labels("AWSPENDING"));
        }
        secret
    }

    fn log(line: &str) -> RotationLog {
        let started_at = at("2026-11-20T04:00:03Z");
        let line = crate::rotation_log::Line { at: None, level: None, text: line.to_owned() };
        let run = Invocation {
            started_at,
            outcome: RunOutcome::Failed,
            lines: vec![line],
            ..Invocation::default()
        };
        let attempt = Attempt {
            token: None,
            started_at,
            runs: vec![0],
            failed_step: None,
            outcome: AttemptOutcome::Failed,
            ..Attempt::default()
        };
        RotationLog { attempts: vec![attempt], invocations: vec![run], ..RotationLog::default() }
    }

    #[test]
    fn an_attempt_that_left_no_mark_on_the_secret_is_another_ones() {
        let read = log("KeyError").without_other_secrets(Some(&secret("2026-11-19", false)), None);
        assert_eq!((read.attempts.len(), read.other_secrets), (0, 1));
    }

    #[test]
    fn a_label_a_later_change_a_name_or_an_event_keeps_it() {
        let kept = |text: &str, secret: &Secret, events: Option<&[TrailEvent]>| {
            log(text).without_other_secrets(Some(secret), events).attempts.len() == 1
        };
        let quiet = secret("2026-11-19", false);
        assert!(kept("KeyError", &secret("2026-11-19", true), None));
        assert!(kept("KeyError", &secret("2026-11-20T09:00:00Z", false), None));
        assert!(kept(&format!("failed for {}", quiet.arn.clone().expect("an ARN")), &quiet, None));
        let event = |time: &str| TrailEvent {
            event_name: Some("RotationFailed".to_owned()),
            event_time: at(time),
            ..TrailEvent::default()
        };
        assert!(kept("KeyError", &quiet, Some(&[event("2026-11-20T04:03:00Z")])));
        assert!(!kept("KeyError", &quiet, Some(&[event("2026-10-20T04:03:00Z")])));
        assert_eq!(log("KeyError").without_other_secrets(None, None).attempts.len(), 1);
    }
}
