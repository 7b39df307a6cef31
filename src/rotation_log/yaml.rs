//! The YAML of the AWS CLI (`--output yaml`, `yaml-stream`): the same lists and objects
//! as in its JSON.

use std::io::{self, Read};

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

use super::{
    Reader,
    event_list::{EVENT_KEYS, List, RESULT_KEY, Scalar, content, field},
    rows::Rows,
};

/// Bytes up to which a file is read: a value without an end would be held whole.
const FILE_BYTES: u64 = 128 << 20;
/// How deep lists and objects may stand in each other: events stand four deep.
const DEPTH: usize = 16;

/// Whether the text begins as the CLI's YAML of log events does.
pub(super) fn is_events(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&start[..start.len().min(4096)]);
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && *line != "---");
    let Some(first) = lines.next() else { return false };
    let mut dashes = 0;
    let mut rest = first;
    while let Some(after) = rest.strip_prefix("- ") {
        dashes += 1;
        rest = after.trim_start();
    }
    let is_key = rest.split_once(':').is_some_and(|(key, value)| {
        let key = key.trim_matches(['\'', '"']);
        let known = EVENT_KEYS.contains(&key) || FIRST_KEYS.contains(&key);
        let value = value.strip_prefix(' ');
        // Under a name that a query chose: a time, or a text that needs quotes.
        let renamed = dashes > 0
            && value.is_some_and(|value| {
                value.starts_with(['"', '\'']) || value.len() == 13 && value.parse::<i64>().is_ok()
            });
        renamed || known && (value.is_some() || rest.ends_with(':'))
    });
    // A list of messages, or of times and messages.
    let is_list = dashes > 0
        && (rest.starts_with(['"', '\''])
            || dashes > 1
            || lines.next().is_some_and(|next| next.starts_with("- ")));
    is_key || is_list
}

/// The keys with which an answer or an event may begin.
const FIRST_KEYS: [&str; 11] = [
    RESULT_KEY,
    "eventId",
    "field",
    "ingestionTime",
    "logStreamName",
    "message",
    "nextBackwardToken",
    "nextForwardToken",
    "queryLanguage",
    "searchedLogStreams",
    "timestamp",
];

/// Reads events. What comes after a fault is left unread. The text, where it holds no
/// event.
///
/// # Errors
/// The input cannot be read, or is too long.
pub(super) fn read(input: impl Read, reader: &mut Reader) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    input.take(FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES {
        let what = "YAML of more than 128 MiB is not read: use --output json";
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    let text = String::from_utf8_lossy(&bytes);
    let events = Parser::new_from_str(&text).map_while(Result::ok).map(|(event, _)| event);
    let mut document = Document { events, rows: Rows::default(), found: false };
    while let Some(event) = document.events.next() {
        document.value(event, 0, true, reader);
    }
    document.rows.hand_over(reader);
    let found = document.found;
    Ok((!found).then_some(bytes))
}

struct Document<I> {
    events: I,
    rows: Rows,
    found: bool,
}

/// What a node is for the list or the object that holds it.
enum Node {
    /// Its events were taken.
    Taken,
    /// A value.
    Value(Value),
    /// A field and its value, of a row of `get-query-results`.
    Field(String, String),
}

impl<'a, I: Iterator<Item = Event<'a>>> Document<I> {
    /// Reads the node that begins with this event; `events` says that lists in it may be
    /// events.
    fn value(&mut self, event: Event<'a>, depth: usize, events: bool, reader: &mut Reader) -> Node {
        match event {
            Event::Scalar(text, style, ..) => Node::Value(scalar(text.into_owned(), style)),
            Event::SequenceStart(..) | Event::MappingStart(..) if depth >= DEPTH => self.skip(),
            Event::SequenceStart(..) => self.list(depth + 1, events, reader),
            Event::MappingStart(..) => self.object(depth + 1, events, reader),
            _ => Node::Taken,
        }
    }

    /// Passes over a list or an object that began.
    fn skip(&mut self) -> Node {
        let mut open = 1;
        while open > 0 {
            match self.events.next() {
                Some(Event::SequenceStart(..) | Event::MappingStart(..)) => open += 1,
                Some(Event::SequenceEnd | Event::MappingEnd) => open -= 1,
                Some(_) => {}
                None => break,
            }
        }
        Node::Taken
    }

    fn list(&mut self, depth: usize, events: bool, reader: &mut Reader) -> Node {
        let mut list = List::default();
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut values = Vec::new();
        while let Some(event) = self.events.next() {
            if event == Event::SequenceEnd {
                break;
            }
            match self.value(event, depth, events, reader) {
                Node::Value(value) if events => {
                    if let Some(scalar) = Scalar::of(value) {
                        self.found |= list.take(scalar, &mut self.rows, reader);
                    }
                }
                Node::Value(value) => values.push(value),
                Node::Field(name, value) => fields.push((name, value)),
                Node::Taken => {}
            }
        }
        self.found |= list.end(&mut self.rows, reader);
        if !fields.is_empty() {
            self.found = true;
            self.rows.push_row(reader, |wanted| {
                fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
            });
        }
        if events { Node::Taken } else { Node::Value(Value::Array(values)) }
    }

    fn object(&mut self, depth: usize, events: bool, reader: &mut Reader) -> Node {
        let mut object = Map::new();
        while let Some(event) = self.events.next() {
            let key = match event {
                Event::MappingEnd => break,
                Event::Scalar(text, ..) => text.into_owned(),
                other => {
                    self.value(other, depth, false, reader);
                    String::new()
                }
            };
            let Some(event) = self.events.next() else { break };
            let holds_events = EVENT_KEYS.contains(&key.as_str()) || key == RESULT_KEY;
            match self.value(event, depth, events && holds_events, reader) {
                Node::Value(value) => {
                    object.insert(key, value);
                }
                Node::Field(..) | Node::Taken => {}
            }
        }
        if !events {
            return Node::Value(Value::Object(object));
        }
        if let Some((field, value)) = field(&mut object) {
            return Node::Field(field, value);
        }
        if let Some(content) = content(object) {
            content.push_listed(&mut self.rows, reader);
            self.found = true;
        }
        Node::Taken
    }
}

fn scalar(text: String, style: ScalarStyle) -> Value {
    match text.parse::<i64>() {
        Ok(number) if style == ScalarStyle::Plain => number.into(),
        _ => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotation_log::Options;

    #[test]
    fn the_first_line_tells_the_clis_yaml() {
        for text in [
            "events:\n- timestamp: 1\n",
            "---\nevents:\n- message: a",
            "- eventId: '1'\n  message: a",
            "- \"START RequestId: a\"\n",
            "- - 1795960127082\n  - m\n",
            "- events:\n  - message: m",
            "results:\n- - field: '@timestamp'",
        ] {
            assert!(is_events(text.as_bytes()), "{text}");
        }
        for text in ["START RequestId: x", "- a\n", "note: the log", "[INFO]\tx", "", "-----\n|  x"]
        {
            assert!(!is_events(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn depth_and_aliases_do_no_harm() {
        let deep = format!("events: {}1{}", "[".repeat(200), "]".repeat(200));
        let deeper = "- ".repeat(200_000);
        for text in [deep.as_str(), &deeper, "events: &a [*a, *a]", "events: [", "? {a: b}\n: c\n"]
        {
            let mut reader = Reader::new(Options::default());
            assert!(read(text.as_bytes(), &mut reader).expect("memory").is_some(), "{text}");
        }
    }
}
