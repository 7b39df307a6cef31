//! Which part of a region matters to a secret: the function's subnets, its VPC and the
//! database's, and the databases that may be the secret's.

use std::collections::BTreeSet;

use super::scene::Scene;
use crate::{
    aws::limits,
    evidence::{DbCluster, DbInstance, Evidence, Fact, MasterUserSecret},
};

/// The function's subnets.
pub(super) fn function_subnets(scene: &Scene) -> Vec<String> {
    if let Some(many) = &scene.many {
        return many.subnets.clone();
    }
    scene
        .evidence
        .function
        .known()
        .and_then(|function| function.configuration.vpc_config.as_ref())
        .map(|vpc| vpc.subnet_ids.clone())
        .unwrap_or_default()
}

/// The function's VPC: of its subnets, since they cannot be in another; only
/// where these are not to be seen, as the function's configuration says.
fn function_vpc(scene: &Scene) -> Option<String> {
    let ids = function_subnets(scene);
    if ids.is_empty() {
        return None;
    }
    let subnets = scene.evidence.subnets.known().into_iter().flatten();
    let mut of_subnets = subnets
        .filter(|subnet| subnet.subnet_id.as_ref().is_some_and(|id| ids.contains(id)))
        .filter_map(|subnet| subnet.vpc_id.clone());
    of_subnets.next().or_else(|| {
        let function = scene.evidence.function.known()?;
        let vpc = function.configuration.vpc_config.as_ref()?.vpc_id.clone()?;
        Some(vpc).filter(|id| !id.is_empty())
    })
}

/// The function's VPC, or those of all functions.
pub(super) fn function_vpcs(scene: &Scene) -> Vec<String> {
    let Some(many) = &scene.many else { return function_vpc(scene).into_iter().collect() };
    let subnets = scene.evidence.subnets.known().into_iter().flatten();
    let own = subnets.filter(|subnet| {
        subnet.subnet_id.as_ref().is_some_and(|id| many.subnets.binary_search(id).is_ok())
    });
    let mut vpcs: Vec<String> = own.filter_map(|subnet| subnet.vpc_id.clone()).collect();
    if vpcs.is_empty() {
        vpcs.clone_from(&many.function_vpcs);
    }
    vpcs.sort();
    vpcs.dedup();
    vpcs
}

/// The VPCs whose network matters: the function's, and the database's where it
/// is another.
pub(super) fn vpcs(scene: &Scene) -> Vec<String> {
    let databases = match &scene.many {
        Some(many) => many.database_vpcs.clone(),
        None => relevant(scene).vpcs,
    };
    let mut vpcs = function_vpcs(scene);
    vpcs.extend(databases);
    vpcs.sort();
    vpcs.dedup();
    vpcs
}

/// The databases of a region that may be a secret's.
#[derive(Debug, Default)]
pub(super) struct RelevantDatabases {
    pub(super) vpcs: Vec<String>,
    pub(super) parameter_groups: BTreeSet<String>,
    pub(super) cluster_parameter_groups: BTreeSet<String>,
    /// Identifiers of instances and clusters.
    pub(super) identifiers: Vec<String>,
}

/// The facts beside the secret and the databases that [`relevant`] reads.
pub(super) const NAMED_BY: [Fact; 2] = [Fact::Function, Fact::SecretShape];

/// The databases that the secret may belong to: those that its shape, `--db`, RDS or its tags
/// name, else the few in the function's VPC, or in the region. Collecting too much is no
/// judgement.
pub(super) fn relevant(scene: &Scene) -> RelevantDatabases {
    relevant_among(scene, &scene.evidence)
}

/// The same among the databases of a region, which the scene does not hold.
pub(super) fn relevant_among(scene: &Scene, region: &Evidence) -> RelevantDatabases {
    let instances = region.db_instances.known().map(Vec::as_slice).unwrap_or_default();
    let clusters = region.db_clusters.known().map(Vec::as_slice).unwrap_or_default();
    let hints = Hints::of(scene);
    let mut chosen: Vec<&DbInstance> =
        instances.iter().filter(|instance| hints.match_instance(instance)).collect();
    let mut chosen_clusters: Vec<&DbCluster> =
        clusters.iter().filter(|cluster| hints.match_cluster(cluster)).collect();
    if chosen.is_empty() && chosen_clusters.is_empty() {
        let vpc = function_vpc(scene);
        let near = instances.iter().filter(|instance| vpc.is_some() && vpc_of(instance) == vpc);
        let mut near: Vec<&DbInstance> = near.collect();
        if near.is_empty() {
            near = instances.iter().collect();
        }
        if near.len() <= limits::CANDIDATE_DATABASES {
            chosen = near;
        }
    }
    // A cluster's instances tell its VPC; an instance's cluster its parameters.
    let in_clusters = |instance: &&DbInstance| {
        chosen_clusters.iter().any(|cluster| {
            cluster.db_cluster_identifier.is_some()
                && cluster.db_cluster_identifier == instance.db_cluster_identifier
        })
    };
    let members: Vec<&DbInstance> = instances.iter().filter(in_clusters).collect();
    for cluster in clusters {
        let holds_one = chosen.iter().any(|instance| {
            cluster.db_cluster_identifier.is_some()
                && cluster.db_cluster_identifier == instance.db_cluster_identifier
        });
        let known = chosen_clusters
            .iter()
            .any(|known| known.db_cluster_identifier == cluster.db_cluster_identifier);
        if holds_one && !known {
            chosen_clusters.push(cluster);
        }
    }
    chosen.extend(members);
    let mut relevant = RelevantDatabases::default();
    for instance in chosen {
        relevant.vpcs.extend(vpc_of(instance));
        relevant.identifiers.extend(instance.db_instance_identifier.clone());
        let groups = instance.db_parameter_groups.iter();
        relevant.parameter_groups.extend(groups.filter_map(|g| g.db_parameter_group_name.clone()));
    }
    for cluster in chosen_clusters {
        relevant.identifiers.extend(cluster.db_cluster_identifier.clone());
        relevant.cluster_parameter_groups.extend(cluster.db_cluster_parameter_group.clone());
    }
    relevant.identifiers.sort();
    relevant.identifiers.dedup();
    relevant
}

pub(super) fn vpc_of(instance: &DbInstance) -> Option<String> {
    instance.db_subnet_group.as_ref()?.vpc_id.clone()
}

/// What names the database.
struct Hints {
    hosts: Vec<String>,
    /// Identifiers and ARNs.
    names: Vec<String>,
    secret_arn: Option<String>,
}

impl Hints {
    fn of(scene: &Scene) -> Self {
        let evidence = &scene.evidence;
        let shapes = evidence.secret_shape.known();
        let texts = |key: &str| -> Vec<String> {
            let shapes = shapes.into_iter().flat_map(|shapes| shapes.values());
            shapes.filter_map(|shape| shape.text(key)).map(|t| t.to_ascii_lowercase()).collect()
        };
        let mut hosts = texts("host");
        hosts.extend(scene.db_host.clone());
        let mut names = texts("dbInstanceIdentifier");
        names.extend(texts("dbClusterIdentifier"));
        // Tags that RDS puts on the secrets it manages.
        let tags = evidence.secret.known().map(|secret| secret.tags.as_slice()).unwrap_or_default();
        names.extend(
            tags.iter()
                .filter(|tag| {
                    let key = tag.key.as_deref().unwrap_or_default();
                    key.to_ascii_lowercase().starts_with("aws:rds:primarydb")
                })
                .filter_map(|tag| tag.value.as_ref().map(|value| value.to_ascii_lowercase())),
        );
        Self { hosts, names, secret_arn: evidence.secret_arn().map(str::to_owned) }
    }

    fn matches(
        &self,
        addresses: [Option<&str>; 2],
        names: [Option<&str>; 2],
        secret: Option<&MasterUserSecret>,
    ) -> bool {
        let in_list = |list: &[String], value: Option<&str>| {
            value.is_some_and(|value| list.contains(&value.to_ascii_lowercase()))
        };
        addresses.into_iter().any(|address| in_list(&self.hosts, address))
            || names.into_iter().any(|name| in_list(&self.names, name))
            || self.secret_arn.is_some()
                && secret.is_some_and(|secret| secret.secret_arn == self.secret_arn)
    }

    fn match_instance(&self, instance: &DbInstance) -> bool {
        self.matches(
            [instance.endpoint.as_ref().and_then(|endpoint| endpoint.address.as_deref()), None],
            [instance.db_instance_identifier.as_deref(), instance.db_instance_arn.as_deref()],
            instance.master_user_secret.as_ref(),
        )
    }

    fn match_cluster(&self, cluster: &DbCluster) -> bool {
        self.matches(
            [cluster.endpoint.as_deref(), cluster.reader_endpoint.as_deref()],
            [cluster.db_cluster_identifier.as_deref(), cluster.db_cluster_arn.as_deref()],
            cluster.master_user_secret.as_ref(),
        )
    }
}
