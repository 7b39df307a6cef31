//! `rotdoctor diagnose`.

use std::path::PathBuf;

use super::{
    Failure,
    options::{DatabaseOptions, ReportOptions, SelectOptions},
    source,
};
use crate::{examine, report::v1::Mode};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name, ARN or partial ARN of the secret.
    #[arg(value_name = "SECRET", conflicts_with = "bundle")]
    secret: Option<String>,
    /// Read the evidence from a bundle instead of AWS (`-` for stdin).
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    #[command(flatten)]
    select: SelectOptions,
    #[command(flatten)]
    database: DatabaseOptions,
    #[command(flatten)]
    report: ReportOptions,
    #[cfg(feature = "live")]
    #[command(flatten)]
    aws: super::aws::AwsOptions,
}

impl Args {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let selection = self.select.selection()?;
        let (evidence, mode) = match (&self.bundle, &self.secret) {
            (Some(path), _) => {
                let mut evidence = source::read_bundle(path, &self.report)?;
                evidence.database = self.database.db.clone().or(evidence.database);
                (evidence, Mode::Bundle)
            }
            #[cfg(feature = "live")]
            (None, Some(secret)) => {
                let database = self.database.db.clone();
                (self.aws.collect(secret, database, &selection, &self.report)?, Mode::Live)
            }
            (None, None) => {
                return Err(Failure::Usage(
                    "name the secret (name, ARN or partial ARN), or a bundle with --bundle FILE"
                        .to_owned(),
                ));
            }
            #[cfg(not(feature = "live"))]
            (None, Some(_)) => return Err(source::without_live()),
        };
        let report = examine(&evidence, mode, &selection);
        self.report.print(&report)?;
        Ok(self.report.exit_code(&report))
    }
}
