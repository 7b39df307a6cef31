//! Logs built by hand for the tests of this folder.

use crate::{
    catalogue::Sample,
    evidence::{Evidence, Function, Observed, RotationStep, Secret, Time},
    rotation_log::{Attempt, AttemptOutcome, Invocation, Level, Line, RotationLog, RunOutcome},
};

pub(in crate::checks) const SECRET: &str =
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf";
pub(in crate::checks) const FUNCTION: &str =
    "arn:aws:lambda:eu-west-1:123456789012:function:rotate";

pub(in crate::checks) fn at(text: &str) -> Time {
    Time::parse(text).expect("a time")
}

pub(in crate::checks) fn line(text: &str) -> Line {
    Line { at: Some(at("2026-11-21T03:12:04Z")), level: Some(Level::Error), text: text.to_owned() }
}

/// An invocation that failed with these lines.
pub(in crate::checks) fn failed(
    step: Option<RotationStep>,
    seconds: Option<f64>,
    lines: &[&str],
) -> Invocation {
    Invocation {
        request_id: Some("0c1e5a1e-1111-2222-3333-444455556666".to_owned()),
        started_at: Some(at("2026-11-21T03:12:04Z")),
        duration_ms: seconds.map(|seconds| seconds * 1000.0),
        step,
        outcome: RunOutcome::Failed,
        lines: lines.iter().map(|text| line(text)).collect(),
        ..Invocation::default()
    }
}

/// An invocation that was killed for time.
pub(in crate::checks) fn timed_out(
    step: Option<RotationStep>,
    seconds: f64,
    lines: &[&str],
) -> Invocation {
    Invocation {
        outcome: RunOutcome::TimedOut,
        timed_out_after: Some(seconds),
        ..failed(step, Some(seconds), lines)
    }
}

/// An invocation that returned.
pub(in crate::checks) fn returned(step: RotationStep, lines: &[&str]) -> Invocation {
    Invocation { outcome: RunOutcome::Returned, ..failed(Some(step), Some(0.8), lines) }
}

/// A log of these attempts, each its invocations; one whose last invocation
/// failed is a failed one.
pub(in crate::checks) fn log(attempts: Vec<Vec<Invocation>>) -> RotationLog {
    let mut log = RotationLog::default();
    for runs in attempts {
        let last = runs.last().expect("an invocation");
        let (step, failed) = (last.step, last.failed());
        let first = log.invocations.len();
        log.invocations.extend(runs);
        log.attempts.push(Attempt {
            token: Some("7b3c41de-1111-2222-3333-444455556666".to_owned()),
            started_at: log.invocations[first].started_at,
            runs: (first..log.invocations.len()).collect(),
            failed_step: step.filter(|_| failed),
            outcome: if failed { AttemptOutcome::Failed } else { AttemptOutcome::Succeeded },
            ..Attempt::default()
        });
    }
    log
}

pub(in crate::checks) fn evidence() -> Evidence {
    let mut secret = Secret {
        arn: Some(SECRET.to_owned()),
        name: Some("prod/db".to_owned()),
        rotation_lambda_arn: Some(FUNCTION.to_owned()),
        ..Secret::default()
    };
    secret.version_ids_to_stages.insert("v-old".to_owned(), vec!["AWSCURRENT".to_owned()]);
    secret.version_ids_to_stages.insert("v-new".to_owned(), vec!["AWSPENDING".to_owned()]);
    Evidence {
        captured_at: at("2026-11-22T00:00:00Z"),
        secret: Observed::Known(secret),
        function: Observed::Known(Function::default()),
        ..Evidence::default()
    }
}

/// The evidence and the log that a row's sample describes.
pub(in crate::checks) fn of_sample(sample: &Sample) -> (Evidence, RotationLog) {
    let lines: Vec<&str> = sample.lines.iter().map(String::as_str).collect();
    let earlier: Vec<&str> = sample.earlier.iter().map(String::as_str).collect();
    let step = sample.step.as_deref().map(|name| RotationStep::named(name).expect("a step"));
    let mut run = match sample.timed_out {
        Some(seconds) => timed_out(step, seconds, &lines),
        None => failed(step, sample.seconds, &lines),
    };
    run.init_ms = sample.init_ms;
    if sample.memory_full {
        (run.memory_mb, run.max_memory_mb) = (Some(128), Some(128));
    }
    let mut runs = vec![run];
    if !earlier.is_empty() {
        runs.insert(0, returned(RotationStep::CreateSecret, &earlier));
    }
    let mut log = log(vec![runs]);
    log.templates.clone_from(&sample.templates);
    log.template_texts = sample.built.map(|day| ("a text".to_owned(), day)).into_iter().collect();

    let mut function = Function::default();
    if let Some(level) = &sample.log_level {
        let logging = function.configuration.logging_config.get_or_insert_default();
        logging.log_format = Some("JSON".to_owned());
        logging.application_log_level = Some(level.clone());
    }
    let evidence = Evidence {
        secret: Observed::Known(Secret {
            arn: sample.secret.clone(),
            rotation_lambda_arn: sample.function.clone(),
            ..Secret::default()
        }),
        function: Observed::Known(function),
        ..Evidence::default()
    };
    (evidence, log)
}
