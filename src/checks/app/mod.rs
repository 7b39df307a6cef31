//! Checks on those who use the secret.

mod password_cached;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[&password_cached::CHECK];
