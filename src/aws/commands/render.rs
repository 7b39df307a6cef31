//! Commands as shell text and as lists of arguments. The only place that quotes.
//!
//! Every argument is written so that a POSIX shell (and bash and zsh at the prompt)
//! reads back exactly the argument of the list. What cannot be shown like that is
//! refused: a placeholder stands in its place, in the text and in the list, and
//! [`Refusal`] says why. Refused are values
//!
//! * with characters that a terminal acts on or hides (control characters, line breaks,
//!   bidirectional marks, no-break and zero-width spaces): no name in AWS has one, and
//!   what one sees would not be what one runs,
//! * that begin with `-` where the program would take them for an option,
//! * that begin with `file://` or `fileb://` for the AWS CLI, which would send the
//!   content of that file instead.

use std::borrow::Cow;

use super::{Argument, Command, Effect, Item, Part, Program};

/// What all commands of a report have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommandContext<'a> {
    /// The region, where it is known.
    pub region: Option<&'a str>,
    /// The profile, where one was named.
    pub profile: Option<&'a str>,
}

/// A command as it is printed, and as a shell reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedCommand {
    /// One line of shell text: the pieces with a space between each two.
    pub text: String,
    /// The text in pieces between which a line may be broken.
    pub pieces: Vec<String>,
    /// The arguments of each program of the pipeline, its name first. Variables of the
    /// shell and outputs of commands stand as the shell reads them: `$VERSION`.
    pub pipeline: Vec<Vec<String>>,
    /// Variables of the environment that stand before a program: `PGPASSWORD=$(…)`.
    pub environment: Vec<String>,
    /// The variable that takes the output.
    pub variable: Option<String>,
    /// The file that takes the output.
    pub output_file: Option<String>,
    /// What it does.
    pub effect: Effect,
    /// Words in capitals that the reader replaces.
    pub placeholders: Vec<String>,
    /// Values that a placeholder stands for because they cannot be printed.
    pub refused: Vec<Refusal>,
}

/// A value that is not printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The placeholder in its place.
    pub placeholder: String,
    /// Why, to be read after "its value".
    pub reason: &'static str,
}

/// Whether a terminal acts on the character or hides it: control characters, marks of
/// direction, separators of lines, and spaces that are none or look like one.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{a0}' | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180e}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}'
                | '\u{205f}'..='\u{206f}' | '\u{3000}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// An argument both ways.
#[derive(Default)]
struct Written {
    shell: String,
    argument: String,
}

/// Where an argument stands, for what may stand there.
#[derive(Clone, Copy)]
struct Position<'a> {
    /// The placeholder where it is refused.
    label: &'a str,
    /// Whether a value that begins with `-` may stand there.
    takes_dash: bool,
    /// Whether the AWS CLI reads it.
    in_aws: bool,
}

impl Command {
    /// As text and as arguments.
    pub fn render(&self, context: CommandContext<'_>) -> RenderedCommand {
        let (environment, placeholders, refused) = (Vec::new(), Vec::new(), Vec::new());
        let mut renderer = Renderer { context, environment, placeholders, refused };
        let (mut pieces, pipeline) = renderer.pipeline(&self.pipeline);
        if let Some(file) = &self.output_file {
            pieces.push(format!("> {file}"));
        }
        if let Some(variable) = &self.capture {
            if let Some(first) = pieces.first_mut() {
                first.insert_str(0, &format!("{variable}=$("));
            }
            if let Some(last) = pieces.last_mut() {
                last.push(')');
            }
        }
        RenderedCommand {
            text: pieces.join(" "),
            pieces,
            pipeline,
            environment: renderer.environment,
            variable: self.capture.as_deref().map(str::to_owned),
            output_file: self.output_file.as_deref().map(str::to_owned),
            effect: self.effect(),
            placeholders: renderer.placeholders,
            refused: renderer.refused,
        }
    }
}

struct Renderer<'c> {
    context: CommandContext<'c>,
    environment: Vec<String>,
    placeholders: Vec<String>,
    refused: Vec<Refusal>,
}

impl Renderer<'_> {
    fn pipeline(&mut self, programs: &[Program]) -> (Vec<String>, Vec<Vec<String>>) {
        let mut pieces: Vec<String> = Vec::new();
        let mut lists = Vec::new();
        for (index, program) in programs.iter().enumerate() {
            let (mut more, list) = self.program(program);
            if index > 0
                && let Some(first) = more.first_mut()
            {
                first.insert_str(0, "| ");
            }
            pieces.append(&mut more);
            lists.push(list);
        }
        (pieces, lists)
    }

    fn program(&mut self, program: &Program) -> (Vec<String>, Vec<String>) {
        // The program with its sub-commands is one piece.
        let mut head = String::new();
        for (name, value) in &program.environment {
            let position = Position { label: name, takes_dash: true, in_aws: false };
            let value = self.argument(value, position);
            head.push_str(&format!("{name}={} ", value.shell));
            self.environment.push(format!("{name}={}", value.argument));
        }
        head.push_str(&program.name);
        let mut pieces = vec![head];
        let mut list = vec![program.name.to_string()];
        let in_aws = program.name == "aws";
        for item in &program.items {
            match item {
                Item::Word(word) => {
                    match pieces.as_mut_slice() {
                        [head] if !word.starts_with('-') => head.push_str(&format!(" {word}")),
                        _ => pieces.push(word.to_string()),
                    }
                    list.push(word.to_string());
                }
                Item::Operand(label, value) => {
                    let value = self.argument(value, Position { label, takes_dash: false, in_aws });
                    pieces.push(value.shell);
                    list.push(value.argument);
                }
                Item::Option(name, values) => {
                    self.option(name, values, in_aws, &mut pieces, &mut list);
                }
            }
        }
        if program.asks_aws() {
            let common = [("--region", self.context.region), ("--profile", self.context.profile)];
            for (name, value) in common {
                if let Some(value) = value.filter(|_| !program.has_option(name)) {
                    self.option(name, &[Argument::from(value)], in_aws, &mut pieces, &mut list);
                }
            }
        }
        (pieces, list)
    }

    /// An option with its values, which is one piece.
    fn option(
        &mut self,
        name: &str,
        values: &[Argument],
        in_aws: bool,
        pieces: &mut Vec<String>,
        list: &mut Vec<String>,
    ) {
        let attaches = name.starts_with("--") && values.len() == 1;
        let position = Position { label: name, takes_dash: attaches, in_aws };
        let mut written = values.iter().map(|value| self.argument(value, position));
        let Some(first) = written.next() else { return };
        if attaches && first.argument.starts_with('-') {
            pieces.push(format!("{name}={}", first.shell));
            list.push(format!("{name}={}", first.argument));
            return;
        }
        let mut piece = format!("{name} {}", first.shell);
        list.extend([name.to_owned(), first.argument]);
        for value in written {
            piece.push_str(&format!(" {}", value.shell));
            list.push(value.argument);
        }
        pieces.push(piece);
    }

    fn argument(&mut self, argument: &Argument, position: Position<'_>) -> Written {
        if let Some(reason) = refusal(argument, position) {
            let Argument(parts) = Argument::placeholder(position.label);
            let Some(Part::Placeholder(placeholder)) = parts.into_iter().next() else {
                return Written::default();
            };
            let refusal = Refusal { placeholder: placeholder.clone(), reason };
            if !self.refused.contains(&refusal) {
                self.refused.push(refusal);
            }
            self.note(&placeholder);
            return Written { shell: placeholder.clone(), argument: placeholder };
        }
        let mut runs: Vec<Run> = Vec::new();
        for part in &argument.0 {
            let run = match part {
                Part::Text(text) => Run::Text(text.clone()),
                Part::File(url) => Run::Text(url.to_string()),
                Part::Placeholder(name) => {
                    self.note(name);
                    Run::Text(name.clone())
                }
                Part::Hole(hole) => {
                    self.note(&hole.placeholder());
                    Run::Text(hole.placeholder())
                }
                Part::Variable(name) => Run::Expansion(format!("${{{name}}}")),
                Part::Output(programs) => {
                    Run::Expansion(format!("$({})", self.pipeline(programs).0.join(" ")))
                }
            };
            match (runs.last_mut(), run) {
                (Some(Run::Text(last)), Run::Text(more)) => last.push_str(&more),
                (_, run) => runs.push(run),
            }
        }
        written(&runs)
    }

    fn note(&mut self, placeholder: &str) {
        if !self.placeholders.iter().any(|known| known == placeholder) {
            self.placeholders.push(placeholder.to_owned());
        }
    }
}

/// A stretch of an argument.
enum Run {
    /// What is quoted.
    Text(String),
    /// What the shell expands, in double quotes: `${NAME}` or `$(…)`.
    Expansion(String),
}

/// The stretches as one word: all of it in double quotes where its text means nothing
/// there, else each in its own quotes.
fn written(runs: &[Run]) -> Written {
    let inert = |text: &str| !text.contains(['"', '$', '`', '\\', '!']);
    let one = runs.iter().all(|run| {
        matches!(run, Run::Expansion(_)) || matches!(run, Run::Text(text) if inert(text))
    });
    let mut written = Written::default();
    let expands = runs.iter().any(|run| matches!(run, Run::Expansion(_)));
    for (index, run) in runs.iter().enumerate() {
        let (shell, argument) = match run {
            Run::Text(text) if expands && one => (text.clone(), text.clone()),
            Run::Text(text) => (quoted(text).into_owned(), text.clone()),
            Run::Expansion(expansion) => {
                // Braces only where the next character could belong to the name.
                let joins = matches!(runs.get(index + 1), Some(Run::Text(text))
                    if text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
                let short = match expansion.strip_prefix("${").and_then(|it| it.strip_suffix('}')) {
                    Some(name) if !joins => format!("${name}"),
                    _ => expansion.clone(),
                };
                match one {
                    true => (short.clone(), short),
                    false => (format!("\"{short}\""), short),
                }
            }
        };
        written.shell.push_str(&shell);
        written.argument.push_str(&argument);
    }
    if expands && one {
        written.shell = format!("\"{}\"", written.shell);
    }
    if written.shell.is_empty() {
        written.shell.push_str("''");
    }
    written
}

fn refusal(argument: &Argument, position: Position<'_>) -> Option<&'static str> {
    let texts = || {
        argument.0.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        })
    };
    if texts().any(|text| text.chars().any(is_invisible)) {
        return Some("has characters that cannot be shown");
    }
    let Some(Part::Text(first)) = argument.0.first() else { return None };
    if first.starts_with('-') && !position.takes_dash {
        return Some("begins with a dash, and would be taken for an option");
    }
    let loads = |scheme: &str| {
        first.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    if position.in_aws && (loads("file://") || loads("fileb://")) {
        return Some("would make the AWS CLI read a file");
    }
    None
}

/// Text as one word of a shell: bare where nothing acts on it, else in quotes.
fn quoted(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_+=.@:,%-".contains(c);
    // `-` shows where an attached value begins; zsh expands a leading `=`. What holds `--`
    // is quoted, so that no reader takes a part of a name for an option.
    let looks_like_option = text.starts_with(['-', '=']) || text.contains("--");
    if !text.is_empty() && text.chars().all(plain) && !looks_like_option {
        return Cow::Borrowed(text);
    }
    // One pair of single quotes is all that POSIX needs around anything without one.
    // shlex would split such a text at each backslash for fish, and what remains at `^`
    // is its own to decide.
    if !text.contains(['\'', '^', '\0']) {
        return Cow::Owned(format!("'{text}'"));
    }
    // NUL has been refused by now; without it every text can be quoted.
    shlex::try_quote(text).unwrap_or(Cow::Borrowed("''"))
}
