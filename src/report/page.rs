//! A page of the catalogue for a terminal: prose wrapped, code as it is.

use std::fmt::Write as _;

use super::{
    layout::Layout,
    style::{self, paint},
    wrap::hanging,
};
use crate::catalogue::Entry;

/// Renders a page.
pub fn render(entry: &Entry, layout: Layout) -> String {
    let mut out = String::new();
    let (severity, colour) = style::severity(entry.severity);
    let _ = writeln!(
        out,
        "{}  {}  ({severity})",
        paint(colour, entry.code),
        paint(style::HEADING, entry.name)
    );
    let _ = writeln!(out, "{}\n", entry.title);
    let mut in_code = false;
    // The pages break their lines by themselves: a paragraph is put together
    // again before it is wrapped.
    let mut paragraph = String::new();
    for line in entry.text.trim_end().lines() {
        let fence = line.trim_start().starts_with("```");
        let heading = line.strip_prefix("## ");
        let begins = fence || heading.is_some() || item_indent(line) > 0;
        if in_code || begins || line.trim().is_empty() {
            flush(&mut out, &mut paragraph, layout);
        }
        if fence {
            in_code = !in_code;
        } else if in_code {
            let _ = writeln!(out, "    {line}");
        } else if let Some(heading) = heading {
            let _ = writeln!(out, "{}", paint(style::HEADING, &heading.to_uppercase()));
        } else if line.trim().is_empty() {
            out.push('\n');
        } else {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line.trim());
        }
    }
    flush(&mut out, &mut paragraph, layout);
    out
}

/// Writes a paragraph; the further lines of a list item stand under its text.
fn flush(out: &mut String, paragraph: &mut String, layout: Layout) {
    if !paragraph.is_empty() {
        out.push_str(&hanging(paragraph, 2, 2 + item_indent(paragraph), layout.width));
        paragraph.clear();
    }
}

/// Columns that a list item's marker takes: `- ` and `1. `.
fn item_indent(line: &str) -> usize {
    let marker = line.trim_start_matches(|c: char| c.is_ascii_digit());
    if marker.starts_with(". ") && marker.len() < line.len() {
        line.len() - marker.len() + 2
    } else if line.starts_with("- ") {
        2
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::{catalogue::entries, report::layout::Layout};

    #[test]
    fn prose_is_wrapped_and_code_is_not() {
        for entry in entries() {
            let page = anstream::adapter::strip_str(&render(entry, Layout::default())).to_string();
            assert!(!page.contains("```"), "{}", entry.code);
            let too_long = page.lines().find(|line| {
                // Indented by four is code; one long word is an address or an id.
                line.chars().count() > 80
                    && !line.starts_with("    ")
                    && line.trim().contains(' ')
                    && line.split_whitespace().all(|word| word.chars().count() < 60)
            });
            assert_eq!(too_long, None, "{}", entry.code);
        }
    }
}
