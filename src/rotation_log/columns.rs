//! The columns that the AWS CLI's text and table output puts before a message and after it,
//! and the lines that stand beside the events: borders, tokens.

use std::sync::LazyLock;

use regex::Regex;

use super::layout;
use crate::evidence::Time;

/// The label of a row of `get-log-events` and `filter-log-events` as text.
const LABEL: &str = "EVENTS\t";

/// An event's id has more digits than any time.
const LONGEST_MILLIS: usize = 19;

/// A line without the columns before its message.
#[derive(Debug, PartialEq)]
pub(super) struct Row<'a> {
    pub(super) at: Option<Time>,
    pub(super) stream: Option<&'a str>,
    pub(super) message: &'a str,
}

/// Whether a text is the name of a log stream of Lambda.
pub(super) fn is_stream(text: &str) -> bool {
    static STREAM: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\d{4}/\d\d/\d\d/\S*\[[^\]\s]+\]\w+$").expect("a constant pattern")
    });
    text.len() < 256 && STREAM.is_match(text)
}

/// A time in milliseconds, of 13 digits.
fn millis(text: &str) -> Option<Time> {
    let is = text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit());
    is.then(|| text.parse().ok().and_then(Time::from_millis)).flatten()
}

/// Takes the columns before a message off, where a line begins with any: the ingestion
/// time, the event's id, its time, its stream.
pub(super) fn columns_before(line: &str) -> Option<Row<'_>> {
    if let Some(rest) = line.strip_prefix(LABEL) {
        return Some(cells(rest, '\t', true));
    }
    if line.starts_with('|') {
        let row = cells(line.trim_start_matches('|'), '|', true);
        return (row.at.is_some() || row.stream.is_some() || is_table_text(row.message))
            .then_some(row);
    }
    let first = line.split_once('\t')?.0;
    if first.len() > LONGEST_MILLIS && is_id(first) {
        return Some(cells(line, '\t', true));
    }
    (millis(first).is_some() || is_stream(first)).then(|| cells(line, '\t', false))
}

/// Whether the first cell of a table is a message: a line of Lambda's or a logger's.
fn is_table_text(text: &str) -> bool {
    layout::begins_record(text.trim_start())
}

fn cells(line: &str, separator: char, ids: bool) -> Row<'_> {
    let mut row = Row { at: None, stream: None, message: line };
    while let Some((cell, rest)) = row.message.split_once(separator) {
        let cell = cell.trim();
        if let Some(at) = millis(cell).or_else(|| is_time(cell)) {
            // Of two times the first is that of the ingestion, or is followed by it.
            row.at = Some(row.at.map_or(at, |before| before.min(at)));
        } else if is_stream(cell) {
            row.stream = Some(cell);
        } else if !(ids && is_id(cell)) {
            break;
        }
        row.message = rest;
    }
    if separator == '|' {
        row.message = row.message.trim_start();
    }
    row
}

fn is_time(cell: &str) -> Option<Time> {
    (cell.len() >= 19 && cell.len() <= 35 && cell.starts_with(|c: char| c.is_ascii_digit()))
        .then(|| layout::time(cell))
        .flatten()
}

/// The id of an event, or a number that a query gave it.
fn is_id(cell: &str) -> bool {
    !cell.is_empty() && cell.len() <= 64 && cell.bytes().all(|byte| byte.is_ascii_digit())
}

/// A line that is nothing but the time of the event before it.
pub(super) fn lone_time(line: &str) -> Option<Time> {
    let cell = line.strip_prefix('\t')?;
    millis(cell.trim_end())
}

/// Takes the columns after a message off. The message, and the time where one follows.
pub(super) fn columns_after(line: &str, table: bool) -> (&str, Option<Time>) {
    if !table {
        return match line.rsplit_once('\t').map(|(before, cell)| (before, millis(cell))) {
            Some((before, Some(at))) => (before, Some(at)),
            _ => (line, None),
        };
    }
    let mut rest = line.trim_end_matches(['|', ' ']);
    if rest.len() == line.len() {
        return (line, None);
    }
    let mut after = None;
    while let Some((before, cell)) = rest.rsplit_once('|') {
        let cell = cell.trim();
        match millis(cell).or_else(|| is_time(cell)) {
            Some(at) => after = Some(at),
            None if is_stream(cell) => {}
            None => break,
        }
        rest = before.trim_end();
    }
    (rest, after)
}

/// Whether a line is a border of a table, of the CLI or of Markdown.
pub(super) fn is_border(line: &str) -> bool {
    line.len() >= 5
        && line.starts_with(['-', '+', '|'])
        && line.contains("---")
        && line.bytes().all(|byte| matches!(byte, b'-' | b'+' | b'|' | b' ' | b':'))
}

/// Whether a line stands beside the events in the CLI's text: tokens, searched streams.
pub(super) fn is_beside_events(line: &str) -> bool {
    let token = |text: &str| text.starts_with("b/") || text.starts_with("f/");
    line.starts_with("SEARCHEDLOGSTREAMS\t") || line.split('\t').all(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "2026/11/29/[$LATEST]4f0c1e6b7f0c4a0d9d0a0e0b1c2d3e4f";

    #[test]
    fn columns_stand_before_and_after_a_message() {
        for (line, stream) in [
            ("EVENTS\t1795960451874\tSTART RequestId: x\ty".to_owned(), false),
            (format!("EVENTS\t39275\t1795960451874\t{STREAM}\tSTART RequestId: x\ty"), true),
            ("1795960451874\tSTART RequestId: x\ty".to_owned(), false),
            (format!("{STREAM}\t1795960451874\tSTART RequestId: x\ty"), true),
            ("||  1795960451874|  START RequestId: x\ty".to_owned(), false),
            (format!("|  {STREAM} |  1795960451874|  START RequestId: x\ty"), true),
        ] {
            let row = columns_before(&line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(row.message, "START RequestId: x\ty", "{line}");
            assert_eq!(row.at.map(Time::millis), Some(1_795_960_451_874), "{line}");
            assert_eq!(row.stream, stream.then_some(STREAM), "{line}");
        }
        assert_eq!(
            columns_before("|  START RequestId: x").map(|row| row.message),
            Some("START RequestId: x")
        );
        for line in ["START RequestId: x", "| what is this | that", "a\tb", "179\tb"] {
            assert_eq!(columns_before(line), None, "{line}");
        }
        let at = Time::from_millis(1_795_960_451_874);
        assert_eq!(columns_after("raise x\t1795960451874", false), ("raise x", at));
        assert_eq!(columns_after("raise x  |  1795960451874 ||", true), ("raise x", at));
        assert_eq!(columns_after("raise | x  |", true), ("raise | x", None));
        assert_eq!(columns_after("raise x", true), ("raise x", None));
        assert_eq!(lone_time("\t1795960451874"), at);
        assert_eq!(lone_time("1795960451874"), None);
    }

    #[test]
    fn borders_and_tokens_are_no_lines() {
        for line in ["-----------", "|+------+-----+|", "|---|:--|"] {
            assert!(is_border(line), "{line}");
        }
        for line in ["--", "| a | b |", "- a", "----- a"] {
            assert!(!is_border(line), "{line}");
        }
        assert!(is_beside_events("b/000\tf/111") && !is_beside_events("START"));
    }
}
