//! Checks on the function's timeout.

mod timeout;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[&timeout::CHECK];
