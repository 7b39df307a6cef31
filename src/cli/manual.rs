//! `rotdoctor completions` and `rotdoctor man`.

use clap::Command;
use clap_complete::Shell;

use super::{Failure, output};

#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// Shell.
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn run(self, command: &mut Command) -> Result<u8, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, command, "rotdoctor", &mut script);
        output::print(&String::from_utf8_lossy(&script))?;
        Ok(0)
    }
}

/// Prints the manual page, with a section for each sub-command.
pub(super) fn man(command: Command) -> Result<u8, Failure> {
    let mut page = Vec::new();
    let render = |command: &Command, page: &mut Vec<u8>| {
        clap_mangen::Man::new(command.clone())
            .render(page)
            .map_err(|error| Failure::Usage(format!("cannot render the manual page: {error}")))
    };
    let mut command = command;
    command.build();
    render(&command, &mut page)?;
    for subcommand in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        // Building has given it the name `rotdoctor-diagnose` to show.
        render(subcommand, &mut page)?;
    }
    output::print(&String::from_utf8_lossy(&page))?;
    Ok(0)
}
