//! One request with its policies, as a line of the policy vectors holds them.
//! Shared by the vectors and by the differential test; neither is shipped.

use std::sync::Arc;

use rotdoctor::{
    evidence::Grant,
    policy::{Context, Decision, Layers, Part, Policies, Policy, Principal, Request, decide},
};
use serde_json::Value;

/// Decides what `inputs` of a vector asks.
pub(super) fn judge(inputs: &Value) -> Decision {
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
