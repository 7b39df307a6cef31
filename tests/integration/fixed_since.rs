//! What was fixed after the last attempt is not reported as if it still stood.

use rotdoctor::{
    checks::Selection,
    evidence::Evidence,
    examine,
    report::v1::{Mode, Verdict},
};
use serde_json::{Value, json};

use crate::worlds;

fn diagnosed(bundle: Value) -> rotdoctor::report::v1::Report {
    let mut evidence: Evidence = serde_json::from_value(bundle).expect("evidence");
    evidence.settle();
    examine(&evidence, Mode::Bundle, &Selection::default())
}

/// Diagnoses a world as it is and after a change, and holds what is left of the first code.
#[track_caller]
fn recovers(code: &str, blamed_by_the_log: &str, fix: impl Fn(&mut Value, &str)) {
    let mut world = worlds::bundle(&format!("{code}/fires"));
    let before = diagnosed(world.clone());
    assert_eq!(before.verdict, Verdict::Failing);
    let cause = &before.causes[0].finding;
    assert_eq!(cause.code, code);
    fix(&mut world, &cause.resource);

    let after = diagnosed(world);
    assert_eq!(after.verdict, Verdict::Recovering, "{:#?}", after.causes);
    let cause = &after.causes[0].finding;
    assert_eq!(cause.code, blamed_by_the_log, "the log still names it");
    assert!(cause.summary.contains("finds nothing wrong"), "{}", cause.summary);
    assert!(cause.fixes.is_empty(), "nothing is left to fix: {:#?}", cause.fixes);
    assert!(after.recovery.is_some(), "it says how to start again");
    assert!(after.findings.iter().all(|finding| finding.code != blamed_by_the_log));
    let errors = after.summary.errors;
    assert_eq!(errors, 0, "what follows from a failed attempt is no error: {:#?}", after.findings);
}

fn open_port(world: &mut Value, group: &str, port: u16) {
    let groups = world["SecurityGroups"].as_array_mut().expect("groups");
    let blocked = groups.iter_mut().find(|one| one["GroupId"] == group).expect("the group");
    blocked["IpPermissions"] = json!([{"IpProtocol": "tcp", "FromPort": port, "ToPort": port,
        "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]);
}

#[test]
fn a_path_that_is_open_again() {
    recovers("NET10", "NET10T", |world, group| open_port(world, group, 5432));
    recovers("NET03", "NET01", |world, group| open_port(world, group, 443));
}

#[test]
fn a_key_that_is_enabled_again() {
    recovers("KMS01", "IAM04", |world, _| {
        for key in world["Keys"].as_object_mut().expect("keys").values_mut() {
            key["KeyMetadata"]["KeyState"] = json!("Enabled");
            key["KeyMetadata"]["Enabled"] = json!(true);
        }
    });
}

#[test]
fn a_timeout_that_was_raised() {
    recovers("TMO01", "TMO01", |world, _| {
        world["Function"]["Configuration"]["Timeout"] = json!(30);
    });
}

#[test]
fn a_password_in_the_log_stays_a_finding() {
    let mut world = worlds::bundle("NET10/fires");
    let group = diagnosed(world.clone()).causes[0].finding.resource.clone();
    open_port(&mut world, &group, 5432);
    let events = world["LogEvents"].as_array_mut().expect("events");
    let place = events.iter().position(|event| {
        event["message"].as_str().is_some_and(|message| message.starts_with("END"))
    });
    let place = place.expect("an invocation that ends");
    let mut event = events[place].clone();
    event["message"] = json!("connecting to postgres://app:(redacted)@db.example.com:5432/app");
    events.insert(place, event);

    let report = diagnosed(world);
    assert_eq!(report.verdict, Verdict::Recovering);
    assert!(report.findings.iter().any(|finding| finding.code == "SEC28"), "{report:#?}");
}

#[test]
fn what_no_check_can_see_and_what_was_refused_stays_a_failure() {
    // Nothing tells from outside that a password is right again.
    let password = diagnosed(worlds::bundle("SEC09/fires"));
    assert_eq!(password.verdict, Verdict::Failing);

    // The group is open again, but the subnets' routes were refused: the path is unknown.
    let mut world = worlds::bundle("NET10/fires");
    let group = diagnosed(world.clone()).causes[0].finding.resource.clone();
    open_port(&mut world, &group, 5432);
    world.as_object_mut().expect("a bundle").remove("RouteTables");
    world["Gaps"] = json!([{"Fact": "RouteTables", "Action": "ec2:DescribeRouteTables",
        "Reason": "AccessDenied"}]);
    assert_eq!(diagnosed(world).verdict, Verdict::Failing);

    // A function that is still ended at the same timeout was not repaired.
    let mut world = worlds::bundle("TMO01/fires");
    world["Function"]["Configuration"]["MemorySize"] = json!(512);
    assert_eq!(diagnosed(world).verdict, Verdict::Failing);
}
