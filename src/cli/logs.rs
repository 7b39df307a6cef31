//! `rotdoctor logs`.

use std::path::PathBuf;

use super::{
    Failure,
    options::{ReportOptions, SelectOptions},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An exported log: text, JSON lines, `aws logs tail`, or the JSON of
    /// `get-log-events` and `filter-log-events` (`-` for stdin).
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    select: SelectOptions,
    #[command(flatten)]
    report: ReportOptions,
}

impl Args {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let _ = self.select.selection()?;
        Err(Failure::Usage(format!("{} {:?}", self.file.display(), self.report.output)))
    }
}
