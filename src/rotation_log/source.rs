//! A file or a pipe → lines or events: tells text from exports by the first bytes,
//! and reads an export of any size in a stream.

use std::{
    fmt,
    io::{self, BufRead, Cursor, Read},
};

use serde::de::{DeserializeSeed, Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, Map, Value};

use super::{Options, Reader, RotationLog, layout, reader::EVENT_BYTES};
use crate::evidence::LogEvent;

/// Bytes that are looked at to tell the format.
const PEEK: usize = 64 * 1024;
/// Bytes of one line that are kept; what follows on it is dropped.
const LINE_BYTES: usize = 4 * EVENT_BYTES;
/// Keys under which exports and bundles hold their events.
const EVENT_KEYS: [&str; 3] = ["events", "LogEvents", "logEvents"];

/// Reads a log from a file or a pipe: text as Lambda writes it, `aws logs tail`,
/// console copies, and the JSON of `filter-log-events` and `get-log-events` (one
/// object, several, an array, or one event a line). Bytes that are no UTF-8 and JSON
/// that ends too early are read as far as they go.
///
/// # Errors
/// The input cannot be read.
pub fn read(mut input: impl BufRead, options: Options) -> io::Result<RotationLog> {
    let mut peeked = Vec::new();
    input.by_ref().take(PEEK as u64).read_to_end(&mut peeked)?;
    if peeked.starts_with(b"\xef\xbb\xbf") {
        peeked.drain(..3);
    }
    let mut reader = Reader::new(options);
    if is_export(&peeked) {
        let mut whole = Cursor::new(peeked.as_slice()).chain(&mut input);
        let (found, begun) = read_export(&mut whole, &mut reader)?;
        let consumed = usize::try_from(whole.get_ref().0.position()).unwrap_or(peeked.len());
        // What is no JSON any more is read as text, from there or from the start.
        let (begun, from) = if found { (begun, consumed) } else { (Vec::new(), 0) };
        let rest = Cursor::new(begun).chain(Cursor::new(&peeked[from..])).chain(&mut input);
        read_lines(rest, &mut reader)?;
    } else {
        read_lines(Cursor::new(peeked).chain(input), &mut reader)?;
    }
    Ok(reader.finish())
}

/// Whether the input is JSON that is no log line by itself.
fn is_export(start: &[u8]) -> bool {
    let start = start.trim_ascii_start();
    match start.first() {
        Some(b'[') => matches!(start[1..].trim_ascii_start().first(), Some(b'{' | b']')),
        Some(b'{') => {
            let Some(end) = start.iter().position(|byte| *byte == b'\n') else { return true };
            match serde_json::from_slice::<Map<String, Value>>(&start[..end]) {
                // A line that is complete is one event or one log line of many.
                Ok(object) => EVENT_KEYS.iter().any(|key| object.contains_key(*key)),
                Err(_) => true,
            }
        }
        _ => false,
    }
}

/// Reads JSON values one after another. Whether an event was found, and the first
/// byte of what is no JSON and follows.
fn read_export(input: &mut impl Read, reader: &mut Reader) -> io::Result<(bool, Vec<u8>)> {
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

/// Takes an object as an event, or as a line of a JSON log. False where it is neither.
fn push_object(reader: &mut Reader, object: Map<String, Value>) -> bool {
    if let Some(event) = event(&object) {
        reader.push_event(&event);
        return true;
    }
    let is_line =
        ["level", "log_level", "record", "errorType"].iter().any(|key| object.contains_key(*key));
    if is_line {
        reader.push_line(&Value::Object(object).to_string());
    }
    is_line
}

/// The event that an object of an export is.
fn event(object: &Map<String, Value>) -> Option<LogEvent> {
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

fn read_lines(mut input: impl BufRead, reader: &mut Reader) -> io::Result<()> {
    let mut line = Vec::new();
    while read_line(&mut input, &mut line)? {
        let text = String::from_utf8_lossy(&line);
        let event = text
            .trim_start()
            .starts_with('{')
            .then(|| serde_json::from_str::<Map<String, Value>>(&text).ok())
            .flatten()
            .and_then(|object| event(&object));
        match event {
            Some(event) => reader.push_event(&event),
            None => reader.push_line(&text),
        }
    }
    Ok(())
}

/// Reads one line without keeping more of it than [`LINE_BYTES`]. False at the end.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        line.extend_from_slice(&part[..part.len().min(LINE_BYTES - line.len())]);
        let used = end.map_or(chunk.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}
