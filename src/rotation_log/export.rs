//! The JSON that holds log events: exports of the CLI, bundles, results of Logs
//! Insights, CloudTrail events. Read in a stream, whatever its size.

use std::{
    fmt,
    io::{self, Cursor, Read},
};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Deserializer, Map, Value};

use super::{Reader, csv::Rows, layout};
use crate::evidence::{LogEvent, Time, TrailEvent};

/// Keys under which exports and bundles hold their events, CloudTrail's among them.
pub(super) const EVENT_KEYS: [&str; 6] =
    ["events", "LogEvents", "logEvents", "Events", "Records", "TrailEvents"];
/// The key under which `get-query-results` holds its rows.
pub(super) const RESULT_KEY: &str = "results";

/// One cell of a row of `get-query-results`.
#[derive(Deserialize)]
struct Cell {
    field: String,
    #[serde(default)]
    value: String,
}

/// Reads JSON values one after another. Whether an event was found, and the first
/// byte of what is no JSON and follows.
pub(super) fn read_export(
    input: &mut impl Read,
    reader: &mut Reader,
) -> io::Result<(bool, Vec<u8>)> {
    let mut found = false;
    let mut byte = [0];
    while input.read(&mut byte)? == 1 {
        if byte[0].is_ascii_whitespace() {
            continue;
        }
        if !matches!(byte[0], b'{' | b'[') {
            return Ok((found, byte.to_vec()));
        }
        let mut json = Deserializer::from_reader(Cursor::new(byte).chain(&mut *input));
        let mut sink = Sink { reader, found: &mut found };
        match json.deserialize_any(&mut sink) {
            Err(error) if error.is_io() => return Err(error.into()),
            Err(_) => break,
            Ok(()) => {}
        }
    }
    Ok((found, Vec::new()))
}

/// Takes events out of whatever JSON holds them.
struct Sink<'a> {
    reader: &'a mut Reader,
    found: &'a mut bool,
}

impl<'de> Visitor<'de> for &mut Sink<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("log events")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if EVENT_KEYS.contains(&key.as_str()) {
                map.next_value_seed(&mut *self)?;
            } else if key == RESULT_KEY {
                let mut rows = Rows::default();
                map.next_value_seed(Results(&mut rows))?;
                *self.found |= rows.hand_over(self.reader);
            } else {
                object.insert(key, map.next_value()?);
            }
        }
        *self.found |= push_object(self.reader, object);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while sequence.next_element_seed(&mut *self)?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for &mut Sink<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Takes an object as an event, or as a line of a log. False where it is neither.
pub(super) fn push_object(reader: &mut Reader, mut object: Map<String, Value>) -> bool {
    if let Some(event) = event(&object) {
        reader.push_event(&event);
        return true;
    }
    if let Some(event) = trail_event(&object) {
        reader.push_trail_event(event);
        return true;
    }
    // EventBridge wraps the event of CloudTrail, a CLI wraps a log line.
    for key in ["detail", "message", "@message", "errorMessage", "ResourceStatusReason"] {
        let alone = key != "errorMessage" || !object.contains_key("errorType");
        match object.get(key) {
            Some(Value::Object(_)) if key == "detail" => {
                let Some(Value::Object(inner)) = object.remove(key) else { continue };
                return push_object(reader, inner);
            }
            Some(Value::String(text)) if alone && !object.contains_key("level") => {
                for line in text.lines() {
                    reader.push_line(line);
                }
                return true;
            }
            _ => {}
        }
    }
    let is_line =
        ["level", "log_level", "record", "errorType"].iter().any(|key| object.contains_key(*key));
    if is_line {
        reader.push_line(&Value::Object(object).to_string());
    }
    is_line
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

/// Takes the rows of `get-query-results` one by one.
struct Results<'a>(&'a mut Rows);

impl<'de> Visitor<'de> for Results<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("rows of fields and values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while let Some(cells) = sequence.next_element::<Vec<Cell>>()? {
            self.0.push(|name| {
                cells.iter().find(|cell| cell.field == name).map(|cell| cell.value.as_str())
            });
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Results<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

/// The event that an object of an export is.
pub(super) fn event(object: &Map<String, Value>) -> Option<LogEvent> {
    let field = |names: [&str; 2]| names.iter().find_map(|name| object.get(*name));
    let message = field(["message", "@message"])?.as_str()?.to_owned();
    let timestamp = match field(["timestamp", "@timestamp"]) {
        Some(Value::Number(number)) => number.as_i64()?,
        // An application's own log line has a time in words and a level.
        Some(Value::String(text)) if !object.contains_key("level") => layout::time(text)?.millis(),
        _ => return None,
    };
    let log_stream_name =
        field(["logStreamName", "@logStream"]).and_then(Value::as_str).map(str::to_owned);
    Some(LogEvent { timestamp, message, log_stream_name })
}
