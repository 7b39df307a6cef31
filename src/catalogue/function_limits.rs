//! The table of numbers that rotation depends on: `function_limits.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Provenance;

/// A number that rotation depends on.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct FunctionLimit {
    /// Name.
    pub name: String,
    /// Value.
    pub value: i64,
    /// Unit, such as `s`.
    pub unit: String,
    /// Where the row comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

#[derive(Deserialize)]
struct Table {
    limit: Vec<FunctionLimit>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| super::table(include_str!("function_limits.toml")));

/// The value of a limit.
///
/// # Panics
/// Where the table has no such row: a bug that the tests of every user catch.
pub fn function_limit(name: &str) -> i64 {
    TABLE
        .limit
        .iter()
        .find(|row| row.name == name)
        .unwrap_or_else(|| panic!("no limit named {name}"))
        .value
}

#[cfg(test)]
mod tests {
    use super::{super::provenance::assert_sound, TABLE, function_limit};

    #[test]
    fn every_limit_is_a_positive_number_with_a_source() {
        for row in &TABLE.limit {
            assert_sound(&row.provenance);
            assert!(row.value > 0 && !row.unit.is_empty(), "{}", row.name);
        }
        assert!(function_limit("lambda-default-timeout") < function_limit("vended-timeout"));
    }
}
