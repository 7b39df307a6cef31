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
    examine, locate,
    report::v1::{Mode, Report},
    template::{Declared, Settings, terraform},
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

/// In modules that are called for each of two databases, with `count` beside `for_each`:
/// each rotation has its own function, group and database.
#[test]
fn modules_count_and_for_each_lead_to_the_right_instances() {
    let plan = Plan::fixture("modules.json");
    let found = terraform::read(&plan.text(), &settings()).expect("a plan");
    assert_eq!((found.rotations.len(), found.notes), (2, Vec::<String>::new()));
    for (declared, name) in found.rotations.iter().zip(["billing", "orders"]) {
        let evidence = &declared.evidence;
        let module = format!("module.rotation[\"{name}\"]");
        assert_eq!(evidence.region.as_deref(), Some("eu-north-1"));
        let function = &evidence.function.known().expect("a function").configuration;
        let role = format!("arn:aws:iam::123456789012:role/service/rotate-{name}");
        assert_eq!(function.role.as_deref(), Some(role.as_str()));
        let config = function.vpc_config.as_ref().expect("a network");
        assert_eq!(config.vpc_id.as_deref(), Some("module.network.aws_vpc.this"));
        let subnets = ["a", "b"].map(|key| format!("module.network.aws_subnet.private[\"{key}\"]"));
        assert_eq!(config.subnet_ids, subnets);
        assert_eq!(config.security_group_ids, [format!("{module}.aws_security_group.fn")]);
        let secret = evidence.secret.known().expect("a secret");
        let alias = format!("arn:aws:lambda:eu-north-1:123456789012:function:rotate-{name}:live");
        assert_eq!(secret.rotation_lambda_arn.as_ref(), Some(&alias));
        let host = &evidence.database.as_ref().expect("a database").host;
        assert!(host.starts_with(&format!("{name}.")), "{host}");
        let mut report = examine(evidence, Mode::Plan, &Selection::default());
        locate(&mut report, &declared.origins);
        // The database's group admits one of the two.
        let faults = match name {
            "billing" => vec![("NET10".to_owned(), "aws_security_group.db".to_owned())],
            _ => Vec::new(),
        };
        assert_eq!(faults_of(&report), faults, "{name}");
        for line in inconclusive(&report) {
            assert!(line.contains(": SecretShape "), "{line}");
        }
    }
}

/// What is there already keeps its ids, and what the plan takes away is gone, even where
/// the plan still lists it as a part of something else.
#[test]
fn an_update_is_told_by_ids_that_are_known() {
    let plan = Plan::fixture("update.json");
    let healthy = report(&plan);
    assert_eq!(faults_of(&healthy), []);
    assert_eq!(inconclusive(&healthy), Vec::<String>::new());
    assert_eq!(healthy.target.account_id.as_deref(), Some("210987654321"));
    let without = plan.deleting("aws_security_group_rule.endpoint");
    let broken = report(&without);
    assert_eq!(
        faults_of(&broken),
        [("NET03".to_owned(), "aws_security_group.endpoint".to_owned())]
    );
    assert!(broken.causes[0].finding.resource.starts_with("sg-0"), "{:?}", broken.causes[0]);
}

#[test]
fn a_state_is_examined_as_it_is() {
    let update = Plan::fixture("update.json");
    let state = serde_json::json!({"format_version": "1.0", "terraform_version": "1.9.8",
        "values": update.0["prior_state"]["values"]});
    let report = report(&Plan(state));
    assert_eq!(faults_of(&report), []);
    assert_eq!(inconclusive(&report), Vec::<String>::new());
}

#[test]
fn a_plan_without_rotation_declares_nothing() {
    let plan = Plan::healthy().without("aws_secretsmanager_secret_rotation.orders");
    let found = terraform::read(&plan.text(), &settings()).expect("a plan");
    assert!(found.rotations.is_empty() && found.notes.is_empty());
}
