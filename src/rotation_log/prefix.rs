//! What the tools that print a log put before each event: `aws logs tail`, SAM, S3
//! exports, the console's tables and its CSV.

use std::sync::LazyLock;

use regex::Regex;

use super::{columns, layout};
use crate::evidence::Time;

/// A line without what a tool put before it.
#[derive(Debug, PartialEq)]
pub(super) struct Prefixed<'a> {
    pub(super) at: Option<Time>,
    pub(super) stream: Option<&'a str>,
    pub(super) rest: &'a str,
}

const TIME: &str = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?";
const STREAM: &str = r"\d{4}/\d\d/\d\d/\S*\[[^\]\s]+\]\w+";

static PREFIX: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"^[\s|]*(?:(?P<at>{TIME})[ \t]*\|?[ \t]?(?:(?P<stream>{STREAM}) )?|(?P<stream2>{STREAM}) (?P<at2>{TIME}) |(?P<millis>\d{{13}}),\x22?)(?P<rest>.*)$"
    ))
    .expect("a constant pattern")
});

/// A line that begins with a time of its own: Node.js's log lines and Lambda's
/// `Task timed out`.
static OWN_TIME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.?\d*Z\s+(?:[0-9a-f]{8}-[0-9a-f-]{27}|undefined)\s",
    )
    .expect("a constant pattern")
});

/// Takes the prefix off, where there is one.
pub(super) fn strip(line: &str) -> Option<Prefixed<'_>> {
    // A row of the CLI's text or of a table; most lines begin with neither. Lists of one
    // line have a tab between the events.
    let untabbed = line.strip_prefix('\t').unwrap_or(line);
    if untabbed.starts_with(|first: char| matches!(first, 'E' | '|' | '0'..='9'))
        && let Some(row) = columns::columns_before(untabbed)
    {
        return Some(Prefixed { at: row.at, stream: row.stream, rest: row.message });
    }
    let starts =
        line.trim_start().starts_with(|first: char| first == '|' || first.is_ascii_digit());
    if !starts || OWN_TIME.is_match(line) {
        return None;
    }
    let found = PREFIX.captures(line)?;
    let name = |name: &str| found.name(name).map(|found| found.as_str());
    Some(Prefixed {
        at: name("at").or(name("at2")).and_then(layout::time).or_else(|| {
            name("millis").and_then(|millis| millis.parse().ok()).and_then(Time::from_millis)
        }),
        stream: name("stream").or(name("stream2")),
        rest: name("rest").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::strip;

    #[test]
    fn takes_off_what_each_tool_puts_before_an_event() {
        let stream = "2026/01/31/[$LATEST]0123456789abcdef0123456789abcdef";
        for (line, has_stream) in [
            (format!("2026-01-31T10:18:42.533000+00:00 {stream} START RequestId: x"), true),
            ("2026-01-31T10:18:42 START RequestId: x".to_owned(), false),
            ("2026-01-31T10:18:42.533Z START RequestId: x".to_owned(), false),
            (format!("{stream} 2026-01-31T10:18:42.533000 START RequestId: x"), true),
            ("  | 2026-01-31T21:18:42.533+11:00 | START RequestId: x".to_owned(), false),
            ("1769854722533,\"START RequestId: x".to_owned(), false),
        ] {
            let prefixed = strip(&line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(prefixed.rest, "START RequestId: x", "{line}");
            assert_eq!(prefixed.stream, has_stream.then_some(stream), "{line}");
            let at = prefixed.at.unwrap_or_else(|| panic!("{line}"));
            assert_eq!(at.second(), "2026-01-31 10:18:42 UTC", "{line}");
        }
    }

    #[test]
    fn leaves_lines_alone_that_begin_with_their_own_time() {
        let id = "8d5e2a0c-3f0e-4c3a-9a61-5f1f0f6f9a10";
        assert_eq!(
            strip(&format!("2026-01-31T10:18:42.533Z {id} Task timed out after 3.00")),
            None
        );
        assert_eq!(strip(&format!("2026-01-31T10:18:42.533Z\t{id}\tINFO\tx")), None);
        assert_eq!(strip("[INFO]\t2026-01-31T10:18:42.533Z\tx"), None);
        assert_eq!(strip("hello"), None);
    }
}
