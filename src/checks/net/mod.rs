//! Checks on the network and the function's interfaces.

mod commands;
mod database_host;
mod database_path;
mod endpoint_policy;
mod function_state;
mod mend;
mod needs;
mod path;
mod rds_api_path;
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
