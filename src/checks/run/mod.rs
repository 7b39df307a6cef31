//! Checks on the function: runtime, handler, variables, concurrency.

mod application_version;
mod bound_secret;
mod concurrency;
mod endpoint_variable;
mod environment;
pub(super) mod function;
mod function_missing;
mod handler;
mod hosted_runtime;
mod memory;
pub(super) mod package;
mod package_machine;
mod package_modules;
mod package_pg;
mod package_python;
mod password_rules;
mod runtime_deprecated;
mod second_function;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[
    &function_missing::CHECK,
    &runtime_deprecated::CHECK,
    &hosted_runtime::CHECK,
    &application_version::CHECK,
    &package_python::CHECK,
    &package_machine::CHECK,
    &package_modules::CHECK,
    &package_pg::CHECK,
    &second_function::CHECK,
    &handler::CHECK,
    &memory::CHECK,
    &endpoint_variable::CHECK,
    &bound_secret::CHECK,
    &password_rules::CHECK,
    &concurrency::CHECK,
];
