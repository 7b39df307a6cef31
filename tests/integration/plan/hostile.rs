//! Plans that no Terraform wrote: cut off, with values of other types, and with secrets
//! where they should not get out.

use rotdoctor::{bundle, report::json, template::terraform};
use serde_json::{Value, json};

use super::{declared, patch::Plan, report, settings};

#[test]
fn a_plan_that_is_cut_off_is_an_error_that_says_so() {
    let text = Plan::healthy().text();
    let step = text.len() / 97;
    for end in (0..text.len()).step_by(step) {
        let error = terraform::read(&text[..end], &settings()).expect_err("cut off").to_string();
        assert!(error.contains("terraform show -json"), "{error}");
    }
}

/// Every place in a value.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                pointers(item, &format!("{at}/{index}"), found);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                let key = key.replace('~', "~0").replace('/', "~1");
                pointers(member, &format!("{at}/{key}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn a_value_of_another_type_anywhere_never_panics() {
    let plan = Plan::healthy().0;
    let mut all = Vec::new();
    pointers(&plan, "", &mut all);
    let odd = [
        json!(null),
        json!(-1.5),
        json!([{}, []]),
        json!({"x": {"y": 1}}),
        json!("${odd}"),
        json!(true),
    ];
    // Each kind of value at each kind of place, and not each at each: that takes minutes.
    for (index, pointer) in all.iter().enumerate().step_by(7) {
        let mut changed = plan.clone();
        *changed.pointer_mut(pointer).expect("a place") = odd[index % odd.len()].clone();
        // An error is an answer too.
        let _ = terraform::read(&changed.to_string(), &settings());
    }
}

#[test]
fn references_in_a_circle_end() {
    let plan = Plan::healthy()
        .refer("aws_security_group.fn", "vpc_id", &["aws_security_group.db.vpc_id"])
        .refer("aws_security_group.db", "vpc_id", &["aws_security_group.fn.vpc_id"])
        .refer("aws_subnet.fn_a", "vpc_id", &["aws_subnet.fn_a.vpc_id"]);
    assert!(!declared(&plan).evidence.gaps.is_empty());
}

#[test]
fn nothing_sensitive_gets_into_evidence_or_report() {
    let value = json!({"username": "app", "password": "marker-of-the-password",
        "host": "db.example.com", "port": 5432, "engine": "postgres", "apiKey": "marker-of-a-key"});
    let plan = Plan::healthy().set(
        "aws_secretsmanager_secret_version.orders",
        "secret_string",
        value.to_string(),
    );
    for plan in [Plan::healthy(), plan] {
        let declared = declared(&plan);
        let report = report(&plan);
        let text = bundle::write(&declared.evidence) + &json::render(&report);
        assert!(text.contains("prod/orders"), "it is about the secret");
        assert!(!text.contains("marker"), "{text}");
    }
}
