//! Checks on the function: runtime, handler, variables, concurrency.

mod application_version;
mod bound_secret;
mod concurrency;
mod endpoint_variable;
mod environment;
pub(super) mod function;
mod function_missing;
mod handler;
mod memory;
mod password_rules;
mod runtime_deprecated;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[
    &function_missing::CHECK,
    &runtime_deprecated::CHECK,
    &application_version::CHECK,
    &handler::CHECK,
    &memory::CHECK,
    &endpoint_variable::CHECK,
    &bound_secret::CHECK,
    &password_rules::CHECK,
    &concurrency::CHECK,
];
