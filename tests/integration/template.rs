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

/// The healthy template in each of its forms.
const HEALTHY: &[&str] = &["healthy.yaml", "healthy.json", "healthy.template.json"];

#[test]
fn a_healthy_template_has_no_finding_and_leaves_nothing_open() {
    for name in HEALTHY {
        let report = report(&only(&fixture(name)));
        let notes_alone =
            report.findings.iter().all(|one| one.severity == rotdoctor::catalogue::Severity::Note);
        assert!(notes_alone && report.inconclusive.is_empty(), "{name}: {}", found(&report));
    }
}

#[test]
fn a_name_that_only_the_stack_knows_leaves_nothing_open() {
    let text = changed(
        &fixture("healthy.yaml"),
        "      Engine: postgres\n",
        "      Engine: postgres\n      DBInstanceIdentifier: !Sub '${AWS::StackName}-orders'\n",
    );
    let report = report(&only(&text));
    assert!(report.findings.is_empty() && report.inconclusive.is_empty(), "{}", found(&report));
}

#[test]
fn what_exists_fills_what_a_template_leaves_open() {
    let whole = only(&fixture("healthy.yaml"));
    let text = changed(
        &fixture("healthy.yaml"),
        "      RotationLambdaARN: !GetAtt Function.Arn\n",
        "      RotationLambdaARN: arn:aws:lambda:eu-west-1:123456789012:function:rotate-orders\n",
    );
    let outside = ["Function", "Permission", "FunctionRole"]
        .iter()
        .fold(text, |text, resource| without(&text, resource));
    let mut declared =
        only(&changed(&outside, "DependsOn: [Permission, Attachment,", "DependsOn: [Attachment,"));
    let alone = report(&declared);
    assert!(alone.inconclusive.iter().any(|one| one.check == "secret-rights"), "{}", found(&alone));
    rotdoctor::template::lay_over(&mut declared, &whole.evidence);
    let together = report(&declared);
    assert!(
        together.findings.is_empty() && together.inconclusive.is_empty(),
        "{}",
        found(&together)
    );
}

#[test]
fn yaml_and_json_say_the_same() {
    let of = |name: &str| only(&fixture(name)).evidence;
    assert_eq!(of("healthy.yaml"), of("healthy.json"));
}
