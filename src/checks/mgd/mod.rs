//! Checks on secrets that another service manages.

use super::Check;

pub(super) static CHECKS: &[&Check] = &[];
