//! SARIF 2.1.0, for code scanning. Every result has a physical location, which such
//! readers ask for: what was examined lives in an account, so it is a path made of the
//! region and the secret's name, and the ARN stands beside it as a logical location.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{
    json, style,
    v1::{Finding, NotExamined, Report, Tool},
    words,
};
use crate::catalogue;

/// What a path of names may hold as it is.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Renders the reports as one run.
pub fn render(reports: &[Report], not_examined: &[NotExamined]) -> String {
    let findings = reports
        .iter()
        .flat_map(|report| report.findings.iter().chain(&report.waived).chain(&report.baseline));
    let codes: BTreeSet<&str> = findings.map(|finding| finding.code.as_str()).collect();
    let rules: Vec<Value> = codes.iter().filter_map(|code| rule(code)).collect();
    let results = reports.iter().flat_map(|report| {
        let counting = report.findings.iter().map(|finding| result(report, finding, &codes));
        let set_aside = report.waived.iter().chain(&report.baseline);
        counting.chain(set_aside.map(|finding| set_aside_result(report, finding, &codes)))
    });
    let unseen = reports.iter().flat_map(notifications);
    let failed = not_examined.iter().map(|one| {
        json!({"level": "error", "message": {"text": format!("{}: {}", one.target, one.reason)}})
    });
    let tool = Tool::this();
    json::render(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": tool.name, "semanticVersion": tool.version, "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
            "invocations": [{
                "executionSuccessful": not_examined.is_empty(),
                "toolExecutionNotifications": unseen.chain(failed).collect::<Vec<_>>(),
            }],
        }],
    }))
}

fn rule(code: &str) -> Option<Value> {
    let entry = catalogue::entry(code)?;
    Some(json!({
        "id": entry.code,
        "name": entry.name,
        "shortDescription": {"text": entry.title},
        // GitHub's code scanning asks for it.
        "fullDescription": {"text": meaning(entry)},
        "help": {"text": entry.text, "markdown": entry.text},
        "defaultConfiguration": {"level": style::severity(entry.severity).0},
        "properties": {"tags": [entry.area]},
    }))
}

/// The first paragraph of a page in one line, else its title.
fn meaning(entry: &catalogue::Entry) -> String {
    let lines = entry
        .text
        .lines()
        .map(str::trim)
        .skip_while(|line| line.is_empty() || line.starts_with('#'));
    let paragraph: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    if paragraph.is_empty() { entry.title.to_owned() } else { paragraph.join(" ") }
}

fn result(report: &Report, finding: &Finding, codes: &BTreeSet<&str>) -> Value {
    let secret = secret(report);
    json!({
        "ruleId": finding.code,
        "ruleIndex": codes.iter().position(|code| *code == finding.code),
        "level": style::severity(finding.severity).0,
        "message": {"text": finding.summary.clone() + &words::first_fix(finding)},
        "locations": [{
            "physicalLocation": physical(report, finding),
            "logicalLocations": [{"fullyQualifiedName": finding.resource, "kind": "resource"}],
        }],
        // The same fault of the same thing, however it is worded and whenever it is seen.
        "partialFingerprints": {
            "rotdoctor/v1": format!("{} {secret} {}", finding.code, finding.resource),
        },
    })
}

/// Where a template or a plan declares it, else a path made of names.
fn physical(report: &Report, finding: &Finding) -> Value {
    let Some(location) = &finding.location else {
        return json!({
            "artifactLocation": {"uri": path(report)},
            "region": {"startLine": 1},
        });
    };
    let mut region = json!({"startLine": location.line.unwrap_or(1)});
    if let Some(column) = location.column {
        region["startColumn"] = json!(column);
    }
    json!({
        "artifactLocation": {"uri": uri(&location.file)},
        "region": region,
    })
}

/// A file as a reference: relative to where the run stands, or absolute as it was named. A
/// reference that begins with a slash would be neither.
fn uri(file: &str) -> String {
    let file = file.replace('\\', "/");
    let encoded = |path: &str| utf8_percent_encode(path, PATH).to_string();
    let drive = file.get(1..3) == Some(":/") && file.starts_with(|c: char| c.is_ascii_alphabetic());
    if drive {
        return format!("file:///{}{}", &file[..2], encoded(&file[2..]));
    }
    if file.starts_with('/') {
        return format!("file://{}", encoded(&file));
    }
    encoded(file.strip_prefix("./").unwrap_or(&file))
}

/// A finding that is accepted or known is written as suppressed.
fn set_aside_result(report: &Report, finding: &Finding, codes: &BTreeSet<&str>) -> Value {
    let mut result = result(report, finding, codes);
    let justification = match &finding.waived_by {
        Some(waived) => format!("{} (until {})", waived.reason, waived.until),
        None => "stands in the baseline".to_owned(),
    };
    result["suppressions"] = json!([{"kind": "external", "justification": justification}]);
    result
}

fn notifications(report: &Report) -> impl Iterator<Item = Value> {
    let secret = secret(report).to_owned();
    report.inconclusive.iter().map(move |check| {
        let missing = check.missing.iter().map(|one| {
            let grant = Some(&one.action).filter(|action| !action.is_empty());
            let grant = grant.map(|action| format!(", {action}")).unwrap_or_default();
            format!("{} ({}{grant})", one.fact, one.reason)
        });
        let text = format!(
            "{secret}: {} could not tell, for want of {}",
            check.check,
            missing.collect::<Vec<_>>().join(", ")
        );
        json!({"level": "warning", "message": {"text": text}})
    })
}

fn secret(report: &Report) -> &str {
    let target = &report.target;
    target.secret_arn.as_deref().or(target.secret_name.as_deref()).unwrap_or("the secret")
}

/// `secretsmanager/eu-west-1/prod/orders`, as a relative URI.
fn path(report: &Report) -> String {
    let name = report.target.secret_name.as_deref().unwrap_or("secret");
    let region = report.target.region.as_deref().unwrap_or("region");
    format!("secretsmanager/{region}/{}", utf8_percent_encode(name, PATH))
}

#[cfg(test)]
mod tests {
    use super::{meaning, uri};
    use crate::catalogue;

    #[test]
    fn a_file_is_a_reference_that_readers_resolve() {
        for (file, told) in [
            ("template.yaml", "template.yaml"),
            ("./infra/my stack.yaml", "infra/my%20stack.yaml"),
            ("infra\\a.yaml", "infra/a.yaml"),
            ("/srv/a:b.yaml", "file:///srv/a%3Ab.yaml"),
            ("C:\\work\\a.yaml", "file:///C:/work/a.yaml"),
            ("ü", "%C3%BC"),
        ] {
            assert_eq!(uri(file), told);
        }
    }

    #[test]
    fn each_rule_has_a_description_that_github_takes() {
        for entry in catalogue::entries() {
            let text = meaning(entry);
            assert!((20..=1024).contains(&text.chars().count()), "{}: {text}", entry.code);
            assert!(!text.contains('#') && !text.contains("```"), "{}: {text}", entry.code);
        }
    }
}
