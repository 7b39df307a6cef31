//! One world written as a CloudFormation template and as a Terraform plan: both readers
//! give the same evidence, whether it is healthy or not.

#[path = "two_formats/world.rs"]
mod world;

use rotdoctor::{
    checks::Selection,
    evidence::{Evidence, Time},
    examine,
    report::v1::Mode,
    template::{Declared, Settings, cloudformation, terraform},
};
use serde_json::{Value, json};

use self::world::{World, all};

/// What only one of the formats can tell, and why.
const OF_ONE_FORMAT: &[(&str, &str)] = &[
    ("Stack", "a template says which resources wait for which; a plan makes no stack"),
    ("Gaps", "the reasons name properties in one format and arguments in the other"),
];

fn settings(file: &str) -> Settings {
    Settings {
        file: file.to_owned(),
        region: Some("eu-west-1".to_owned()),
        captured_at: Time::parse("2026-11-22T00:00:00Z").expect("a day"),
        ..Settings::default()
    }
}

/// The world as both formats declare it.
fn declared(world: &World) -> [(Mode, Declared); 2] {
    let template = world.template().to_string();
    let mut template = cloudformation::read(&template, &settings("t.json")).expect("a template");
    let plan = world.plan().to_string();
    let mut plan = terraform::read(&plan, &settings("p.json")).expect("a plan");
    assert_eq!((template.rotations.len(), plan.rotations.len()), (1, 1));
    [(Mode::Template, template.rotations.remove(0)), (Mode::Plan, plan.rotations.remove(0))]
}

/// Evidence without what only one format can tell, with the names that both share.
fn comparable(evidence: &Evidence) -> Value {
    let mut value = serde_json::to_value(evidence).expect("JSON");
    let members = value.as_object_mut().expect("an object");
    for (fact, _) in OF_ONE_FORMAT {
        members.remove(*fact);
    }
    world::with_shared_names(value)
}

fn assert_same_evidence(name: &str, world: &World) {
    let [(_, template), (_, plan)] = declared(world);
    let (template, plan) = (comparable(&template.evidence), comparable(&plan.evidence));
    let facts = |value: &Value| -> Vec<String> {
        value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
    };
    assert_eq!(facts(&template), facts(&plan), "{name}");
    for fact in facts(&template) {
        assert_eq!(template[&fact], plan[&fact], "{name}: {fact}");
    }
}

/// The codes of what is wrong.
fn codes(mode: Mode, declared: &Declared) -> Vec<String> {
    let report = examine(&declared.evidence, mode, &Selection::default());
    report.findings.into_iter().map(|finding| finding.code).collect()
}

#[test]
fn a_healthy_world_is_the_same_in_both_formats() {
    let world = World::healthy();
    assert_same_evidence("healthy", &world);
    for (mode, declared) in declared(&world) {
        assert_eq!(codes(mode, &declared), [] as [String; 0], "{mode:?}");
        assert!(declared.evidence.gaps.is_empty(), "{:?}", declared.evidence.gaps);
    }
}

type Fault = (&'static str, fn(World) -> World);

const FAULTS: &[Fault] = &[
    ("NET01", |world| world.without("Endpoint")),
    ("NET03", |world| world.without("EndpointFromFunction")),
    ("NET04", |world| world.allow_out(Some(5432))),
    ("NET06", |world| {
        world.set("Endpoint", "PrivateDnsEnabled", "private_dns_enabled", json!(false))
    }),
    ("NET06", |world| world.set("Vpc", "EnableDnsHostnames", "enable_dns_hostnames", json!(false))),
    ("NET08", |world| {
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": "*", "Action": "secretsmanager:DescribeSecret", "Resource": "*"}]});
        world.set_document("Endpoint", "PolicyDocument", "policy", policy)
    }),
    ("NET09", |world| world.unset("Rotator", "VpcConfig")),
    ("NET10", |world| world.without("DatabaseFromFunction")),
    ("NET11", |world| world.allow_out(Some(443))),
    ("IAM01", |world| world.set_policy(all("secretsmanager:GetSecretValue", world::SECRET_ARN))),
    ("IAM02", |world| {
        world.set_policy(all("secretsmanager:*", world::SECRET_ARN.trim_end_matches("-xxxxxx")))
    }),
    ("IAM08", |world| world.without("Permission")),
    ("IAM09", |world| {
        world.set("Permission", "SourceAccount", "source_account", json!("999999999999"))
    }),
    ("KMS01", |world| world.set("Key", "Enabled", "is_enabled", json!(false))),
    ("RUN05", |world| world.set("Rotator", "Runtime", "runtime", json!("python3.7"))),
    ("RUN14", |world| {
        let (property, argument) = ("Environment.Variables.PASSWORD_LENGTH", PASSWORD_LENGTH);
        world.set("Rotator", property, argument, json!("3"))
    }),
    ("SCH01", |world| {
        let property = "RotationRules.ScheduleExpression";
        world.set("Rotation", property, SCHEDULE, json!("rate(1 hour)"))
    }),
    ("TMO01", |world| world.unset("Rotator", "Timeout")),
];

const PASSWORD_LENGTH: &str = "environment.0.variables.PASSWORD_LENGTH";
const SCHEDULE: &str = "rotation_rules.0.schedule_expression";

#[test]
fn a_faulty_world_is_the_same_in_both_formats() {
    for (code, fault) in FAULTS {
        let world = fault(World::healthy());
        assert_same_evidence(code, &world);
        for (mode, declared) in declared(&world) {
            let codes = codes(mode, &declared);
            assert!(codes.iter().any(|one| one == code), "{code} {mode:?}: {codes:?}");
        }
    }
}

#[test]
fn a_vended_function_is_the_same_in_both_formats() {
    let vended = World::healthy().with_application(&[("passwordLength", "3")]);
    assert_same_evidence("application", &vended);
    for (mode, declared) in declared(&vended) {
        let codes = codes(mode, &declared);
        assert!(codes.iter().any(|one| one == "RUN14"), "{mode:?}: {codes:?}");
    }
    let other_engine = World::healthy().with_application(&[]).set_value(json!({"engine": "mysql"}));
    assert_same_evidence("engine", &other_engine);
    for (mode, declared) in declared(&other_engine) {
        let codes = codes(mode, &declared);
        assert!(codes.iter().any(|one| one == "SEC02"), "{mode:?}: {codes:?}");
    }
    let healthy = World::healthy().with_application(&[("passwordLength", "32")]);
    for (mode, declared) in declared(&healthy) {
        assert!(!codes(mode, &declared).iter().any(|one| one == "RUN14"), "{mode:?}");
    }
}
