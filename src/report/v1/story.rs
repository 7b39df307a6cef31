//! What changed before it broke, the fixes that belong together, and the way out.

use serde::{Deserialize, Serialize};

use super::Command;
use crate::evidence::Time;

/// What changed before it broke.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Changes {
    /// End of the last good rotation; changes before it do not count.
    pub since: Option<Time>,
    /// The first failure.
    pub until: Option<Time>,
    /// The changes seen, oldest first.
    pub seen: Vec<Change>,
    /// Why changes may be missing from the list.
    pub unseen: Vec<String>,
}

/// An error that was seen and that no cause explains.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Unexplained {
    /// The step that failed; missing where it is not known.
    pub failed_step: Option<String>,
    /// The exception's type, where the log names one.
    pub error_type: Option<String>,
    /// The exception's message, or the line that tells of the error.
    pub message: String,
    /// The place in the function's own code that raised it.
    pub frame: Option<String>,
    /// Where it was seen.
    pub source: String,
    /// Codes whose texts are most like it.
    pub nearest: Vec<NearCode>,
}

/// A code whose texts are like an error that nothing explains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NearCode {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Title.
    pub title: String,
    /// What would decide whether this is the cause.
    pub would_decide: Vec<String>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Change {
    /// When.
    pub at: Time,
    /// CloudTrail's name of the event, or what changed in words.
    pub event: String,
    /// ARN of the user or role that did it; missing where only a date tells.
    pub by: Option<String>,
    /// What was changed.
    pub target: String,
    /// The parameters of the request, by name alone.
    pub parameters: Vec<String>,
    /// `CloudTrail`, or the call that shows the date.
    pub source: String,
}

/// The way out once the cause is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Recovery {
    /// `rotate`, `drop-label`, `finish`, `look-first`.
    #[cfg_attr(test, schemars(extend("enum" = ["rotate", "drop-label", "finish", "look-first"])))]
    pub action: String,
    /// The version with the label AWSPENDING.
    pub pending: Option<Pending>,
    /// Why so.
    pub summary: String,
    /// What to do, in order.
    pub steps: Vec<RecoveryStep>,
    /// Versions that must keep their label until the rotation has finished.
    pub keep: Vec<String>,
    /// Commands that show how it goes.
    pub watch: Vec<String>,
    /// The same commands as data, one for each line of `watch`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watch_details: Vec<Command>,
}

/// The version with the label AWSPENDING.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pending {
    /// Its id, which is the token of its rotation.
    pub version_id: String,
    /// When it was made.
    pub created_at: Option<Time>,
    /// Whether it is the current version as well.
    pub is_current: bool,
    /// Whether it holds no value; missing where that cannot be told.
    pub empty: Option<bool>,
    /// Whether its password is in the database: `unchanged`, `may-have-changed`,
    /// `changed`, `unknown`.
    #[cfg_attr(test, schemars(extend("enum" = ["unchanged", "may-have-changed", "changed", "unknown"])))]
    pub database_password: String,
}

/// One step of the way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RecoveryStep {
    /// What and when, in words.
    pub summary: String,
    /// Commands to paste.
    pub commands: Vec<String>,
    /// The same commands as data, one for each line of `commands`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command_details: Vec<Command>,
}

/// The way back from a fix that can hurt others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rollback {
    /// Whom the fix can hurt.
    pub summary: String,
    /// Commands that keep what stands, to be run before the fix.
    pub before: Vec<String>,
    /// The same commands as data, one for each line of `before`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before_details: Vec<Command>,
    /// Commands that take the fix back.
    pub undo: Vec<String>,
    /// The same commands as data, one for each line of `undo`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undo_details: Vec<Command>,
}

/// Fixes that together make rotation work, tried as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FixPlan {
    /// The fixes, in the order in which they are to be applied.
    pub steps: Vec<FixStep>,
    /// Codes that stand after all of them.
    pub remaining: Vec<String>,
}

/// A fix of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FixStep {
    /// Code of what it fixes.
    pub code: String,
    /// ARN, id or name of what is wrong.
    pub resource: String,
    /// One sentence.
    pub summary: String,
    /// Commands to paste.
    pub commands: Vec<String>,
    /// The same commands as data, one for each line of `commands`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command_details: Vec<Command>,
    /// The ways back from what can hurt others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollback: Vec<Rollback>,
}
