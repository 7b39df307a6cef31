//! Checks on the CloudFormation stack of the rotation.

mod declared;
mod events;
mod failed_operation;
mod one_schedule;
mod schedule_before_permission;

use super::Check;

pub(super) static CHECKS: &[&Check] =
    &[&schedule_before_permission::CHECK, &failed_operation::CHECK, &one_schedule::CHECK];
