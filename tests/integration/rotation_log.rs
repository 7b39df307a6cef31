//! Whole logs: every layout, every known text.

use std::io::Cursor;

use proptest::prelude::*;
use rotdoctor::{
    evidence::{LogEvent, RotationStep, Time},
    rotation_log::{
        AttemptOutcome, INVOCATIONS_KEPT, Invocation, Options, Reader, RotationLog, RunOutcome,
        read,
    },
};
use serde::Deserialize;
use serde_json::json;

const ARN: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/app-AbCdEf";
const OTHER: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/other-GhIjKl";
const TOKEN: &str = "5c5b2f0e-6f0b-4a55-9f63-1d3b0c7b9a01";
const TEXT: &str = include_str!("../../fixtures/logs/set-secret-refused.txt");
const TAIL: &str = include_str!("../../fixtures/logs/set-secret-refused.tail.txt");
const EXPORT: &str = include_str!("../../fixtures/logs/set-secret-refused.export.json");
const CONSOLE: &str = include_str!("../../fixtures/logs/rotated.console.txt");
const SILENT: &str = include_str!("../../fixtures/logs/create-secret-silent.json.txt");
const MISSING_KEY: &str = include_str!("../../fixtures/logs/missing-key.json.txt");

fn options() -> Options {
    Options { secret_arn: Some(ARN.to_owned()), ..Options::default() }
}

fn parse(input: impl AsRef<[u8]>) -> RotationLog {
    read(Cursor::new(input), options()).expect("memory can be read")
}

fn id(number: u32) -> String {
    format!("a1b2c3d4-0000-4000-8000-{number:012}")
}

fn rows(run: &Invocation) -> Vec<&str> {
    run.hits.iter().map(|hit| hit.text.text.as_str()).collect()
}

fn steps(log: &RotationLog) -> Vec<Option<RotationStep>> {
    log.invocations.iter().map(|run| run.step).collect()
}

/// What all spellings of the refused log say.
fn assert_refused(log: &RotationLog, name: &str) {
    use RotationStep::{CreateSecret, SetSecret};
    assert_eq!(
        steps(log),
        [Some(CreateSecret), Some(SetSecret), Some(SetSecret)],
        "{name}: {log:#?}"
    );
    assert_eq!(log.attempts.len(), 1, "{name}");
    let attempt = &log.attempts[0];
    assert_eq!(attempt.outcome, AttemptOutcome::Failed, "{name}");
    assert_eq!(attempt.failed_step, Some(SetSecret), "{name}");
    assert_eq!(attempt.token.as_deref(), Some(TOKEN), "{name}");
    assert_eq!(attempt.runs, [0, 1, 2], "{name}");
    let last = log.last_failure().expect(name);
    assert_eq!(last.request_id, Some(id(3)), "{name}");
    assert_eq!(last.seconds(), Some(10.198), "{name}");
    let error = last.error.as_ref().expect(name);
    assert_eq!(error.error_type, "ValueError", "{name}");
    assert!(error.message.ends_with(ARN), "{name}: {}", error.message);
    assert_eq!(last.lines.len(), 2, "{name}: {:#?}", last.lines);
    assert!(last.lines[1].text.contains("\n    raise ValueError"), "{name}: {:#?}", last.lines);
    assert!(last.hits.iter().all(|hit| hit.text.code.as_deref() == Some("SEC09")), "{name}");
    let first = &log.invocations[0];
    assert_eq!(first.init_ms, Some(412.33), "{name}");
    assert_eq!((first.memory_mb, first.max_memory_mb), (Some(128), Some(78)), "{name}");
    assert_eq!(first.version.as_deref(), Some("$LATEST"), "{name}");
    assert!(log.failing(), "{name}");
    assert_eq!(log.stray_lines, [], "{name}");
}

#[test]
fn reads_the_same_story_from_every_spelling() {
    assert_refused(&parse(TEXT), "text");
    assert_refused(&parse(TEXT.replace('\n', "\r\n")), "text, CRLF");
    assert_refused(&parse(TEXT.replace('\t', "  ").replace('\u{a0}', " ")), "spaces");
    assert_refused(&parse(TAIL), "tail");
    assert_refused(&parse(EXPORT), "export");

    let export: serde_json::Value = serde_json::from_str(EXPORT).expect("the fixture is JSON");
    let events = export["events"].as_array().expect("events");
    assert_refused(&parse(export.to_string()), "export on one line");
    assert_refused(&parse(serde_json::to_string(events).expect("JSON")), "array");
    let lines: Vec<String> = events.iter().map(ToString::to_string).collect();
    assert_refused(&parse(lines.join("\n")), "JSON Lines");
    let pages: Vec<String> = events
        .chunks(4)
        .map(|page| serde_json::to_string_pretty(&json!({"events": page})).expect("JSON"))
        .collect();
    assert_refused(&parse(pages.join("\n")), "pages");
    let events: Vec<LogEvent> = serde_json::from_value(export["events"].clone()).expect("events");
    assert_refused(&RotationLog::from_events(&events, Some(ARN)), "bundle");
    let mut shuffled = events.clone();
    shuffled.rotate_left(7);
    shuffled.sort_by_key(|event| event.timestamp);
    assert_refused(&RotationLog::from_events(&shuffled, Some(ARN)), "bundle, sorted by time");
}

#[test]
fn tail_without_streams_reads_alike() {
    let short: String = TAIL
        .lines()
        .filter(|line| !line.contains("fedcba9876543210"))
        .map(|line| {
            match line.split_once("+00:00 2026/11/20/[$LATEST]0123456789abcdef0123456789abcdef ") {
                Some((at, rest)) => format!("{} {rest}\n", &at[..19]),
                None => format!("{line}\n"),
            }
        })
        .collect();
    let log = parse(&short);
    assert_refused(&log, "tail --format short");
    assert_eq!(
        log.invocations[0].started_at.map(Time::second).as_deref(),
        Some("2026-11-20 03:00:00 UTC")
    );
}

#[test]
fn leaves_other_secrets_out_and_counts_them() {
    let log = parse(TAIL);
    assert_eq!(log.other_secrets, 1);
    assert!(log.invocations.iter().all(|run| run.request_id != Some(id(5))));
    let all = read(Cursor::new(TAIL), Options::default()).expect("memory can be read");
    assert_eq!((all.other_secrets, all.invocations.len()), (0, 4));
}

#[test]
fn the_superuser_secret_is_not_another_secret_of_the_function() {
    let text = format!(
        "START RequestId: {id} Version: $LATEST\n\
         [ERROR]\t2026-11-20T03:00:01.000Z\t{id}\tsetSecret: Unable to log into database using \
         credentials in master secret {OTHER}\n\
         [ERROR] ValueError: Unable to log into database using credentials in master secret {OTHER}\n\
         END RequestId: {id}\n",
        id = id(1)
    );
    let log = parse(&text);
    assert_eq!((log.invocations.len(), log.other_secrets), (1, 0));
    let seen_from_the_superuser = read(
        Cursor::new(format!(
            "{text}START RequestId: {next} Version: 1\n[INFO]\t2026-11-20T03:00:09.000Z\t{next}\t\
             setSecret: Successfully set password for app in MySQL DB for secret arn {ARN}.\n\
             [INFO]\t2026-11-20T03:00:09.000Z\t{next}\tsetSecret: Successfully fetched connection \
             params for Master Secret {OTHER} from DescribeDBInstances API.\nEND RequestId: {next}\n",
            next = id(2)
        )),
        Options { secret_arn: Some(OTHER.to_owned()), ..Options::default() },
    )
    .expect("memory can be read");
    assert_eq!(seen_from_the_superuser.other_secrets, 1);
}

#[test]
fn reads_a_whole_rotation_from_a_console_copy() {
    let log = parse(CONSOLE);
    assert_eq!(steps(&log), RotationStep::ALL.map(Some));
    assert_eq!(log.attempts.len(), 1);
    assert_eq!(log.attempts[0].outcome, AttemptOutcome::Succeeded);
    assert_eq!(log.attempts[0].failed_step, None);
    assert!(!log.failing());
    assert!(log.invocations.iter().all(|run| run.outcome == RunOutcome::Returned));
    assert!(log.invocations.iter().all(|run| run.token.as_deref() == Some(TOKEN)));
    assert_eq!(
        log.invocations[0].started_at.map(Time::second).as_deref(),
        Some("2026-11-20 03:00:00 UTC")
    );
    assert_eq!(log.templates, ["RDSPostgreSQLRotationSingleUser"]);
    assert_eq!(log.template_texts.len(), 4);
    assert!(log.template_texts.iter().all(|(_, day)| day.date() == "2018-10-01"));
}

#[test]
fn the_newest_text_dates_the_function() {
    let log = parse(format!(
        "START RequestId: {id} Version: $LATEST\n\
         [INFO]\t2026-11-20T03:00:01.000Z\t{id}\tSuccessfully established TLS/SSL connection as \
         user 'app' with host: 'db.example.com'\n\
         [INFO]\t2026-11-20T03:00:02.000Z\t{id}\tsetSecret: Successfully set password for app in \
         MySQL DB for secret arn {ARN}.\nEND RequestId: {id}\n",
        id = id(1)
    ));
    let days: Vec<String> = log.template_texts.iter().map(|(_, day)| day.date()).collect();
    assert_eq!(days, ["2021-12-30", "2018-10-01"]);
    assert_eq!(log.templates, ["RDSMySQLRotationMultiUser"]);
}

#[test]
fn silence_until_the_timeout_at_the_start_of_an_attempt_is_create_secret() {
    let log = parse(SILENT);
    assert_eq!(steps(&log), [Some(RotationStep::CreateSecret); 2], "{log:#?}");
    for run in &log.invocations {
        assert_eq!(run.outcome, RunOutcome::TimedOut);
        assert_eq!(run.seconds(), Some(30.0));
        assert!(
            run.hits.iter().all(|hit| hit.text.effect != rotdoctor::catalogue::Effect::Progress)
        );
    }
    let first = &log.invocations[0];
    let found = first.lines.iter().find(|line| line.text.starts_with("Found credentials"));
    let silence = first
        .ended_at
        .zip(found.and_then(|line| line.at))
        .map(|(end, line)| end.seconds_since(line));
    assert!(silence.is_some_and(|seconds| seconds > 29.0), "{silence:?}");
    assert_eq!(log.attempts.len(), 1);
    assert_eq!(log.attempts[0].failed_step, Some(RotationStep::CreateSecret));
}

#[test]
fn the_same_silence_in_text_with_the_late_timeout_line_of_old_platforms() {
    let id = id(1);
    let log = parse(format!(
        "INIT_START Runtime Version: python:3.9.v101\tRuntime Version ARN: arn:aws:lambda:x\n\
         START RequestId: {id} Version: $LATEST\n\
         [INFO]\t2026-11-20T03:00:00.500Z\t{id}\tFound credentials in environment variables.\n\
         END RequestId: {id}\n\
         REPORT RequestId: {id}\tDuration: 30033.21 ms\tBilled Duration: 30000 ms\tMemory Size: 128 MB\tMax Memory Used: 76 MB\n\
         2026-11-20T03:00:30.533Z {id} Task timed out after 30.03 seconds\n"
    ));
    assert_eq!(log.invocations.len(), 1, "{log:#?}");
    let run = &log.invocations[0];
    assert_eq!((run.outcome, run.timed_out_after), (RunOutcome::TimedOut, Some(30.03)));
    assert_eq!(run.step, Some(RotationStep::CreateSecret));
    let silence = run.ended_at.zip(run.lines[1].at).map(|(end, at)| end.seconds_since(at));
    assert_eq!(silence, Some(30.033));
}

#[test]
fn silence_after_a_finished_create_secret_is_set_secret() {
    let (first, second) = (id(1), id(2));
    let log = parse(format!(
        "START RequestId: {first} Version: $LATEST\n\
         [INFO]\t2026-11-20T03:00:00.500Z\t{first}\tcreateSecret: Successfully put secret for ARN {ARN} and version {TOKEN}.\n\
         END RequestId: {first}\n\
         START RequestId: {second} Version: $LATEST\n\
         2026-11-20T03:00:31.533Z {second} Task timed out after 30.03 seconds\n\
         END RequestId: {second}\n"
    ));
    assert_eq!(steps(&log), [Some(RotationStep::CreateSecret), Some(RotationStep::SetSecret)]);
    assert_eq!(log.attempts[0].failed_step, Some(RotationStep::SetSecret));
    assert_eq!(log.invocations[1].token.as_deref(), Some(TOKEN));
}

#[test]
fn silence_where_the_log_begins_in_the_middle_tells_no_step() {
    let (first, second) = (id(1), id(2));
    let log = parse(format!(
        "START RequestId: {first} Version: $LATEST\n\
         2026-11-19T03:00:31.533Z {first} Task timed out after 30.03 seconds\n\
         START RequestId: {second} Version: $LATEST\n\
         [INFO]\t2026-11-20T03:00:00.500Z\t{second}\tcreateSecret: Successfully put secret for ARN {ARN} and version {TOKEN}.\n\
         END RequestId: {second}\n"
    ));
    assert_eq!(steps(&log), [None, Some(RotationStep::CreateSecret)]);
    assert_eq!(log.attempts.len(), 2);
}

#[test]
fn retries_stay_in_the_attempt_and_the_next_rotation_begins_another() {
    let mut text = String::new();
    let mut run = |number: u32, at: &str, line: &str| {
        let id = id(number);
        text.push_str(&format!(
            "START RequestId: {id} Version: $LATEST\n[INFO]\t{at}\t{id}\t{line}\nEND RequestId: {id}\n"
        ));
    };
    let put = format!("createSecret: Successfully put secret for ARN {ARN} and version {TOKEN}.");
    let again = format!("createSecret: Successfully retrieved secret for {ARN}.");
    let set =
        format!("setSecret: Successfully set password for app in MySQL DB for secret arn {ARN}.");
    let finished = format!(
        "finishSecret: Successfully set AWSCURRENT stage to version {TOKEN} for secret {ARN}."
    );
    run(1, "2026-11-19T03:00:00.000Z", &put);
    run(2, "2026-11-19T03:00:05.000Z", &set);
    // The next day Secrets Manager begins anew with the same version.
    run(3, "2026-11-20T03:00:00.000Z", &again);
    run(4, "2026-11-20T03:00:05.000Z", &set);
    run(5, "2026-11-20T03:00:09.000Z", &finished);
    run(6, "2026-11-21T03:00:00.000Z", &put.replace(TOKEN, "99999999-6f0b-4a55-9f63-1d3b0c7b9a99"));
    let log = parse(&text);
    let runs: Vec<&[usize]> = log.attempts.iter().map(|attempt| attempt.runs.as_slice()).collect();
    assert_eq!(runs, [[0, 1, 2, 3, 4].as_slice(), &[5]], "one token, one attempt");
    assert_eq!(log.attempts[0].outcome, AttemptOutcome::Succeeded);
    assert_eq!(log.attempts[1].outcome, AttemptOutcome::Open);
}

#[test]
fn a_retry_of_the_same_event_has_its_step_and_token() {
    let id = id(1);
    let attempt = format!(
        "START RequestId: {id} Version: $LATEST\n\
         [INFO]\t2026-11-20T03:00:00.500Z\t{id}\tcreateSecret: Successfully put secret for ARN {ARN} and version {TOKEN}.\n\
         2026-11-20T03:00:30.533Z {id} Task timed out after 30.03 seconds\nEND RequestId: {id}\n"
    );
    let silent = format!(
        "START RequestId: {id} Version: $LATEST\n\
         2026-11-20T03:02:30.533Z {id} Task timed out after 30.03 seconds\nEND RequestId: {id}\n"
    );
    let log = parse(format!("{attempt}{silent}"));
    assert_eq!(steps(&log), [Some(RotationStep::CreateSecret); 2]);
    assert_eq!(log.attempts.len(), 1);
    assert_eq!(log.invocations[1].token.as_deref(), Some(TOKEN));
}

#[test]
fn interleaved_invocations_come_apart() {
    let (one, two) = (id(1), id(2));
    let (a, b) = ("2026/11/20/[$LATEST]aaaaaaaaaaaaaaaa", "2026/11/20/[$LATEST]bbbbbbbbbbbbbbbb");
    let event = |timestamp, stream: &str, message: String| LogEvent {
        timestamp,
        message,
        log_stream_name: Some(stream.to_owned()),
    };
    let log = RotationLog::from_events(
        &[
            event(1_000, a, format!("START RequestId: {one} Version: $LATEST")),
            event(1_001, b, format!("START RequestId: {two} Version: $LATEST")),
            event(1_002, a, "[ERROR] KeyError: 'masterarn'\rTraceback (most recent call last):\r\u{a0}\u{a0}File \"x.py\", line 3, in set_secret".to_owned()),
            event(1_003, b, "[ERROR] JSONDecodeError: Expecting value: line 1 column 1 (char 0)\nTraceback (most recent call last):".to_owned()),
            event(1_004, b, format!("END RequestId: {two}")),
            event(1_005, a, format!("END RequestId: {one}")),
        ],
        None,
    );
    let codes: Vec<Option<&str>> =
        log.invocations.iter().map(|run| run.hits[0].text.code.as_deref()).collect();
    assert_eq!(codes, [Some("SEC04"), Some("SEC05")]);
    assert_eq!(
        log.invocations[0].step,
        Some(RotationStep::SetSecret),
        "the traceback's frame tells"
    );
    assert!(log.invocations[0].lines[0].text.contains("\n  File"));
}

#[test]
fn a_missing_key_in_the_json_layout() {
    let log = parse(MISSING_KEY);
    assert_eq!(log.invocations.len(), 1);
    let run = &log.invocations[0];
    assert_eq!((run.step, run.outcome), (Some(RotationStep::CreateSecret), RunOutcome::Failed));
    assert_eq!(rows(run), ["%s key is missing from secret JSON"]);
    assert_eq!(run.error.as_ref().map(|error| error.error_type.as_str()), Some("KeyError"));
    assert_eq!(run.duration_ms, Some(312.0));
}

#[test]
fn custom_functions_of_any_runtime_show_their_error() {
    let id = id(1);
    let node = format!(
        "START RequestId: {id} Version: 3\n\
         2026-11-20T03:00:00.500Z\t{id}\tINFO\tchanging the password\n\
         2026-11-20T03:00:00.600Z\t{id}\tERROR\tInvoke Error \t{{\"errorType\":\"Error\",\"errorMessage\":\"connect ECONNREFUSED 10.0.0.7:3306\",\"stack\":[\"Error: connect\"]}}\n\
         END RequestId: {id}\nREPORT RequestId: {id}\tDuration: 12.00 ms\n"
    );
    let bare = format!(
        "START RequestId: {id} Version: 3\n{{\"errorType\":\"Error\",\"errorMessage\":\"connect ECONNREFUSED 10.0.0.7:3306\",\"trace\":[]}}\nEND RequestId: {id}\n"
    );
    for text in [node, bare] {
        let log = parse(&text);
        assert_eq!(log.invocations.len(), 1, "{log:#?}");
        let run = &log.invocations[0];
        assert_eq!((run.outcome, run.version.as_deref()), (RunOutcome::Failed, Some("3")));
        let error = run.error.as_ref().expect("raised");
        assert_eq!(
            (error.error_type.as_str(), error.message.as_str()),
            ("Error", "connect ECONNREFUSED 10.0.0.7:3306")
        );
        assert!(log.failing());
    }
}

#[test]
fn a_pasted_fragment_is_an_invocation() {
    for text in [
        "[ERROR] KeyError: 'masterarn'\nTraceback (most recent call last):\n  File \"/var/task/lambda_function.py\", line 97, in lambda_handler",
        "'masterarn': KeyErrorTraceback (most recent call last):\n  File \"/var/task/lambda_function.py\", line 97, in lambda_handler\nKeyError: 'masterarn'",
    ] {
        let log = parse(text);
        assert_eq!(log.invocations.len(), 1, "{text}");
        let run = &log.invocations[0];
        assert_eq!(run.outcome, RunOutcome::Failed);
        assert_eq!(run.hits[0].text.code.as_deref(), Some("SEC04"));
        assert_eq!(run.error.as_ref().map(|error| error.error_type.as_str()), Some("KeyError"));
        assert_eq!(run.lines.len(), 1, "{:#?}", run.lines);
    }
}

#[test]
fn a_test_event_is_no_attempt() {
    let id = id(1);
    let log = parse(format!(
        "START RequestId: {id} Version: $LATEST\n[ERROR] KeyError: 'SecretId'\nTraceback (most recent call last):\nEND RequestId: {id}\n"
    ));
    assert_eq!((log.invocations.len(), log.attempts.len()), (1, 0));
    assert!(!log.failing());
}

#[test]
fn an_import_error_before_start_belongs_to_it() {
    let id = id(1);
    let error = "[ERROR] Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named '_pg'\nTraceback (most recent call last):\n";
    let log = parse(format!(
        "INIT_START Runtime Version: python:3.12.v40\tRuntime Version ARN: arn:x\n{error}\
         INIT_REPORT Init Duration: 512.11 ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError\n\
         START RequestId: {id} Version: $LATEST\n{error}END RequestId: {id}\n\
         REPORT RequestId: {id}\tDuration: 1.0 ms\tStatus: error\tError Type: Runtime.ImportModuleError\n"
    ));
    assert_eq!(log.invocations.len(), 1, "{log:#?}");
    let run = &log.invocations[0];
    assert_eq!((run.outcome, run.step), (RunOutcome::Failed, Some(RotationStep::CreateSecret)));
    assert!(run.hits.iter().any(|hit| hit.text.code.as_deref() == Some("RUN01")));
}

#[test]
fn a_runtime_that_dies_is_told_from_an_exception() {
    let id = id(1);
    let log = parse(format!(
        "START RequestId: {id} Version: $LATEST\n\
         RequestId: {id} Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n\
         END RequestId: {id}\n"
    ));
    assert_eq!(log.invocations.len(), 1);
    assert_eq!(log.invocations[0].outcome, RunOutcome::Died);
    assert_eq!(log.invocations[0].hits[0].text.code.as_deref(), Some("RUN09"));
}

#[test]
fn what_is_kept_has_passed_the_redactor() {
    let text = "[ERROR] OperationalError: cannot log in with hunter2\nTraceback (most recent call last):\n  x = hunter2";
    let log = read(
        Cursor::new(text),
        Options { redact: |text| text.replace("hunter2", "***").into(), ..Options::default() },
    )
    .expect("memory can be read");
    let debug = format!("{log:?}");
    assert!(!debug.contains("hunter2") && debug.contains("***"), "{debug}");
}

#[test]
fn memory_is_bounded_by_the_newest_invocations_and_the_lines_of_each() {
    let mut reader = Reader::new(options());
    for number in 0..20_000 {
        let id = id(number);
        reader.push_line(&format!("START RequestId: {id} Version: $LATEST"));
        reader.push_line(&format!("END RequestId: {id}"));
    }
    let id = id(20_000);
    reader.push_line(&format!("START RequestId: {id} Version: $LATEST"));
    for number in 0..400 {
        let text = match number {
            200 => format!(
                "setSecret: Successfully set password for app in MySQL DB for secret arn {ARN}."
            ),
            _ => format!("waiting {number} {}", "x".repeat(20_000)),
        };
        reader.push_line(&format!("[INFO]\t2026-11-20T03:00:00.500Z\t{id}\t{text}"));
    }
    let log = reader.finish();
    assert_eq!(log.invocations.len(), INVOCATIONS_KEPT);
    assert_eq!(log.dropped, 20_001 - INVOCATIONS_KEPT as u64);
    let last = log.invocations.last().expect("kept");
    assert_eq!(last.request_id, Some(id));
    assert!(last.lines.len() < 200, "{}", last.lines.len());
    assert_eq!(last.dropped_lines + last.lines.len() as u64, 400);
    assert!(last.lines.iter().all(|line| line.text.len() < 3_000));
    assert_eq!(last.step, Some(RotationStep::SetSecret), "a known text outlives its neighbours");
    assert_eq!(last.hits.len(), 1);
    assert!(last.lines[last.hits[0].line].text.starts_with("setSecret: Successfully"));
}

#[test]
fn other_secrets_do_not_push_ours_out() {
    let mut reader = Reader::new(options());
    let mut run = |number: u32, arn: &str| {
        let id = id(number);
        reader.push_line(&format!("START RequestId: {id} Version: $LATEST"));
        reader.push_line(&format!(
            "[INFO]\t2026-11-20T03:00:00.500Z\t{id}\tcreateSecret: Successfully put secret for ARN {arn} and version {TOKEN}."
        ));
        reader.push_line(&format!("END RequestId: {id}"));
    };
    run(0, ARN);
    for number in 1..2_000 {
        run(number, OTHER);
    }
    let log = reader.finish();
    assert_eq!((log.invocations.len(), log.other_secrets, log.dropped), (1, 1_999, 0));
}

#[derive(Deserialize)]
struct Pattern {
    text: String,
    calls: Vec<String>,
    first_seen: Time,
}

/// A format string with the values that a function would put in.
fn filled(format: &str) -> String {
    let mut text = String::new();
    let mut rest = format;
    while let Some(at) = rest.find(['%', '{', '<']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let lower = text.to_ascii_lowercase();
        let value = if lower.ends_with("version ") {
            TOKEN
        } else if lower.ends_with("arn ") || lower.ends_with("secret ") || lower.ends_with("for ") {
            ARN
        } else if lower.ends_with("host: '") || lower.ends_with("host ") {
            "db.cluster-abc.eu-west-1.rds.amazonaws.com"
        } else {
            "value"
        };
        let length = match &from[..1] {
            "%" if from.starts_with("%s") || from.starts_with("%d") => Some(2),
            "{" => from.find('}').map(|end| end + 1),
            "<" => from.find('>').map(|end| end + 1).filter(|end| from[..*end].contains('_')),
            _ => None,
        };
        match length {
            Some(_) => text.push_str(value),
            None => text.push_str(&from[..1]),
        }
        rest = &from[length.unwrap_or(1)..];
    }
    (text + rest).replace("\\n", "\n").trim_end().to_owned()
}

/// The message as Python prints it behind the type.
fn printed(error_type: &str, message: &str) -> String {
    match (error_type, message.contains('\'')) {
        ("KeyError", true) => format!("\"{message}\""),
        ("KeyError", false) => format!("'{message}'"),
        _ => message.to_owned(),
    }
}

fn text_layout(call: &str, message: &str, id: &str, before: &str) -> String {
    let body = match call.split_once(' ') {
        Some((_, error_type)) => format!(
            "[ERROR] {error_type}: {}\nTraceback (most recent call last):\n\u{a0}\u{a0}File \"/var/task/lambda_function.py\", line 7, in lambda_handler\n",
            printed(error_type, message)
        ),
        None => format!(
            "[{}]\t2026-11-20T03:00:01.000Z\t{id}\t{message}\n",
            call.trim_start_matches("log.").to_uppercase()
        ),
    };
    format!(
        "START RequestId: {before} Version: $LATEST\nEND RequestId: {before}\n\
         START RequestId: {id} Version: $LATEST\n{body}END RequestId: {id}\n\
         REPORT RequestId: {id}\tDuration: 102.5 ms\tBilled Duration: 103 ms\tMemory Size: 128 MB\tMax Memory Used: 70 MB\t\n"
    )
}

fn json_layout(call: &str, message: &str, id: &str, before: &str) -> String {
    let body = match call.split_once(' ') {
        Some((_, error_type)) => json!({
            "timestamp": "2026-11-20T03:00:01Z", "level": "ERROR", "requestId": id,
            "errorType": error_type, "errorMessage": printed(error_type, message),
            "stackTrace": ["  File \"/var/task/lambda_function.py\", line 7, in lambda_handler\n"],
        }),
        None => json!({
            "timestamp": "2026-11-20T03:00:01Z", "level": call.trim_start_matches("log.").to_uppercase(),
            "message": message, "logger": "root", "requestId": id,
        }),
    };
    let status = if call.starts_with("raise") { "error" } else { "success" };
    let platform = |kind: &str, record: serde_json::Value| {
        json!({"time": "2026-11-20T03:00:02.000Z", "type": format!("platform.{kind}"), "record": record})
            .to_string()
    };
    [
        platform("start", json!({"requestId": before, "version": "$LATEST"})),
        platform("report", json!({"requestId": before, "status": "success"})),
        platform("start", json!({"requestId": id, "version": "$LATEST"})),
        body.to_string(),
        platform("runtimeDone", json!({"requestId": id, "status": status})),
        platform(
            "report",
            json!({"requestId": id, "status": status, "metrics": {"durationMs": 102.5, "memorySizeMB": 128}}),
        ),
    ]
    .join("\n")
}

#[test]
fn every_known_template_text_hits_its_row_in_its_invocation() {
    let patterns: Vec<Pattern> =
        serde_json::from_str(include_str!("../../fixtures/vectors/log_patterns.json"))
            .expect("the vectors are JSON");
    assert_eq!(patterns.len(), 229);
    let (mut matched, mut without_text) = (0, Vec::new());
    for pattern in &patterns {
        let row = rotdoctor::catalogue::log_texts()
            .iter()
            .find(|row| row.text == pattern.text)
            .unwrap_or_else(|| panic!("no row: {}", pattern.text));
        assert!(row.first_seen.is_some_and(|day| day <= pattern.first_seen), "{}", row.text);
        if pattern.text.starts_with('<') {
            without_text.push(pattern.text.as_str());
            continue;
        }
        let (id, before) = (id(2), id(1));
        let message = filled(&pattern.text);
        for call in &pattern.calls {
            for (layout, text) in [
                ("text", text_layout(call, &message, &id, &before)),
                ("JSON", json_layout(call, &message, &id, &before)),
            ] {
                let name = format!("{layout}, {call}: {message}");
                let log = parse(&text);
                assert_eq!(log.invocations.len(), 2, "{name}\n{log:#?}");
                assert_eq!(log.stray_lines, [], "{name}");
                let run = &log.invocations[1];
                assert_eq!(run.request_id.as_deref(), Some(id.as_str()), "{name}");
                assert_eq!(run.duration_ms, Some(102.5), "{name}");
                let template: Vec<&str> = run
                    .hits
                    .iter()
                    .filter(|hit| hit.text.origin == rotdoctor::catalogue::Origin::Template)
                    .map(|hit| hit.text.text.as_str())
                    .collect();
                assert_eq!(template, [pattern.text.as_str()], "{name}");
                assert!(log.invocations[0].hits.is_empty(), "{name}");
                if let Some(step) = row.step {
                    assert_eq!(run.step, Some(step), "{name}");
                }
                let raised = call.starts_with("raise");
                assert_eq!(run.outcome == RunOutcome::Failed, raised, "{name}\n{run:#?}");
                if raised {
                    let error = run.error.as_ref().expect(&name);
                    assert!(call.ends_with(&error.error_type), "{name}: {error:?}");
                }
            }
        }
        matched += 1;
    }
    assert_eq!((matched, without_text), (228, vec!["<full_error_message>"]));
}

#[test]
fn junk_of_every_kind_is_read_to_its_end() {
    for junk in [
        "".as_bytes(),
        b"\xff\xfe\x00\x01binary\x00junk",
        b"{",
        b"[",
        b"[{",
        b"{\"events\": [{\"message\": ",
        b"{\"events\": 3}",
        b"[]",
        b"{}\n{}\n",
        b"null",
        b"\xef\xbb\xbf",
    ] {
        let log = parse(junk);
        assert!(log.invocations.is_empty(), "{junk:?}: {log:#?}");
        assert!(log.attempts.is_empty());
    }
}

#[test]
fn an_export_that_ends_too_early_is_read_as_far_as_it_goes() {
    let cut = &EXPORT[..EXPORT.len() * 9 / 10];
    let log = parse(cut);
    assert_eq!(log.invocations.len(), 3, "{log:#?}");
    let noisy = format!("{EXPORT}\nSTART RequestId: {} Version: 7\n", id(9));
    assert_eq!(
        parse(noisy).invocations.last().and_then(|run| run.version.clone()).as_deref(),
        Some("7")
    );
}

#[test]
fn text_around_json_lines_keeps_both() {
    let noisy = format!("{SILENT}plain words\n{MISSING_KEY}");
    let log = parse(noisy);
    assert_eq!(log.invocations.len(), 3);
}

/// Pieces of logs, put together at random.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        Just(TEXT[..800].to_owned()),
        Just("START RequestId: ".to_owned()),
        Just("[ERROR] ".to_owned()),
        Just("Traceback (most recent call last):\r\u{a0}x".to_owned()),
        Just("{\"events\":[{\"message\":\"x\",\"timestamp\":1}".to_owned()),
        Just("{\"time\":\"x\",\"type\":\"platform.report\",\"record\":{}}".to_owned()),
        Just("2026-01-31T10:18:42 2026/01/31/[$LATEST]ab ".to_owned()),
        Just("Task timed out after 9 seconds".to_owned()),
        Just("\n".to_owned()),
    ]
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        parse(&bytes);
    }

    #[test]
    fn no_mixture_of_log_pieces_panics(pieces in proptest::collection::vec(piece(), 0..30)) {
        let log = parse(pieces.concat());
        for attempt in &log.attempts {
            prop_assert!(!attempt.runs.is_empty());
            prop_assert!(attempt.runs.iter().all(|run| *run < log.invocations.len()));
        }
        for run in &log.invocations {
            prop_assert!(run.hits.iter().all(|hit| hit.line < run.lines.len()));
        }
    }
}
