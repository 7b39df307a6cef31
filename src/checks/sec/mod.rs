//! Checks on the secret and its versions.

use super::Check;

pub(super) static CHECKS: &[&Check] = &[];
