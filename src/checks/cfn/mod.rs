//! Checks on the CloudFormation stack of the rotation.

use super::Check;

pub(super) static CHECKS: &[&Check] = &[];
