//! How fast the pure parts are: `cargo bench --no-default-features`. Prints
//! figures for a person to read; nothing here passes or fails.
#![allow(clippy::print_stdout)] // printing is all that it is for

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use rotdoctor::{
    bundle,
    checks::Selection,
    examine, package,
    report::{
        text::{self, Layout},
        v1::Mode,
    },
    rotation_log::{self, Options},
    seal,
};

fn main() {
    let sample =
        std::fs::read_to_string("fixtures/bundles/KMS01/fires.json").expect("the sample bundle");
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
    let log = log_of(20_000);
    let took = median("read a log of 20,000 invocations", 3, || {
        let options = Options { secret_arn: None, redact: seal::log_line };
        black_box(rotation_log::read(log.as_bytes(), options).expect("memory can be read"));
    });
    println!("{:>45}  {:.1} MB/s", "", log.len() as f64 / took.as_secs_f64() / 1e6);
    large_package();
}

/// The facts of the wheel of 74 MB, where the tests have fetched it.
fn large_package() {
    let folders = std::fs::read_dir("target/wheels").into_iter().flatten().flatten();
    let wheel = folders
        .filter(|folder| folder.file_name().to_string_lossy().starts_with("aws-psycopg2"))
        .flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().flatten())
        .map(|file| file.path())
        .find(|path| path.extension().is_some_and(|end| end == "whl"));
    let Some(wheel) = wheel else {
        println!(
            "{:>45}  no wheel: run the tests first, they fetch it",
            "look into a package of 74 MB"
        );
        return;
    };
    let mut read = 0;
    median("look into a package of 74 MB", 20, || {
        let contents = package::local::read(&wheel, package::Limits::default()).expect("a wheel");
        read = contents.read;
        let archive = package::Archive { name: "code".to_owned(), contents };
        black_box(package::package(&[archive], None));
    });
    println!("{:>45}  {:.1} MB of it read", "", read as f64 / 1e6);
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
