//! The databases that the evidence holds, and the one among them that something about a
//! secret names.

use super::secret_database::SecretDatabase;
use crate::{
    checks::Case,
    evidence::{DbCluster, DbInstance, MasterUserSecret, Tag},
};

/// What the secret's value says about its database.
pub(super) struct DatabaseHints {
    pub(super) host: Option<String>,
    pub(super) instance: Option<String>,
    pub(super) cluster: Option<String>,
}

/// The databases that were seen.
pub(super) struct SeenDatabases<'c> {
    pub(super) instances: &'c [DbInstance],
    pub(super) clusters: &'c [DbCluster],
}

impl<'c> SeenDatabases<'c> {
    pub(super) fn is_empty(&self) -> bool {
        self.instances.is_empty() && self.clusters.is_empty()
    }

    /// The database that answers at a host.
    pub(super) fn at(&self, host: &str, how: String) -> Option<SecretDatabase<'c>> {
        let at =
            |address: &Option<String>| address.as_deref().is_some_and(|a| plain_host(a) == host);
        let mut clusters = self.clusters.iter();
        if let Some(found) = clusters.find(|one| at(&one.endpoint) || at(&one.reader_endpoint)) {
            return Some(self.cluster(found, how));
        }
        let mut instances = self.instances.iter();
        let found = instances.find(|one| one.endpoint.as_ref().is_some_and(|e| at(&e.address)))?;
        Some(self.instance(found, how))
    }

    pub(super) fn by_hints(&self, hints: &DatabaseHints) -> Option<SecretDatabase<'c>> {
        let same = |a: &Option<String>, b: &Option<String>| {
            a.is_some()
                && a.as_deref().map(str::to_lowercase) == b.as_deref().map(str::to_lowercase)
        };
        let host = hints.host.as_deref();
        let at_host = |host| self.at(host, format!("the secret's host is {host}"));
        if let Some(found) = host.and_then(at_host) {
            return Some(found);
        }
        if let Some(cluster) =
            self.clusters.iter().find(|one| same(&hints.cluster, &one.db_cluster_identifier))
        {
            return Some(self.cluster(cluster, "the secret's dbClusterIdentifier".to_owned()));
        }
        let instance =
            self.instances.iter().find(|one| same(&hints.instance, &one.db_instance_identifier))?;
        Some(self.instance(instance, "the secret's dbInstanceIdentifier".to_owned()))
    }

    /// By the tags that RDS puts on a secret it manages, and by the secret that
    /// a database names as its own; for the secret, then for its superuser's.
    pub(super) fn by_owner(&self, case: &Case<'_>) -> Option<SecretDatabase<'c>> {
        let (secret, superuser) = (case.secret(), case.superuser_secret());
        for (secret, whose) in
            [(secret.if_known(), "the secret"), (superuser.if_known(), "the superuser's secret")]
        {
            let Some(secret) = secret else { continue };
            let tagged = |key: &str| tag(&secret.tags, key);
            let owns = |own: &Option<MasterUserSecret>| {
                let arn = own.as_ref().and_then(|own| own.secret_arn.as_deref());
                arn.is_some() && arn == secret.arn.as_deref()
            };
            let cluster_arn = tagged("aws:rds:primaryDBClusterArn");
            if let Some(cluster) = self.clusters.iter().find(|one| {
                owns(&one.master_user_secret)
                    || cluster_arn.is_some() && one.db_cluster_arn.as_deref() == cluster_arn
            }) {
                return Some(self.cluster(cluster, format!("{whose} is managed by it")));
            }
            let instance_arn = tagged("aws:rds:primaryDBInstanceArn");
            if let Some(instance) = self.instances.iter().find(|one| {
                owns(&one.master_user_secret)
                    || instance_arn.is_some() && one.db_instance_arn.as_deref() == instance_arn
            }) {
                return Some(self.instance(instance, format!("{whose} is managed by it")));
            }
        }
        None
    }

    /// The only database of the stack that attaches the secret to one.
    pub(super) fn by_stack(&self, case: &'c Case<'_>) -> Option<SecretDatabase<'c>> {
        let resources = case.stack_resources();
        let resources = resources.if_known()?;
        let secret = case.secret();
        let arn = secret.if_known()?.arn.as_deref()?;
        let typed = |wanted: &'static str| {
            resources
                .iter()
                .filter(move |one| one.resource_type.as_deref() == Some(wanted))
                .filter_map(|one| one.physical_resource_id.as_deref())
        };
        typed("AWS::SecretsManager::SecretTargetAttachment").find(|id| *id == arn)?;
        let how = || "its stack attaches the secret to its only database".to_owned();
        let clusters: Vec<&str> = typed("AWS::RDS::DBCluster").collect();
        match clusters.as_slice() {
            [id] => {
                let cluster = self
                    .clusters
                    .iter()
                    .find(|one| one.db_cluster_identifier.as_deref() == Some(*id));
                return Some(self.cluster(cluster?, how()));
            }
            [] => {}
            _ => return None,
        }
        let instances: Vec<&str> = typed("AWS::RDS::DBInstance").collect();
        let [id] = instances.as_slice() else { return None };
        let instance =
            self.instances.iter().find(|one| one.db_instance_identifier.as_deref() == Some(*id));
        Some(self.instance(instance?, how()))
    }

    /// The only database there is; the instances of a cluster are part of it.
    pub(super) fn only(&self) -> Option<SecretDatabase<'c>> {
        let mut lone = self.instances.iter().filter(|one| one.db_cluster_identifier.is_none());
        let how = "it is the only database that was seen".to_owned();
        let database = match (self.clusters, lone.next(), lone.next()) {
            ([cluster], None, None) => self.cluster(cluster, how),
            ([], Some(instance), None) => self.instance(instance, how),
            ([], None, None) => match self.instances {
                [instance] => self.instance(instance, how),
                _ => return None,
            },
            _ => return None,
        };
        Some(SecretDatabase { assumed: true, ..database })
    }

    fn cluster(&self, cluster: &'c DbCluster, how: String) -> SecretDatabase<'c> {
        let writer = cluster
            .db_cluster_members
            .iter()
            .find(|member| member.is_cluster_writer == Some(true))
            .and_then(|member| member.db_instance_identifier.as_deref());
        let instance = self
            .instances
            .iter()
            .filter(|one| one.db_cluster_identifier == cluster.db_cluster_identifier)
            .find(|one| writer.is_none() || one.db_instance_identifier.as_deref() == writer);
        SecretDatabase { instance, cluster: Some(cluster), how, assumed: false }
    }

    fn instance(&self, instance: &'c DbInstance, how: String) -> SecretDatabase<'c> {
        let cluster = self.clusters.iter().find(|one| {
            instance.db_cluster_identifier.is_some()
                && one.db_cluster_identifier == instance.db_cluster_identifier
        });
        SecretDatabase { instance: Some(instance), cluster, how, assumed: false }
    }
}

fn tag<'t>(tags: &'t [Tag], key: &str) -> Option<&'t str> {
    tags.iter().find(|tag| tag.key.as_deref() == Some(key))?.value.as_deref()
}

/// A host name as it compares.
pub(super) fn plain_host(host: &str) -> String {
    host.trim().trim_end_matches('.').to_lowercase()
}
