//! `rotdoctor logs`, end to end, for every text that a rotation template can
//! print: the attempt, the failed step and the code come out of the log alone,
//! in the text layout and in the JSON layout.

use rotdoctor::{
    catalogue::{Effect, LogText, log_texts},
    checks::{Case, Selection},
    evidence::{Evidence, RotationStep, Time},
    examine_case,
    report::v1::{Mode, Report, Verdict},
    rotation_log::{Options, read},
};
use serde::Deserialize;
use serde_json::json;

use crate::support::root;

const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-AbCdEf";
const TOKEN: &str = "5a9b1c84-22f6-4e0b-8a55-9f3f5f0f7c22";
const REQUESTS: [&str; 4] = [
    "0c1e5a1e-0000-4000-8000-000000000001",
    "0c1e5a1e-0000-4000-8000-000000000002",
    "0c1e5a1e-0000-4000-8000-000000000003",
    "0c1e5a1e-0000-4000-8000-000000000004",
];

#[derive(Debug, Deserialize)]
struct Pattern {
    text: String,
    calls: Vec<String>,
}

fn patterns() -> Vec<Pattern> {
    let text = std::fs::read_to_string(root().join("fixtures/vectors/log_patterns.json"))
        .expect("patterns");
    serde_json::from_str(&text).expect("patterns")
}

/// The text as it is printed, with likely values for its placeholders.
fn printed(text: &str) -> String {
    let mut out = text.to_owned();
    for (before, value) in [
        ("ARN %s", ARN),
        ("arn %s", ARN),
        ("secret %s", ARN),
        ("Secret %s", ARN),
        ("version %s", TOKEN),
        ("Version %s", TOKEN),
    ] {
        let word = before.strip_suffix("%s").expect("a placeholder");
        out = out.replace(before, &format!("{word}{value}"));
    }
    // What AWS says stands behind a colon; a length is a number.
    let denied = "An error occurred (AccessDenied) when calling the DescribeDBInstances operation: User: arn:aws:sts::123456789012:assumed-role/rotate/rotate is not authorized to perform: rds:DescribeDBInstances";
    for word in ["API: %s", "status: %s"] {
        out = out.replace(word, &word.replace("%s", denied));
    }
    out = out.replace("exceed %s", "exceed 16").replace("%s", "orders_app").replace("%d", "128");
    while let (Some(open), Some(close)) = (out.find('{'), out.find('}')) {
        if open > close {
            break;
        }
        out.replace_range(open..=close, "value");
    }
    out
}

fn row(text: &str) -> &'static LogText {
    log_texts().iter().find(|row| row.text == text).unwrap_or_else(|| panic!("no row for {text}"))
}

#[derive(Clone, Copy, Debug)]
enum Layout {
    Text,
    Json,
}

/// A log in which the steps before `step` succeed and `step` prints `message`
/// and raises it.
fn failing_log(layout: Layout, step: RotationStep, message: &str, error_type: &str) -> String {
    let mut out = String::new();
    let index = RotationStep::ALL.iter().position(|other| *other == step).expect("a step");
    for (number, request) in REQUESTS.iter().enumerate().take(index) {
        let done = match RotationStep::ALL[number] {
            RotationStep::CreateSecret => {
                format!("createSecret: Successfully put secret for ARN {ARN} and version {TOKEN}.")
            }
            RotationStep::SetSecret => format!(
                "setSecret: Successfully set password for user orders_app in PostgreSQL DB for secret arn {ARN}."
            ),
            RotationStep::TestSecret => format!(
                "testSecret: Successfully signed into PostgreSQL DB with AWSPENDING secret in {ARN}."
            ),
            RotationStep::FinishSecret => unreachable!("nothing comes after it"),
        };
        out.push_str(&invocation(layout, number, request, &[("INFO", done)], None));
    }
    let lines = [("ERROR", message.to_owned())];
    out.push_str(&invocation(layout, index, REQUESTS[index], &lines, Some((error_type, message))));
    out
}

fn invocation(
    layout: Layout,
    number: usize,
    id: &str,
    lines: &[(&str, String)],
    raised: Option<(&str, &str)>,
) -> String {
    let at = format!("2026-11-20T03:0{number}:01.250Z");
    let mut out = Vec::new();
    match layout {
        Layout::Text => {
            out.push(format!("START RequestId: {id} Version: $LATEST"));
            out.extend(lines.iter().map(|(level, text)| format!("[{level}]\t{at}\t{id}\t{text}")));
            if let Some((kind, text)) = raised {
                // Python shows the repr of a KeyError's key.
                let text = if kind == "KeyError" { format!("{text:?}") } else { text.to_owned() };
                out.push(format!("[ERROR] {kind}: {text}\rTraceback (most recent call last):\r\u{a0}\u{a0}File \"/var/task/lambda_function.py\", line 60, in lambda_handler"));
            }
            out.push(format!("END RequestId: {id}"));
            out.push(format!("REPORT RequestId: {id}\tDuration: 812.02 ms\tBilled Duration: 813 ms\tMemory Size: 128 MB\tMax Memory Used: 70 MB"));
        }
        Layout::Json => {
            let status = if raised.is_some() { "error" } else { "success" };
            out.push(json!({"time": at, "type": "platform.start", "record": {"requestId": id, "version": "$LATEST"}}).to_string());
            out.extend(lines.iter().map(|(level, text)| {
                json!({"timestamp": at, "level": level, "message": text, "logger": "root", "requestId": id}).to_string()
            }));
            if let Some((kind, text)) = raised {
                let text = if kind == "KeyError" { format!("{text:?}") } else { text.to_owned() };
                out.push(json!({"timestamp": at, "level": "ERROR", "errorMessage": text, "errorType": kind, "requestId": id, "stackTrace": ["  File \"/var/task/lambda_function.py\", line 60, in lambda_handler\n"]}).to_string());
            }
            out.push(json!({"time": at, "type": "platform.report", "record": {"requestId": id, "status": status, "metrics": {"durationMs": 812.02, "billedDurationMs": 813, "memorySizeMB": 128, "maxMemoryUsedMB": 70}}}).to_string());
        }
    }
    out.join("\n") + "\n"
}

fn examine(log: &str) -> Report {
    let log = read(log.as_bytes(), Options::default()).expect("memory can be read");
    let evidence =
        Evidence { captured_at: Time::parse("2026-11-21").expect("a day"), ..Evidence::default() };
    examine_case(&Case::with_log(&evidence, log), Mode::Logs, &Selection::default())
}

#[test]
fn every_text_that_ends_an_attempt_names_its_step_and_code() {
    let mut wrong = Vec::new();
    let mut examined = 0;
    for pattern in patterns() {
        let row = row(&pattern.text);
        if row.effect != Effect::Failure
            || pattern.text.starts_with('<')
            || row.proves("manual-invoke")
        {
            continue;
        }
        examined += 1;
        let raised = pattern.calls.iter().find_map(|call| call.strip_prefix("raise "));
        let message = printed(&pattern.text);
        for step in RotationStep::ALL.into_iter().filter(|step| row.may_come_from(*step)) {
            for layout in [Layout::Text, Layout::Json] {
                let log = failing_log(layout, step, &message, raised.unwrap_or("ValueError"));
                let report = examine(&log);
                let attempt = report.rotation.attempts.last();
                let failed = attempt.and_then(|attempt| attempt.failed_step.as_deref());
                if report.verdict != Verdict::Failing
                    || failed != Some(step.name())
                    || report.rotation.attempts.len() != 1
                {
                    wrong.push(format!(
                        "{layout:?} {step}: {message}: {:?}, failed step {failed:?}, {} attempts",
                        report.verdict,
                        report.rotation.attempts.len()
                    ));
                }
                let codes: Vec<&str> =
                    report.causes.iter().map(|cause| cause.finding.code.as_str()).collect();
                match &row.code {
                    Some(code) if !codes.contains(&code.as_str()) => wrong
                        .push(format!("{layout:?} {step}: {message}: wants {code}, got {codes:?}")),
                    _ => {}
                }
            }
        }
    }
    assert!(examined > 90, "{examined} texts end an attempt");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_text_of_a_rotation_that_works_is_taken_for_a_failure() {
    for pattern in patterns() {
        let row = row(&pattern.text);
        if row.effect == Effect::Failure || pattern.text.starts_with('<') {
            continue;
        }
        let message = printed(&pattern.text);
        for layout in [Layout::Text, Layout::Json] {
            let log = invocation(layout, 0, REQUESTS[0], &[("INFO", message.clone())], None);
            let report = examine(&log);
            assert_ne!(report.verdict, Verdict::Failing, "{layout:?}: {message}");
            assert!(report.causes.is_empty(), "{layout:?}: {message}: {:?}", report.causes);
        }
    }
}

#[test]
fn a_test_event_is_no_attempt_at_a_rotation() {
    let texts: Vec<_> = patterns()
        .into_iter()
        .filter(|pattern| row(&pattern.text).proves("manual-invoke"))
        .collect();
    assert!(!texts.is_empty());
    for pattern in texts {
        let message = printed(&pattern.text);
        let lines = [("ERROR", message.clone())];
        for layout in [Layout::Text, Layout::Json] {
            let report = examine(&invocation(
                layout,
                0,
                REQUESTS[0],
                &lines,
                Some(("ValueError", &message)),
            ));
            assert!(report.rotation.attempts.is_empty(), "{layout:?}: {message}");
            assert!(report.causes.is_empty(), "{layout:?}: {message}");
        }
    }
}
