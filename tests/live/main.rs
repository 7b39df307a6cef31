//! What talks to AWS: the collector against a stub on loopback, and the built
//! binary against two emulators. One binary: linking the SDK takes a while.
#![cfg(feature = "live")]

#[path = "../support/account.rs"]
mod account;
mod audit;
mod bad_input;
mod bundles;
mod caller_rights;
mod collect;
mod network_worlds;
mod package;
mod package_worlds;
mod permissions;
mod policy_worlds;
mod readers;
mod simulation;
#[path = "../support/stub.rs"]
mod stub;
mod stub_world;
#[path = "../support/mod.rs"]
mod support;
mod waiting;
mod worlds;

use std::{env, process::Command};

/// Runs a test's body in a process of its own with this environment besides a
/// bare one: what the machine has configured for AWS must not matter, and a
/// process may not change its own environment safely.
fn alone(name: &str, variables: &[(&str, &str)], body: impl FnOnce()) {
    const MARK: &str = "ROTDOCTOR_TEST_ALONE";
    if env::var(MARK).is_ok_and(|running| running == name) {
        return body();
    }
    let output = Command::new(env::current_exe().expect("this binary"))
        .args(["--exact", name, "--nocapture", "--test-threads", "1"])
        .env_clear()
        .env(MARK, name)
        .env("HOME", env::temp_dir().join("rotdoctor-no-such-home"))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied())
        .output()
        .expect("the test's own process");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "no test named {name}: {text}");
}

/// Credentials that only a stub accepts.
const KEYS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT"), ("AWS_SECRET_ACCESS_KEY", "none")];
