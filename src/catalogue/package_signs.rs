//! The table of signs in a deployment package: `package_signs.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Provenance;

/// Something in the code that shows a capability.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Construct {
    /// The capability's name, as in the table of vended templates.
    pub capability: String,
    /// Texts, one of which the code holds.
    pub texts: Vec<String>,
    /// Whether code without any of them cannot do it.
    pub proves_absence: bool,
    /// Where the row comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

#[derive(Deserialize)]
struct Minor {
    minor: u32,
    release: String,
}

#[derive(Deserialize)]
struct Table {
    scram_since: String,
    scram_source: String,
    minor: Vec<Minor>,
    construct: Vec<Construct>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| super::table(include_str!("package_signs.toml")));

/// The constructs.
pub fn constructs() -> &'static [Construct] {
    &TABLE.construct
}

/// The PostgreSQL release of a `libpq.so.5.N`; none for one that is not known.
pub fn libpq_release(minor: u32) -> Option<String> {
    if (10..100).contains(&minor) {
        return Some(minor.to_string());
    }
    TABLE.minor.iter().find(|row| row.minor == minor).map(|row| row.release.clone())
}

/// Whether the libpq of a PostgreSQL release speaks SCRAM.
pub fn release_speaks_scram(release: &str) -> Option<bool> {
    let major = |text: &str| text.split('.').next()?.parse::<u32>().ok();
    Some(major(release)? >= major(&TABLE.scram_since)?)
}

/// Where it is said that libpq speaks SCRAM since that release.
pub fn scram_source() -> &'static str {
    &TABLE.scram_source
}

#[cfg(test)]
mod tests {
    use super::{
        super::{capability, provenance::assert_sound},
        constructs, libpq_release, release_speaks_scram, scram_source,
    };

    #[test]
    fn every_construct_is_one_of_a_capability() {
        for row in constructs() {
            assert_sound(&row.provenance);
            assert!(capability(&row.capability, None).is_some(), "{}", row.capability);
            assert!(row.texts.iter().all(|text| text.len() > 5), "{}", row.capability);
        }
    }

    #[test]
    fn the_minor_tells_the_release() {
        assert_eq!(libpq_release(9).as_deref(), Some("9.6"));
        assert_eq!(libpq_release(14).as_deref(), Some("14"));
        assert_eq!(libpq_release(1), None);
        assert_eq!(release_speaks_scram("9.6"), Some(false));
        assert_eq!(release_speaks_scram("10"), Some(true));
        assert!(scram_source().contains("SCRAM"));
    }
}
