//! Where a row of the tables of facts comes from.

use serde::Deserialize;

use crate::evidence::Time;

/// Where a row comes from, when that was last held against its source, and how
/// far it can be relied on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Provenance {
    /// The page, repository or data set.
    pub source: String,
    /// The day on which the row was last checked.
    pub checked: Time,
    /// How far it can be relied on.
    pub trust: Trust,
}

/// How far a row can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// Read in the source.
    Verified,
    /// Remembered, not read: words built on it say "usually".
    Recall,
}

impl Provenance {
    /// True where the row was read in its source.
    pub fn verified(&self) -> bool {
        self.trust == Trust::Verified
    }
}

#[cfg(test)]
pub(super) fn assert_sound(provenance: &Provenance) {
    assert!(!provenance.source.trim().is_empty(), "a row without a source");
    assert!(provenance.checked >= Time::parse("2026-11-21").expect("date"), "{provenance:?}");
}
