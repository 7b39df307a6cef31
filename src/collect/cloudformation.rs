//! CloudFormation: the stack that made the rotation function.

use aws_sdk_cloudformation::types as sdk;

use super::{
    call::Caller,
    convert::{list, time, word},
    failure::Failure,
    pages::pages,
    scene::{PatchResult, Scene, patch},
    session::Clients,
    step::steps,
};
use crate::{
    aws::limits,
    evidence::{Fact, Observed, Reason, Stack, StackEvent, StackParameter, StackResource, Tag},
    seal,
};

steps! {
    3 "cloudformation:DescribeStacks" => Stack <- [Function]:
        |tasks| tasks.each(stack_name(tasks.scene), stack);
    3 "cloudformation:DescribeStackEvents" => StackEvents <- [Function]:
        |tasks| tasks.each(stack_name(tasks.scene), events);
    3 "cloudformation:DescribeStackResources" => StackResources <- [Function]:
        |tasks| tasks.each(stack_name(tasks.scene), resources);
}

/// The tags that CloudFormation puts on what it makes.
const TAGS: &[&str] = &["aws:cloudformation:stack-id", "aws:cloudformation:stack-name"];

/// The function's stack, else the secret's, by id where one is tagged: an id
/// also finds a deleted stack.
pub(super) fn stack_name(scene: &Scene) -> Option<String> {
    let function = scene.evidence.function.known();
    let of_function = |key: &&str| function.and_then(|function| function.tags.get(*key)).cloned();
    let of_secret = |key: &&str| {
        let tags = scene.evidence.secret.known()?.tags.iter();
        tags.filter(|tag| tag.key.as_deref() == Some(*key)).find_map(|tag| tag.value.clone())
    };
    TAGS.iter().find_map(of_function).or_else(|| TAGS.iter().find_map(of_secret))
}

async fn stack(caller: &Caller, clients: &Clients, name: &str) -> PatchResult {
    let request = clients.cloudformation.describe_stacks().stack_name(name);
    let answer = caller.call("cloudformation:DescribeStacks", name, request.send()).await?;
    let Some(stack) = answer.stacks.unwrap_or_default().into_iter().next() else {
        return Err(Failure::Absent);
    };
    let stack = described(stack);
    patch(move |scene| scene.evidence.stack = Observed::Known(stack))
}

/// Every stack of the region.
///
/// # Errors
/// As the call: half a list would pass for a whole one.
pub(super) async fn stacks(caller: &Caller, clients: &Clients) -> Result<Vec<Stack>, Failure> {
    let action = "cloudformation:DescribeStacks";
    let request = clients.cloudformation.describe_stacks();
    let mut pages = pages!(caller, action, "", usize::MAX, request, set_next_token, next_token);
    let mut stacks = Vec::new();
    while let Some(page) = pages.next().await? {
        stacks.extend(list(page.stacks, described));
    }
    Ok(stacks)
}

fn described(stack: sdk::Stack) -> Stack {
    let mut stack = Stack {
        stack_id: stack.stack_id,
        stack_name: stack.stack_name,
        stack_status: word(stack.stack_status),
        stack_status_reason: stack.stack_status_reason,
        creation_time: time(stack.creation_time),
        last_updated_time: time(stack.last_updated_time),
        parent_id: stack.parent_id,
        parameters: list(stack.parameters, |parameter| StackParameter {
            parameter_key: parameter.parameter_key,
            parameter_value: parameter.parameter_value,
        }),
        tags: list(stack.tags, |tag| Tag { key: tag.key, value: tag.value }),
        template: None,
    };
    seal::seal_stack(&mut stack);
    stack
}

fn sealed(text: Option<String>) -> Option<String> {
    text.map(|text| seal::log_line(&text).into_owned())
}

async fn events(caller: &Caller, clients: &Clients, name: &str) -> PatchResult {
    let request = clients.cloudformation.describe_stack_events().stack_name(name);
    let action = "cloudformation:DescribeStackEvents";
    let mut pages = pages!(
        caller,
        action,
        name,
        limits::STACK_EVENT_PAGES,
        request,
        set_next_token,
        next_token
    );
    let mut events = Vec::new();
    while let Some(page) = pages.next().await? {
        events.extend(list(page.stack_events, |event| StackEvent {
            event_id: event.event_id,
            stack_name: event.stack_name,
            logical_resource_id: event.logical_resource_id,
            physical_resource_id: event.physical_resource_id,
            resource_type: event.resource_type,
            timestamp: time(event.timestamp),
            resource_status: word(event.resource_status),
            resource_status_reason: sealed(event.resource_status_reason),
        }));
    }
    let cut = pages.cut();
    let name = name.to_owned();
    patch(move |scene| {
        scene.evidence.stack_events = Observed::Known(events);
        if cut {
            let message = format!(
                "only the newest {most} pages of events were read",
                most = limits::STACK_EVENT_PAGES
            );
            scene.gap(Fact::StackEvents, action, &name, Reason::Truncated, &message);
        }
    })
}

async fn resources(caller: &Caller, clients: &Clients, name: &str) -> PatchResult {
    let request = clients.cloudformation.describe_stack_resources().stack_name(name);
    let answer = caller.call("cloudformation:DescribeStackResources", name, request.send()).await?;
    let resources = list(answer.stack_resources, |resource| StackResource {
        stack_name: resource.stack_name,
        logical_resource_id: resource.logical_resource_id,
        physical_resource_id: resource.physical_resource_id,
        resource_type: resource.resource_type,
        timestamp: time(resource.timestamp),
        resource_status: word(resource.resource_status),
        resource_status_reason: sealed(resource.resource_status_reason),
    });
    patch(move |scene| scene.evidence.stack_resources = Observed::Known(resources))
}
