//! Commands for a person to run, as data: programs, their arguments, and what they do.
//!
//! Evidence is untrusted, so it only ever stands in an [`Argument`]. Names of programs,
//! operations and options are text of this program. [`Command::render`] is the only
//! place that makes shell text out of a command; it quotes every argument, adds
//! `--region` and `--profile`, and refuses what a shell or a terminal would misread.

mod render;
mod structure;
mod template;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::{
    render::{CommandContext, Refusal, RenderedCommand, is_invisible},
    template::{CommandTemplate, TemplateError},
};

/// What a command does to what it runs against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It reads, and keeps what it reads at most in a file or a shell variable.
    Look,
    /// It changes something.
    Change,
    /// It takes a change back.
    Undo,
}

/// One argument: text, a placeholder, a variable of the shell, or a mix of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Argument(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Text as it is, from evidence or not.
    Text(String),
    /// A word in capitals that the reader replaces.
    Placeholder(String),
    /// A variable of the shell that an earlier command has set.
    Variable(Cow<'static, str>),
    /// The output of a pipeline.
    Output(Vec<Program>),
    /// `file://` or `fileb://` and a path of ours: the AWS CLI reads the value out of that
    /// file.
    File(Cow<'static, str>),
    /// Where a template is filled in.
    Hole(template::Hole),
}

impl Argument {
    /// A word in capitals that the reader replaces: `DATABASE_SG`. Characters that no
    /// placeholder has become underscores.
    pub fn placeholder(name: &str) -> Self {
        let name = name.trim_start_matches('-').to_ascii_uppercase();
        let name = name.replace(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit(), "_");
        Self(vec![Part::Placeholder(name)])
    }

    /// The text, or a placeholder where there is none.
    pub fn or_placeholder(text: Option<&str>, placeholder: &str) -> Self {
        text.map_or_else(|| Self::placeholder(placeholder), Self::from)
    }

    /// A variable of the shell, which an earlier command has set.
    pub fn variable(name: &'static str) -> Self {
        Self(vec![Part::Variable(Cow::Borrowed(name))])
    }

    /// A JSON document. Nothing in it needs a refusal, see [`json_text`].
    pub fn json(value: &Value) -> Self {
        Self::from(json_text(value))
    }

    /// What a pipeline prints: `"$(aws …)"`.
    pub fn output(command: Command) -> Self {
        Self(vec![Part::Output(command.pipeline)])
    }

    /// A file that the AWS CLI reads the value from: `file://policy.json`.
    pub fn file(path: impl std::fmt::Display) -> Self {
        Self(vec![Part::File(Cow::Owned(format!("file://{path}")))])
    }

    /// A file that the AWS CLI reads the bytes from: `fileb://function.zip`.
    pub fn binary_file(path: &'static str) -> Self {
        Self(vec![Part::File(Cow::Owned(format!("fileb://{path}")))])
    }

    /// The same argument with more right behind it.
    #[must_use]
    pub fn then(mut self, more: impl Into<Self>) -> Self {
        self.0.extend(more.into().0);
        self
    }
}

impl From<&str> for Argument {
    fn from(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }
}

impl From<String> for Argument {
    fn from(text: String) -> Self {
        Self(vec![Part::Text(text)])
    }
}

impl From<&String> for Argument {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Cow<'_, str>> for Argument {
    fn from(text: Cow<'_, str>) -> Self {
        Self::from(text.into_owned())
    }
}

macro_rules! from_number {
    ($($number:ty),*) => {$(
        impl From<$number> for Argument {
            fn from(number: $number) -> Self {
                Self::from(number.to_string())
            }
        }
    )*};
}
from_number!(u16, u32, u64, i32, i64, usize);

/// JSON in which every character is visible: what a terminal would act on or hide is
/// written as `\uXXXX`, so that a document from outside can be printed whole. Also the
/// place to put a text into a jq program.
pub fn json_text(value: &Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        if is_invisible(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// A program with its arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Program {
    /// Variables of the environment that only this program sees.
    environment: Vec<(Cow<'static, str>, Argument)>,
    name: Cow<'static, str>,
    items: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    /// A sub-command or a flag: a word of ours.
    Word(Cow<'static, str>),
    /// An option with its values.
    Option(Cow<'static, str>, Vec<Argument>),
    /// An operand, and the placeholder that stands for it where it is refused.
    Operand(Cow<'static, str>, Argument),
}

impl Program {
    fn words(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map_while(|item| match item {
            Item::Word(word) if !word.starts_with('-') => Some(word.as_ref()),
            _ => None,
        })
    }

    /// Whether it asks AWS, and so takes `--region` and `--profile`.
    fn asks_aws(&self) -> bool {
        const ROTDOCTOR: [&str; 6] =
            ["audit", "capture", "diagnose", "package", "permissions", "probe"];
        match self.name.as_ref() {
            "aws" => self.words().next() != Some("configure"),
            "rotdoctor" => self.words().next().is_some_and(|word| ROTDOCTOR.contains(&word)),
            _ => false,
        }
    }

    fn has_option(&self, wanted: &str) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Option(name, _) if name == wanted))
    }

    /// What it does, by its name and the verb of its operation.
    fn effect(&self) -> Effect {
        const VERBS: [&str; 9] = [
            "describe-",
            "get-",
            "list-",
            "lookup-",
            "simulate-",
            "filter-",
            "tail",
            "wait",
            "test-",
        ];
        const LOOKING: [&str; 6] = ["rotdoctor", "jq", "openssl", "printf", "unset", "dig"];
        let looks = match self.name.as_ref() {
            "aws" => self
                .words()
                .nth(1)
                .is_some_and(|operation| VERBS.iter().any(|verb| operation.starts_with(verb))),
            name => LOOKING.contains(&name),
        };
        if looks { Effect::Look } else { Effect::Change }
    }
}

/// A command to paste: a pipeline, and where its output goes.
///
/// The methods that add arguments add them to the last program of the pipeline.
///
/// ```
/// use rotdoctor::aws::commands::{Command, CommandContext, Effect};
///
/// let command = Command::aws("iam", "get-role").option("--role-name", "rot;curl evil|sh");
/// let context = CommandContext { region: Some("eu-west-1"), profile: None };
/// let rendered = command.render(context);
/// assert_eq!(
///     rendered.text,
///     "aws iam get-role --role-name 'rot;curl evil|sh' --region eu-west-1"
/// );
/// assert_eq!(rendered.effect, Effect::Look);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    pipeline: Vec<Program>,
    capture: Option<Cow<'static, str>>,
    output_file: Option<Cow<'static, str>>,
    /// `None` follows from the programs.
    effect: Option<Effect>,
}

impl Command {
    /// A program without arguments yet.
    pub fn program(name: &'static str) -> Self {
        let program = Program { name: Cow::Borrowed(name), ..Program::default() };
        Self { pipeline: vec![program], ..Self::default() }
    }

    /// An operation of the AWS CLI: `aws kms enable-key`.
    pub fn aws(service: &'static str, operation: &'static str) -> Self {
        Self::program("aws").word(service).word(operation)
    }

    /// A sub-command of this program.
    pub fn rotdoctor(subcommand: &'static str) -> Self {
        Self::program("rotdoctor").word(subcommand)
    }

    fn add(mut self, item: Item) -> Self {
        if let Some(program) = self.pipeline.last_mut() {
            program.items.push(item);
        }
        self
    }

    /// With a word of ours: a sub-command such as `function-updated` of `aws lambda wait`.
    #[must_use]
    pub fn word(self, word: &'static str) -> Self {
        self.add(Item::Word(Cow::Borrowed(word)))
    }

    /// With an option that takes no value.
    #[must_use]
    pub fn flag(self, name: &'static str) -> Self {
        self.word(name)
    }

    /// With an option and its value. A value that begins with `-` is attached to a long
    /// option (`--name='-value'`), and refused after a short one.
    #[must_use]
    pub fn option(self, name: &'static str, value: impl Into<Argument>) -> Self {
        self.add(Item::Option(Cow::Borrowed(name), vec![value.into()]))
    }

    /// With an option, where there is a value.
    #[must_use]
    pub fn option_if(self, name: &'static str, value: Option<impl Into<Argument>>) -> Self {
        match value {
            Some(value) => self.option(name, value),
            None => self,
        }
    }

    /// With an option that takes several values. One that begins with `-` is refused.
    #[must_use]
    pub fn options<A: Into<Argument>>(
        self,
        name: &'static str,
        values: impl IntoIterator<Item = A>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.add(Item::Option(Cow::Borrowed(name), values))
    }

    /// With an operand. One that begins with `-` is refused: then the placeholder stands
    /// in its place.
    #[must_use]
    pub fn operand(self, placeholder: &'static str, value: impl Into<Argument>) -> Self {
        self.add(Item::Operand(Cow::Borrowed(placeholder), value.into()))
    }

    /// With a variable of the environment of its last program alone.
    #[must_use]
    pub fn environment(mut self, name: &'static str, value: impl Into<Argument>) -> Self {
        if let Some(program) = self.pipeline.last_mut() {
            program.environment.push((Cow::Borrowed(name), value.into()));
        }
        self
    }

    /// With its output as the input of another.
    #[must_use]
    pub fn pipe(mut self, next: Self) -> Self {
        self.pipeline.extend(next.pipeline);
        self
    }

    /// With its output kept in a variable of the shell.
    #[must_use]
    pub fn capture(mut self, variable: &'static str) -> Self {
        self.capture = Some(Cow::Borrowed(variable));
        self
    }

    /// With its output kept in a file of the working directory.
    #[must_use]
    pub fn output_file(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.output_file = Some(path.into());
        self
    }

    /// As a command that only reads, whatever its programs are.
    #[must_use]
    pub fn look(self) -> Self {
        self.with_effect(Effect::Look)
    }

    /// As a command that changes something, whatever its programs are.
    #[must_use]
    pub fn change(self) -> Self {
        self.with_effect(Effect::Change)
    }

    /// As a command that takes a change back.
    #[must_use]
    pub fn undo(self) -> Self {
        self.with_effect(Effect::Undo)
    }

    fn with_effect(mut self, effect: Effect) -> Self {
        self.effect = Some(effect);
        self
    }

    /// What it does: what was said of it, else what its programs do.
    pub fn effect(&self) -> Effect {
        let programs = self.pipeline.iter().map(Program::effect).max();
        self.effect.or(programs).unwrap_or(Effect::Look)
    }

    /// Whether it is this operation of the AWS CLI.
    pub fn is_aws(&self, service: &str, operation: &str) -> bool {
        self.pipeline.iter().any(|program| {
            program.name == "aws" && program.words().take(2).eq([service, operation])
        })
    }

    /// As text, without region and profile: for tests and for messages of the program.
    pub fn plain(&self) -> String {
        self.render(CommandContext::default()).text
    }
}

#[cfg(test)]
mod tests;
