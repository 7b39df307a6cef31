//! The few colours of the text format. Every state is also a word, so nothing
//! is lost without them.

use anstyle::{AnsiColor, Style};

use super::v1::{Confidence, Verdict};
use crate::catalogue::Severity;

/// Headings.
pub(super) const HEADING: Style = Style::new().bold();
/// What is less important than its line.
pub(super) const DIM: Style = Style::new().dimmed();

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default();

/// Paints a text.
pub(super) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A verdict's word and colour.
pub(super) fn verdict(verdict: Verdict) -> (&'static str, Style) {
    match verdict {
        Verdict::Failing => ("FAILING", RED),
        Verdict::Recovering => ("RECOVERING", YELLOW),
        Verdict::AtRisk => ("AT RISK", YELLOW),
        Verdict::Unknown => ("UNKNOWN", YELLOW),
        Verdict::Healthy => ("HEALTHY", GREEN),
    }
}

/// A severity's word and colour.
pub(super) fn severity(severity: Severity) -> (&'static str, Style) {
    match severity {
        Severity::Error => ("error", RED),
        Severity::Warning => ("warning", YELLOW),
        Severity::Note => ("note", CYAN),
    }
}

/// A confidence's word.
pub(super) fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Confirmed => "confirmed",
        Confidence::Likely => "likely",
        Confidence::Possible => "possible",
    }
}
