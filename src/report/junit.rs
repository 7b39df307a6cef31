//! JUnit XML, for the test view of a pipeline: a suite for each secret, a case for each
//! finding and each check. A finding is a failure, what could not be decided is an error,
//! a question that does not apply is skipped.

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::{
    place,
    v1::{Finding, NotExamined, Report, Tool},
    words,
};
use crate::catalogue::Severity;

/// Renders the reports.
pub fn render(reports: &[Report], not_examined: &[NotExamined]) -> String {
    let mut document = Document::new(Tool::this().name);
    let names = words::Names::of(reports);
    document.add_test_suites(reports.iter().map(|report| suite(report, names)));
    document.add_test_suites(not_examined.iter().map(|one| {
        let mut suite = TestSuite::new(one.target.as_str());
        suite.add_test_case(case(&one.target, "examined", error("not examined", &one.reason)));
        suite
    }));
    let xml = document.to_string().expect("text is written as XML");
    // XML 1.0 has no place for these two, and the crate lets them pass.
    xml.replace(['\u{fffe}', '\u{ffff}'], "")
}

fn suite(report: &Report, names: words::Names) -> TestSuite {
    let name = names.name(report);
    let mut suite = TestSuite::new(name.as_str());
    for finding in &report.findings {
        suite.add_test_case(finding_case(&name, finding));
    }
    for finding in report.waived.iter().chain(&report.baseline) {
        let reason = match &finding.waived_by {
            Some(waived) => format!("waived until {}: {}", waived.until, waived.reason),
            None => "stands in the baseline".to_owned(),
        };
        let title = format!("{} {}", finding.code, finding.name);
        suite.add_test_case(case(&name, &title, skipped(&reason)));
    }
    for check in &report.inconclusive {
        let missing = check.missing.iter().map(|one| format!("{}: {}", one.fact, one.reason));
        let text = missing.collect::<Vec<_>>().join("\n");
        suite.add_test_case(case(&name, &check.check, error("could not tell", &text)));
    }
    for check in &report.not_applicable {
        suite.add_test_case(case(&name, &check.check, skipped(&check.reason)));
    }
    for check in &report.passed {
        suite.add_test_case(case(&name, &check.check, TestCaseStatus::success()));
    }
    suite
}

fn finding_case(suite: &str, finding: &Finding) -> TestCase {
    let title = format!("{} {}", finding.code, finding.name);
    let fix = words::first_fix(finding);
    let place = finding.location.as_ref().map(place::written);
    let place = place.map(|place| format!("\n{place}")).unwrap_or_default();
    let text = format!("{}\n{}{place}{fix}", finding.summary, finding.resource);
    // JUnit knows no notes: the case passes, and its output says what is worth knowing.
    if finding.severity == Severity::Note {
        let mut case = case(suite, &title, TestCaseStatus::success());
        case.set_system_out(text);
        return case;
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(finding.title.as_str()).set_description(text);
    case(suite, &title, status)
}

fn case(suite: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(suite);
    case
}

fn error(message: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(message).set_description(text);
    status
}

fn skipped(reason: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(reason);
    status
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::report::v1::NotExamined;

    #[test]
    fn nothing_from_outside_is_markup_and_what_xml_cannot_hold_is_left_out() {
        let one: NotExamined = serde_json::from_value(serde_json::json!({
            "target": "a<b & \"c\"", "reason": "]]></error>\u{1b}[0m\u{0}\u{ffff}end",
        }))
        .expect("a target");
        let xml = render(&[], &[one]);
        assert!(xml.contains(r#"name="a&lt;b &amp; &quot;c&quot;""#), "{xml}");
        assert!(xml.contains("]]&gt;&lt;/error&gt;"), "{xml}");
        assert!(xml.contains("end"), "{xml}");
        assert!(!xml.contains(['\u{1b}', '\u{0}', '\u{ffff}']), "{xml}");
    }
}
