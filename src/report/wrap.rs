//! Lines that fit the width and break nothing that must be copied.

use textwrap::{Options, WordSeparator, WordSplitter, wrap};

use super::layout::Layout;

/// Log lines longer than this are cut in the short form.
const QUOTE_LINES_SHOWN: usize = 6;

fn options<'a>(width: usize, first: &'a str, rest: &'a str) -> Options<'a> {
    // An ARN or an id is one word: it may stick out, it is never broken.
    Options::new(width.max(20))
        .initial_indent(first)
        .subsequent_indent(rest)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
}

fn lines(text: &str, options: &Options<'_>) -> String {
    let mut out = String::new();
    for line in wrap(text, options) {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A paragraph, indented.
pub(super) fn block(text: &str, indent: usize, width: usize) -> String {
    hanging(text, indent, indent, width)
}

/// A paragraph whose further lines are indented otherwise than the first.
pub(super) fn hanging(text: &str, first: usize, rest: usize, width: usize) -> String {
    lines(text, &options(width, &" ".repeat(first), &" ".repeat(rest)))
}

/// Quoted text: its own lines, each wrapped, at most a few in the short form.
pub(super) fn quote(text: &str, indent: usize, layout: Layout) -> String {
    let mut out = String::new();
    let source: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let shown = if layout.verbose { usize::MAX } else { QUOTE_LINES_SHOWN };
    for line in source.iter().take(shown) {
        out.push_str(&hanging(line.trim_end(), indent, indent + 2, layout.width));
    }
    if source.len() > shown {
        out.push_str(&format!(
            "{}… ({} more lines with -v)\n",
            " ".repeat(indent),
            source.len() - shown
        ));
    }
    out
}

/// A command, broken between arguments with a backslash, so that it can be pasted: no
/// piece of it is ever taken apart.
pub(super) fn command(pieces: &[String], indent: usize, width: usize) -> String {
    let margin = " ".repeat(indent);
    let chars = |text: &str| text.chars().count();
    let whole = pieces.iter().map(|piece| chars(piece) + 1).sum::<usize>() + indent;
    let fits = |line: &str, piece: &str| chars(line) + chars(piece) + 3 <= width;
    let mut out = String::new();
    let mut line = margin.clone();
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 && whole > width + 1 && !fits(&line, piece) {
            out.push_str(&line);
            out.push_str(" \\\n");
            line = format!("{margin}  ");
        } else if index > 0 {
            line.push(' ');
        }
        line.push_str(piece);
    }
    out.push_str(&line);
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::{block, command};
    use crate::aws::commands::{Command, CommandContext};

    #[test]
    fn an_arn_is_never_broken() {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/a-very-long-name/for-a-secret-AbCdEf";
        let text = block(&format!("The secret {arn} is deleted."), 2, 40);
        assert!(text.lines().any(|line| line.trim() == arn), "{text}");
    }

    #[test]
    fn a_broken_command_is_the_same_command() {
        let long = Command::aws("lambda", "add-permission")
            .option("--function-name", "rotate")
            .option("--statement-id", "SecretsManager")
            .option("--principal", "a --b 'c d' --e f")
            .option("--source-account", "123456789012")
            .pipe(Command::program("jq").operand("FILTER", ". | .a"))
            .render(CommandContext::default());
        let text = command(&long.pieces, 2, 60);
        assert!(text.lines().count() > 2);
        assert!(text.lines().all(|line| line.chars().count() <= 62), "{text}");
        let words = |text: &str| shlex::split(text).expect("whole quotes");
        assert_eq!(words(&text.replace("\\\n", "")), words(&long.text));
        assert_eq!(command(&long.pieces, 2, 500), format!("  {}\n", long.text));
    }
}
