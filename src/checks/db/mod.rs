//! Checks on the database, as far as RDS facts and dates tell.

use super::Check;

pub(super) static CHECKS: &[&Check] = &[];
