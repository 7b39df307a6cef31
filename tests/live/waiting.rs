//! `diagnose --wait`: an attempt is followed to its end, by looking alone.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    stub::{Ask, Reply, Stub},
    stub_world::{self as world, FUNCTION, SECRET},
    support::run::{Ran, rotdoctor},
};

const TOKEN: &str = "5a9b1c84-22f6-4e0b-8a55-9f3f5f0f7c22";

fn wait(stub: &Stub, patience: &str) -> Ran {
    let wait = format!("--wait={patience}");
    let arguments = ["diagnose", "prod/db", &wait, "--every", "10ms", "--region", "eu-west-1"];
    rotdoctor().with_credentials().args(arguments).args(["--endpoint-url", &stub.url]).run()
}

/// Lines of an invocation for each step; the last of them goes on where `open`.
fn lines(begun: Timestamp, steps: &[&str], end: &str) -> Value {
    let mut events = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let at = begun + SignedDuration::from_millis(100 * index as i64);
        let id = format!("0c1e5a1e-0000-4000-8000-00000000000{index}");
        let is_last = index + 1 == steps.len();
        let mut line = |text: String| {
            events.push(json!({"timestamp": at.as_millisecond(), "message": text}));
        };
        line(format!("START RequestId: {id} Version: $LATEST\n"));
        let at = at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ");
        line(format!("[INFO]\t{at}\t{id}\t{step}: done for {SECRET} and version {TOKEN}\n"));
        match end {
            "" if is_last => {}
            "failed" if is_last => line(format!("{at} {id} Task timed out after 3.00 seconds\n")),
            _ => {
                line(format!("END RequestId: {id}\n"));
                line(format!(
                    "REPORT RequestId: {id}\tDuration: 9.00 ms\tBilled Duration: 9 ms\tMemory Size: 128 MB\tMax Memory Used: 70 MB\n"
                ));
            }
        }
    }
    json!({"events": events})
}

/// A world in which each look finds the attempt a step further.
fn moving(ends: &'static str) -> Stub {
    // Later than the first look, however slow the machine is.
    let begun = Timestamp::now() + SignedDuration::from_hours(1);
    let looks = AtomicUsize::new(0);
    world::start(move |ask: &Ask| {
        let all = ["createSecret", "setSecret", "testSecret", "finishSecret"];
        let look = match ask.operation.as_str() {
            // The first call of each look.
            "secretsmanager:DescribeSecret" => looks.fetch_add(1, Ordering::SeqCst),
            _ => looks.load(Ordering::SeqCst).saturating_sub(1),
        };
        let last = if ends == "failed" { 2 } else { 4 };
        let is_over = look > last;
        let rotated = if is_over && ends != "failed" { begun } else { Timestamp::UNIX_EPOCH };
        let stages = match (look, is_over && ends != "failed") {
            (0, _) => json!({"v0": ["AWSCURRENT"]}),
            (_, true) => json!({"v0": ["AWSPREVIOUS"], TOKEN: ["AWSCURRENT"]}),
            _ => json!({"v0": ["AWSCURRENT"], TOKEN: ["AWSPENDING"]}),
        };
        let body = match ask.operation.as_str() {
            "secretsmanager:DescribeSecret" => json!({
                "ARN": SECRET, "Name": "prod/db", "RotationEnabled": true,
                "RotationLambdaARN": FUNCTION, "RotationRules": {"AutomaticallyAfterDays": 30},
                "LastRotatedDate": rotated.as_second(), "VersionIdsToStages": stages,
            }),
            "secretsmanager:ListSecretVersionIds" => json!({"Versions": [
                {"VersionId": TOKEN, "CreatedDate": begun.as_second() + 1},
            ]}),
            "logs:DescribeLogStreams" => json!({"logStreams": [
                {"logStreamName": "s", "lastEventTimestamp": begun.as_millisecond()},
            ]}),
            "logs:GetLogEvents" if look == 0 => json!({"events": []}),
            "logs:GetLogEvents" => {
                lines(begun, &all[..look.min(last)], if is_over { ends } else { "" })
            }
            _ => return None,
        };
        Some(Reply::ok(body.to_string()))
    })
}

#[test]
fn each_step_is_told_until_the_rotation_is_done() {
    let ran = wait(&moving("ok"), "60s");
    let told: Vec<&str> =
        ran.stderr.lines().filter_map(|line| line.split_once("UTC  ")).map(|(_, t)| t).collect();
    assert_eq!(
        told,
        [
            "no attempt has begun; `aws secretsmanager rotate-secret --secret-id prod/db --region eu-west-1` begins one",
            "createSecret is running or done",
            "setSecret is running or done",
            "testSecret is running or done",
            "finishSecret is running or done",
            "the rotation is done",
        ],
        "{ran:#?}"
    );
    assert!(ran.stdout.starts_with("prod/db"), "the diagnosis follows: {ran:#?}");
}

#[test]
fn an_attempt_that_fails_ends_the_waiting_with_its_diagnosis() {
    let ran = wait(&moving("failed"), "60s");
    assert!(ran.stderr.contains("the attempt failed in setSecret"), "{ran:#?}");
    assert!(ran.stdout.contains("FAILING"), "{ran:#?}");
    assert_eq!(ran.code, 1);
}

#[test]
fn patience_ends_and_the_report_comes_all_the_same() {
    let stub = world::start(|_| None);
    let ran = wait(&stub, "1ms");
    assert!(ran.stderr.contains("no end was seen"), "{ran:#?}");
    assert!(ran.stdout.starts_with("prod/db"), "{ran:#?}");
    let written = stub.asked().into_iter().map(|ask| ask.operation);
    assert!(written.into_iter().all(|operation| !operation.contains("RotateSecret")));
}
