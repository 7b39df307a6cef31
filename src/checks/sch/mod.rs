//! Checks on the schedule.

mod expression;
mod manual_change;
mod never_rotated;
mod overdue;
mod schedule;
mod window;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[
    &expression::CHECK,
    &window::CHECK,
    &manual_change::CHECK,
    &overdue::CHECK,
    &never_rotated::CHECK,
];
