//! The JSON format.

use serde::Serialize;

/// What a line of `jsonl` holds.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineType {
    /// A report about one secret.
    Report,
    /// A secret that could not be examined.
    NotExamined,
}

/// Any report on one line, with its type first and a newline at its end.
pub fn line(kind: LineType, report: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Line<'a, T> {
        #[serde(rename = "type")]
        kind: LineType,
        #[serde(flatten)]
        report: &'a T,
    }
    serde_json::to_string(&Line { kind, report }).expect("only keys that are strings") + "\n"
}

/// Any report as indented JSON with a newline at its end.
pub fn render(report: &impl Serialize) -> String {
    serde_json::to_string_pretty(report).expect("only keys that are strings") + "\n"
}
