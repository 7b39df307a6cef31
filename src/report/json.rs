//! The JSON format.

use serde::Serialize;

/// Any report as indented JSON with a newline at its end.
pub fn render(report: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("reports have only string keys");
    text.push('\n');
    text
}
