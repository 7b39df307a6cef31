//! Checks on the keys.

mod key_usable;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[&key_usable::CHECK];
