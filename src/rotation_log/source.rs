//! A file or a pipe → lines or events: tells text from exports by the first bytes.
//! What the exports hold is for `export` and `csv`.

use std::io::{self, BufRead, Cursor, Read};

use serde_json::{Map, Value};

use super::{
    Options, Reader, RotationLog, csv,
    export::{EVENT_KEYS, RESULT_KEY, event, push_object, read_export},
    reader::EVENT_BYTES,
};

/// Bytes that are looked at to tell the format.
const PEEK: usize = 64 * 1024;
/// Lines up to which an object among the lines is waited for.
const OBJECT_LINES: usize = 200;
/// Bytes of one line that are kept; what follows on it is dropped.
const LINE_BYTES: usize = 4 * EVENT_BYTES;

/// Reads a log from a file or a pipe: text as Lambda writes it, `aws logs tail`,
/// console copies, the CSV of the console and of Logs Insights, and the JSON of
/// `filter-log-events`, `get-log-events` and `get-query-results` (one object,
/// several, an array, or one event a line), with CloudTrail events among it. Bytes
/// that are no UTF-8 and JSON that ends too early are read as far as they go.
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
    } else if let Some(columns) = csv::Columns::of_header(&peeked) {
        let mut rest = Cursor::new(peeked).chain(input);
        csv::read(&mut rest, &columns, &mut reader)?;
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
                Ok(object) => {
                    object.contains_key(RESULT_KEY)
                        || EVENT_KEYS.iter().any(|key| object.contains_key(*key))
                }
                Err(_) => true,
            }
        }
        _ => false,
    }
}

fn read_lines(mut input: impl BufRead, reader: &mut Reader) -> io::Result<()> {
    let mut line = Vec::new();
    // An object over several lines, among lines that are none.
    let mut object: Vec<String> = Vec::new();
    while read_line(&mut input, &mut line)? {
        let text = String::from_utf8_lossy(&line);
        if !object.is_empty() || text.trim() == "{" {
            object.push(text.into_owned());
            let ends =
                object.last().is_some_and(|last| last.starts_with('}') || last.trim() == "}");
            if ends && let Ok(whole) = serde_json::from_str(&object.join("\n")) {
                if !push_object(reader, whole) {
                    object.iter().for_each(|line| reader.push_line(line));
                }
                object.clear();
            } else if object.len() > OBJECT_LINES {
                object.drain(..).for_each(|line| reader.push_line(&line));
            }
            continue;
        }
        let object = text
            .trim_start()
            .starts_with('{')
            .then(|| serde_json::from_str::<Map<String, Value>>(&text).ok())
            .flatten();
        let taken = match object {
            // A line of a JSON log is read as one.
            Some(object) if object.contains_key("message") || object.contains_key("type") => {
                event(&object).map(|event| reader.push_event(&event)).is_some()
                    || !object.contains_key("level")
                        && !object.contains_key("type")
                        && push_object(reader, object)
            }
            Some(object) => push_object(reader, object),
            None => false,
        };
        if !taken {
            reader.push_line(&text);
        }
    }
    object.iter().for_each(|line| reader.push_line(line));
    Ok(())
}

/// Reads one line without keeping more of it than [`LINE_BYTES`]. False at the end.
pub(super) fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
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
