//! JUnit XML, for the test view of a pipeline: a suite for each secret, a case for each
//! finding and each check. A finding is a failure, what could not be told an error, a
//! question that does not arise is skipped.

use std::fmt::Write as _;

use super::{
    place,
    v1::{NotExamined, Report, Tool},
    words,
};
use crate::catalogue::Severity;

/// Renders the reports.
pub fn render(reports: &[Report], not_examined: &[NotExamined]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites name=\"{}\">", escaped(&Tool::this().name));
    let names = words::Names::of(reports);
    for report in reports {
        suite(&mut out, report, names);
    }
    for one in not_examined {
        let target = escaped(&one.target);
        let _ = writeln!(
            out,
            "  <testsuite name=\"{target}\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\">"
        );
        case(&mut out, &target, "examined", &element("error", "not examined", &one.reason));
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(out: &mut String, report: &Report, names: words::Names) {
    let name = escaped(&names.name(report));
    let failing = |severity| severity != Severity::Note;
    let failures = report.findings.iter().filter(|finding| failing(finding.severity)).count();
    let set_aside = || report.waived.iter().chain(&report.baseline);
    let errors = report.inconclusive.len();
    let skipped = report.not_applicable.len() + set_aside().count();
    let tests = report.findings.len() + errors + skipped + report.passed.len();
    let _ = writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" \
         errors=\"{errors}\" skipped=\"{skipped}\">"
    );
    for finding in &report.findings {
        let what = format!("{} {}", finding.code, finding.name);
        let fix = words::first_fix(finding);
        let place = finding.location.as_ref().map(place::written);
        let place = place.map(|place| format!("\n{place}")).unwrap_or_default();
        let text = format!("{}\n{}{place}{fix}", finding.summary, finding.resource);
        let told = match failing(finding.severity) {
            true => element("failure", &finding.title, &text),
            false => element("system-out", "", &text),
        };
        case(out, &name, &what, &told);
    }
    for finding in set_aside() {
        let why = match &finding.waived_by {
            Some(waived) => format!("waived until {}: {}", waived.until, waived.reason),
            None => "stands in the baseline".to_owned(),
        };
        let what = format!("{} {}", finding.code, finding.name);
        case(out, &name, &what, &format!("<skipped message=\"{}\"/>", escaped(&why)));
    }
    for check in &report.inconclusive {
        let missing = check.missing.iter().map(|one| format!("{}: {}", one.fact, one.reason));
        let text = missing.collect::<Vec<_>>().join("\n");
        case(out, &name, &check.check, &element("error", "could not tell", &text));
    }
    for check in &report.not_applicable {
        let told = format!("<skipped message=\"{}\"/>", escaped(&check.reason));
        case(out, &name, &check.check, &told);
    }
    for check in &report.passed {
        case(out, &name, &check.check, "");
    }
    out.push_str("  </testsuite>\n");
}

/// The suite's name is escaped already, and `inner` is markup.
fn case(out: &mut String, suite: &str, name: &str, inner: &str) {
    let name = escaped(name);
    let _ = match inner {
        "" => writeln!(out, "    <testcase classname=\"{suite}\" name=\"{name}\"/>"),
        _ => {
            writeln!(out, "    <testcase classname=\"{suite}\" name=\"{name}\">{inner}</testcase>")
        }
    };
}

fn element(tag: &str, message: &str, text: &str) -> String {
    let message = match message {
        "" => String::new(),
        message => format!(" message=\"{}\"", escaped(message)),
    };
    format!("<{tag}{message}>{}</{tag}>", escaped(text))
}

/// For text and attributes. Characters that XML 1.0 has no way to write are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_from_outside_is_markup() {
        assert_eq!(escaped("a<b & \"c\"\u{1b}[0m\u{0}"), "a&lt;b &amp; &quot;c&quot;[0m");
    }
}
