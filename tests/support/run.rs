//! Runs the built binary, cut off from the machine's own configuration.
#![allow(dead_code)] // each program of tests uses some of it

use std::{
    ffi::OsStr,
    io::{Seek as _, Write as _},
    path::Path,
    process::{Command, Output},
};

use rotdoctor::report::v1::{Report, Verdict};

use super::worlds;

pub(crate) const REGION: &str = "eu-west-1";

/// A home of the tests' own, without profiles. Some programs make what is missing
/// there, so it lies under `target/`.
pub(crate) const HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/home");

/// The binary, in the repository's root, with nothing in its environment that could
/// change what it does: no region, credentials or profile, no colour, no width.
pub(crate) fn rotdoctor() -> Rotdoctor {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rotdoctor"));
    command.env_clear().env("HOME", HOME).env("AWS_EC2_METADATA_DISABLED", "true");
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    Rotdoctor(command)
}

/// A run of the binary that is being put together.
#[derive(Debug)]
pub(crate) struct Rotdoctor(Command);

impl Rotdoctor {
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.0.args(arguments);
        self
    }

    /// `--bundle` with the file of a world, such as `KMS01/fires`.
    pub(crate) fn bundle(self, world: &str) -> Self {
        self.args(["--bundle", &worlds::path(world)])
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn envs<'a>(self, all: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        all.into_iter().fold(self, |run, (name, value)| run.env(name, value))
    }

    /// Credentials that only an emulator takes.
    pub(crate) fn with_credentials(self) -> Self {
        self.envs([("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing")])
    }

    pub(crate) fn current_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// What stands on stdin; nothing without this.
    pub(crate) fn stdin(mut self, text: impl AsRef<[u8]>) -> Self {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(text.as_ref()).expect("a temporary file");
        file.rewind().expect("a temporary file");
        self.0.stdin(file);
        self
    }

    /// The command itself, for a test that does more than wait for its end.
    pub(crate) fn command(self) -> Command {
        self.0
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Ran {
        Ran::of(&mut self.0)
    }
}

/// What a run ended with.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().expect("the binary runs");
        Self {
            code: status.code().expect("the binary ends by itself"),
            stdout: String::from_utf8(stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(stderr).expect("stderr is UTF-8"),
        }
    }

    /// The JSON report on stdout; nothing else may be there.
    pub(crate) fn report(&self) -> Report {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no report on stdout: {error}\n{self:#?}"))
    }

    /// Asserts what was found first, how bad it is, and how the run ended.
    #[track_caller]
    pub(crate) fn found(&self, first_cause: &str, verdict: Verdict, code: i32) -> Report {
        let report = self.report();
        assert_eq!(self::first_cause(&report), Some(first_cause), "{}", told(&report));
        assert_eq!(report.verdict, verdict, "{}", told(&report));
        assert_eq!(self.code, code, "{}", told(&report));
        report
    }
}

/// The code of the first cause.
pub(crate) fn first_cause(report: &Report) -> Option<&str> {
    report.causes.first().map(|cause| cause.finding.code.as_str())
}

/// A report in few lines, for the message of a failed assertion.
pub(crate) fn told(report: &Report) -> String {
    let mut lines = vec![format!("{:?}; attempts {:#?}", report.verdict, report.rotation.attempts)];
    lines.extend(report.causes.iter().map(|cause| {
        let finding = &cause.finding;
        format!("cause {} {:?}: {}", finding.code, cause.confidence, finding.summary)
    }));
    lines.extend(report.findings.iter().map(|finding| {
        format!("finding {} {:?}: {}", finding.code, finding.severity, finding.summary)
    }));
    lines.extend(
        report.inconclusive.iter().map(|open| format!("open {}: {:?}", open.check, open.missing)),
    );
    lines.join("\n")
}
