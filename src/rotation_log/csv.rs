//! Tables of log events: the CSV of the console and of Logs Insights, and the rows
//! of `get-query-results`, which come newest first as a rule.

use std::io::{self, BufRead};

use super::{Reader, layout, reader, source::read_line};
use crate::evidence::{LogEvent, Time};

/// Rows that are held at once, to be put in their order: as many as Logs Insights
/// gives.
const ROWS: usize = 10_000;
/// The names of the columns that are read, in both spellings.
const MESSAGE: [&str; 2] = ["message", "@message"];
const TIMESTAMP: [&str; 2] = ["timestamp", "@timestamp"];
const STREAM: [&str; 4] = ["logStreamName", "@logStream", "logStream", "@logStreamName"];

/// Events on their way into their order.
#[derive(Default)]
pub(super) struct Rows {
    events: Vec<LogEvent>,
}

impl Rows {
    /// Takes a row by the names of its columns; one without a message is none.
    pub(super) fn push<'a>(&mut self, cell: impl Fn(&str) -> Option<&'a str>) {
        let first = |names: &[&str]| names.iter().find_map(|name| cell(name));
        let Some(message) = first(&MESSAGE) else { return };
        let at = first(&TIMESTAMP).and_then(|text| match text.parse::<i64>() {
            Ok(millis) => Time::from_millis(millis),
            Err(_) => layout::time(text.trim()),
        });
        self.events.push(LogEvent {
            timestamp: at.map_or(0, Time::millis),
            message: reader::head(message).to_owned(),
            log_stream_name: first(&STREAM).map(str::to_owned),
        });
    }

    fn is_full(&self) -> bool {
        self.events.len() >= ROWS
    }

    /// Hands the rows over, oldest first. Whether there were any.
    pub(super) fn hand_over(&mut self, reader: &mut Reader) -> bool {
        let newest_first = self
            .events
            .first()
            .zip(self.events.last())
            .is_some_and(|(first, last)| first.timestamp > last.timestamp);
        if newest_first {
            self.events.reverse();
        }
        self.events.sort_by_key(|event| event.timestamp);
        let any = !self.events.is_empty();
        for event in self.events.drain(..) {
            reader.push_event(&event);
        }
        any
    }
}

/// The columns of a table, by the names in its first line.
pub(super) struct Columns(Vec<String>);

impl Columns {
    /// Those of a text whose first line names a message and another column.
    pub(super) fn of_header(start: &[u8]) -> Option<Self> {
        let line = start.split(|byte| *byte == b'\n').next()?;
        let line = std::str::from_utf8(line).ok()?.trim();
        let names = cells(line)?;
        let known = |names_of: &[&str]| names.iter().any(|name| names_of.contains(&name.as_str()));
        (names.len() > 1 && known(&MESSAGE) && (known(&TIMESTAMP) || known(&STREAM)))
            .then_some(Self(names))
    }
}

/// Reads a table, its first line included.
pub(super) fn read(
    input: &mut impl BufRead,
    columns: &Columns,
    reader: &mut Reader,
) -> io::Result<()> {
    let mut rows = Rows::default();
    let (mut line, mut record) = (Vec::new(), String::new());
    read_line(input, &mut line)?;
    loop {
        let more = read_line(input, &mut line)?;
        if more {
            if !record.is_empty() {
                record.push('\n');
            }
            record.push_str(String::from_utf8_lossy(&line).trim_end_matches('\r'));
        }
        // A quote that stays open goes on in the next line, within reason.
        let found = cells(&record);
        let done = !more || found.is_some() || record.len() > 4 * reader::EVENT_BYTES;
        if done && !record.is_empty() {
            let found = found.unwrap_or_else(|| vec![std::mem::take(&mut record)]);
            rows.push(|name| {
                let at = columns.0.iter().position(|column| column == name)?;
                found.get(at.min(found.len() - 1)).map(String::as_str)
            });
            record.clear();
        }
        if !more || rows.is_full() {
            rows.hand_over(reader);
        }
        if !more {
            return Ok(());
        }
    }
}

/// The cells of one record; none where a quote is left open.
fn cells(record: &str) -> Option<Vec<String>> {
    let mut cells = vec![String::new()];
    let (mut quoted, mut characters) = (false, record.chars().peekable());
    while let Some(character) = characters.next() {
        let last = cells.len() - 1;
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cells[last].push('"');
            }
            '"' if quoted || cells[last].is_empty() => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => cells[last].push(other),
        }
    }
    (!quoted).then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::{Columns, cells};

    #[test]
    fn quotes_hold_commas_line_ends_and_quotes() {
        assert_eq!(cells("a,\"b, \"\"c\"\"\nd\",").expect("closed"), ["a", "b, \"c\"\nd", ""]);
        assert_eq!(cells("a,\"b"), None);
        assert_eq!(cells("say \"x\"").expect("closed"), ["say \"x\""]);
    }

    #[test]
    fn a_header_names_a_message_and_more() {
        for header in ["@timestamp,@message", "timestamp,message", "@message,@logStream,@timestamp"]
        {
            assert!(Columns::of_header(header.as_bytes()).is_some(), "{header}");
        }
        for other in ["message", "START RequestId: x", "the message, at this timestamp", ""] {
            assert!(Columns::of_header(other.as_bytes()).is_none(), "{other}");
        }
    }
}
