//! Lines that fit the width and break nothing that must be copied.

use textwrap::{Options, WordSeparator, WordSplitter, wrap};

use super::text::Layout;

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

/// A command, broken before options with a backslash, so that it can be pasted.
/// A command that holds quotes over spaces is left in one line: breaking it
/// inside a quotation would change it.
pub(super) fn command(text: &str, indent: usize, width: usize) -> String {
    let margin = " ".repeat(indent);
    if text.chars().count() + indent <= width {
        return format!("{margin}{text}\n");
    }
    let mut out = String::new();
    let mut line = margin.clone();
    for (index, part) in parts(text).into_iter().enumerate() {
        let fits = line.chars().count() + part.chars().count() + 3 <= width;
        if index > 0 && !fits {
            out.push_str(line.trim_end());
            out.push_str(" \\\n");
            line = format!("{margin}  ");
        } else if index > 0 {
            line.push(' ');
        }
        line.push_str(&part);
    }
    out.push_str(line.trim_end());
    out.push('\n');
    out
}

/// A command in pieces that stay together: an option with its values. Text in
/// quotes or parentheses is never taken apart.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut quote = None;
    let mut depth = 0_usize;
    let mut current = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if quote.is_none() && depth == 0 && c == ' ' && rest.peek() == Some(&'-') {
            parts.push(std::mem::take(&mut current));
        } else {
            current.push(c);
        }
    }
    parts.push(current);
    parts
}

#[cfg(test)]
mod tests {
    use super::{block, command};

    #[test]
    fn an_arn_is_never_broken() {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/a-very-long-name/for-a-secret-AbCdEf";
        let text = block(&format!("The secret {arn} is deleted."), 2, 40);
        assert!(text.lines().any(|line| line.trim() == arn), "{text}");
    }

    #[test]
    fn a_broken_command_is_the_same_command() {
        let long = "aws lambda add-permission --function-name rotate --statement-id SecretsManager \
                    --action lambda:InvokeFunction --principal 'a --b c' --source-account 123456789012";
        let text = command(long, 2, 60);
        assert!(text.lines().count() > 2);
        assert!(text.lines().all(|line| line.chars().count() <= 62), "{text}");
        let joined: Vec<&str> =
            text.lines().map(|line| line.trim().trim_end_matches('\\').trim()).collect();
        assert_eq!(joined.join(" "), long);
    }
}
