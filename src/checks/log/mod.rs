//! Checks that the log text alone decides, over all areas.

use super::Check;

pub(super) static CHECKS: &[&Check] = &[];
