//! CloudFormation templates: what is declared is judged, what is left open is not.

use rotdoctor::{
    checks::Selection,
    examine,
    report::v1::{Mode, Report},
    template::{Declared, Settings, cloudformation},
};

/// A template of the fixtures.
pub(super) fn fixture(name: &str) -> String {
    let path = format!("{}/fixtures/templates/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).expect(&path)
}

pub(super) fn settings() -> Settings {
    Settings {
        file: "template.yaml".to_owned(),
        region: Some("eu-west-1".to_owned()),
        captured_at: rotdoctor::evidence::Time::parse("2026-11-22T00:00:00Z").expect("a day"),
        ..Settings::default()
    }
}

/// The only rotation of a template.
pub(super) fn only(text: &str) -> Declared {
    let mut read = cloudformation::read(text, &settings()).expect("a template");
    assert_eq!(read.rotations.len(), 1, "{:?}", read.notes);
    read.rotations.remove(0)
}

pub(super) fn report(declared: &Declared) -> Report {
    examine(&declared.evidence, Mode::Template, &Selection::default())
}

/// The codes of the findings and the checks that were left open.
pub(super) fn found(report: &Report) -> String {
    let codes: Vec<&str> = report.findings.iter().map(|one| one.code.as_str()).collect();
    let open: Vec<String> = report
        .inconclusive
        .iter()
        .map(|one| {
            let facts = one.missing.iter().map(|m| format!("{} {}", m.fact, m.resource));
            format!("{} ({})", one.check, facts.collect::<Vec<_>>().join(", "))
        })
        .collect();
    format!("{codes:?}, open: {open:?}")
}

/// A template with one piece of text changed, which must be there.
pub(super) fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

/// A template without one of its resources.
pub(super) fn without(text: &str, resource: &str) -> String {
    let start = text.find(&format!("\n  {resource}:\n")).expect(resource) + 1;
    let rest = &text[start + 3..];
    let ends = rest
        .match_indices("\n  ")
        .find(|(at, _)| rest[at + 3..].starts_with(|c: char| c.is_ascii_alphabetic()));
    let end = ends.map_or(text.len(), |(at, _)| start + 3 + at + 1);
    format!("{}{}", &text[..start], &text[end..])
}

#[test]
fn a_healthy_template_has_no_finding_and_leaves_nothing_open() {
    let declared = only(&fixture("healthy.yaml"));
    let report = report(&declared);
    let found: Vec<String> = report
        .findings
        .iter()
        .map(|one| format!("{} {:?} {}", one.code, one.severity, one.summary))
        .collect();
    let open: Vec<String> =
        report.inconclusive.iter().map(|one| format!("{}: {:?}", one.check, one.missing)).collect();
    assert!(found.is_empty() && open.is_empty(), "{found:#?} {open:#?}");
}
