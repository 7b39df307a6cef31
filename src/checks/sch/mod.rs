//! Checks on the schedule.

use super::Check;

pub(super) static CHECKS: &[&Check] = &[];
