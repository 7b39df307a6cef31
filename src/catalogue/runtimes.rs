//! The table of Lambda's runtimes: `runtimes.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Provenance;
use crate::evidence::Time;

/// The life of one Lambda runtime.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Runtime {
    /// Such as `python3.10`.
    pub name: String,
    /// Start of its deprecation.
    pub deprecated: Time,
    /// From when no function can be created with it.
    pub create_blocked: Option<Time>,
    /// From when no function that uses it can be updated.
    pub update_blocked: Option<Time>,
    /// Where the row comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

#[derive(Deserialize)]
struct Table {
    runtime: Vec<Runtime>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| super::table(include_str!("runtimes.toml")));

/// The runtimes, oldest first.
pub fn runtimes() -> &'static [Runtime] {
    &TABLE.runtime
}

/// The runtime of that name.
pub fn runtime(name: &str) -> Option<&'static Runtime> {
    runtimes().iter().find(|runtime| runtime.name == name)
}

#[cfg(test)]
mod tests {
    use super::{super::provenance::assert_sound, runtime, runtimes};

    #[test]
    fn a_runtime_is_deprecated_before_it_is_blocked() {
        for row in runtimes() {
            assert_sound(&row.provenance);
            assert!(row.create_blocked.is_none_or(|day| day >= row.deprecated), "{}", row.name);
            assert!(row.update_blocked.is_none_or(|day| Some(day) > row.create_blocked));
        }
        assert!(runtimes().windows(2).all(|pair| pair[0].deprecated <= pair[1].deprecated));
        assert_eq!(runtime("python3.9").expect("row").deprecated.date(), "2025-12-15");
        assert_eq!(runtime("nodejs20.x").expect("row").deprecated.date(), "2026-04-30");
        assert!(runtime("java17").is_none());
    }
}
