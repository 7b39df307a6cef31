//! `rotdoctor schema`.

use clap::ValueEnum;

use super::{Failure, output};
use crate::report::schema;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which schema.
    #[arg(value_enum, default_value_t = Which::Report)]
    which: Which,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Which {
    /// The report, version 1.
    Report,
    /// The report of an audit, version 1.
    Audit,
    /// The bundle, version 1.
    Bundle,
    /// `rotdoctor.toml`, version 1.
    Configuration,
}

impl Args {
    pub(super) fn run(self) -> Result<u8, Failure> {
        output::print(match self.which {
            Which::Report => schema::report(),
            Which::Audit => schema::audit(),
            Which::Bundle => schema::bundle(),
            Which::Configuration => schema::configuration(),
        })?;
        Ok(0)
    }
}
