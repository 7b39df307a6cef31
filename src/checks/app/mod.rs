//! Checks on the application that uses the secret.

use super::Check;

pub(super) static CHECKS: &[&Check] = &[];
