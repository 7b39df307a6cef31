//! Checks on the keys.

use super::Check;

pub(super) static CHECKS: &[&Check] = &[];
