//! Small plans for the tests of the areas.

use serde_json::{Map, Value, json};

use super::{place::place, plan::Plan, world::World};
use crate::{
    evidence::{Evidence, Time},
    template::{Draft, Settings},
};

/// A resource: its address, what is known, and what refers to what.
pub(super) type Given<'g> = (&'g str, Value, &'g [(&'g str, &'g [&'g str])]);

/// A plan that makes these resources; an address may have a key.
pub(super) fn plan(given: &[Given<'_>]) -> Plan {
    let (mut planned, mut changes, mut configuration) = (Vec::new(), Vec::new(), Vec::new());
    for (address, known, refers) in given {
        let plain = address.strip_prefix("data.");
        let (kind, name) = plain.unwrap_or(address).split_once('.').expect("an address");
        let (name, key) = match name.split_once('[') {
            Some((name, key)) => (name, Some(key.trim_end_matches(']').trim_matches('"'))),
            None => (name, None),
        };
        let mode = if plain.is_some() { "data" } else { "managed" };
        let mut place = json!({"address": address, "mode": mode, "type": kind, "name": name});
        if let Some(key) = key {
            place["index"] = key.parse::<i64>().map_or(json!(key), |number| json!(number));
        }
        let mut unknown = json!({"id": known.get("id").is_none()});
        let mut expressions: Map<String, Value> = Map::new();
        for (name, value) in known.as_object().expect("values") {
            expressions.insert(name.clone(), json!({"constant_value": value}));
        }
        for (path, references) in *refers {
            // `list.0.name` is unknown inside a block.
            let parts: Vec<&str> = path.split('.').collect();
            match parts.as_slice() {
                [block, _, name] => {
                    unknown[*block] = json!([{*name: true}]);
                    expressions
                        .insert((*block).to_owned(), json!([{*name: {"references": references}}]));
                }
                _ => {
                    unknown[*path] = json!(true);
                    let own = json!({"references": references});
                    expressions.insert((*path).to_owned(), own);
                }
            }
        }
        let with = |key: &str, value: Value| {
            let mut whole = place.clone();
            whole[key] = value;
            whole
        };
        planned.push(with("values", known.clone()));
        let actions = if known.get("id").is_some() { json!(["no-op"]) } else { json!(["create"]) };
        changes.push(with(
            "change",
            json!({"actions": actions, "after": known, "after_unknown": unknown}),
        ));
        let mut own = with("expressions", Value::Object(expressions));
        own["for_each_expression"] = json!({"references": ["aws_x.each"]});
        configuration.push(own);
    }
    let whole = json!({"format_version": "1.2", "planned_values": {"root_module": {"resources": planned}},
        "resource_changes": changes, "configuration": {"root_module": {"resources": configuration}}});
    Plan::read(&whole.to_string()).expect("a plan")
}

/// A plan as the areas see it, in `eu-west-1`.
pub(super) fn world(plan: &Plan) -> World<'_> {
    let settings = Settings { region: Some("eu-west-1".to_owned()), ..Settings::default() };
    let (place, _) = place(plan, &settings, &plan.resources[0]);
    World { plan, place, file: "plan.json" }
}

/// What an area makes of a plan.
pub(super) fn evidence(given: &[Given<'_>], declare: fn(&World<'_>, &mut Draft)) -> Evidence {
    let plan = plan(given);
    let mut draft = Draft::default();
    declare(&world(&plan), &mut draft);
    draft.finish(Time::default()).evidence
}

/// What the evidence leaves open: facts and ids.
pub(super) fn gaps(evidence: &Evidence) -> Vec<(&str, &str)> {
    evidence.gaps.iter().map(|gap| (gap.fact.as_str(), gap.resource.as_str())).collect()
}
