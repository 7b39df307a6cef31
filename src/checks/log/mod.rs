//! Checks that a text alone decides, over all areas: log lines, CloudTrail
//! messages, stack events. The matching against the table of modes is in
//! `checks/log_modes`.

mod log_last_failure;
mod log_secret_material;
mod stack_last_failure;
mod traceback_source_lines;
mod trail_last_failure;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[
    &log_last_failure::CHECK,
    &log_secret_material::CHECK,
    &trail_last_failure::CHECK,
    &stack_last_failure::CHECK,
];
