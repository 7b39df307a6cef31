//! The table of KMS key states: `key_states.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::aws::commands::CommandTemplate;

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyStates {
    state: Vec<KeyState>,
    /// What a key must be.
    pub kind: KeyKind,
    /// The key of secrets that name none.
    pub default_key: DefaultKey,
}

/// A state in which a key cannot be used.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyState {
    /// As in KeyMetadata.KeyState.
    pub state: String,
    /// The failure mode.
    pub code: String,
    /// What follows "the key".
    pub words: String,
    /// What to do.
    pub summary: String,
    /// With which commands, on the key `key`.
    pub commands: Vec<CommandTemplate>,
    /// Whether the commands alone make the key usable.
    pub fixes: bool,
    /// Where it is said.
    pub source: String,
    /// The day on which that was looked up.
    pub checked: String,
}

/// What a key must be for Secrets Manager to encrypt with it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyKind {
    /// KeyMetadata.KeySpec.
    pub spec: String,
    /// KeyMetadata.KeyUsage.
    pub usage: String,
    /// Where it is said.
    pub source: String,
    /// The day on which that was looked up.
    pub checked: String,
}

/// The key of secrets that name none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultKey {
    /// Its alias.
    pub alias: String,
    /// Where it is said.
    pub source: String,
    /// The day on which that was looked up.
    pub checked: String,
}

/// The table of key states.
pub fn key_states() -> &'static KeyStates {
    static TABLE: LazyLock<KeyStates> =
        LazyLock::new(|| super::table(include_str!("key_states.toml")));
    &TABLE
}

impl KeyStates {
    /// The row of a state in which a key cannot be used.
    pub fn unusable(&self, state: &str) -> Option<&KeyState> {
        self.state.iter().find(|row| row.state == state)
    }
}

#[cfg(test)]
mod tests {
    use super::key_states;
    use crate::catalogue::entry;

    #[test]
    fn every_row_has_a_page_and_a_command_about_a_key() {
        let table = key_states();
        assert!(table.unusable("Enabled").is_none());
        assert!(table.unusable("Updating").is_none());
        for row in &table.state {
            assert!(entry(&row.code).is_some(), "{}", row.code);
            assert!(
                !row.fixes || row.commands.iter().all(|c| c.holes().eq(["key"])),
                "{}",
                row.state
            );
        }
    }
}
