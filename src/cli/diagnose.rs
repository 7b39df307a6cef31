//! `rotdoctor diagnose`.

use std::path::PathBuf;

use super::{
    Failure,
    options::{ConfigurationOptions, DatabaseOptions, ReportOptions, SelectOptions},
    source,
};
use crate::report::{examine_with_profile, v1::Mode};

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
    configuration: ConfigurationOptions,
    #[command(flatten)]
    report: ReportOptions,
    #[cfg(feature = "live")]
    #[command(flatten)]
    aws: super::aws::AwsOptions,
    /// Follow the next attempt first, or the one that has just begun, until it ends or this
    /// long (15m); says on stderr which step it is in, and starts nothing itself.
    #[cfg(feature = "live")]
    #[arg(
        long,
        value_name = "DURATION",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "15m",
        value_parser = super::aws::duration,
        conflicts_with = "bundle",
        help_heading = "AWS"
    )]
    wait: Option<std::time::Duration>,
    /// How often --wait looks.
    #[cfg(feature = "live")]
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "5s",
        value_parser = super::aws::duration,
        requires = "wait",
        help_heading = "AWS"
    )]
    every: std::time::Duration,
}

impl Args {
    pub(super) fn run(mut self) -> Result<u8, Failure> {
        let settled = self.configuration.configuration(false)?;
        let selection = self.select.selection_with(&settled)?;
        self.report.settle(&settled);
        let mut gate = self.configuration.gate(settled)?;
        let (evidence, mode) = match (&self.bundle, &self.secret) {
            (Some(path), _) => {
                let mut evidence = source::read_bundle(path, &self.report)?;
                evidence.database = self.database.db.clone().or(evidence.database);
                (evidence, Mode::Bundle)
            }
            #[cfg(feature = "live")]
            (None, Some(secret)) => {
                if let Some(patience) = self.wait {
                    let quiet = self.report.quiet;
                    let follow = super::follow::Follow { patience, every: self.every, quiet };
                    self.aws.follow(secret, follow)?;
                }
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
        #[cfg(feature = "live")]
        let profile = self.aws.profile().filter(|_| mode == Mode::Live);
        #[cfg(not(feature = "live"))]
        let profile = None;
        let mut report = examine_with_profile(&evidence, mode, &selection, profile);
        gate.pass(&mut report);
        self.report.print(&report)?;
        Ok(self.report.exit_code(&report))
    }
}
