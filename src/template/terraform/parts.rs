//! The parts of one rotation on which the rest of its evidence depends.

use super::resource::Resource;
use crate::template::aws::Setting;

/// What the rest of the evidence depends on.
pub(super) struct Parts<'p> {
    /// The secret, where it is in the plan.
    pub(super) secret: Option<&'p Resource>,
    /// Its current value, where it is in the plan.
    pub(super) version: Option<&'p Resource>,
    /// The function of the rotation.
    pub(super) function: Setting<String>,
}
