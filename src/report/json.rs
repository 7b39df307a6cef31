//! The JSON format.

use serde::Serialize;

use crate::json;

/// Any report on one line, with a newline at its end.
pub fn line(report: &impl Serialize) -> String {
    json::compact(report)
}

/// Any report as indented JSON with a newline at its end.
pub fn render(report: &impl Serialize) -> String {
    json::pretty(report)
}
