//! `rotdoctor logs`.

use std::{
    fs::File,
    io::{self, BufReader},
    path::PathBuf,
};

use super::{
    Failure,
    options::{ReportOptions, SelectOptions},
};
use crate::{
    aws::arn::Arn,
    report::{
        examine_log,
        v1::{OtherSecret, Report},
    },
    rotation_log::{self, RotationLog},
    seal,
};

/// How to export a log.
const EXPORT: &str = "\
export the function's log with: aws logs filter-log-events \
--log-group-name /aws/lambda/FUNCTION --start-time MILLISECONDS --output json > FILE";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An exported log: text, JSON lines, what `aws logs` prints (`tail`, and
    /// `get-log-events`, `filter-log-events` and `get-query-results` as JSON, YAML or
    /// text), or a CSV file (`-` for stdin).
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Leave out invocations for secrets other than this one.
    #[arg(long, value_name = "ARN", value_parser = secret_arn)]
    secret_arn: Option<String>,
    #[command(flatten)]
    select: SelectOptions,
    #[command(flatten)]
    report: ReportOptions,
}

impl Args {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let selection = self.select.selection()?;
        let cannot = |why: &str| {
            Failure::CannotExamine(format!("log {}: {why}\n{EXPORT}", self.file.display()))
        };
        let log = self.read().map_err(|error| match error.kind() {
            io::ErrorKind::Unsupported | io::ErrorKind::InvalidData => cannot(&error.to_string()),
            _ => Failure::CannotExamine(format!("log {}: {error}", self.file.display())),
        })?;
        if log.lines == 0 {
            return Err(cannot("it is empty"));
        }
        if log.invocations.is_empty() && log.trail_events.is_empty() && log.dropped == 0 {
            self.report.note(&nothing_in(&log));
        }
        let reports: Vec<Report> =
            log.by_secret().into_iter().map(|log| examine_log(log, &selection)).collect();
        let code = self.exit_code(&reports);
        let mut reports = reports.into_iter();
        let Some(mut report) = reports.next() else { return Ok(code) };
        report.other_secrets = reports.map(other_secret).collect();
        self.report.print(&report)?;
        Ok(code)
    }

    /// The worst of all: 1 before 3 before 0.
    fn exit_code(&self, reports: &[Report]) -> u8 {
        let codes: Vec<u8> = reports.iter().map(|report| self.report.exit_code(report)).collect();
        if codes.contains(&1) { 1 } else { codes.into_iter().max().unwrap_or(0) }
    }

    fn read(&self) -> io::Result<RotationLog> {
        let options = rotation_log::Options {
            secret_arn: self.secret_arn.clone(),
            redact: seal::log_line,
            any_function: true,
        };
        if self.file.as_os_str() == "-" {
            return rotation_log::read(BufReader::new(io::stdin()), options);
        }
        rotation_log::read(BufReader::with_capacity(1 << 16, File::open(&self.file)?), options)
    }
}

fn other_secret(report: Report) -> OtherSecret {
    let last = report.rotation.attempts.last();
    OtherSecret {
        verdict: report.verdict,
        code: report.causes.first().map(|cause| cause.finding.code.clone()),
        failed_step: last.and_then(|attempt| attempt.failed_step.clone()),
        last_attempt_at: last.and_then(|attempt| attempt.started_at),
        secret_arn: report.target.secret_arn,
    }
}

/// An ARN of a secret, with or without the six characters at its end.
fn secret_arn(text: &str) -> Result<String, String> {
    let arn = Arn::parse(text);
    let name = arn.and_then(Arn::secret).map_or("", |secret| secret.name);
    match arn {
        Some(Arn { partition, region, account, .. })
            if ![partition, region, account, name].contains(&"") =>
        {
            Ok(text.to_owned())
        }
        _ => Err("an ARN such as arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-AbCdEf is \
                  needed"
            .to_owned()),
    }
}

fn nothing_in(log: &RotationLog) -> String {
    match (log.lines, log.other_secrets) {
        (lines, 0) => {
            format!("note: none of the {lines} lines is from a Lambda function's log\n{EXPORT}")
        }
        (_, others) => format!("note: all {others} invocations in the log are for other secrets"),
    }
}
