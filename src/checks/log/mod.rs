//! Checks that a text alone decides, over all areas: log lines, CloudTrail
//! messages, stack events. How a text is held against the table of modes is in
//! `checks/log_modes`.

mod last_failure;
mod secret_material;
mod stack_failure;
mod trail_failure;

use super::Check;

pub(super) static CHECKS: &[&Check] =
    &[&last_failure::CHECK, &secret_material::CHECK, &trail_failure::CHECK, &stack_failure::CHECK];
