//! The table of CloudTrail events that change what a rotation depends on:
//! `change_events.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::provenance::Provenance;

/// Events of one service that concern the same kinds of things.
#[derive(Debug, Deserialize)]
pub struct ChangeEvents {
    /// `eventSource`.
    pub service: String,
    /// Names, without the version that Lambda puts behind them.
    pub names: Vec<String>,
    /// What the request has to name.
    pub of: Vec<Thing>,
    /// Counts while a rotation runs, too.
    #[serde(default)]
    pub running: bool,
    /// Where the names are known from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// A kind of thing that a rotation depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Thing {
    /// The rotated secret.
    Secret,
    /// The secret that `masterarn` names.
    Superuser,
    /// The rotation function.
    Function,
    /// Its role.
    Role,
    /// A managed policy of that role.
    Policy,
    /// The secret's key.
    Key,
    /// The database.
    Database,
    /// Its parameter groups.
    ParameterGroup,
    /// Groups of the function, the database and the endpoints.
    SecurityGroup,
    /// Network, subnets, tables, access lists, gateways and endpoints.
    Network,
    /// The function's stack.
    Stack,
}

/// How far back CloudTrail's event history goes.
#[derive(Debug, Deserialize)]
pub struct TrailHistory {
    /// Days.
    pub days: i64,
    /// Where that is known from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    history: TrailHistory,
    change: Vec<ChangeEvents>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| super::table(include_str!("change_events.toml")));

/// Every row.
pub fn change_events() -> &'static [ChangeEvents] {
    &TABLE.change
}

/// How far back CloudTrail's event history goes.
pub fn trail_history() -> &'static TrailHistory {
    &TABLE.history
}

/// The row of an event and its name without a version, where it changes something.
pub fn change_event(name: &str) -> Option<(&'static ChangeEvents, &'static str)> {
    // `UpdateFunctionCode20150331v2`.
    let end = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
    let bare = &name[..end];
    let versioned = name.len() - end >= 8;
    change_events().iter().find_map(|row| {
        let known = row.names.iter().find(|known| *known == name || versioned && *known == bare)?;
        Some((row, known.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::{Thing, change_event, change_events, trail_history};
    use crate::catalogue::provenance::assert_sound;

    #[test]
    fn every_row_is_sound() {
        for row in change_events() {
            assert!(!row.of.is_empty() && !row.names.is_empty());
            assert!(row.service.ends_with(".amazonaws.com"), "{}", row.service);
            assert_sound(&row.provenance);
        }
        assert!(trail_history().days > 0);
        assert_sound(&trail_history().provenance);
    }

    #[test]
    fn an_event_of_lambda_is_known_with_the_version_of_its_api() {
        let (row, name) = change_event("UpdateFunctionConfiguration20150331v2").expect("a row");
        assert_eq!((row.of[0], name), (Thing::Function, "UpdateFunctionConfiguration"));
        assert!(change_event("ModifyDBInstance").is_some());
        for other in ["GetFunction20150331v2", "UpdateFunctionEventInvokeConfig", "RotateSecret"] {
            assert!(change_event(other).is_none(), "{other}");
        }
    }
}
