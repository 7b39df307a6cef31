//! Does a CloudTrail message since the last success name the cause?

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    matching::{Arns, explain, findings},
    names::{self, Names},
    scene::{Quote, Scene},
};
use crate::{
    catalogue::Place,
    checks::{Case, Check, Finding, Judgement, ProofKind},
    evidence::{Fact, Secret, TrailEvent},
    rotation_log::Step,
};

pub(super) static CHECK: Check = Check {
    name: "trail-last-failure",
    question: "Does CloudTrail name the cause of the failure?",
    codes: &[],
    facts: &[Fact::TrailEvents, names::FACTS[0], names::FACTS[1]],
    judge,
};

/// The events that tell of a rotation's end.
const TELLING: [&str; 4] =
    ["RotationFailed", "TestRotationFailed", "RotationAbandoned", "RotateSecret"];

fn judge(case: &Case<'_>) -> Judgement {
    let look = case.trail_events();
    let Some(events) = look.or_absent()? else { return Ok(Vec::new()) };
    let secret = case.secret().if_known();
    let mut own: Vec<&TrailEvent> = events.iter().filter(|event| concerns(event, secret)).collect();
    own.sort_by_key(|event| std::cmp::Reverse(event.event_time));
    let names = Names::of(case);
    let arns = Arns::of(case);
    let mut seen = BTreeSet::new();
    let mut found: Vec<Finding> = Vec::new();
    for event in own {
        let name = event.event_name.as_deref().unwrap_or_default();
        if name == "RotationSucceeded" {
            break;
        }
        // Of each kind the newest: what came before it may be mended.
        if !TELLING.contains(&name) || !seen.insert(name) {
            continue;
        }
        let scene = scene(event, name);
        let mut names = names.clone();
        names.set_if_new("version", event.rotation_token().as_deref());
        for finding in findings(&explain(&scene, arns), &scene, &names) {
            if !found.iter().any(|other| other.code() == finding.code()) {
                found.push(finding);
            }
        }
    }
    Ok(found)
}

fn scene(event: &TrailEvent, name: &str) -> Scene {
    let at = event.event_time.map(|at| format!(", {}", at.second())).unwrap_or_default();
    let source = format!("CloudTrail {name}{at}");
    let error_code = event
        .detail()
        .and_then(|detail| Some(detail.get("errorCode")?.as_str()?.to_owned()))
        .unwrap_or_default();
    let message = event.error_message().unwrap_or_default();
    let step = Step::ALL.into_iter().find(|step| message.contains(&format!("during {step} step")));
    let quotes = [name.to_owned(), error_code, message]
        .into_iter()
        .filter(|text| !text.is_empty())
        .map(|text| Quote { text, source: source.clone() })
        .collect();
    Scene {
        token: event.rotation_token(),
        ..Scene::of_texts(Place::Trail, ProofKind::Trail, quotes)
    }
    .in_step(step)
}

/// Whether the event is about this secret, as far as it says.
fn concerns(event: &TrailEvent, secret: Option<&Secret>) -> bool {
    let (Some(secret), Some(detail)) = (secret, event.detail()) else { return true };
    let text = |pointer: &str| detail.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let named =
        text("/additionalEventData/SecretId").or_else(|| text("/requestParameters/secretId"));
    let Some(named) = named else { return true };
    let arn = secret.arn.as_deref();
    let matches = |own: &str| own == named;
    arn.is_none() && secret.name.is_none()
        || arn.is_some_and(matches)
        || secret.name.as_deref().is_some_and(matches)
        // A partial ARN: without the hyphen and the six characters at the end.
        || arn.and_then(|arn| arn.get(..arn.len().checked_sub(7)?)).is_some_and(matches)
}
