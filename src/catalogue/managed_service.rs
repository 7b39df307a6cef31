//! The table of services that own secrets: `managed_services.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::aws::commands::CommandTemplate;

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedServices {
    service: Vec<ManagedService>,
    /// What Secrets Manager answers to others that change such a secret.
    pub refusal: Refusal,
    /// The tags by which RDS says whose secret it is.
    pub tags: OwnerTags,
}

/// A service that owns secrets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedService {
    /// As in DescribeSecret.OwningService.
    pub service: String,
    /// Its name for people.
    pub name: String,
    /// How the names of its secrets begin.
    pub prefix: String,
    /// What rotates the secret of an instance, `instance`.
    pub rotate_instance: Option<CommandTemplate>,
    /// What rotates the secret of a cluster, `cluster`.
    pub rotate_cluster: Option<CommandTemplate>,
    /// Days between its rotations, unless someone sets them.
    pub default_days: Option<i64>,
    /// Where it is said.
    pub source: String,
    /// The day on which that was looked up.
    pub checked: String,
}

/// What Secrets Manager answers to others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// A part of its message.
    pub text: String,
    /// Where it is said.
    pub source: String,
    /// The day on which that was looked up.
    pub checked: String,
}

/// The tags by which RDS says whose secret it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnerTags {
    /// Its value is the instance's ARN.
    pub instance: String,
    /// Its value is the cluster's ARN.
    pub cluster: String,
    /// Where it is said.
    pub source: String,
    /// The day on which that was looked up.
    pub checked: String,
}

/// The table of services that own secrets.
pub fn managed_services() -> &'static ManagedServices {
    static TABLE: LazyLock<ManagedServices> =
        LazyLock::new(|| super::table(include_str!("managed_services.toml")));
    &TABLE
}

impl ManagedServices {
    /// The service of that name in DescribeSecret.OwningService.
    pub fn named(&self, service: &str) -> Option<&ManagedService> {
        self.service.iter().find(|row| row.service == service)
    }

    /// The service whose secrets' names begin like this one.
    pub fn by_secret_name(&self, name: &str) -> Option<&ManagedService> {
        self.service.iter().find(|row| name.starts_with(&row.prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::managed_services;

    #[test]
    fn a_service_is_found_by_name_and_by_prefix() {
        let table = managed_services();
        assert_eq!(table.named("rds").and_then(|row| row.default_days), Some(7));
        let found = table.by_secret_name("redshift!prod-admin");
        assert_eq!(found.map(|row| row.service.as_str()), Some("redshift"));
        assert!(table.by_secret_name("prod/rds").is_none());
    }
}
