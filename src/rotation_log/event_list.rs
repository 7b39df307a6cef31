//! What JSON and YAML hold of log events, whatever `--query` made of them: objects under
//! any names, pairs of a time and a message, and messages alone.

use serde_json::{Map, Value};

use super::{
    Reader, columns, layout,
    rows::{MESSAGE, Rows, STREAM, TIMESTAMP, time},
};
use crate::evidence::{LogEvent, Time, TrailEvent};

/// Keys under which exports and bundles hold their events, CloudTrail's among them.
pub(super) const EVENT_KEYS: [&str; 6] =
    ["events", "LogEvents", "logEvents", "Events", "Records", "TrailEvents"];
/// The key under which `get-query-results` holds its rows.
pub(super) const RESULT_KEY: &str = "results";
/// Values of one row; a longer list is one of messages, or of times and messages in turn.
const ROW: usize = 6;
/// Fields of one event under names that a query chose.
const RENAMED_FIELDS: usize = 5;

/// What an object is.
pub(super) enum Content {
    /// A log event with its time.
    Event(LogEvent),
    /// A CloudTrail event.
    Trail(TrailEvent),
    /// A log event without a time.
    Message(String),
    /// Text that something wrapped: lines of a log, or an error.
    Text(String),
    /// A line in the JSON log format.
    Line(String),
}

impl Content {
    /// Hands it over as it stands alone.
    pub(super) fn push(self, reader: &mut Reader) {
        match self {
            Self::Event(event) => reader.push_event(&event),
            Self::Trail(event) => reader.push_trail_event(event),
            Self::Message(text) | Self::Text(text) => {
                text.lines().for_each(|line| reader.push_line(line));
            }
            Self::Line(line) => reader.push_line(&line),
        }
    }

    /// Hands it over as one of a list of events.
    pub(super) fn push_listed(self, rows: &mut Rows, reader: &mut Reader) {
        match self {
            Self::Event(event) => rows.push(event, reader),
            Self::Message(message) | Self::Line(message) => rows.push(untimed(message), reader),
            other => other.push(reader),
        }
    }
}

fn untimed(message: String) -> LogEvent {
    LogEvent { timestamp: 0, message, log_stream_name: None }
}

/// What an object is; none where it has nothing to do with a log.
pub(super) fn content(mut object: Map<String, Value>) -> Option<Content> {
    if let Some(event) = event(&object) {
        return Some(Content::Event(event));
    }
    if let Some(event) = trail_event(&object) {
        return Some(Content::Trail(event));
    }
    // EventBridge wraps the event of CloudTrail, a CLI wraps a log line.
    for key in ["detail", "message", "@message", "errorMessage", "ResourceStatusReason"] {
        let alone = key != "errorMessage" || !object.contains_key("errorType");
        match object.get(key) {
            Some(Value::Object(_)) if key == "detail" => {
                let Some(Value::Object(inner)) = object.remove(key) else { continue };
                return content(inner);
            }
            Some(Value::String(text)) if alone && !object.contains_key("level") => {
                let text = text.clone();
                return Some(match MESSAGE.contains(&key) {
                    true => Content::Message(text),
                    false => Content::Text(text),
                });
            }
            _ => {}
        }
    }
    let is_line =
        ["level", "log_level", "record", "errorType"].iter().any(|key| object.contains_key(*key));
    if is_line {
        return Some(Content::Line(Value::Object(object).to_string()));
    }
    renamed(object).map(Content::Event)
}

/// The field and the value that an object is, of a row of `get-query-results`.
pub(super) fn field(object: &mut Map<String, Value>) -> Option<(String, String)> {
    if object.len() > 2 {
        return None;
    }
    let Some(Value::String(field)) = object.remove("field") else { return None };
    match object.remove("value") {
        Some(Value::String(value)) => Some((field, value)),
        _ => Some((field, String::new())),
    }
}

/// The event that an object of an export is.
fn event(object: &Map<String, Value>) -> Option<LogEvent> {
    let field = |names: &[&str]| names.iter().find_map(|name| object.get(*name));
    let message = field(&MESSAGE)?.as_str()?.to_owned();
    let timestamp = match field(&TIMESTAMP) {
        Some(Value::Number(number)) => number.as_i64()?,
        // An application's own log line has a time in words and a level.
        Some(Value::String(text)) if !object.contains_key("level") => time(text)?.millis(),
        _ => return None,
    };
    let log_stream_name = field(&STREAM).and_then(Value::as_str).map(str::to_owned);
    Some(LogEvent { timestamp, message, log_stream_name })
}

/// The event that an object is whose keys a query chose: one text, and a time or the
/// mark of a log event.
fn renamed(object: Map<String, Value>) -> Option<LogEvent> {
    if object.len() > RENAMED_FIELDS {
        return None;
    }
    let mut row = List::default();
    for value in object.into_values() {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Array(_) | Value::Object(_) => return None,
            value => row.head.push(Scalar::of(value)?),
        }
    }
    row.as_row().filter(|event| event.timestamp != 0 || layout::begins_event(&event.message))
}

/// The CloudTrail event that an object is: as LookupEvents wraps it, or itself.
fn trail_event(object: &Map<String, Value>) -> Option<TrailEvent> {
    if object.contains_key("CloudTrailEvent") {
        return serde_json::from_value(Value::Object(object.clone())).ok();
    }
    let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(TrailEvent {
        event_name: Some(text("eventName")?),
        event_source: Some(text("eventSource")?),
        event_id: text("eventID"),
        event_time: text("eventTime").as_deref().and_then(Time::parse),
        cloud_trail_event: Some(Value::Object(object.clone()).to_string()),
        ..TrailEvent::default()
    })
}

/// A value of a list that is neither a list nor an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    /// A time, in milliseconds.
    Millis(i64),
    /// The name of a log stream.
    Stream(String),
    /// A message.
    Text(String),
}

impl Scalar {
    /// The scalar of a value; none where that says nothing of a log event.
    pub(super) fn of(value: Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_i64().map(Self::Millis),
            Value::String(text) => Some(Self::of_text(text)),
            _ => None,
        }
    }

    /// The scalar of a text: a time and a stream are told by their form.
    pub(super) fn of_text(text: String) -> Self {
        let short = text.len() <= 40 && text.starts_with(|first: char| first.is_ascii_digit());
        match short.then(|| time(&text)).flatten() {
            Some(at) => Self::Millis(at.millis()),
            None if columns::is_stream(&text) => Self::Stream(text),
            None => Self::Text(text),
        }
    }
}

/// The scalars of one list: a row of one event, messages, or times and messages in turn.
#[derive(Debug, Default)]
pub(super) struct List {
    head: Vec<Scalar>,
    /// More than one row holds.
    long: bool,
    at: i64,
}

impl List {
    /// Takes the next scalar. Whether that made events.
    pub(super) fn take(&mut self, next: Scalar, rows: &mut Rows, reader: &mut Reader) -> bool {
        if !self.long && self.head.len() < ROW {
            self.head.push(next);
            return false;
        }
        self.long = true;
        let head = std::mem::take(&mut self.head);
        head.into_iter().chain([next]).fold(false, |any, one| self.in_turn(one, rows, reader) | any)
    }

    /// The list ends. Whether that made events.
    pub(super) fn end(mut self, rows: &mut Rows, reader: &mut Reader) -> bool {
        if let Some(event) = self.as_row() {
            rows.push(event, reader);
            return true;
        }
        let head = std::mem::take(&mut self.head);
        head.into_iter().fold(false, |any, one| self.in_turn(one, rows, reader) | any)
    }

    fn in_turn(&mut self, next: Scalar, rows: &mut Rows, reader: &mut Reader) -> bool {
        match next {
            Scalar::Millis(at) => self.at = at,
            Scalar::Stream(_) => {}
            Scalar::Text(message) => {
                let timestamp = std::mem::take(&mut self.at);
                rows.push(LogEvent { timestamp, message, log_stream_name: None }, reader);
                return true;
            }
        }
        false
    }

    /// The one event that the scalars are: one message with its time and stream. Of
    /// several times the first in time is the event's, the others are its ingestion's.
    fn as_row(&self) -> Option<LogEvent> {
        let (mut at, mut stream, mut message) = (None::<i64>, None, None);
        for scalar in &self.head {
            match scalar {
                // Anything else that is a number is no time (milliseconds since 2001).
                Scalar::Millis(millis) if *millis < 1_000_000_000_000 => {}
                Scalar::Millis(millis) => at = Some(at.map_or(*millis, |at| at.min(*millis))),
                Scalar::Stream(name) => stream = Some(name.clone()),
                Scalar::Text(text) if message.is_none() => message = Some(text.clone()),
                Scalar::Text(_) => return None,
            }
        }
        let timestamp = at.unwrap_or_default();
        Some(LogEvent { timestamp, message: message?, log_stream_name: stream })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rotation_log::Options;

    const STREAM_NAME: &str = "2026/11/29/[$LATEST]4f0c1e6b7f0c4a0d9d0a0e0b1c2d3e4f";
    const AT: i64 = 1_795_960_127_082;

    fn of(object: Value) -> Option<LogEvent> {
        let Value::Object(object) = object else { panic!("no object") };
        match content(object)? {
            Content::Event(event) => Some(event),
            _ => None,
        }
    }

    #[test]
    fn an_event_is_known_under_any_names() {
        for object in [
            json!({"timestamp": AT, "message": "m", "logStreamName": STREAM_NAME}),
            json!({"t": AT, "s": STREAM_NAME, "m": "m"}),
            json!({"ingested": AT + 900, "when": AT, "s": STREAM_NAME, "text": "m"}),
            json!({"@timestamp": "2026-11-29 13:48:47.082", "@message": "m", "@logStream": STREAM_NAME}),
        ] {
            let event = of(object.clone()).unwrap_or_else(|| panic!("{object}"));
            assert_eq!((event.timestamp, event.message.as_str()), (AT, "m"), "{object}");
            assert_eq!(event.log_stream_name.as_deref(), Some(STREAM_NAME), "{object}");
        }
        for object in [json!({"a": "b"}), json!({"a": "b", "c": "d", "t": AT}), json!({"t": AT})] {
            assert!(of(object.clone()).is_none(), "{object}");
        }
    }

    #[test]
    fn a_list_is_a_row_or_messages_or_both_in_turn() {
        let events = |list: Value| {
            let mut reader = Reader::new(Options::default());
            let (mut rows, mut scalars) = (Rows::default(), List::default());
            for value in list.as_array().expect("a list") {
                let scalar = Scalar::of(value.clone()).expect("a scalar");
                scalars.take(scalar, &mut rows, &mut reader);
            }
            scalars.end(&mut rows, &mut reader);
            rows.into_events().into_iter().map(|e| (e.timestamp, e.message)).collect::<Vec<_>>()
        };
        let m = |text: &str| text.to_owned();
        assert_eq!(events(json!([AT, "m"])), [(AT, m("m"))]);
        assert_eq!(events(json!(["m", AT.to_string()])), [(AT, m("m"))]);
        assert_eq!(events(json!([STREAM_NAME, AT + 7, AT, "m"])), [(AT, m("m"))]);
        assert_eq!(events(json!(["a", "b"])), [(0, m("a")), (0, m("b"))]);
        let in_turn = json!([AT, "a", AT + 1, "b", AT + 2, "c", AT + 3, "d"]);
        let wanted = ["a", "b", "c", "d"].iter().zip(AT..).map(|(text, at)| (at, m(text)));
        assert_eq!(events(in_turn), wanted.collect::<Vec<_>>());
    }
}
