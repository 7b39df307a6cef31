//! Checks on the function: runtime, handler, variables, concurrency.

use super::Check;

pub(super) static CHECKS: &[&Check] = &[];
