//! Which service owns the secret, and which database it is for.

use std::borrow::Cow;

use crate::{
    aws::{
        arn::{self, Arn},
        commands::Command,
    },
    catalogue::{ManagedService, managed_services},
    checks::{Case, commands::rotate},
    evidence::{MasterUserSecret, Secret},
};

/// The service that owns a secret.
pub(in crate::checks) struct OwningService<'a> {
    /// Its name for people.
    pub(in crate::checks) name: &'a str,
    /// Its row in the table, where it has one.
    pub(super) row: Option<&'static ManagedService>,
    /// What shows it.
    pub(super) proof: String,
}

/// The service that owns the secret; `None` where its user does.
pub(in crate::checks) fn owner(secret: &Secret) -> Option<OwningService<'_>> {
    let table = managed_services();
    if let Some(service) = secret.owning_service.as_deref() {
        let row = table.named(service);
        let name = row.map_or(service, |row| row.name.as_str());
        return Some(OwningService { name, row, proof: format!("OwningService: {service}") });
    }
    let of_arn = || Arn::parse(secret.arn.as_deref()?)?.secret().map(|secret| secret.name);
    let name = secret.name.as_deref().or_else(of_arn)?;
    let row = table.by_secret_name(name)?;
    let proof = format!("the name {name} begins with {}", row.prefix);
    Some(OwningService { name: &row.name, row: Some(row), proof })
}

/// Whether RDS owns the secret.
pub(super) fn is_of_rds(secret: &Secret) -> bool {
    owner(secret).and_then(|owner| owner.row).is_some_and(|row| row.rotate_instance.is_some())
}

/// A database with the secret that RDS manages for it, if any.
pub(super) struct ManagedDatabase<'a> {
    /// Identifier.
    pub(super) identifier: &'a str,
    /// Whether it is a cluster.
    pub(super) cluster: bool,
    /// ARN.
    pub(super) arn: &'a str,
    /// Its managed secret.
    pub(super) secret: Option<&'a MasterUserSecret>,
}

/// The databases seen, instances of clusters left out: their cluster has the
/// secret.
pub(super) fn databases<'c>(case: &'c Case<'_>) -> Vec<ManagedDatabase<'c>> {
    let (instances, clusters) = (case.db_instances(), case.db_clusters());
    let instances = instances.if_known().into_iter().flatten();
    let clusters = clusters.if_known().into_iter().flatten();
    instances
        .filter(|instance| instance.db_cluster_identifier.is_none())
        .map(|instance| ManagedDatabase {
            identifier: instance.db_instance_identifier.as_deref().unwrap_or_default(),
            cluster: false,
            arn: instance.db_instance_arn.as_deref().unwrap_or_default(),
            secret: instance.master_user_secret.as_ref(),
        })
        .chain(clusters.map(|cluster| ManagedDatabase {
            identifier: cluster.db_cluster_identifier.as_deref().unwrap_or_default(),
            cluster: true,
            arn: cluster.db_cluster_arn.as_deref().unwrap_or_default(),
            secret: cluster.master_user_secret.as_ref(),
        }))
        .collect()
}

/// The identifier of the database that the secret's tags name, and whether it
/// is a cluster.
pub(super) fn tagged_database(secret: &Secret) -> Option<(&str, bool)> {
    let tags = &managed_services().tags;
    secret.tags.iter().find_map(|tag| {
        let (key, arn) = (tag.key.as_deref()?, tag.value.as_deref()?);
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        (is(&tags.instance) || is(&tags.cluster)).then(|| (arn::identifier(arn), is(&tags.cluster)))
    })
}

/// The command that rotates the secret through its owner.
pub(super) fn rotate_command(
    case: &Case<'_>,
    secret: &Secret,
    owner: &OwningService<'_>,
) -> Command {
    let by_arn = databases(case)
        .into_iter()
        .find(|database| {
            let managed = database.secret.and_then(|secret| secret.secret_arn.as_deref());
            managed.is_some() && managed == secret.arn.as_deref()
        })
        .map(|database| (database.identifier, database.cluster));
    let database = by_arn.or_else(|| tagged_database(secret));
    let row = owner.row;
    let (instance, cluster) = (
        row.and_then(|row| row.rotate_instance.as_ref()),
        row.and_then(|row| row.rotate_cluster.as_ref()),
    );
    match (database, instance, cluster) {
        (Some((identifier, true)), _, Some(command)) => {
            command.fill(|_| Some(Cow::Borrowed(identifier)))
        }
        (Some((identifier, false)), Some(command), _) => {
            command.fill(|_| Some(Cow::Borrowed(identifier)))
        }
        (None, Some(command), _) => command.unfilled(),
        // Managed rotation has no function; Secrets Manager passes it on.
        _ => rotate(case),
    }
}
