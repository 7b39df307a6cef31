//! Events in the JSON log format: what runtimes log, and Lambda's system log.

use serde_json::{Map, Value};

use super::{
    Level, RaisedError,
    layout::{Kind, Record, Report, level, plain, status, time},
};

/// The exception that an object describes.
pub(super) fn raised(object: &Map<String, Value>) -> Option<RaisedError> {
    let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    let error_type = text("errorType")?;
    Some(RaisedError { error_type, message: text("errorMessage").unwrap_or_default() })
}

/// Reads an event that is an object.
pub(super) fn read(object: &Map<String, Value>, text: &str) -> Record {
    if let (Some(kind), Some(Value::Object(record))) =
        (object.get("type").and_then(Value::as_str), object.get("record"))
        && let Some(event) = kind.strip_prefix("platform.")
    {
        return platform(event, object, record, text);
    }
    let string = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    let message = object.get("message").or_else(|| object.get("msg"));
    // An exception that the code logged carries a message beside its type; Node.js
    // puts the uncaught one into the message.
    let error = match message {
        None => raised(object),
        Some(Value::Object(inner)) => raised(inner),
        Some(_) => None,
    };
    let mut body = match (&error, message) {
        (Some(error), _) => format!("{}: {}", error.error_type, error.message),
        (None, Some(Value::String(message))) => message.clone(),
        (None, Some(other)) => other.to_string(),
        (None, None) => text.to_owned(),
    };
    if message.is_some_and(Value::is_string)
        && let Some(inner) = raised(object)
    {
        body.push_str(&format!("\n{}: {}", inner.error_type, inner.message));
    }
    for frame in object.get("stackTrace").and_then(Value::as_array).into_iter().flatten() {
        if let Some(frame) = frame.as_str() {
            body.push('\n');
            body.push_str(frame.trim_end());
        }
    }
    Record {
        at: ["timestamp", "time"]
            .iter()
            .find_map(|key| object.get(*key).and_then(Value::as_str).and_then(time)),
        level: ["level", "log_level"]
            .iter()
            .find_map(|key| string(key))
            .and_then(|name| level(&name))
            .or(error.as_ref().map(|_| Level::Error)),
        request_id: ["requestId", "AWSRequestId", "aws_request_id", "function_request_id"]
            .iter()
            // The runtime has no id yet while it initialises, and says so with "".
            .find_map(|key| string(key).filter(|id| !id.is_empty())),
        kind: error.map_or(Kind::Message, Kind::Raised),
        text: plain(&body).into_owned(),
    }
}

fn platform(
    event: &str,
    object: &Map<String, Value>,
    record: &Map<String, Value>,
    text: &str,
) -> Record {
    let string = |key: &str| record.get(key).and_then(Value::as_str).map(str::to_owned);
    let metric = |key: &str| record.get("metrics")?.get(key)?.as_f64();
    let report = Report {
        duration_ms: metric("durationMs"),
        billed_ms: metric("billedDurationMs"),
        memory_mb: metric("memorySizeMB").map(|mb| mb as u64),
        max_memory_mb: metric("maxMemoryUsedMB").map(|mb| mb as u64),
        init_ms: metric("initDurationMs"),
        status: string("status").as_deref().and_then(status),
        error_type: string("errorType"),
    };
    let kind = match event {
        "start" => Kind::Start { version: string("version") },
        "runtimeDone" => Kind::End(report),
        "report" => Kind::Report(report),
        "initStart" => Kind::InitStart,
        _ => Kind::Message,
    };
    Record {
        at: object.get("time").and_then(Value::as_str).and_then(time),
        level: None,
        request_id: string("requestId").filter(|id| !id.is_empty()),
        kind,
        text: text.to_owned(),
    }
}
