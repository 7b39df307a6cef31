//! The JSON format.

use serde::Serialize;

use crate::json;

/// Any report as indented JSON with a newline at its end.
pub fn render(report: &impl Serialize) -> String {
    json::pretty(report)
}
