//! Checks on the network and the function's interfaces.

mod function_state;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[&function_state::CHECK];
