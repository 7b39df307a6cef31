//! The policy vectors: one request a line, with the decision and the statement
//! that has to be named. Runs `fixtures/vectors/policy.jsonl` and, where the
//! environment variable `ROTDOCTOR_VECTORS` names a folder, its `policy.jsonl`.

// The count and the differences are this test's output.
#![allow(clippy::print_stdout)]

use std::{env, fs, path::Path, sync::Arc};

use rotdoctor::{
    evidence::Grant,
    policy::{
        Context, Decision, Effect, Layers, Part, Policies, Policy, Principal, Request, Role, decide,
    },
};
use serde_json::Value;

#[test]
fn vectors_policy() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vectors/policy.jsonl");
    let mut lines = read(&own);
    assert!(!lines.is_empty(), "{} holds vectors", own.display());
    if let Some(folder) = env::var_os("ROTDOCTOR_VECTORS") {
        lines.extend(read(&Path::new(&folder).join("policy.jsonl")));
    }
    let (mut passed, mut scored) = (0, 0);
    for vector in lines.iter().filter(|vector| vector["scored"] == Value::Bool(true)) {
        scored += 1;
        let decision = judge(&vector["inputs"]);
        match difference(vector, &decision) {
            None => passed += 1,
            Some((expected, got)) => {
                let id = vector["id"].as_str().unwrap_or("?");
                println!("{id}: expected {expected}, got {got}");
            }
        }
    }
    // The empty line keeps the count alone on its line under every way of running.
    println!("\npolicy: {passed} of {scored}");
    assert_eq!(passed, scored);
}

fn read(path: &Path) -> Vec<Value> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).expect("a vector is one line of JSON"))
        .collect()
}

fn judge(inputs: &Value) -> Decision {
    let mut context = Context::default();
    for (key, value) in inputs["context"].as_object().into_iter().flatten() {
        match value {
            Value::Array(list) => context.set_list(key, list.iter().map(text)),
            one => context.set(key, text(one)),
        }
    }
    let request = Request {
        principal: Principal::read(&text(&inputs["principal"]), &context),
        action: text(&inputs["action"]),
        resource: text(&inputs["resource"]),
        resource_account: inputs["resourceAccount"].as_str().map(str::to_owned),
        context,
    };
    let levels = |key: &str| {
        let levels = inputs[key].as_array()?;
        Some(levels.iter().map(|level| policies(key, level)).collect())
    };
    let one = |key: &str| inputs.get(key).filter(|value| !value.is_null());
    let layers = Layers {
        identity: policies("identityPolicies", &inputs["identityPolicies"]),
        identity_unseen: Vec::new(),
        boundary: part(one("boundary").map(|document| policy("boundary", document))),
        session: part(one("sessionPolicy").map(|document| policy("sessionPolicy", document))),
        resource: part(
            one("resourcePolicy").map(|document| vec![policy("resourcePolicy", document)]),
        ),
        endpoint: part(
            one("vpcEndpointPolicies").map(|list| policies("vpcEndpointPolicies", list)),
        ),
        scps: levels("scps"),
        rcps: levels("rcps"),
        grants: part(one("grants").map(|list| {
            serde_json::from_value::<Vec<Grant>>(list.clone()).expect("grants in AWS's shape")
        })),
        key_state: part(one("keyState").map(text)),
    };
    decide(&request, &layers)
}

fn part<T>(value: Option<T>) -> Part<T> {
    value.map_or(Part::Absent, Part::Given)
}

fn policy(name: &str, document: &Value) -> Arc<Policy> {
    Arc::new(Policy::read(name, document).expect("a vector's policy is JSON"))
}

fn policies(name: &str, list: &Value) -> Policies {
    list.as_array().into_iter().flatten().map(|document| policy(name, document)).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Expected and got, where they differ in decision, kind, layer, Sid or index,
/// role or failing element.
fn difference(vector: &Value, decision: &Decision) -> Option<(String, String)> {
    let (expected, wanted) = (&vector["expected"], &vector["decisive_statement"]);
    let effect = match decision.effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
    };
    // A vector knows no doubt: a request that is allowed only if something
    // undocumented turns out well is compared the way it leans.
    let mut pairs = vec![
        ("decision", expected["decision"].clone(), Value::from(effect)),
        ("kind", expected["kind"].clone(), decision.kind.map(|kind| kind.name()).into()),
    ];
    if wanted.is_object() {
        pairs.push(("layer", wanted["layer"].clone(), layer(decision).into()));
        if wanted.get("sid").is_some() {
            pairs.push(("sid", wanted["sid"].clone(), sid(decision)));
        }
        if wanted.get("index").is_some() {
            let index = decision.decisive.first().and_then(|decisive| decisive.quote.index);
            pairs.push(("index", wanted["index"].clone(), index.into()));
        }
        pairs.push(("role", wanted["role"].clone(), decision.role.name().into()));
        if wanted.get("failed_on").is_some() {
            let failed_on = decision.failure().map(|failure| failure.failed_on.to_string());
            pairs.push(("failed_on", wanted["failed_on"].clone(), failed_on.into()));
        }
    }
    let differs = pairs.iter().any(|(name, wanted, got)| !same(name, wanted, got));
    differs.then(|| {
        let show = |pick: fn(&(&str, Value, Value)) -> Value| {
            let parts = pairs.iter().map(|pair| format!("{} {}", pair.0, pick(pair)));
            parts.collect::<Vec<_>>().join(" ")
        };
        (show(|pair| pair.1.clone()), show(|pair| pair.2.clone()))
    })
}

/// Equal; the names of condition keys have no case.
fn same(name: &str, wanted: &Value, got: &Value) -> bool {
    match (name, wanted.as_str(), got.as_str()) {
        ("failed_on", Some(wanted), Some(got)) if wanted.starts_with("Condition:") => {
            wanted.eq_ignore_ascii_case(got)
        }
        _ => wanted == got,
    }
}

fn layer(decision: &Decision) -> &'static str {
    match (decision.role, decision.decisive.len()) {
        (Role::Allow, 2) => "resource+identity",
        _ => decision.layer.name(),
    }
}

fn sid(decision: &Decision) -> Value {
    let sids: Vec<Option<&str>> =
        decision.decisive.iter().map(|decisive| decisive.quote.sid.as_deref()).collect();
    match sids.as_slice() {
        [] => Value::Null,
        [one] => Value::from(*one),
        many => many.iter().map(|sid| sid.unwrap_or_default()).collect::<Vec<_>>().join("+").into(),
    }
}
