//! The table of reasons for a function's state: `function_states.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Provenance;

/// Why a function or its last update failed, and what to do.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct StateReason {
    /// Reason codes; a `*` stands for the rest of a code.
    pub codes: Vec<String>,
    /// What fixes it.
    pub remedy: Remedy,
    /// What to do, as a sentence.
    pub advice: String,
    /// Where the row comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// What fixes a function's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Remedy {
    /// The execution role's permissions.
    Role,
    /// Subnets, groups or quotas, and a new VPC configuration.
    Network,
    /// The key of the environment.
    Key,
    /// A new deployment of the code.
    Code,
    /// An invocation.
    Wake,
    /// Something that rotation does not need.
    Other,
}

#[derive(Deserialize)]
struct Table {
    reason: Vec<StateReason>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| super::table(include_str!("function_states.toml")));

/// The row of a reason code.
pub fn state_reason(code: &str) -> Option<&'static StateReason> {
    TABLE.reason.iter().find(|row| {
        row.codes.iter().any(|known| match known.strip_suffix('*') {
            Some(start) => code.starts_with(start),
            None => code == known,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{super::provenance::assert_sound, Remedy, TABLE, state_reason};

    #[test]
    fn reason_codes_lead_to_their_remedy() {
        TABLE.reason.iter().for_each(|row| assert_sound(&row.provenance));
        let remedy = |code| state_reason(code).map(|row| row.remedy);
        assert_eq!(remedy("DisabledKMSKey"), Some(Remedy::Key));
        assert_eq!(remedy("InsufficientRolePermissions"), Some(Remedy::Role));
        assert_eq!(remedy("FunctionError.InitTimeout"), Some(Remedy::Code));
        assert_eq!(remedy("Creating"), None);
    }
}
