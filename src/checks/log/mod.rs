//! Checks that a text alone decides, over all areas: log lines, CloudTrail
//! messages, stack events. The texts are rows of `catalogue/log_modes.toml`.

mod last_failure;
mod matching;
mod names;
mod scene;
mod secret_material;
mod stack_failure;
mod trail_failure;

#[cfg(test)]
mod made;

use super::Check;

pub(super) static CHECKS: &[&Check] =
    &[&last_failure::CHECK, &secret_material::CHECK, &trail_failure::CHECK, &stack_failure::CHECK];
