//! Checks on the CloudFormation stack of the rotation.

mod declared;
mod events;
mod one_schedule_per_secret;
mod schedule_waits_for_permission;
mod stack_operation_came_through;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[
    &schedule_waits_for_permission::CHECK,
    &stack_operation_came_through::CHECK,
    &one_schedule_per_secret::CHECK,
];
