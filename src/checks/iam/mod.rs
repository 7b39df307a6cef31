//! Checks on who may do what.

mod invoke_permission;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[&invoke_permission::CHECK];
