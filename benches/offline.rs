//! How fast the pure parts are: `cargo bench --no-default-features`. Prints
//! figures for a person to read; nothing here passes or fails.
#![allow(clippy::print_stdout)] // printing is all that it is for

#[path = "offline/package.rs"]
mod large_package;
#[path = "offline/network.rs"]
mod network;
#[path = "../tests/support/worlds.rs"]
mod worlds;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use rotdoctor::{
    bundle,
    checks::Selection,
    evidence::Evidence,
    examine, policy,
    report::{
        text::{self, Layout},
        v1::Mode,
    },
    rotation_log::{self, Options},
    seal,
};
use serde_json::json;

fn main() {
    let sample = worlds::text("KMS01/fires");
    let evidence = bundle::read(&sample).expect("a bundle").evidence;
    median("first diagnosis of a process (tables compiled)", 1, || {
        black_box(examine(&evidence, Mode::Bundle, &Selection::default()));
    });
    median("read a bundle", 50, || {
        black_box(bundle::read(&sample).expect("a bundle"));
    });
    median("diagnose a bundle", 50, || {
        black_box(examine(&evidence, Mode::Bundle, &Selection::default()));
    });
    let report = examine(&evidence, Mode::Bundle, &Selection::default());
    median("render a report as text", 50, || {
        black_box(text::render(&report, Layout::default()));
    });
    evaluations(&evidence);
    let log = log_of(20_000);
    let took = median("read a log of 20,000 invocations", 3, || {
        let options = Options { redact: seal::log_line, ..Options::default() };
        black_box(rotation_log::read(log.as_bytes(), options).expect("memory can be read"));
    });
    println!("{:>45}  {:.1} MB/s", "", log.len() as f64 / took.as_secs_f64() / 1e6);
    network::run();
    large_package::run();
}

/// Decisions a second on one core: a role with ten policies, and every request
/// of a rotation.
fn evaluations(sample: &Evidence) {
    const ROUNDS: usize = 500;
    let statement = |at: usize, policy: usize| {
        json!({"Sid": format!("S{at}"), "Effect": "Allow",
            "Action": [format!("service{policy}:Get*"), format!("service{policy}:List*"), "s3:GetObject"],
            "Resource": [format!("arn:aws:s3:::bucket-{policy}-{at}/*"), "arn:aws:secretsmanager:*:*:secret:other-*"],
            "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}})
    };
    let mut evidence = sample.clone();
    let own = evidence.role_policies.known_mut().expect("the sample's policies");
    for policy in own.len()..10 {
        let statements: Vec<_> = (0..4).map(|at| statement(at, policy)).collect();
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        let other = json!({"PolicyName": format!("p{policy}"), "PolicyDocument": document});
        // Before the one that allows: all of them are looked at.
        own.insert(0, serde_json::from_value(other).expect("a policy"));
    }
    let requests = policy::rotation_requests(&evidence);
    assert!(
        requests.iter().all(
            |request| request.layers.identity.len() >= 10 || request.layers.identity.is_empty()
        )
    );
    let took = median("decide every request of a rotation, 500 times", 9, || {
        for _ in 0..ROUNDS {
            for request in &requests {
                black_box(request.decide());
            }
        }
    });
    let each = (requests.len() * ROUNDS) as f64 / took.as_secs_f64();
    println!("{:>45}  {each:.0} evaluations/s, ten policies", "");
}

fn median(what: &str, runs: usize, mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    let median = times[times.len() / 2];
    println!("{what:>45}  {median:>10.2?}  (median of {runs})");
    median
}

/// Failing attempts as a template prints them, each with its own request id.
fn log_of(invocations: usize) -> String {
    let secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-AbCdEf";
    let failure =
        "Unable to log into database with previous, current, or pending secret of secret arn";
    (0..invocations)
        .map(|number| {
            let id = format!("0c1e5a1e-0000-4000-8000-{number:012}");
            format!(
                "START RequestId: {id} Version: $LATEST\n\
                 [INFO]\t2026-11-20T03:01:01.250Z\t{id}\tFound credentials in environment variables.\n\
                 [ERROR]\t2026-11-20T03:01:02.250Z\t{id}\tsetSecret: {failure} {secret}\n\
                 [ERROR] ValueError: {failure} {secret}\nTraceback (most recent call last):\n  \
                 File \"/var/task/lambda_function.py\", line 60, in lambda_handler\n\
                 END RequestId: {id}\n\
                 REPORT RequestId: {id}\tDuration: 1812.02 ms\tBilled Duration: 1813 ms\t\
                 Memory Size: 128 MB\tMax Memory Used: 70 MB\n"
            )
        })
        .collect()
}
