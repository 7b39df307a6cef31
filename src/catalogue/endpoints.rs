//! The table of Secrets Manager's endpoint names: `endpoints.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Provenance;

/// The domain names of a partition.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct PartitionDomains {
    /// Partition.
    pub name: String,
    /// Suffixes, the usual one first.
    pub suffixes: Vec<String>,
    /// Where the row comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

#[derive(Deserialize)]
struct Table {
    partition: Vec<PartitionDomains>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| super::table(include_str!("endpoints.toml")));

/// The domain names of a partition; none where the table does not know it.
pub fn partition_domains(partition: &str) -> Option<&'static PartitionDomains> {
    TABLE.partition.iter().find(|row| row.name == partition)
}

/// The domain names of every partition that the table knows.
pub fn all_partition_domains() -> impl Iterator<Item = &'static PartitionDomains> {
    TABLE.partition.iter()
}

#[cfg(test)]
mod tests {
    use super::{super::provenance::assert_sound, TABLE, partition_domains};

    #[test]
    fn china_has_its_own_domain() {
        TABLE.partition.iter().for_each(|row| assert_sound(&row.provenance));
        assert_eq!(partition_domains("aws-cn").expect("row").suffixes[0], "amazonaws.com.cn");
        assert!(partition_domains("aws-iso").is_none());
    }
}
