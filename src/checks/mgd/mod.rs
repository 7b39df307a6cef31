//! Checks on managed secrets.

mod managed_by_a_service;
mod managed_default_interval;
mod managed_secret_impaired;
mod managed_secret_lost;
mod orphaned_function;
pub(super) mod owner;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[
    &managed_secret_impaired::CHECK,
    &managed_by_a_service::CHECK,
    &managed_secret_lost::CHECK,
    &orphaned_function::CHECK,
    &managed_default_interval::CHECK,
];
