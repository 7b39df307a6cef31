//! `rotdoctor explain`.

use super::{Failure, output};
use crate::{catalogue, checks::Selection, report::page};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A code such as NET03, or its name.
    #[arg(value_name = "CODE")]
    code: String,
}

impl Args {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let Some(entry) = catalogue::entry(&self.code) else {
            // The selection knows how to suggest what was meant.
            let unknown = Selection::new(std::slice::from_ref(&self.code), &[]).err();
            let text = unknown.map_or_else(
                || format!("'{}' is a check or an area, not a code; `rotdoctor checks` lists the codes", self.code),
                |unknown| unknown.to_string(),
            );
            return Err(Failure::Usage(text));
        };
        output::print_styled(&page::render(entry, output::terminal_layout()))?;
        Ok(0)
    }
}
