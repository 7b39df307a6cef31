//! How far the attempt is that somebody waits for, from the log and the secret alone.
//! Nothing is judged: once it ended, a diagnosis says why.

use crate::{
    checks::Case,
    evidence::{RotationStep, Time},
    rotation_log::{Attempt, AttemptOutcome, Invocation, RotationLog, RunOutcome},
};

/// An attempt that began this long before somebody starts to wait is the one that is
/// meant, in seconds: who rotates and then waits takes a moment in between.
const JUST_BEGUN_SECONDS: f64 = 120.0;

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// No attempt has begun.
    Waiting,
    /// It is under way.
    UnderWay {
        /// The step, where a line names it.
        step: Option<RotationStep>,
    },
    /// It ended well.
    Succeeded,
    /// A step failed. Secrets Manager may try once more.
    Failed {
        /// The step, where it is known.
        step: Option<RotationStep>,
    },
}

impl Progress {
    /// Whether there is nothing more to wait for.
    pub fn has_ended(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed { .. })
    }
}

/// From when on an attempt is the one that is waited for: now, or the start of one that
/// is under way or has just begun.
pub fn waits_since(case: &Case<'_>) -> Time {
    let now = case.now();
    let newest = case.log().if_known().and_then(RotationLog::last_attempt);
    let started = newest.and_then(|attempt| attempt.started_at).filter(|at| {
        now.seconds_since(*at) <= JUST_BEGUN_SECONDS
            || newest.is_some_and(|attempt| attempt.outcome == AttemptOutcome::Open)
                && is_pending(case, newest)
    });
    started.unwrap_or(now)
}

/// Whether the version that this attempt makes still waits to become current.
fn is_pending(case: &Case<'_>, attempt: Option<&Attempt>) -> bool {
    let pending = case.secret().if_known().and_then(|secret| secret.stuck_pending());
    pending.is_some() && attempt.and_then(|attempt| attempt.token.as_deref()) == pending
}

/// How far the attempt is whose rounds began at `since` or later. A round of an attempt
/// that failed before counts as a new start: Secrets Manager keeps the version.
pub fn progress(case: &Case<'_>, since: Time) -> Progress {
    let log = case.log().if_known();
    let secret = case.secret().if_known();
    let rotated = secret.and_then(|secret| secret.last_rotated_date).is_some_and(|at| at >= since);
    let newest = log.and_then(RotationLog::last_attempt);
    let runs: Vec<&Invocation> = log
        .zip(newest)
        .into_iter()
        .flat_map(|(log, attempt)| log.runs(attempt))
        .filter(|run| run.started_at.is_some_and(|at| at >= since))
        .collect();
    let (Some(attempt), false) = (newest, runs.is_empty()) else {
        return match (rotated, pending_since(case, since)) {
            (true, _) => Progress::Succeeded,
            (false, true) => Progress::UnderWay { step: None },
            (false, false) => Progress::Waiting,
        };
    };
    let ended = runs.iter().rfind(|run| run.outcome != RunOutcome::Open);
    if attempt.outcome == AttemptOutcome::Succeeded {
        Progress::Succeeded
    } else if ended.is_some_and(|run| run.failed()) {
        Progress::Failed { step: attempt.failed_step }
    } else if rotated {
        // The log arrives some seconds late; the secret itself does not.
        Progress::Succeeded
    } else {
        Progress::UnderWay { step: runs.iter().rev().find_map(|run| run.step) }
    }
}

/// Whether a version became AWSPENDING at `since` or later.
fn pending_since(case: &Case<'_>, since: Time) -> bool {
    let pending = case.secret().if_known().and_then(|secret| secret.stuck_pending());
    let Some(pending) = pending else { return false };
    let versions = case.secret_versions();
    let created = versions.if_known().and_then(|versions| versions.created(pending));
    created.is_some_and(|at| at >= since)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::evidence::Evidence;

    const SINCE: &str = "2026-11-20T10:00:00Z";
    const TOKEN: &str = "5a9b1c84-22f6-4e0b-8a55-9f3f5f0f7c22";

    fn seen(change: impl FnOnce(&mut Value)) -> Evidence {
        let mut bundle = json!({
            "CapturedAt": "2026-11-20T10:00:30Z",
            "Secret": {"ARN": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf",
                "Name": "db", "RotationEnabled": true, "LastRotatedDate": "2026-10-20T10:00:00Z",
                "VersionIdsToStages": {"v1": ["AWSCURRENT"]}},
            "SecretVersions": {"Versions": [{"VersionId": TOKEN, "VersionStages": ["AWSPENDING"],
                "CreatedDate": "2026-11-20T10:00:05Z"}]},
            "LogEvents": [],
        });
        change(&mut bundle);
        let mut evidence: Evidence = serde_json::from_value(bundle).expect("a bundle");
        evidence.settle();
        evidence
    }

    fn log(steps: &[(&str, u64, &str)]) -> Value {
        let events = steps.iter().enumerate().flat_map(|(index, (step, second, end))| {
            let id = format!("0c1e5a1e-0000-4000-8000-00000000000{index}");
            let at = 1_795_168_800_000_u64 + second * 1000;
            let line = |text: String| json!({"timestamp": at, "logStreamName": "s", "message": text});
            let arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf";
            let mut lines = vec![
                line(format!("START RequestId: {id} Version: $LATEST\n")),
                line(format!(
                    "[INFO]\t2026-11-20T10:00:0{second}.000Z\t{id}\t{step}: step for {arn} and version {TOKEN}\n"
                )),
            ];
            if *end == "ok" {
                lines.push(line(format!("END RequestId: {id}\n")));
                lines.push(line(format!("REPORT RequestId: {id}\tDuration: 100.00 ms\tBilled Duration: 100 ms\tMemory Size: 128 MB\tMax Memory Used: 70 MB\n")));
            } else if *end == "failed" {
                lines.push(line(format!("2026-11-20T10:00:0{second}.500Z {id} Task timed out after 3.00 seconds\n")));
            }
            lines
        });
        Value::Array(events.collect())
    }

    fn told(change: impl FnOnce(&mut Value)) -> Progress {
        let evidence = seen(change);
        progress(&Case::new(&evidence), Time::parse(SINCE).expect("a time"))
    }

    #[test]
    fn nothing_has_begun_and_then_a_version_is_pending() {
        assert_eq!(told(|_| {}), Progress::Waiting);
        let begun = told(|bundle| {
            bundle["Secret"]["VersionIdsToStages"][TOKEN] = json!(["AWSPENDING"]);
        });
        assert_eq!(begun, Progress::UnderWay { step: None });
        let of_an_earlier_attempt = told(|bundle| {
            bundle["Secret"]["VersionIdsToStages"][TOKEN] = json!(["AWSPENDING"]);
            bundle["SecretVersions"]["Versions"][0]["CreatedDate"] = json!("2026-11-01T00:00:00Z");
        });
        assert_eq!(of_an_earlier_attempt, Progress::Waiting);
    }

    #[test]
    fn the_newest_line_tells_the_step() {
        let under_way = told(|bundle| {
            bundle["LogEvents"] = log(&[("createSecret", 5, "ok"), ("setSecret", 6, "")]);
        });
        assert_eq!(under_way, Progress::UnderWay { step: Some(RotationStep::SetSecret) });
        let failed = told(|bundle| {
            bundle["LogEvents"] = log(&[("createSecret", 5, "ok"), ("setSecret", 6, "failed")]);
        });
        assert_eq!(failed, Progress::Failed { step: Some(RotationStep::SetSecret) });
    }

    /// The log comes late, the secret tells at once.
    #[test]
    fn the_secret_alone_tells_of_success() {
        let rotated = |bundle: &mut Value| {
            bundle["Secret"]["LastRotatedDate"] = json!("2026-11-20T10:00:20Z");
        };
        assert_eq!(told(rotated), Progress::Succeeded);
        let late = told(|bundle| {
            rotated(bundle);
            bundle["LogEvents"] = log(&[("createSecret", 5, "ok")]);
        });
        assert_eq!(late, Progress::Succeeded);
    }

    #[test]
    fn an_attempt_that_has_just_begun_is_the_one_that_is_meant() {
        let since = |bundle: Value| {
            let evidence = seen(|old| old["LogEvents"] = bundle);
            waits_since(&Case::new(&evidence)).to_string()
        };
        assert_eq!(since(json!([])), "2026-11-20T10:00:30Z", "now");
        let begun = since(log(&[("createSecret", 5, "")]));
        assert!(begun.starts_with("2026-11-20T10:00:05"), "{begun}");
    }
}
