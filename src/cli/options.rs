//! Options that several sub-commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Failure;
use crate::{
    catalogue::Severity,
    checks::Selection,
    report::v1::{Report, Verdict},
};

/// Which checks run.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct SelectOptions {
    /// Only these checks: codes, code names, check names or areas (NET, SEC, …).
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    check: Vec<String>,
    /// All but these checks.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    skip: Vec<String>,
}

impl SelectOptions {
    pub(super) fn selection(&self) -> Result<Selection, Failure> {
        Selection::new(&self.check, &self.skip)
            .map_err(|unknown| Failure::Usage(unknown.to_string()))
    }
}

/// What is printed, and what it makes of the exit code.
#[derive(Clone, Debug, Args)]
pub(super) struct ReportOptions {
    /// Format of the report.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    pub(super) output: Format,
    /// Write the report to a file instead of stdout.
    #[arg(long, value_name = "FILE")]
    pub(super) output_file: Option<PathBuf>,
    /// When to colour.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub(super) color: Color,
    /// Show everything: all proofs, all causes, all checks.
    #[arg(long, short)]
    pub(super) verbose: bool,
    /// Print nothing but the report.
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// The lowest severity that makes the exit code 1.
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = FailOn::Error)]
    pub(super) fail_on: FailOn,
    /// Exit 0 where it would be 1 or 3.
    #[arg(long)]
    pub(super) exit_zero: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For programs: report version 1.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR says otherwise.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Errors.
    Error,
    /// Errors and warnings.
    Warning,
    /// Nothing.
    Never,
}

impl ReportOptions {
    /// The exit code of one report.
    pub(super) fn exit_code(&self, report: &Report) -> u8 {
        let reached = match self.fail_on {
            FailOn::Never => false,
            // A rotation that is seen to fail is an error, even where no check
            // can name its cause.
            FailOn::Error => {
                report.verdict == Verdict::Failing || worst(report) == Some(Severity::Error)
            }
            FailOn::Warning => {
                report.verdict == Verdict::Failing
                    || worst(report).is_some_and(|severity| severity <= Severity::Warning)
            }
        };
        let unseen = !report.inconclusive.is_empty() || report.verdict == Verdict::Unknown;
        match (reached, unseen) {
            _ if self.exit_zero => 0,
            (true, _) => 1,
            (false, true) => 3,
            (false, false) => 0,
        }
    }
}

fn worst(report: &Report) -> Option<Severity> {
    report.findings.iter().map(|finding| finding.severity).min()
}
