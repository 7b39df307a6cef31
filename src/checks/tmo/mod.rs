//! Checks on the function's timeout.

mod timeout_long_enough;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[&timeout_long_enough::CHECK];
