//! Checks on the schedule.

mod never_rotated;
mod rotation_overdue;
mod rotation_window;
mod schedule;
mod schedule_expression;
mod schedule_moved_by_hand;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[
    &schedule_expression::CHECK,
    &rotation_window::CHECK,
    &schedule_moved_by_hand::CHECK,
    &rotation_overdue::CHECK,
    &never_rotated::CHECK,
];
