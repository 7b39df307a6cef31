//! The events of a stack, oldest first, and what one of them says.

use crate::{
    aws::commands::Argument,
    checks::{Case, Stop},
    evidence::{StackEvent, Time},
};

pub(super) const SCHEDULE: &str = "AWS::SecretsManager::RotationSchedule";
pub(super) const PERMISSION: &str = "AWS::Lambda::Permission";
const STACK: &str = "AWS::CloudFormation::Stack";

/// The events, oldest first. Reads `StackEvents`.
///
/// # Errors
/// Not applicable where the function belongs to no stack, inconclusive where
/// the events were not seen.
pub(super) fn oldest_first<'c>(case: &'c Case<'_>) -> Result<Vec<&'c StackEvent>, Stop> {
    let reading = case.stack_events();
    let events = reading.or_not_applicable("the function belongs to no stack with events")?;
    let mut events: Vec<&StackEvent> = events.iter().collect();
    events.sort_by_key(|event| event.timestamp);
    Ok(events)
}

/// Whether the stack as a whole came through a later operation, so that an
/// earlier failure is history (a rollback is not coming through).
pub(super) fn overcome(events: &[&StackEvent], failure: &StackEvent) -> bool {
    events.iter().any(|event| {
        event.resource_type.as_deref() == Some(STACK)
            && event.stack_name == failure.stack_name
            && event.timestamp > failure.timestamp
            && matches!(
                event.resource_status.as_deref(),
                Some("CREATE_COMPLETE" | "UPDATE_COMPLETE")
            )
    })
}

pub(super) fn is(event: &StackEvent, resource_type: &str, status: &str) -> bool {
    event.resource_type.as_deref() == Some(resource_type)
        && event.resource_status.as_deref() == Some(status)
}

pub(super) fn failed(event: &StackEvent) -> bool {
    event.resource_status.as_deref().is_some_and(|status| status.ends_with("_FAILED"))
}

pub(super) fn reason(event: &StackEvent) -> &str {
    event.resource_status_reason.as_deref().unwrap_or_default()
}

pub(super) fn logical(event: &StackEvent) -> &str {
    event.logical_resource_id.as_deref().unwrap_or("the resource")
}

pub(super) fn stack(event: &StackEvent) -> &str {
    event.stack_name.as_deref().unwrap_or("the stack")
}

/// The stack's name, for a command.
pub(super) fn stack_argument(event: &StackEvent) -> Argument {
    Argument::or_placeholder(event.stack_name.as_deref(), "STACK")
}

/// Name, status, time and reason in one line of proof.
pub(super) fn event_line(event: &StackEvent) -> String {
    let at = event.timestamp.map(Time::second).unwrap_or_default();
    let status = event.resource_status.as_deref().unwrap_or_default();
    let why = match reason(event) {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    format!("{at} {} {status}{why}", logical(event)).trim().to_owned()
}
