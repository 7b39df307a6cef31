//! Does a stack event since the last good deployment name the cause? What only
//! CloudFormation can get wrong is judged in `checks/cfn`.

use super::{
    matching::{Arns, explain, findings},
    names::{self, Names},
    scene::{Quote, Scene},
};
use crate::{
    catalogue::Place,
    checks::{Case, Check, Finding, Judgement, ProofKind},
    evidence::{Fact, StackEvent},
};

pub(super) static CHECK: Check = Check {
    name: "stack-last-failure",
    question: "Do the stack's last failures name a cause?",
    codes: &[],
    facts: &[Fact::StackEvents, names::FACTS[0], names::FACTS[1]],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let look = case.stack_events();
    let events = look.or_not_applicable("no stack made the rotation function")?;
    let mut events: Vec<&StackEvent> = events.iter().collect();
    events.sort_by_key(|event| std::cmp::Reverse(event.timestamp));
    let names = Names::of(case);
    let arns = Arns::of(case);
    let mut found: Vec<Finding> = Vec::new();
    let current = events.into_iter().take_while(|event| !is_good_deployment(event));
    for event in current.filter(|event| has_failed(event)) {
        let Some(scene) = scene(event) else { continue };
        for finding in findings(&explain(&scene, arns), &scene, &names) {
            if !found.iter().any(|other| other.code() == finding.code()) {
                found.push(finding);
            }
        }
    }
    Ok(found)
}

fn has_failed(event: &StackEvent) -> bool {
    event.resource_status.as_deref().is_some_and(|status| status.ends_with("_FAILED"))
}

/// The stack itself came to a good end: older failures are history.
fn is_good_deployment(event: &StackEvent) -> bool {
    event.resource_type.as_deref() == Some("AWS::CloudFormation::Stack")
        && event.physical_resource_id.as_deref().is_none_or(|id| id.contains(":stack/"))
        && event.stack_name.as_deref() == event.logical_resource_id.as_deref()
        && matches!(
            event.resource_status.as_deref(),
            Some("CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE")
        )
}

fn scene(event: &StackEvent) -> Option<Scene> {
    let at = event.timestamp.map(|at| format!(", {}", at.second())).unwrap_or_default();
    let what = event.logical_resource_id.as_deref().unwrap_or("a resource");
    let status = event.resource_status.as_deref().unwrap_or_default();
    let quote = Quote {
        text: event.resource_status_reason.clone()?,
        source: format!("stack event, {what} {status}{at}"),
    };
    Some(Scene::of_texts(Place::Stack, ProofKind::Stack, vec![quote]))
}
