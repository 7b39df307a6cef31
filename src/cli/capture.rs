//! `rotdoctor capture`.

use std::path::PathBuf;

use super::{
    Failure,
    aws::AwsOptions,
    options::{Color, DatabaseOptions, FailOn, Format, ReportOptions, SelectOptions},
    output,
};
use crate::seal::bundle;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name, ARN or partial ARN of the secret.
    #[arg(value_name = "SECRET")]
    secret: String,
    /// File to write the bundle to (`-` for stdout).
    #[arg(long = "output-file", short = 'o', value_name = "FILE")]
    output: PathBuf,
    /// Print nothing but errors.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    select: SelectOptions,
    #[command(flatten)]
    database: DatabaseOptions,
    #[command(flatten)]
    aws: AwsOptions,
}

impl Args {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let selection = self.select.selection()?;
        let report = ReportOptions {
            output: Format::Json,
            output_file: None,
            color: Color::Never,
            verbose: false,
            quiet: self.quiet,
            fail_on: Some(FailOn::Never),
            open: None,
            exit_zero: false,
        };
        let evidence = self.aws.collect(&self.secret, self.database.db, &selection, &report)?;
        let text = bundle::write(&evidence);
        if self.output.as_os_str() == "-" {
            output::print(&text)?;
        } else {
            output::write_file(&self.output, &text)?;
            report.note(&format!("written: {}", self.output.display()));
        }
        Ok(0)
    }
}
