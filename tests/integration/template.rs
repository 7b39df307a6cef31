//! CloudFormation templates: what is declared is judged, what is left open is not.

use rotdoctor::{
    checks::Selection,
    examine,
    report::v1::{Mode, Report},
    template::{Declared, Settings, cloudformation},
};

/// A template of the fixtures.
fn fixture(name: &str) -> String {
    let path = format!("{}/fixtures/templates/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).expect(&path)
}

fn settings() -> Settings {
    Settings {
        file: "template.yaml".to_owned(),
        region: Some("eu-west-1".to_owned()),
        captured_at: rotdoctor::evidence::Time::parse("2026-11-22T00:00:00Z").expect("a day"),
        ..Settings::default()
    }
}

/// The only rotation of a template.
fn only(text: &str) -> Declared {
    let mut read = cloudformation::read(text, &settings()).expect("a template");
    assert_eq!(read.rotations.len(), 1, "{:?}", read.notes);
    read.rotations.remove(0)
}

fn report(declared: &Declared) -> Report {
    examine(&declared.evidence, Mode::Template, &Selection::default())
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
