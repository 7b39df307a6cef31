//! Checks on the function: runtime, handler, variables, concurrency.

mod endpoint_variable;
mod enough_memory;
mod environment;
pub(super) mod function;
mod function_bound_to_this_secret;
mod hosted_runtime_in_step;
pub(super) mod package;
mod package_fits_machine;
mod package_fits_python;
mod package_has_its_modules;
mod package_has_the_right_pg;
mod password_rules_possible;
mod reserved_concurrency;
mod rotation_application_current;
mod rotation_function_exists;
mod rotation_in_one_function;
mod runtime_supported;
mod vended_handler;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[
    &rotation_function_exists::CHECK,
    &runtime_supported::CHECK,
    &hosted_runtime_in_step::CHECK,
    &rotation_application_current::CHECK,
    &package_fits_python::CHECK,
    &package_fits_machine::CHECK,
    &package_has_its_modules::CHECK,
    &package_has_the_right_pg::CHECK,
    &rotation_in_one_function::CHECK,
    &vended_handler::CHECK,
    &enough_memory::CHECK,
    &endpoint_variable::CHECK,
    &function_bound_to_this_secret::CHECK,
    &password_rules_possible::CHECK,
    &reserved_concurrency::CHECK,
];
