//! A file or a pipe → lines or events: tells text from exports by the first bytes.

use std::io::{self, BufRead, Cursor, Read};

use serde_json::{Map, Value};

use super::{
    Options, Reader, RotationLog, csv,
    event_list::{Content, EVENT_KEYS, RESULT_KEY, content},
    export::read_export,
    lines::read_line,
    query_results, utf16, yaml,
};

/// Bytes that are looked at to tell the format.
const PEEK: usize = 64 * 1024;
/// Lines up to which an object among the lines is waited for.
const OBJECT_LINES: usize = 200;

/// Reads a log from a file or a pipe: text as Lambda writes it, what the AWS CLI prints
/// of `get-log-events`, `filter-log-events`, `tail` and `get-query-results` (JSON, YAML,
/// text and tables, with or without `--query`), the CSV of the console and of Logs
/// Insights, and what is copied from the console, with CloudTrail events among it. Bytes
/// that are no UTF-8 and JSON that ends too early are read as far as they go.
///
/// # Errors
/// The input cannot be read, or is in a form whose order cannot be told.
pub fn read(mut input: impl BufRead, options: Options) -> io::Result<RotationLog> {
    let mut peeked = Vec::new();
    input.by_ref().take(PEEK as u64).read_to_end(&mut peeked)?;
    match utf16::order_of(&peeked) {
        Some(order) => {
            let mut decoded = utf16::Decoder::new(Cursor::new(peeked).chain(input), order);
            let mut peeked = Vec::new();
            decoded.by_ref().take(PEEK as u64).read_to_end(&mut peeked)?;
            read_utf8(peeked, decoded, options)
        }
        None => read_utf8(peeked, input, options),
    }
}

fn read_utf8(
    mut peeked: Vec<u8>,
    mut input: impl BufRead,
    options: Options,
) -> io::Result<RotationLog> {
    if peeked.starts_with(b"\xef\xbb\xbf") {
        peeked.drain(..3);
    }
    if peeked.starts_with(&[0x1f, 0x8b]) {
        return Err(unsupported("it is compressed: gunzip it first"));
    }
    if query_results::is_table(&peeked) {
        return Err(unsupported("a table of get-query-results is not read"));
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
    } else if let Some(delimiter) = csv::delimiter_of_header(&peeked) {
        csv::read(Cursor::new(peeked).chain(input), delimiter, &mut reader)?;
    } else if query_results::begins(&peeked) {
        query_results::read(&mut Cursor::new(peeked).chain(input), &mut reader)?;
    } else if yaml::is_events(&peeked) {
        if let Some(text) = yaml::read(Cursor::new(peeked).chain(input), &mut reader)? {
            read_lines(text.as_slice(), &mut reader)?;
        }
    } else {
        read_lines(Cursor::new(peeked).chain(input), &mut reader)?;
    }
    Ok(reader.finish())
}

fn unsupported(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, what)
}

/// Whether the input is JSON that is no log line by itself.
fn is_export(start: &[u8]) -> bool {
    let start = start.trim_ascii_start();
    match start.first() {
        Some(b'[') => {
            let next = start[1..].trim_ascii_start().first();
            next.is_some_and(|byte| matches!(byte, b'{' | b'[' | b']' | b'"' | b'0'..=b'9'))
        }
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
                match content(whole) {
                    Some(content) => content.push(reader),
                    None => object.iter().for_each(|line| reader.push_line(line)),
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
        match object.and_then(line_content) {
            Some(content) => content.push(reader),
            None => reader.push_line(&text),
        }
    }
    object.iter().for_each(|line| reader.push_line(line));
    Ok(())
}

/// What an object on a line of its own is; none where it is a line of a JSON log, which
/// is read as it stands.
fn line_content(object: Map<String, Value>) -> Option<Content> {
    let is_log = object.contains_key("level") || object.contains_key("type");
    if !is_log && !object.contains_key("message") {
        return content(object);
    }
    match content(object)? {
        Content::Event(event) => Some(Content::Event(event)),
        _ if is_log => None,
        other => Some(other),
    }
}
