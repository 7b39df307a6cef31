//! Checks on those who use the secret.

mod cached_password;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[&cached_password::CHECK];
