//! Checks on the network and the function's interfaces.

use super::Check;

pub(super) static CHECKS: &[&Check] = &[];
