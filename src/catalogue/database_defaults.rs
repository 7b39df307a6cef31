//! The table of database parameters and statuses: `database_defaults.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Provenance;

/// What holds where a parameter group does not set a parameter.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct ParameterDefault {
    /// Parameter.
    pub parameter: String,
    /// Engine as RDS names it.
    pub engine: String,
    /// The first major version for which it holds.
    pub from_major: u32,
    /// Value.
    pub value: String,
    /// Where the row comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// A parameter that asks something of a client.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Demand {
    /// What it asks for, such as `tls`.
    pub name: String,
    /// Parameter.
    pub parameter: String,
    /// Engines as RDS names them; SQL Server without its edition.
    pub engines: Vec<String>,
    /// Values with which it asks, in lower case.
    pub values: Vec<String>,
    /// Where the row comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// Statuses in which no password can be changed.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct DatabaseStatus {
    /// Statuses.
    pub names: Vec<String>,
    /// Whether they pass by themselves.
    pub passing: bool,
    /// What to do.
    pub advice: StatusAdvice,
    /// Where the row comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// What to do about a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusAdvice {
    /// Start the database.
    Start,
    /// Wait until it passes.
    Wait,
    /// Give it more storage.
    Storage,
    /// Make its key usable again.
    Key,
    /// Repair or restore the database.
    Repair,
}

#[derive(Deserialize)]
struct Table {
    default: Vec<ParameterDefault>,
    demand: Vec<Demand>,
    status: Vec<DatabaseStatus>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| super::table(include_str!("database_defaults.toml")));

/// The default of a parameter for an engine in a major version.
pub fn parameter_default(
    parameter: &str,
    engine: &str,
    major: u32,
) -> Option<&'static ParameterDefault> {
    TABLE
        .default
        .iter()
        .find(|row| row.parameter == parameter && row.engine == engine && major >= row.from_major)
}

/// The parameters with which an engine asks for something.
pub fn demands(name: &str, engine: &str) -> impl Iterator<Item = &'static Demand> {
    TABLE.demand.iter().filter(move |row| {
        row.name == name
            && row.engines.iter().any(|known| {
                known == engine || (known == "sqlserver" && engine.starts_with("sqlserver-"))
            })
    })
}

/// The row of a status in which no password can be changed.
pub fn database_status(status: &str) -> Option<&'static DatabaseStatus> {
    TABLE.status.iter().find(|row| row.names.iter().any(|name| name == status))
}

#[cfg(test)]
mod tests {
    use super::{
        super::provenance::assert_sound, StatusAdvice, TABLE, database_status, demands,
        parameter_default,
    };

    #[test]
    fn every_row_has_a_source() {
        TABLE.default.iter().for_each(|row| assert_sound(&row.provenance));
        TABLE.demand.iter().for_each(|row| assert_sound(&row.provenance));
        TABLE.status.iter().for_each(|row| assert_sound(&row.provenance));
    }

    #[test]
    fn force_ssl_is_a_default_from_some_version_on() {
        assert!(parameter_default("rds.force_ssl", "postgres", 14).is_none());
        assert_eq!(parameter_default("rds.force_ssl", "postgres", 16).expect("row").value, "1");
        assert!(parameter_default("rds.force_ssl", "aurora-postgresql", 16).is_none());
    }

    #[test]
    fn engines_ask_with_their_own_parameters() {
        let parameters = |name, engine| -> Vec<&str> {
            demands(name, engine).map(|row| row.parameter.as_str()).collect()
        };
        assert_eq!(parameters("tls", "sqlserver-se"), ["rds.force_ssl"]);
        assert_eq!(parameters("tls", "mysql"), ["require_secure_transport"]);
        assert!(parameters("scram", "mysql").is_empty());
    }

    #[test]
    fn an_available_database_answers() {
        assert!(database_status("available").is_none());
        assert_eq!(database_status("stopped").expect("row").advice, StatusAdvice::Start);
    }
}
