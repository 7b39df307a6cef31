//! What the reasons of failed stack events prove: the `stack_reason` rows of the log
//! table.

use serde::Deserialize;

use super::Provenance;

/// A text in the reason of a failed stack event.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct StackReason {
    /// The code that it proves.
    pub(super) code: String,
    /// Types of the resource; any where there are none.
    pub(super) resource_types: Vec<String>,
    /// Texts that all occur, in lower case.
    pub(super) texts: Vec<String>,
    /// Where the row comes from.
    #[serde(flatten)]
    pub(super) provenance: Provenance,
}
