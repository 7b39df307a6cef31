//! What people paste into `rotdoctor logs`: pieces of logs, answers of the CLI,
//! events, sentences that quote an error, tables of Logs Insights. The binary reads
//! each, and the first code is the right one.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Ran, root, rotdoctor};

#[derive(Debug, Deserialize)]
struct Paste {
    name: String,
    /// The codes of which one has to be the first; none where no failure is shown.
    codes: Vec<String>,
    text: String,
}

fn logs(text: &str, args: &[&str]) -> Ran {
    rotdoctor().args(["logs", "-"]).args(args).stdin(text).run()
}

fn report(text: &str, args: &[&str]) -> Value {
    let args: Vec<&str> = args.iter().copied().chain(["--output", "json"]).collect();
    let run = logs(text, &args);
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stderr))
}

fn first_code(report: &Value) -> &str {
    report["causes"][0]["code"].as_str().unwrap_or("none")
}

#[test]
fn the_first_code_of_what_is_pasted_is_the_right_one() {
    let text = std::fs::read_to_string(root().join("fixtures/logs/pasted.json")).expect("pastes");
    let pastes: Vec<Paste> = serde_json::from_str(&text).expect("pastes");
    assert!(pastes.len() > 100, "{}", pastes.len());
    let mut wrong = Vec::new();
    for paste in &pastes {
        let log = rotdoctor::rotation_log::read(
            paste.text.as_bytes(),
            rotdoctor::rotation_log::Options { any_function: true, ..Default::default() },
        )
        .expect("memory can be read");
        let report = rotdoctor::examine_log(
            log.by_secret().swap_remove(0),
            &rotdoctor::checks::Selection::default(),
        );
        let first = report.causes.first().map(|cause| cause.finding.code.as_str());
        let fits = match first {
            Some(code) => paste.codes.iter().any(|wanted| wanted == code),
            None => paste.codes.is_empty(),
        };
        if !fits {
            wrong.push(format!("{}: wants {:?}, got {first:?}", paste.name, paste.codes));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

const ARN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/app-AbCdEf";

fn refused(arn: &str, number: u32) -> String {
    let id = format!("0c1e5a1e-0000-4000-8000-00000000000{number}");
    let text =
        "Unable to log into database with previous, current, or pending secret of secret arn";
    format!(
        "START RequestId: {id} Version: $LATEST\n\
         [ERROR]\t2026-11-20T0{number}:00:01.250Z\t{id}\tsetSecret: {text} {arn}\n\
         [ERROR] ValueError: {text} {arn}\nTraceback (most recent call last):\n\
         END RequestId: {id}\nREPORT RequestId: {id}\tDuration: 812.02 ms\tBilled Duration: 813 ms\n"
    )
}

#[test]
fn each_secret_of_a_shared_function_has_its_own_story() {
    let other = ARN.replace("prod/app", "prod/other");
    let log = refused(ARN, 1) + &refused(&other, 2);
    let newest = report(&log, &[]);
    assert_eq!(newest["target"]["secret_arn"], other);
    assert_eq!(newest["rotation"]["attempts"].as_array().map(Vec::len), Some(1));
    assert_eq!(newest["other_secrets"][0]["secret_arn"], ARN);
    assert_eq!(newest["other_secrets"][0]["verdict"], "failing");
    assert_eq!(newest["other_secrets"][0]["code"], "SEC09");
    let text = logs(&log, &[]).stdout;
    assert!(text.contains("OTHER SECRETS IN THIS LOG") && text.contains(ARN), "{text}");
    let picked = report(&log, &["--secret-arn", ARN]);
    assert_eq!(picked["target"]["secret_arn"], ARN);
    assert_eq!(picked["other_secrets"], json!([]));
    let partial = report(&log, &["--secret-arn", ARN.strip_suffix("-AbCdEf").expect("a suffix")]);
    assert_eq!(partial["rotation"]["attempts"], picked["rotation"]["attempts"]);
}

#[test]
fn what_is_no_arn_of_a_secret_is_a_usage_error() {
    for wrong in
        ["prod/app", "arn:aws:iam::123456789012:role/x", "arn:aws:secretsmanager:::secret:"]
    {
        let run = logs(&refused(ARN, 1), &["--secret-arn", wrong]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{wrong}: {}", run.stderr);
    }
}

#[test]
fn commands_carry_the_ids_that_the_log_printed() {
    let report = report(&refused(ARN, 1), &[]);
    assert_eq!(report["target"]["region"], "eu-central-1");
    assert_eq!(report["target"]["account_id"], "123456789012");
    let commands = report["causes"].to_string();
    assert!(commands.contains(&format!("--secret-id {ARN}")), "{commands}");
    for blank in ["--secret-id SECRET", "REGION"] {
        assert!(!commands.contains(blank), "{blank}: {commands}");
    }
}

#[test]
fn another_functions_log_is_no_rotation() {
    let id = "0c1e5a1e-0000-4000-8000-000000000001";
    let report = report(
        &format!(
            "START RequestId: {id} Version: 3\n\
             2026-11-20T03:00:00.500Z\t{id}\tINFO\torder 42 is shipped\n\
             2026-11-20T03:00:00.600Z\t{id}\tERROR\tInvoke Error \t{{\"errorType\":\"TypeError\",\"errorMessage\":\"x is not a function\",\"stack\":[\"TypeError\"]}}\n\
             END RequestId: {id}\nREPORT RequestId: {id}\tDuration: 12.00 ms\n"
        ),
        &[],
    );
    assert_eq!(report["verdict"], "unknown");
    assert_eq!(report["rotation"]["attempts"], json!([]));
    assert_eq!(first_code(&report), "none");
}

#[test]
fn the_ends_of_invocations_alone_are_attempts() {
    let ends = |number: u32, figures: &str| {
        let id = format!("0c1e5a1e-0000-4000-8000-00000000000{number}");
        format!("END RequestId: {id}\nREPORT RequestId: {id}\t{figures}\n")
    };
    // Billed for less than it ran: cut off.
    let cut = ends(1, "Duration: 30030.12 ms\tBilled Duration: 30000 ms\tMemory Size: 128 MB");
    let cut = report(&cut, &[]);
    assert_eq!(cut["verdict"], "failing", "{cut}");
    assert_eq!(cut["rotation"]["attempts"][0]["steps"][0]["outcome"], "timed-out");
    assert_eq!(first_code(&cut), "NET01");
    let fine = report(&ends(1, "Duration: 12.10 ms\tBilled Duration: 13 ms"), &[]);
    assert_eq!(fine["rotation"]["attempts"][0]["steps"][0]["outcome"], "returned");
    assert_eq!(first_code(&fine), "none");
}

/// A table of Logs Insights, newest first, in both spellings.
fn insights(rows: &[(&str, &str)]) -> [String; 2] {
    let quoted = |text: &str| text.replace('"', "\"\"");
    let csv =
        rows.iter().map(|(at, text)| format!("{at},\"{}\"\n", quoted(text))).collect::<String>();
    let results: Vec<Value> = rows
        .iter()
        .map(|(at, text)| {
            json!([{"field": "@timestamp", "value": at}, {"field": "@message", "value": text}])
        })
        .collect();
    let query = json!({"results": results, "status": "Complete"});
    [format!("@timestamp,@message\n{csv}"), format!("{query:#}")]
}

#[test]
fn tables_of_logs_insights_are_read_in_the_order_of_time() {
    let id = "0c1e5a1e-0000-4000-8000-000000000001";
    let start = format!("START RequestId: {id} Version: $LATEST\n");
    let end = format!("REPORT RequestId: {id}\tDuration: 312.00 ms\tBilled Duration: 313 ms\n");
    let raised = "[ERROR] KeyError: \"Database engine must be set to 'postgres' in order to use this rotation lambda\"\nTraceback (most recent call last):\n  File \"/var/task/lambda_function.py\", line 60, in lambda_handler";
    for text in insights(&[
        ("2026-11-20 03:00:02.000", &end),
        ("2026-11-20 03:00:01.000", raised),
        ("2026-11-20 03:00:00.000", &start),
    ]) {
        let report = report(&text, &[]);
        assert_eq!(first_code(&report), "SEC02", "{text}");
        let attempts = &report["rotation"]["attempts"];
        assert_eq!(attempts.as_array().map(Vec::len), Some(1), "{attempts}");
        assert_eq!(attempts[0]["started_at"], "2026-11-20T03:00:00Z");
        assert_eq!(attempts[0]["steps"][0]["duration_ms"], 312.0);
    }
}

#[test]
fn a_cloudtrail_event_tells_its_secret_and_step() {
    let event = json!({
        "eventName": "RotationFailed", "eventSource": "secretsmanager.amazonaws.com",
        "eventTime": "2026-11-20T03:00:00Z",
        "errorMessage": "Error when executing lambda arn:aws:lambda:eu-central-1:123456789012:function:f during setSecret step",
        "additionalEventData": {"SecretId": ARN},
    });
    let list = json!({"Events": [{"EventName": "RotationFailed", "EventTime": "2026-11-20T03:00:00Z",
                                  "CloudTrailEvent": event.to_string()}]});
    let bridge = json!({"detail-type": "AWS Service Event via CloudTrail", "detail": event});
    for text in [event.to_string(), format!("{event:#}"), format!("{list:#}"), bridge.to_string()] {
        let report = report(&text, &[]);
        assert_eq!(report["verdict"], "failing", "{text}");
        assert_eq!(report["rotation"]["attempts"][0]["failed_step"], "setSecret", "{text}");
        assert_eq!(report["target"]["secret_arn"], ARN, "{text}");
    }
}
