//! Workflow commands of GitHub Actions: an annotation for each finding and each question
//! that could not be told. The step's summary is Markdown, and not made here.

use std::fmt::Write as _;

use super::{
    v1::{Location, NotExamined, Report},
    words,
};
use crate::catalogue::Severity;

/// Renders the reports.
pub fn render(reports: &[Report], not_examined: &[NotExamined]) -> String {
    let mut out = String::new();
    let names = words::Names::of(reports);
    for report in reports {
        let name = names.name(report);
        for finding in &report.findings {
            let command = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "notice",
            };
            let title = format!("{} {} · {name}", finding.code, finding.name);
            let mut text = finding.summary.clone();
            for fix in finding.fixes.iter().take(1) {
                text += &format!("\n{}\n{}", fix.summary, fix.commands.join("\n"));
            }
            let place = finding.location.as_ref().map(at).unwrap_or_default();
            annotation(&mut out, command, &place, &title, text.trim_end());
        }
        if !report.inconclusive.is_empty() {
            let checks = report.inconclusive.iter().map(|check| check.check.as_str());
            let title = format!("could not tell · {name}");
            let text = checks.collect::<Vec<_>>().join(", ");
            annotation(&mut out, "warning", "", &title, &text);
        }
    }
    for one in not_examined {
        annotation(&mut out, "error", "", &format!("not examined · {}", one.target), &one.reason);
    }
    out
}

/// `place` is a list of properties, or empty.
fn annotation(out: &mut String, command: &str, place: &str, title: &str, text: &str) {
    let _ = writeln!(out, "::{command} {place}title={}::{}", property(title), data(text));
}

/// Where a template or a plan declares it, as properties of an annotation.
fn at(location: &Location) -> String {
    let mut place = format!("file={},", property(&location.file));
    if let Some(line) = location.line {
        let _ = write!(place, "line={line},");
    }
    if let Some(column) = location.column {
        let _ = write!(place, "col={column},");
    }
    place
}

/// The message of a workflow command (GitHub's toolkit, `escapeData`).
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command (GitHub's toolkit, `escapeProperty`).
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::annotation;

    #[test]
    fn nothing_from_outside_is_a_command() {
        let mut out = String::new();
        annotation(&mut out, "error", "", "a: b, c", "100 %\n::set-output name=x::y");
        assert_eq!(out, "::error title=a%3A b%2C c::100 %25%0A::set-output name=x::y\n");
    }
}
