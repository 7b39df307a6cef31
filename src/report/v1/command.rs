//! Commands, as text and as data.

use serde::{Deserialize, Serialize};

use crate::aws::commands::{self, CommandContext, Effect, Refusal};

/// A command beside its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Command {
    /// The same line as in the list of texts, for a POSIX shell.
    pub text: String,
    /// The words of the command, the program first, as a shell passes them on. A word
    /// that holds a variable of the shell or the output of a command shows these as they
    /// are written: `$VERSION`, `$(…)`. Empty where several programs stand in a pipeline.
    pub argv: Vec<String>,
    /// The words of each program of a pipeline, in order; left out where there is one
    /// program, whose words are in `argv`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pipeline: Vec<Vec<String>>,
    /// Variables of the environment that stand before the program, such as
    /// `PGPASSWORD=$(…)`; they are no words of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
    /// The variable of the shell that takes the output (`VERSION=$(…)`), if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
    /// The file that takes the output (`> policy.json`), if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_file: Option<String>,
    /// `look` reads, `change` changes something, `undo` takes a change back.
    pub effect: Effect,
    /// Words in capitals that the reader has to replace. Where a name cannot be printed
    /// (it holds a control character, or would become an option), one of these stands in
    /// its place.
    pub placeholders: Vec<String>,
    /// The text in pieces between which a line may be broken.
    #[serde(skip)]
    pub(crate) pieces: Vec<String>,
    /// Values that a placeholder stands for because they cannot be printed.
    #[serde(skip)]
    pub(crate) refused: Vec<Refusal>,
}

impl Command {
    /// A command as the report has it.
    pub(crate) fn of(command: &commands::Command, context: CommandContext<'_>) -> Self {
        let mut rendered = command.render(context);
        let argv = match rendered.pipeline.as_slice() {
            [_] => rendered.pipeline.remove(0),
            _ => Vec::new(),
        };
        Self {
            text: rendered.text,
            argv,
            pipeline: rendered.pipeline,
            environment: rendered.environment,
            variable: rendered.variable,
            output_file: rendered.output_file,
            effect: rendered.effect,
            placeholders: rendered.placeholders,
            pieces: rendered.pieces,
            refused: rendered.refused,
        }
    }

    /// The texts of a list of commands.
    pub(crate) fn texts(commands: &[Self]) -> Vec<String> {
        commands.iter().map(|command| command.text.clone()).collect()
    }
}
