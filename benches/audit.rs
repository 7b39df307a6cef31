//! An audit of a large account, against a stub that takes 20 ms for each call: 10,000
//! secrets, 2,000 functions, 50 VPCs. Prints calls, wall time and memory beside what was
//! promised. With `--serve` the stub stays, for a look at it by hand.
//!
//! ```sh
//! cargo bench --bench audit
//! ```
#![allow(clippy::print_stdout, dead_code, missing_docs)]

#[path = "../tests/support/account.rs"]
mod account;
#[path = "../tests/support/stub.rs"]
mod stub;
#[path = "../tests/support"]
mod support {
    //! What the stub takes from the tests' support.
    pub(crate) mod packages;
}

use std::{
    env,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use account::{Account, Fault};
use stub::Stub;

const DELAY: Duration = Duration::from_millis(20);
/// Calls that the collector makes at once.
const AT_ONCE: u32 = 8;
/// Bytes that a run may take at most.
const MEMORY: u64 = 300 << 20;

/// One in a hundred has a fault.
fn fault(number: usize) -> Option<Fault> {
    (number % 100 == 42).then_some(Fault::NotInvocable)
}

const ACCOUNT: Account = Account { secrets: 10_000, functions: 1_900, vpcs: 50, fault };

fn main() {
    let stub = Stub::start(|ask| Some(ACCOUNT.answer(ask)?.after(DELAY)));
    if env::args().any(|argument| argument == "--serve") {
        println!("{}", stub.url);
        loop {
            thread::park();
        }
    }
    let functions = ACCOUNT.distinct_functions();
    println!("{} secrets, {functions} functions, {} VPCs", ACCOUNT.secrets, ACCOUNT.vpcs);
    for format in ["jsonl", "text"] {
        let before = stub.asked().len();
        let begun = Instant::now();
        let status = Command::new(env!("CARGO_BIN_EXE_rotdoctor"))
            .args(["audit", "--all", "--output", format, "--region", "eu-west-1"])
            .args(["--endpoint-url", &stub.url])
            .env_clear()
            .env("HOME", env::temp_dir())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ACCESS_KEY_ID", "k")
            .env("AWS_SECRET_ACCESS_KEY", "none")
            .stdout(Stdio::null())
            .spawn()
            .map(watched)
            .expect("the binary runs");
        let wall = begun.elapsed();
        let calls = stub.asked().len() - before;
        let pages =
            ACCOUNT.secrets.div_ceil(100) + ACCOUNT.vpcs.div_ceil(100) + functions.div_ceil(1000);
        let least = DELAY * u32::try_from(calls).expect("a number of calls") / AT_ONCE;
        println!(
            "{format}: exit {}, {calls} calls (at most {}), {:.1} s ({:.1} s of calls; at most twice), \
             {} MB (at most {})",
            status.0,
            pages + 3 * functions + 200,
            wall.as_secs_f64(),
            least.as_secs_f64(),
            status.1 >> 20,
            MEMORY >> 20,
        );
    }
}

/// Waits for a process, and tells its exit code and the most memory that it held.
fn watched(mut child: std::process::Child) -> (i32, u64) {
    let path = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        most = most.max(kilobytes.unwrap_or(0) << 10);
        if let Some(status) = child.try_wait().expect("its status") {
            return (status.code().unwrap_or(-1), most);
        }
        thread::sleep(Duration::from_millis(20));
    }
}
