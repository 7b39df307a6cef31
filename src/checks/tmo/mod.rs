//! Checks on the function's timeout.

use super::Check;

pub(super) static CHECKS: &[&Check] = &[];
