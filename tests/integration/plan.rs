//! Terraform plans: a healthy one, the faults that a plan can hold, what it leaves open,
//! and what no Terraform wrote.

#[path = "plan/faults.rs"]
mod faults;
#[path = "plan/hostile.rs"]
mod hostile;
#[path = "plan/open.rs"]
mod open;
#[path = "plan/patch.rs"]
mod patch;

use rotdoctor::{
    catalogue::Severity,
    checks::Selection,
    evidence::Time,
    examine,
    report::v1::{Mode, Report},
    template::{Declared, Settings, locate, terraform},
};

use self::patch::Plan;

fn settings() -> Settings {
    Settings {
        file: "plan.json".to_owned(),
        captured_at: Time::parse("2026-11-22T10:00:00Z").expect("a time"),
        ..Settings::default()
    }
}

/// The only rotation of a plan.
fn declared(plan: &Plan) -> Declared {
    let mut found = terraform::read(&plan.text(), &settings()).expect("a plan");
    assert_eq!(found.rotations.len(), 1, "{:?}", found.notes);
    found.rotations.remove(0)
}

fn report(plan: &Plan) -> Report {
    let declared = declared(plan);
    let mut report = examine(&declared.evidence, Mode::Plan, &Selection::default());
    locate(&mut report, &declared.origins);
    report
}

/// The codes of findings above a note, each with the address it is at.
fn faults_of(report: &Report) -> Vec<(String, String)> {
    let severe = report.findings.iter().filter(|finding| finding.severity != Severity::Note);
    severe
        .map(|finding| {
            let address = finding.location.as_ref().map(|one| one.address.clone());
            (finding.code.clone(), address.unwrap_or_default())
        })
        .collect()
}

/// What is inconclusive, with the facts and resources that are missing.
fn inconclusive(report: &Report) -> Vec<String> {
    let all = report.inconclusive.iter();
    all.map(|one| {
        let missing = one.missing.iter().map(|m| format!("{} {}", m.fact, m.resource));
        format!("{}: {}", one.check, missing.collect::<Vec<_>>().join(", "))
    })
    .collect()
}

#[test]
fn a_healthy_plan_gives_no_finding_and_only_its_value_is_open() {
    let report = report(&Plan::healthy());
    assert_eq!(faults_of(&report), []);
    for line in inconclusive(&report) {
        assert!(line.contains(": SecretShape ") && !line.contains(", "), "{line}");
    }
    let passed: Vec<&str> = report.passed.iter().map(|one| one.check.as_str()).collect();
    for check in ["secrets-manager-path", "database-path", "secret-rights", "invoke-permission"] {
        assert!(passed.contains(&check), "{check} is not among {passed:?}");
    }
}
