//! One log event → one record: every layout in which Lambda and its runtimes write.
//! What a record means for an invocation is decided in `building` and `reader`.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};
use serde_json::{Map, Value};

use super::{Level, RaisedError, json_record};
use crate::evidence::Time;

/// What one event says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Record {
    /// The time that its own text names.
    pub(super) at: Option<Time>,
    pub(super) level: Option<Level>,
    pub(super) request_id: Option<String>,
    pub(super) kind: Kind,
    /// The message without time, level and request id.
    pub(super) text: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Kind {
    Start {
        version: Option<String>,
    },
    End(Report),
    Report(Report),
    /// A sandbox begins, before any START.
    InitStart,
    TimedOut(f64),
    Exited,
    Raised(RaisedError),
    #[default]
    Message,
}

/// The figures of a REPORT line and its JSON twins.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Report {
    pub(super) duration_ms: Option<f64>,
    pub(super) billed_ms: Option<f64>,
    pub(super) memory_mb: Option<u64>,
    pub(super) max_memory_mb: Option<u64>,
    pub(super) init_ms: Option<f64>,
    pub(super) status: Option<Status>,
    pub(super) error_type: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Success,
    Error,
    Timeout,
}

macro_rules! pattern {
    ($name:ident, $($part:expr),+) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(concat!($($part),+)).expect("a constant pattern")
        });
    };
}

const TRACEBACK: &str = "Traceback (most recent call last)";
const UUID: &str = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";

pattern!(START, r"^START RequestId:\s+(\S+)(?:\s+Version:\s+(\S+))?");
pattern!(END, r"^END RequestId:\s+(\S+)");
pattern!(REPORT, r"^REPORT RequestId:\s+(\S+)(?:\s+Duration:\s+([\d.]+) ms)?");
pattern!(
    FIGURE,
    r"(Billed Duration|Memory Size|Max Memory Used|Init Duration|Status|Error Type):\s+(\S+)"
);
pattern!(
    TIMED_OUT,
    r"^(?:(\d{4}-\d\d-\d\dT\S+)\s+)?(?:(?:RequestId:\s+)?(\S*-\S*)\s+)?(?:Error:\s+)?",
    r"Task timed out after ([\d.]+) seconds"
);
pattern!(EXITED, r"^(?:RequestId:\s+(\S+)\s+)?(?:Error:\s+Runtime exited|Process exited before)");
pattern!(
    LOGGED,
    r"(?s)^\[(DEBUG|TRACE|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL)\]\s+",
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]?\d*Z?)[ \t]*(.*)$"
);
pattern!(
    NODE,
    r"(?s)^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.?\d*Z)\s+(\S*-\S*|undefined)\s+",
    r"(DEBUG|TRACE|INFO|WARN|WARNING|ERROR|FATAL)\s+(.*)$"
);
pattern!(
    NODE_RAISED,
    r"(?s)^(?:Invoke Error|Uncaught Exception|Unhandled Promise Rejection)\s+(\{.*)$"
);
pattern!(TAGGED, r"(?s)^\[(ERROR|CRITICAL)\]\s+(.*)$");
pattern!(EXCEPTION, r"^((?:[A-Za-z_]\w*\.)*[A-Z]\w*)(?::\s?(.*))?$");
pattern!(EXCEPTION_NAME, r"(?:Error|Exception|Fault|Failure|Exit|Interrupt|Timeout|Timedout)$");
pattern!(OLD_EXCEPTION, r"^(.*): ([A-Za-z_]\w*)Traceback \(most recent call last\):");
pattern!(OLD_IMPORT, r"^Unable to import module '[^']+'");
pattern!(
    BEGINS,
    r"^(?:(?:START|END|REPORT) RequestId:|INIT_START |INIT_REPORT |RESTORE_|EXTENSION\s|TELEMETRY\s|",
    r"\[(?:DEBUG|TRACE|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL)\]\s|\d{4}-\d\d-\d\dT\S+Z?\s+\S*-\S*\s|",
    r"RequestId: \S+ |Unable to import module '|\{\s*\x22|.*: [A-Za-z_]\w*Traceback \(most recent)"
);
static LEADING_ID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&format!(r"(?s)^({UUID})\s+(.*)$")).expect("a constant pattern"));

/// Whether a line of a plain text log begins a record of its own.
pub(super) fn begins_record(line: &str) -> bool {
    // The first byte sorts out most lines without a search.
    let may = line.starts_with(|first: char| "SERIT[{U".contains(first) || first.is_ascii_digit())
        || line.contains(TRACEBACK);
    may && BEGINS.is_match(line)
}

/// Whether a line is one that Lambda puts into an event of its own.
pub(super) fn begins_event(line: &str) -> bool {
    ["START RequestId: ", "END RequestId: ", "REPORT RequestId: ", "INIT_START "]
        .iter()
        .any(|word| line.starts_with(word))
        || line.starts_with('[') && (LOGGED.is_match(line) || line.starts_with("[ERROR] "))
}

/// Whether a line can only go on with the record before it: a traceback's frames,
/// or anything indented (with no-break spaces too, as Lambda does).
pub(super) fn continues_record(previous: &str, line: &str) -> bool {
    line.starts_with([' ', '\t', '\u{a0}', '\r'])
        || line.starts_with(TRACEBACK)
        || line.starts_with("XRAY TraceId")
        || line.starts_with("Runtime.ExitError")
        || previous.contains(TRACEBACK)
        // The message of an exception may have several lines.
        || (previous.starts_with('[') && TAGGED.is_match(previous) && !LOGGED.is_match(previous))
}

/// The text with plain spaces and line feeds, without colours.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    static COLOUR: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("\x1b\\[[0-9;]*[A-Za-z]").expect("a constant pattern"));
    let text = text.trim_end();
    // The bytes with which any of them begins sort out nearly every text.
    let strange = |byte: &u8| matches!(byte, b'\r' | 0x1b | 0 | 0xc2 | 0xe2 | 0xe3 | b'&');
    if !text.as_bytes().iter().any(strange) {
        return Cow::Borrowed(text);
    }
    let mut text = COLOUR.replace_all(text, "").into_owned();
    for (strange, plain) in PLAIN {
        if text.contains(strange) {
            text = text.replace(strange, plain);
        }
    }
    Cow::Owned(text)
}

/// What copying makes of plain characters: line ends, spaces, typographic quotes,
/// a page's HTML, the frame that Terraform draws.
const PLAIN: [(&str, &str); 19] = [
    ("\r\n", "\n"),
    ("\r", "\n"),
    ("\0", ""),
    ("\u{a0}", " "),
    ("\u{3000}", " "),
    ("\u{200b}", ""),
    ("\u{2018}", "'"),
    ("\u{2019}", "'"),
    ("\u{201c}", "\""),
    ("\u{201d}", "\""),
    ("\u{2502} ", ""),
    ("&quot;", "\""),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&apos;", "'"),
    ("&nbsp;", " "),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&amp;", "&"),
];

/// Reads one event.
pub(super) fn read(text: &str) -> Record {
    let text = plain(text);
    let text = text.as_ref();
    let trimmed = text.trim_start();
    if trimmed.starts_with('{')
        && let Ok(Value::Object(object)) = serde_json::from_str(trimmed)
    {
        return json_record::read(&object, trimmed);
    }
    read_platform(trimmed).or_else(|| read_logged(trimmed)).unwrap_or_else(|| Record {
        text: text.to_owned(),
        level: raised(trimmed).map(|_| Level::Error),
        kind: raised(trimmed).map_or(Kind::Message, Kind::Raised),
        ..Record::default()
    })
}

fn group(captures: &Captures<'_>, index: usize) -> Option<String> {
    captures.get(index).map(|found| found.as_str().to_owned())
}

fn read_platform(text: &str) -> Option<Record> {
    let record = |request_id, kind| {
        Some(Record { request_id, kind, text: text.to_owned(), ..Record::default() })
    };
    if text.starts_with("START ")
        && let Some(found) = START.captures(text)
    {
        return record(group(&found, 1), Kind::Start { version: group(&found, 2) });
    }
    if text.starts_with("END ")
        && let Some(found) = END.captures(text)
    {
        return record(group(&found, 1), Kind::End(Report::default()));
    }
    if text.starts_with("REPORT ")
        && let Some(found) = REPORT.captures(text)
    {
        let mut report = Report {
            duration_ms: found.get(2).and_then(|ms| ms.as_str().parse().ok()),
            ..Report::default()
        };
        for figure in FIGURE.captures_iter(text) {
            let value = &figure[2];
            match &figure[1] {
                "Billed Duration" => report.billed_ms = value.parse().ok(),
                "Memory Size" => report.memory_mb = value.parse().ok(),
                "Max Memory Used" => report.max_memory_mb = value.parse().ok(),
                "Init Duration" => report.init_ms = value.parse().ok(),
                "Status" => report.status = status(value),
                _ => report.error_type = Some(value.to_owned()),
            }
        }
        // Durations are rounded up: only what was cut off is billed for less.
        if let (Some(duration), Some(billed), None) =
            (report.duration_ms, report.billed_ms, report.status)
            && billed >= 1000.0
            && duration - billed >= 1.0
        {
            report.status = Some(Status::Timeout);
        }
        return record(group(&found, 1), Kind::Report(report));
    }
    if text.starts_with("INIT_START ") {
        return record(None, Kind::InitStart);
    }
    if text.contains("Task timed out after ")
        && let Some(found) = TIMED_OUT.captures(text)
    {
        return Some(Record {
            at: found.get(1).and_then(|at| time(at.as_str())),
            level: Some(Level::Error),
            request_id: group(&found, 2),
            kind: Kind::TimedOut(found[3].parse().unwrap_or_default()),
            text: text[found.get(3).map_or(0, |at| at.start() - "Task timed out after ".len())..]
                .to_owned(),
        });
    }
    if text.starts_with(['R', 'E', 'P'])
        && let Some(found) = EXITED.captures(text)
    {
        let mut record = record(group(&found, 1), Kind::Exited)?;
        record.level = Some(Level::Error);
        return Some(record);
    }
    if text.starts_with('U') && OLD_IMPORT.is_match(text) {
        // Runtimes before 2020 printed no type; later ones call it that.
        let error = RaisedError {
            error_type: "Runtime.ImportModuleError".to_owned(),
            message: first_line(text).to_owned(),
        };
        let mut record = record(None, Kind::Raised(error))?;
        record.level = Some(Level::Error);
        return Some(record);
    }
    None
}

fn read_logged(text: &str) -> Option<Record> {
    if text.starts_with('[')
        && let Some(found) = LOGGED.captures(text)
    {
        let rest = found.get(3).map_or("", |rest| rest.as_str());
        let (request_id, message) = match LEADING_ID.captures(rest) {
            Some(id) => (group(&id, 1), id.get(2).map_or("", |message| message.as_str())),
            None => (None, rest.trim_start()),
        };
        return Some(Record {
            at: time(&found[2]),
            level: level(&found[1]),
            request_id,
            kind: Kind::Message,
            text: message.to_owned(),
        });
    }
    if text.starts_with(|first: char| first.is_ascii_digit())
        && let Some(found) = NODE.captures(text)
    {
        let message = found.get(4).map_or("", |message| message.as_str());
        let kind = NODE_RAISED
            .captures(message)
            .and_then(|json| serde_json::from_str::<Map<String, Value>>(&json[1]).ok())
            .and_then(|object| json_record::raised(&object))
            .map_or(Kind::Message, Kind::Raised);
        return Some(Record {
            at: time(&found[1]),
            level: level(&found[3]),
            request_id: group(&found, 2).filter(|id| id != "undefined"),
            kind,
            text: message.to_owned(),
        });
    }
    if text.starts_with('[')
        && let Some(found) = TAGGED.captures(text)
    {
        let message = found.get(2).map_or("", |message| message.as_str());
        return Some(Record {
            level: Some(Level::Error),
            kind: raised(message).map_or(Kind::Message, Kind::Raised),
            text: message.to_owned(),
            ..Record::default()
        });
    }
    let first = first_line(text);
    let found = first.contains(TRACEBACK).then(|| OLD_EXCEPTION.captures(first)).flatten()?;
    let error = RaisedError { error_type: found[2].to_owned(), message: found[1].to_owned() };
    let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
    Some(Record {
        level: Some(Level::Error),
        text: format!(
            "{}: {}\nTraceback (most recent call last):\n{rest}",
            error.error_type, error.message
        )
        .trim_end()
        .to_owned(),
        kind: Kind::Raised(error),
        ..Record::default()
    })
}

/// The exception that a message begins with: `ValueError: …`. A word before a colon
/// is one only where its name says so or a traceback follows.
fn raised(message: &str) -> Option<RaisedError> {
    let first = first_line(message);
    let found = EXCEPTION.captures(first)?;
    let certain = message.contains(TRACEBACK)
        || (EXCEPTION_NAME.is_match(&found[1]) && !found[1].contains("Warning"));
    certain.then(|| RaisedError {
        error_type: found[1].to_owned(),
        message: group(&found, 2).unwrap_or_default(),
    })
}

pub(super) fn status(name: &str) -> Option<Status> {
    match name {
        "success" => Some(Status::Success),
        "error" | "failure" => Some(Status::Error),
        "timeout" => Some(Status::Timeout),
        _ => None,
    }
}

pub(super) fn level(name: &str) -> Option<Level> {
    match name.to_ascii_uppercase().as_str() {
        "TRACE" | "DEBUG" => Some(Level::Debug),
        "INFO" => Some(Level::Info),
        "WARN" | "WARNING" => Some(Level::Warning),
        "ERROR" | "CRITICAL" | "FATAL" => Some(Level::Error),
        _ => None,
    }
}

/// A time as logs print it; one without a zone is UTC, as everywhere in Lambda.
pub(super) fn time(text: &str) -> Option<Time> {
    let text = text.replacen(',', ".", 1).replacen(' ', "T", 1);
    let clock = text.split_once('T')?.1;
    if clock.contains(['Z', '+', '-']) {
        Time::parse(&text)
    } else {
        Time::parse(&format!("{text}Z"))
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
