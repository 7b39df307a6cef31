//! Checks on who may do what.

mod assumed_role;
mod environment_rights;
mod interface_rights;
mod invoke_permission;
mod key_rights;
mod logs_rights;
mod refusal;
mod rights;
mod secret_rights;
mod superuser_rights;
#[cfg(test)]
mod test_world;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[
    &invoke_permission::CHECK,
    &secret_rights::CHECK,
    &key_rights::CHECK,
    &superuser_rights::CHECK,
    &logs_rights::CHECK,
    &interface_rights::CHECK,
    &assumed_role::CHECK,
    &environment_rights::CHECK,
];
