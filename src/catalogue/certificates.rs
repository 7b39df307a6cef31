//! The table of RDS's certificate authorities: `certificates.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Provenance;
use crate::evidence::Time;

/// When a certificate authority of RDS expires in some regions.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Certificate {
    /// Identifier, such as `rds-ca-2019`.
    pub ca: String,
    /// Regions; a `*` stands for the rest of a name.
    pub regions: Vec<String>,
    /// The day; none where it is decades away.
    pub expires: Option<Time>,
    /// Where the row comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

#[derive(Deserialize)]
struct Table {
    certificate: Vec<Certificate>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| super::table(include_str!("certificates.toml")));

/// The row of a certificate authority in a region; none where the table does
/// not list the authority.
pub fn certificate(ca: &str, region: &str) -> Option<&'static Certificate> {
    TABLE.certificate.iter().find(|row| {
        row.ca == ca
            && row.regions.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => region.starts_with(start),
                None => region == pattern,
            })
    })
}

#[cfg(test)]
mod tests {
    use super::{super::provenance::assert_sound, TABLE, certificate};

    #[test]
    fn the_day_depends_on_the_region() {
        TABLE.certificate.iter().for_each(|row| assert_sound(&row.provenance));
        let day =
            |region| certificate("rds-ca-2019", region).expect("row").expires.map(|day| day.date());
        assert_eq!(day("eu-west-1").as_deref(), Some("2024-08-22"));
        assert_eq!(day("me-south-1").as_deref(), Some("2024-05-08"));
        assert_eq!(day("cn-north-1").as_deref(), Some("2024-09-09"));
        assert_eq!(day("us-gov-west-1"), None);
        assert!(certificate("rds-ca-rsa2048-g1", "eu-west-1").is_none());
    }
}
