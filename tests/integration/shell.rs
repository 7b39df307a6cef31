//! A reader of the shell's language, written for the tests and independent of what writes
//! commands: it knows words, quotes, pipes, `> file` and assignments, and refuses all else.

/// A line as a shell reads it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// `NAME` of `NAME=$(…)`.
    pub(crate) variable: Option<String>,
    /// Assignments before a program.
    pub(crate) environment: Vec<String>,
    /// The words of each program of the pipeline.
    pub(crate) programs: Vec<Vec<String>>,
    /// What follows `>`.
    pub(crate) file: Option<String>,
}

struct Word {
    text: String,
    /// `NAME=` at its start stands outside of quotes.
    assigns: bool,
}

enum Token {
    Word(Word),
    Pipe,
    File,
}

/// Reads a line; an error says what a shell would act on.
pub(crate) fn read(line: &str) -> Result<Line, String> {
    let mut read = Line::default();
    let mut rest = line;
    if let Some((name, inside)) = line.split_once("=$(").filter(|(name, _)| is_variable(name)) {
        read.variable = Some(name.to_owned());
        rest = inside.strip_suffix(')').ok_or("a capture that is not closed")?;
    }
    let mut words: Vec<String> = Vec::new();
    let mut takes_file = false;
    for token in tokens(rest)? {
        match token {
            Token::Word(word) if takes_file && read.file.is_none() => read.file = Some(word.text),
            Token::Word(word) if word.assigns && words.is_empty() => {
                read.environment.push(word.text);
            }
            Token::Word(_) if takes_file => return Err("words after a file".to_owned()),
            Token::Word(word) => words.push(word.text),
            Token::Pipe => read.programs.push(std::mem::take(&mut words)),
            Token::File => takes_file = true,
        }
    }
    read.programs.push(words);
    if read.programs.iter().any(Vec::is_empty) {
        return Err("a pipe without a program".to_owned());
    }
    Ok(read)
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

fn tokens(line: &str) -> Result<Vec<Token>, String> {
    let chars: Vec<char> = line.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        match chars[at] {
            ' ' => at += 1,
            '|' => {
                tokens.push(Token::Pipe);
                at += 1;
            }
            '>' => {
                tokens.push(Token::File);
                at += 1;
            }
            _ => {
                let (word, end) = word(&chars, at)?;
                tokens.push(Token::Word(word));
                at = end;
            }
        }
    }
    Ok(tokens)
}

fn word(chars: &[char], start: usize) -> Result<(Word, usize), String> {
    let mut text = String::new();
    let mut assigns = false;
    let mut quoted = false;
    let mut at = start;
    while at < chars.len() {
        match chars[at] {
            ' ' | '|' | '>' => break,
            '\'' => {
                let end = (at + 1..chars.len()).find(|&end| chars[end] == '\'');
                let end = end.ok_or("an open single quote")?;
                text.extend(&chars[at + 1..end]);
                quoted = true;
                at = end + 1;
            }
            '"' => {
                at = double(chars, at + 1, &mut text)?;
                quoted = true;
            }
            '=' => {
                assigns |= !quoted && is_variable(&text);
                text.push('=');
                at += 1;
            }
            // shlex leaves `]` bare, which without `[` is no pattern.
            c if c.is_ascii_alphanumeric() || "/_+.@:,%-]".contains(c) => {
                text.push(c);
                at += 1;
            }
            c => return Err(format!("{c:?} outside of quotes")),
        }
    }
    Ok((Word { text, assigns }, at))
}

/// The inside of double quotes; what a shell expands there stays as it is written.
fn double(chars: &[char], start: usize, text: &mut String) -> Result<usize, String> {
    let mut at = start;
    while let Some(&c) = chars.get(at) {
        match c {
            '"' => return Ok(at + 1),
            '\\' if chars.get(at + 1).is_some_and(|next| "\\\"".contains(*next)) => {
                text.push(chars[at + 1]);
                at += 2;
            }
            '$' if chars.get(at + 1) == Some(&'(') => {
                let end = closing(chars, at + 2)?;
                let inside: String = chars[at + 2..end].iter().collect();
                read(&inside)?;
                text.push_str(&format!("$({inside})"));
                at = end + 1;
            }
            '$' if chars.get(at + 1).is_some_and(char::is_ascii_uppercase) => {
                text.push('$');
                at += 1;
            }
            '$' | '`' | '\\' | '!' => return Err(format!("{c:?} in double quotes")),
            c => {
                text.push(c);
                at += 1;
            }
        }
    }
    Err("an open double quote".to_owned())
}

/// The bracket that closes a `$(`.
fn closing(chars: &[char], start: usize) -> Result<usize, String> {
    let mut at = start;
    while let Some(&c) = chars.get(at) {
        match c {
            ')' => return Ok(at),
            '\'' => {
                let end = (at + 1..chars.len()).find(|&end| chars[end] == '\'');
                at = end.ok_or("an open single quote")? + 1;
            }
            '"' => at = double(chars, at + 1, &mut String::new())?,
            _ => at += 1,
        }
    }
    Err("an open bracket".to_owned())
}

#[test]
fn the_reader_knows_what_a_shell_acts_on() {
    let words = |line: &str| read(line).map(|line| line.programs);
    assert_eq!(words("a 'b c' d\"e f\"").expect("words"), [["a", "b c", "de f"]]);
    assert_eq!(words("a | b --c='-d'").expect("words"), [vec!["a"], vec!["b", "--c=-d"]]);
    let psql = read("PGPASSWORD=\"$(printf %s \"$V\" | jq -r '.a')\" psql \"h=$(x)\" > f");
    let psql = psql.expect("a line");
    assert_eq!(psql.environment, ["PGPASSWORD=$(printf %s \"$V\" | jq -r '.a')"]);
    assert_eq!(psql.programs, [["psql", "h=$(x)"]]);
    assert_eq!(psql.file.as_deref(), Some("f"));
    assert_eq!(read("V=$(a b)").expect("a line").variable.as_deref(), Some("V"));
    for hostile in
        ["a;b", "a $(b)", "a `b`", "a 'b", "a \"$(b\"", "a & b", "a <b", "a \"`b`\"", "|", "a\nb"]
    {
        assert!(read(hostile).is_err(), "{hostile}");
    }
}
