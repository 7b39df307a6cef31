//! Runs the built binary, cut off from the machine's own AWS configuration.

use std::{
    ffi::OsStr,
    process::{Command, Output},
};

use rotdoctor::report::v1::{Report, Verdict};

pub(crate) const REGION: &str = "eu-west-1";

/// A home of the tests' own, without profiles. Some programs make what is missing
/// there, so it lies under `target/`.
pub(crate) const HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/home");

/// What a run ended with.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The binary with nothing in its environment: no region, no credentials, no profile.
pub(crate) fn bare<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rotdoctor"));
    command.env_clear().env("HOME", HOME).env("AWS_EC2_METADATA_DISABLED", "true").args(arguments);
    command
}

/// The binary with credentials that only an emulator takes.
pub(crate) fn with_credentials<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = bare(arguments);
    command.env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
    command
}

/// Runs a command to its end.
pub(crate) fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().expect("the binary runs");
    Ran {
        code: status.code().expect("the binary ends by itself"),
        stdout: String::from_utf8(stdout).expect("stdout is UTF-8"),
        stderr: String::from_utf8(stderr).expect("stderr is UTF-8"),
    }
}

impl Ran {
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
