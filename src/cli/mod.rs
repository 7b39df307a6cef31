//! The command line: clap definitions and one file per sub-command. Parses,
//! calls the pipeline, prints. Nothing is judged here.

mod audit;
#[cfg(feature = "live")]
mod aws;
#[cfg(feature = "live")]
mod bulk;
#[cfg(feature = "live")]
mod capture;
mod checks;
mod declared;
mod diagnose;
mod explain;
mod files;
#[cfg(feature = "live")]
mod follow;
mod gather;
mod logs;
mod manual;
mod options;
mod output;
mod package;
mod permissions;
mod schema;
mod source;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// A doctor for AWS Secrets Manager rotation: one ranked diagnosis with proof,
/// fix, and how to confirm it.
#[derive(Debug, Parser)]
#[command(
    name = "rotdoctor",
    version,
    about,
    max_term_width = 100,
    after_help = "Exit codes: 0 nothing found and everything seen · 1 a finding reached --fail-on · 2 usage \
                  error · 3 nothing found, but something could not be seen · 4 could not examine at all · \
                  130 interrupted"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say why one secret does not rotate, and how to fix it.
    Diagnose(diagnose::Args),
    /// Examine many secrets and list the worst first.
    Audit(audit::Args),
    #[cfg(feature = "live")]
    /// Collect the evidence about one secret into a bundle, to be read elsewhere.
    Capture(capture::Args),
    /// Read an exported rotation log alone: attempts, failed step, codes.
    Logs(logs::Args),
    /// Look into a deployment package: libpq, SCRAM, Python, machine, template.
    Package(package::Args),
    /// Explain a code: what it means, what proves it, how to fix it.
    Explain(explain::Args),
    /// List the checks and their codes.
    Checks(checks::Args),
    /// Print the least-privilege IAM policy that rotdoctor itself needs.
    Permissions(permissions::Args),
    /// Print a JSON Schema.
    Schema(schema::Args),
    /// Print shell completions.
    Completions(manual::CompletionsArgs),
    /// Print the manual page.
    Man,
}

/// Why a command ends without a report.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The command line or a file named on it makes no sense: exit 2.
    #[error("{0}")]
    Usage(String),
    /// Nothing could be examined: exit 4.
    #[error("{0}")]
    CannotExamine(String),
    /// Ctrl-C: exit 130.
    #[cfg(feature = "live")]
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::CannotExamine(_) => 4,
            #[cfg(feature = "live")]
            Self::Interrupted => 130,
        }
    }
}

/// Parses the command line, runs it, and says how it ended.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command.run() {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            output::complain(&format!("error: {failure}"));
            ExitCode::from(failure.code())
        }
    }
}

impl Command {
    fn run(self) -> Result<u8, Failure> {
        match self {
            Self::Diagnose(args) => args.run(),
            Self::Audit(args) => args.run(),
            #[cfg(feature = "live")]
            Self::Capture(args) => args.run(),
            Self::Logs(args) => args.run(),
            Self::Package(args) => args.run(),
            Self::Explain(args) => args.run(),
            Self::Checks(args) => args.run(),
            Self::Permissions(args) => args.run(),
            Self::Schema(args) => args.run(),
            Self::Completions(args) => args.run(&mut Cli::command()),
            Self::Man => manual::man(Cli::command()),
        }
    }
}
