//! Commands of the catalogue, with holes: `aws kms enable-key --key-id {key}`.
//!
//! The text is read once, into the same data as any other command. A hole in lower case
//! is filled with a value, which becomes (part of) an argument; a hole in capitals is a
//! placeholder for the reader. What is read is the small part of a shell's language that
//! the catalogue needs: words, single and double quotes, `$NAME`, `"$(…)"`, pipes,
//! `> file`, `NAME=value program …` and `NAME=$(…)`.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Argument, Command, Item, Part, Program, json_text};

/// A command with holes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct CommandTemplate {
    command: Command,
    holes: Vec<String>,
}

/// Why a text is no command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a command: {reason}: {text}")]
pub struct TemplateError {
    reason: &'static str,
    text: String,
}

/// A place to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    name: String,
    within: Within,
}

/// What stands around a hole, and so what may be put into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    /// Nothing: it is the whole argument.
    Nothing,
    /// A JSON document.
    Json,
    /// An argument that the program takes apart at `,` and `=`.
    List,
    /// Other text.
    Text,
}

impl Hole {
    pub(super) fn placeholder(&self) -> String {
        self.name.to_ascii_uppercase()
    }

    /// The value as it may stand there; a value that could change the meaning of what
    /// is around it stays a placeholder.
    fn fill(&self, value: Option<&str>) -> Part {
        let embeds = |value: &str, more: &str| {
            !value.is_empty()
                && value.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let text = match (value, self.within) {
            (None, _) => None,
            (Some(value), Within::Nothing) => Some(value.to_owned()),
            (Some(value), Within::Json) => {
                let quoted = json_text(&value.into());
                Some(quoted.trim_matches('"').to_owned()).filter(|_| quoted.len() >= 2)
            }
            (Some(value), Within::List) => {
                Some(value).filter(|value| embeds(value, "_.:/@+!-")).map(str::to_owned)
            }
            (Some(value), Within::Text) => {
                Some(value).filter(|value| embeds(value, "_.:/@+=,!-")).map(str::to_owned)
            }
        };
        text.map_or_else(|| Part::Placeholder(self.placeholder()), Part::Text)
    }
}

impl CommandTemplate {
    /// Reads the text of a command.
    ///
    /// # Errors
    /// Where it uses more of the shell's language than a command may.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut reader = Reader { rest: text, holes: Vec::new() };
        match reader.command() {
            Ok(command) => Ok(Self { command, holes: reader.holes }),
            Err(reason) => Err(TemplateError { reason, text: text.to_owned() }),
        }
    }

    /// The names of its holes.
    pub fn holes(&self) -> impl Iterator<Item = &str> {
        self.holes.iter().map(String::as_str)
    }

    /// The command with its holes filled; one without a value becomes a placeholder.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Option<Cow<'v, str>>) -> Command {
        let mut command = self.command.clone();
        fill(&mut command.pipeline, &value);
        command
    }

    /// The command with nothing filled in.
    pub fn unfilled(&self) -> Command {
        self.fill(|_| None)
    }
}

impl TryFrom<String> for CommandTemplate {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, TemplateError> {
        Self::parse(&text)
    }
}

fn fill<'v>(pipeline: &mut [Program], value: &impl Fn(&str) -> Option<Cow<'v, str>>) {
    for program in pipeline {
        let environment = program.environment.iter_mut().map(|(_, argument)| argument);
        let items = program.items.iter_mut().flat_map(|item| match item {
            Item::Word(_) => &mut [],
            Item::Option(_, values) => values.as_mut_slice(),
            Item::Operand(_, value) => std::slice::from_mut(value),
        });
        for Argument(parts) in environment.chain(items) {
            for part in parts {
                match part {
                    Part::Hole(hole) => *part = hole.fill(value(&hole.name).as_deref()),
                    Part::Output(programs) => fill(programs, value),
                    _ => {}
                }
            }
        }
    }
}

/// One word of the text, before it is known what it is.
struct Read {
    parts: Vec<Part>,
    /// Whether it is text alone, none of it in quotes.
    bare: bool,
}

impl Read {
    /// The text of a word that is nothing else.
    fn text(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    fn is_option(&self) -> bool {
        matches!(self.parts.first(), Some(Part::Text(text)) if text.starts_with('-')) && self.bare
    }
}

struct Reader<'t> {
    rest: &'t str,
    holes: Vec<String>,
}

const METACHARACTERS: &[char] =
    &[';', '&', '<', '`', '\\', '(', ')', '*', '?', '~', '#', '!', '\n', '\t'];

impl Reader<'_> {
    fn command(&mut self) -> Result<Command, &'static str> {
        let mut command = match self.capture() {
            Some(variable) => {
                let pipeline = self.pipeline()?;
                self.expect(')')?;
                Command { pipeline, capture: Some(variable), ..Command::default() }
            }
            None => Command { pipeline: self.pipeline()?, ..Command::default() },
        };
        if self.take('>') {
            self.spaces();
            let word = self.word()?.ok_or("no file after >")?;
            let file = word.text().ok_or("a file of ours goes after >")?.to_owned();
            command.output_file = Some(Cow::Owned(file));
        }
        if self.rest.is_empty() { Ok(command) } else { Err("something is left over") }
    }

    /// `NAME=$(` at the start of the whole command.
    fn capture(&mut self) -> Option<Cow<'static, str>> {
        let (name, rest) = self.rest.split_once("=$(")?;
        is_variable(name).then(|| {
            self.rest = rest;
            Cow::Owned(name.to_owned())
        })
    }

    fn pipeline(&mut self) -> Result<Vec<Program>, &'static str> {
        let mut programs = vec![self.program()?];
        while self.take('|') {
            self.spaces();
            programs.push(self.program()?);
        }
        Ok(programs)
    }

    fn program(&mut self) -> Result<Program, &'static str> {
        let mut program = Program::default();
        while let Some((name, rest)) =
            self.rest.split_once('=').filter(|(name, _)| is_variable(name))
        {
            let name = name.to_owned();
            self.rest = rest;
            let value = self.word()?.ok_or("a variable without a value")?;
            program.environment.push((Cow::Owned(name), Argument(value.parts)));
            self.spaces();
        }
        let name = self.word()?.ok_or("no program")?;
        let name = name.text().filter(|_| name.bare).ok_or("a program's name is plain text")?;
        program.name = Cow::Owned(name.to_owned());
        let mut words = Vec::new();
        self.spaces();
        while let Some(word) = self.word()? {
            words.push(word);
            self.spaces();
        }
        let mut words = words.into_iter().peekable();
        while let Some(word) = words.next() {
            let item = match word.text().map(str::to_owned) {
                Some(name) if word.is_option() => {
                    let mut values = Vec::new();
                    while let Some(value) = words.next_if(|next| !next.is_option()) {
                        values.push(argument(value));
                    }
                    match values.is_empty() {
                        true => Item::Word(Cow::Owned(name)),
                        false => Item::Option(Cow::Owned(name), values),
                    }
                }
                _ if word.is_option() => return Err("an option's value is a word of its own"),
                Some(text) if word.bare && !text.contains('/') => Item::Word(Cow::Owned(text)),
                _ => Item::Operand(Cow::Borrowed("VALUE"), argument(word)),
            };
            program.items.push(item);
        }
        Ok(program)
    }

    /// The next word; `None` where there is none before the end, a pipe or a bracket.
    fn word(&mut self) -> Result<Option<Read>, &'static str> {
        let mut word = Read { parts: Vec::new(), bare: true };
        let mut some = false;
        while let Some(c) = self.rest.chars().next() {
            match c {
                ' ' | '|' | '>' | ')' => break,
                '\'' => {
                    let (inside, rest) =
                        self.rest[1..].split_once('\'').ok_or("a quote is left open")?;
                    self.rest = rest;
                    self.text(inside, &mut word.parts);
                    word.bare = false;
                }
                '"' => {
                    self.rest = &self.rest[1..];
                    self.double(&mut word.parts)?;
                    word.bare = false;
                }
                '$' => {
                    word.parts.push(self.dollar()?);
                    word.bare = false;
                }
                c if METACHARACTERS.contains(&c) => return Err("a character of the shell"),
                _ => {
                    let ends = |c: char| " |>'\"$".contains(c) || METACHARACTERS.contains(&c);
                    let end = self.rest.find(ends).unwrap_or(self.rest.len());
                    let (text, rest) = self.rest.split_at(end);
                    self.rest = rest;
                    self.text(text, &mut word.parts);
                }
            }
            some = true;
        }
        Ok(some.then_some(word))
    }

    /// The inside of double quotes, and the one that closes them.
    fn double(&mut self, parts: &mut Vec<Part>) -> Result<(), &'static str> {
        loop {
            let end = self.rest.find(['"', '$', '`', '\\']).ok_or("a quote is left open")?;
            let (text, rest) = self.rest.split_at(end);
            self.rest = rest;
            self.text(text, parts);
            match self.rest.as_bytes()[0] {
                b'"' => {
                    self.rest = &self.rest[1..];
                    return Ok(());
                }
                b'$' => parts.push(self.dollar()?),
                _ => return Err("a character of the shell"),
            }
        }
    }

    /// `$NAME` or `$(…)`.
    fn dollar(&mut self) -> Result<Part, &'static str> {
        self.expect('$')?;
        if self.take('(') {
            let programs = self.pipeline()?;
            self.expect(')')?;
            return Ok(Part::Output(programs));
        }
        let end = |c: char| !c.is_ascii_uppercase() && c != '_';
        let (name, rest) = self.rest.split_at(self.rest.find(end).unwrap_or(self.rest.len()));
        self.rest = rest;
        if name.is_empty() {
            return Err("a $ without a name");
        }
        Ok(Part::Variable(Cow::Owned(name.to_owned())))
    }

    /// Text with its holes.
    fn text(&mut self, text: &str, parts: &mut Vec<Part>) {
        let mut rest = text;
        let mut plain = String::new();
        while let Some(start) = rest.find('{') {
            let name = rest[start + 1..].split('}').next().unwrap_or_default();
            let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
            let closed = rest[start + 1..].len() > name.len();
            if closed && !name.is_empty() && is_name(name) {
                plain.push_str(&rest[..start]);
                push_text(parts, &std::mem::take(&mut plain));
                if name.chars().any(|c| c.is_ascii_lowercase()) {
                    self.holes.push(name.to_owned());
                    let within = Within::Nothing;
                    parts.push(Part::Hole(Hole { name: name.to_owned(), within }));
                } else {
                    parts.push(Part::Placeholder(name.to_owned()));
                }
                rest = &rest[start + name.len() + 2..];
            } else {
                plain.push_str(&rest[..=start]);
                rest = &rest[start + 1..];
            }
        }
        plain.push_str(rest);
        push_text(parts, &plain);
    }

    fn spaces(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn take(&mut self, c: char) -> bool {
        let taken = self.rest.strip_prefix(c);
        self.rest = taken.unwrap_or(self.rest);
        taken.is_some()
    }

    fn expect(&mut self, c: char) -> Result<(), &'static str> {
        if self.take(c) { Ok(()) } else { Err("a bracket is left open") }
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Text(last)) => last.push_str(text),
        _ => parts.push(Part::Text(text.to_owned())),
    }
}

/// A word as an argument, whose holes know what stands around them.
fn argument(word: Read) -> Argument {
    let mut parts = word.parts;
    if let [Part::Text(text)] = parts.as_mut_slice()
        && (text.starts_with("file://") || text.starts_with("fileb://"))
    {
        return Argument(vec![Part::File(Cow::Owned(text.clone()))]);
    }
    let within = match parts.as_slice() {
        [_] => Within::Nothing,
        [Part::Text(first), ..] if first.starts_with(['{', '[']) => Within::Json,
        parts
            if parts.iter().any(|part| matches!(part, Part::Text(text) if text.contains('='))) =>
        {
            Within::List
        }
        _ => Within::Text,
    };
    for part in &mut parts {
        if let Part::Hole(hole) = part {
            hole.within = within;
        }
    }
    Argument(parts)
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}
