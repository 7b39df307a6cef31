//! Checks on who may do what.

use super::Check;

pub(super) static CHECKS: &[&Check] = &[];
