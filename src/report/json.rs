//! The JSON format.

use serde::Serialize;

/// Any report on one line, with a newline at its end.
pub fn line(report: &impl Serialize) -> String {
    serde_json::to_string(report).expect("only keys that are strings") + "\n"
}

/// Any report as indented JSON with a newline at its end.
pub fn render(report: &impl Serialize) -> String {
    serde_json::to_string_pretty(report).expect("only keys that are strings") + "\n"
}
