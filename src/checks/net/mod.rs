//! Checks on the network and the function's interfaces.

mod change_commands;
mod database_host;
mod database_path;
mod endpoint_policy;
mod fixes;
mod function_state;
mod needed_changes;
mod rds_api_path;
mod reachability;
mod secrets_manager_path;

#[cfg(test)]
mod tests;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[
    &secrets_manager_path::CHECK,
    &database_path::CHECK,
    &rds_api_path::CHECK,
    &function_state::CHECK,
];
