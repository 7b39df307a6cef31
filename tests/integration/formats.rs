//! The formats for pipelines: the same findings in each, and nothing that a reader of
//! that format would choke on.

use std::{collections::BTreeSet, sync::LazyLock};

use serde_json::Value;

use crate::{
    support::{rotdoctor, scratch},
    worlds,
};

fn bundles() -> [String; 3] {
    ["KMS01/fires", "NET10/fires", "RUN05/fires"].map(worlds::path)
}

/// An audit of all three, and of one that is not there.
fn audit(format: &str) -> String {
    let mut args = vec!["audit", "--output", format, "--bundle", "no-such-file.json"];
    let bundles = bundles();
    args.extend(bundles.iter().map(String::as_str));
    let run = rotdoctor().args(&args).run();
    assert_eq!(run.code, 1, "{format}: {}", run.stderr);
    run.stdout
}

/// Code and resource of every finding, as the JSON format has them.
fn findings() -> BTreeSet<(String, String)> {
    static JSON: LazyLock<String> = LazyLock::new(|| audit("json"));
    let report: Value = serde_json::from_str(&JSON).expect("JSON");
    let reports = report["reports"].as_array().expect("reports").iter();
    reports.flat_map(of_report).collect()
}

fn of_report(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let findings = report["findings"].as_array().expect("findings").iter();
    findings.map(|finding| (text(&finding["code"]), text(&finding["resource"]))).collect()
}

#[test]
fn a_line_is_a_report() {
    let text = audit("jsonl");
    let lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    assert_eq!(lines.len(), 4);
    let (reports, others): (Vec<&Value>, Vec<&Value>) =
        lines.iter().partition(|line| line.get("verdict").is_some());
    assert_eq!(reports.into_iter().flat_map(of_report).collect::<BTreeSet<_>>(), findings());
    assert_eq!(others.len(), 1);
    assert_eq!(others[0]["target"], "no-such-file.json");
    let types = lines.iter().map(|line| line["type"].as_str());
    assert_eq!(types.collect::<BTreeSet<_>>(), [Some("not-examined"), Some("report")].into());
}

#[test]
fn sarif_has_a_place_a_rule_and_a_fingerprint_for_each_result() {
    let sarif: Value = serde_json::from_str(&audit("sarif")).expect("JSON");
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let mut found = BTreeSet::new();
    let mut fingerprints = BTreeSet::new();
    for result in run["results"].as_array().expect("results") {
        let code = result["ruleId"].as_str().expect("a rule");
        let index = result["ruleIndex"].as_u64().expect("an index") as usize;
        assert_eq!(rules[index]["id"], code);
        assert!(rules[index]["help"]["markdown"].as_str().is_some_and(|help| help.len() > 100));
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().expect("a level")));
        let place = &result["locations"][0];
        let uri = place["physicalLocation"]["artifactLocation"]["uri"].as_str().expect("a path");
        assert!(uri.starts_with("secretsmanager/") && !uri.contains([' ', ':', '\\']), "{uri}");
        assert_eq!(place["physicalLocation"]["region"]["startLine"], 1);
        let resource = &place["logicalLocations"][0]["fullyQualifiedName"];
        found.insert((code.to_owned(), resource.as_str().expect("a resource").to_owned()));
        fingerprints.insert(result["partialFingerprints"]["rotdoctor/v1"].to_string());
    }
    assert_eq!(found, findings());
    assert!(fingerprints.len() >= found.len());
    let told = run["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(told.contains("no-such-file.json") && told.contains("could not tell"), "{told}");
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn junit_counts_what_it_holds() {
    let xml = audit("junit");
    let count = |what: &str| xml.matches(what).count();
    let (total, suites) = xml.split_once("<testsuite ").expect("a suite");
    let sum = |part: &str, name: &str| -> usize {
        let attribute = format!(" {name}=\"");
        let counts = part.split(&attribute).skip(1).filter_map(|rest| rest.split('"').next());
        counts.map(|count| count.parse::<usize>().expect("a count")).sum()
    };
    for (element, attribute) in [
        ("<testcase", "tests"),
        ("<failure", "failures"),
        ("<error", "errors"),
        ("<skipped", "skipped"),
    ] {
        assert_eq!(count(element), sum(total, attribute), "{attribute} of all");
        assert_eq!(count(element), sum(suites, attribute), "{attribute} of the suites");
    }
    assert_eq!(count("<testsuite name="), 4);
    assert!(count("<failure") >= 3 && count("<error") >= 1);
    for (code, _) in findings() {
        assert!(xml.contains(&format!("name=\"{code} ")), "{code}");
    }
}

#[test]
fn github_gets_annotations_and_a_summary() {
    let summary = scratch("step-summary.md");
    let _ = std::fs::remove_file(&summary);
    let mut args = vec!["audit", "--output", "github", "--bundle"];
    let bundles = bundles();
    args.extend(bundles.iter().map(String::as_str));
    let told = rotdoctor().args(&args).env("GITHUB_STEP_SUMMARY", &summary).run();
    assert!(told.stdout.lines().all(|line| line.starts_with("::")), "{}", told.stdout);
    for (code, _) in findings() {
        assert!(told.stdout.contains(&format!(" title={code} ")), "{code}: {}", told.stdout);
    }
    let text = std::fs::read_to_string(&summary).expect("the summary was written");
    assert!(text.starts_with("# ") && text.contains("| Status |"), "{text}");
    std::fs::remove_file(summary).expect("it is there");
}

#[test]
fn one_diagnosis_has_every_format() {
    for format in ["jsonl", "sarif", "junit", "github"] {
        let run =
            rotdoctor().args(["diagnose", "--bundle", &bundles()[0], "--output", format]).run();
        assert_eq!(run.code, 1, "{format}");
        assert!(run.stdout.contains("KMS01"), "{format}: {}", run.stdout);
    }
}
