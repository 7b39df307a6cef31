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
    checks::Case,
    evidence::{Evidence, Time},
    examine_case,
    report::v1::Mode,
    rotation_log::{self, RotationLog},
    seal,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An exported log: text, JSON lines, `aws logs tail`, or the JSON of
    /// `get-log-events` and `filter-log-events` (`-` for stdin).
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Leave out invocations for secrets other than this one.
    #[arg(long, value_name = "ARN")]
    secret_arn: Option<String>,
    #[command(flatten)]
    select: SelectOptions,
    #[command(flatten)]
    report: ReportOptions,
}

impl Args {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let selection = self.select.selection()?;
        let log = self.read().map_err(|error| {
            Failure::CannotExamine(format!("log {}: {error}", self.file.display()))
        })?;
        if log.invocations.is_empty() && log.dropped == 0 {
            self.report.note(&nothing_in(&log));
        }
        let evidence = Evidence { captured_at: last_time(&log), ..Evidence::default() };
        let report = examine_case(&Case::with_log(&evidence, log), Mode::Logs, &selection);
        self.report.print(&report)?;
        Ok(self.report.exit_code(&report))
    }

    fn read(&self) -> io::Result<RotationLog> {
        let options =
            rotation_log::Options { secret_arn: self.secret_arn.clone(), redact: seal::log_line };
        if self.file.as_os_str() == "-" {
            return rotation_log::read(BufReader::new(io::stdin()), options);
        }
        rotation_log::read(BufReader::with_capacity(1 << 16, File::open(&self.file)?), options)
    }
}

fn nothing_in(log: &RotationLog) -> String {
    match (log.lines, log.other_secrets) {
        (0, _) => "note: the log is empty".to_owned(),
        (lines, 0) => format!("note: none of the {lines} lines is from a Lambda function's log"),
        (_, others) => format!("note: all {others} invocations in the log are for other secrets"),
    }
}

/// A log has no capture time; the last thing it saw is the nearest to one.
fn last_time(log: &RotationLog) -> Time {
    log.invocations
        .iter()
        .filter_map(|run| run.ended_at.or(run.started_at))
        .max()
        .unwrap_or_default()
}
