//! RDS: instances, clusters and the parameters that decide how one logs in.

use std::{collections::BTreeSet, sync::LazyLock};

use aws_sdk_rds::types as sdk;
use regex::Regex;

use super::{
    call::Caller,
    convert::{given, list, time},
    ec2,
    pages::pages,
    scene::{Found, Scene, extend, found},
    session::Clients,
};
use crate::{evidence::*, seal};

/// Pages of databases (100 each).
const PAGES: usize = 20;
/// Pages of parameters (100 each).
const PARAMETER_PAGES: usize = 10;
/// Where nothing names the database, that many in the function's VPC (or, where
/// none is there, in the region) are taken to be candidates.
const CANDIDATES: usize = 4;

pub(super) async fn instances(caller: &Caller, clients: &Clients) -> Found {
    let action = "rds:DescribeDBInstances";
    let request = clients.rds.describe_db_instances();
    let mut pages = pages!(caller, action, "", PAGES, request, set_marker, marker);
    let mut all = Vec::new();
    while let Some(page) = pages.next().await? {
        all.extend(list(page.db_instances, instance));
    }
    let cut = pages.cut();
    found(move |scene| {
        scene.evidence.db_instances = Observed::Known(all);
        if cut {
            let message = format!("only the first {PAGES} pages of instances were read");
            scene.gap(Fact::DBInstances, action, "", Reason::Truncated, &message);
        }
    })
}

fn instance(instance: sdk::DbInstance) -> DbInstance {
    DbInstance {
        db_instance_identifier: instance.db_instance_identifier,
        db_instance_arn: instance.db_instance_arn,
        db_instance_status: instance.db_instance_status,
        engine: instance.engine,
        engine_version: instance.engine_version,
        endpoint: instance.endpoint.map(|endpoint| Endpoint {
            address: endpoint.address,
            port: endpoint.port.map(i64::from),
        }),
        master_username: instance.master_username,
        db_name: instance.db_name,
        db_cluster_identifier: given(instance.db_cluster_identifier),
        publicly_accessible: instance.publicly_accessible,
        vpc_security_groups: list(instance.vpc_security_groups, security_group),
        db_subnet_group: instance.db_subnet_group.map(|group| DbSubnetGroup {
            db_subnet_group_name: group.db_subnet_group_name,
            vpc_id: group.vpc_id,
            subnets: list(group.subnets, |subnet| DbSubnet {
                subnet_identifier: subnet.subnet_identifier,
                subnet_status: subnet.subnet_status,
            }),
        }),
        db_parameter_groups: list(instance.db_parameter_groups, |group| DbParameterGroupStatus {
            db_parameter_group_name: group.db_parameter_group_name,
            parameter_apply_status: group.parameter_apply_status,
        }),
        ca_certificate_identifier: instance.ca_certificate_identifier,
        certificate_details: instance.certificate_details.map(|details| CertificateDetails {
            ca_identifier: details.ca_identifier,
            valid_till: time(details.valid_till),
        }),
        master_user_secret: instance.master_user_secret.map(master_user_secret),
        read_replica_source_db_instance_identifier: given(
            instance.read_replica_source_db_instance_identifier,
        ),
        instance_create_time: time(instance.instance_create_time),
        tag_list: list(instance.tag_list, |tag| Tag { key: tag.key, value: tag.value }),
        network_interface_id: None,
    }
}

fn security_group(group: sdk::VpcSecurityGroupMembership) -> VpcSecurityGroupMembership {
    VpcSecurityGroupMembership {
        vpc_security_group_id: group.vpc_security_group_id,
        status: group.status,
    }
}

fn master_user_secret(secret: sdk::MasterUserSecret) -> MasterUserSecret {
    MasterUserSecret {
        secret_arn: secret.secret_arn,
        secret_status: secret.secret_status,
        kms_key_id: secret.kms_key_id,
    }
}

pub(super) async fn clusters(caller: &Caller, clients: &Clients) -> Found {
    let action = "rds:DescribeDBClusters";
    let request = clients.rds.describe_db_clusters();
    let mut pages = pages!(caller, action, "", PAGES, request, set_marker, marker);
    let mut all = Vec::new();
    while let Some(page) = pages.next().await? {
        all.extend(list(page.db_clusters, cluster));
    }
    let cut = pages.cut();
    found(move |scene| {
        scene.evidence.db_clusters = Observed::Known(all);
        if cut {
            let message = format!("only the first {PAGES} pages of clusters were read");
            scene.gap(Fact::DBClusters, action, "", Reason::Truncated, &message);
        }
    })
}

fn cluster(cluster: sdk::DbCluster) -> DbCluster {
    DbCluster {
        db_cluster_identifier: cluster.db_cluster_identifier,
        db_cluster_arn: cluster.db_cluster_arn,
        status: cluster.status,
        engine: cluster.engine,
        engine_version: cluster.engine_version,
        endpoint: cluster.endpoint,
        reader_endpoint: cluster.reader_endpoint,
        port: cluster.port.map(i64::from),
        master_username: cluster.master_username,
        database_name: cluster.database_name,
        db_cluster_parameter_group: cluster.db_cluster_parameter_group,
        db_subnet_group: cluster.db_subnet_group,
        vpc_security_groups: list(cluster.vpc_security_groups, security_group),
        db_cluster_members: list(cluster.db_cluster_members, |member| DbClusterMember {
            db_instance_identifier: member.db_instance_identifier,
            is_cluster_writer: member.is_cluster_writer,
        }),
        master_user_secret: cluster.master_user_secret.map(master_user_secret),
        cluster_create_time: time(cluster.cluster_create_time),
        tag_list: list(cluster.tag_list, |tag| Tag { key: tag.key, value: tag.value }),
    }
}

/// What of RDS this secret is about.
#[derive(Debug, Default)]
pub(super) struct Relevant {
    pub(super) vpcs: Vec<String>,
    pub(super) parameter_groups: BTreeSet<String>,
    pub(super) cluster_parameter_groups: BTreeSet<String>,
    /// Identifiers of instances and clusters.
    pub(super) identifiers: Vec<String>,
}

/// The facts beside the secret and the databases that [`relevant`] reads.
pub(super) const NAMED_BY: [Fact; 2] = [Fact::Function, Fact::SecretShape];

/// The databases that the secret may belong to: as its shape, `--db`, RDS or
/// its tags say; else the few in the function's VPC, or in the region. Collecting too much here
/// judges nothing.
pub(super) fn relevant(scene: &Scene) -> Relevant {
    relevant_among(scene, &scene.evidence)
}

/// The same of a region's databases, which the scene does not hold.
pub(super) fn relevant_among(scene: &Scene, region: &Evidence) -> Relevant {
    let instances = region.db_instances.known().map(Vec::as_slice).unwrap_or_default();
    let clusters = region.db_clusters.known().map(Vec::as_slice).unwrap_or_default();
    let hints = Hints::of(scene);
    let mut chosen: Vec<&DbInstance> =
        instances.iter().filter(|instance| hints.fit_instance(instance)).collect();
    let mut chosen_clusters: Vec<&DbCluster> =
        clusters.iter().filter(|cluster| hints.fit_cluster(cluster)).collect();
    if chosen.is_empty() && chosen_clusters.is_empty() {
        let vpc = ec2::function_vpc(scene);
        let near = instances.iter().filter(|instance| vpc.is_some() && vpc_of(instance) == vpc);
        let mut near: Vec<&DbInstance> = near.collect();
        if near.is_empty() {
            near = instances.iter().collect();
        }
        if near.len() <= CANDIDATES {
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
    let mut relevant = Relevant::default();
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

fn vpc_of(instance: &DbInstance) -> Option<String> {
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

    fn fit(
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

    fn fit_instance(&self, instance: &DbInstance) -> bool {
        self.fit(
            [instance.endpoint.as_ref().and_then(|endpoint| endpoint.address.as_deref()), None],
            [instance.db_instance_identifier.as_deref(), instance.db_instance_arn.as_deref()],
            instance.master_user_secret.as_ref(),
        )
    }

    fn fit_cluster(&self, cluster: &DbCluster) -> bool {
        self.fit(
            [cluster.endpoint.as_deref(), cluster.reader_endpoint.as_deref()],
            [cluster.db_cluster_identifier.as_deref(), cluster.db_cluster_arn.as_deref()],
            cluster.master_user_secret.as_ref(),
        )
    }
}

pub(super) async fn parameters(caller: &Caller, clients: &Clients, group: &str) -> Found {
    let request = clients.rds.describe_db_parameters().db_parameter_group_name(group);
    let action = "rds:DescribeDBParameters";
    let request = request.max_records(100);
    let mut pages = pages!(caller, action, group, PARAMETER_PAGES, request, set_marker, marker);
    let mut all = Vec::new();
    while let Some(page) = pages.next().await? {
        all.extend(list(page.parameters, |found| parameter(group, found)));
    }
    put_parameters(action, group, all, pages.cut())
}

pub(super) async fn cluster_parameters(caller: &Caller, clients: &Clients, group: &str) -> Found {
    let request =
        clients.rds.describe_db_cluster_parameters().db_cluster_parameter_group_name(group);
    let action = "rds:DescribeDBClusterParameters";
    let request = request.max_records(100);
    let mut pages = pages!(caller, action, group, PARAMETER_PAGES, request, set_marker, marker);
    let mut all = Vec::new();
    while let Some(page) = pages.next().await? {
        all.extend(list(page.parameters, |found| parameter(group, found)));
    }
    put_parameters(action, group, all, pages.cut())
}

fn parameter(group: &str, parameter: sdk::Parameter) -> DbParameter {
    DbParameter {
        db_parameter_group_name: Some(group.to_owned()),
        parameter_name: parameter.parameter_name,
        parameter_value: parameter.parameter_value.map(|value| seal::log_line(&value).into_owned()),
        source: parameter.source,
    }
}

/// Of some four hundred parameters, those that somebody set and those about
/// logging in.
fn put_parameters(
    action: &'static str,
    group: &str,
    mut parameters: Vec<DbParameter>,
    cut: bool,
) -> Found {
    static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("ssl|tls|password|auth|secure_transport|encrypt|connect|hba|sqlnet")
            .expect("a constant pattern")
    });
    parameters.retain(|parameter| {
        parameter.source.as_deref() == Some("user")
            || parameter.parameter_name.as_deref().is_some_and(|name| LOGIN.is_match(name))
    });
    let group = group.to_owned();
    found(move |scene| {
        extend(&mut scene.evidence.db_parameters, parameters);
        if cut {
            let message = format!("only the first {PARAMETER_PAGES} pages were read");
            scene.gap(Fact::DBParameters, action, &group, Reason::Truncated, &message);
        }
    })
}

/// Names the interface of each instance that one can be told from the others:
/// RDS made it, and no other in the VPC has the same security groups.
pub(super) fn join_interfaces(evidence: &mut Evidence) {
    let (Some(interfaces), Some(instances)) =
        (evidence.network_interfaces.known(), evidence.db_instances.known_mut())
    else {
        return;
    };
    let groups_of = |instance: &DbInstance| -> BTreeSet<String> {
        let groups = instance.vpc_security_groups.iter();
        groups.filter_map(|group| group.vpc_security_group_id.clone()).collect()
    };
    let places: Vec<(Option<String>, BTreeSet<String>)> =
        instances.iter().map(|instance| (vpc_of(instance), groups_of(instance))).collect();
    for (index, place) in places.iter().enumerate() {
        if place.0.is_none() || places.iter().filter(|other| *other == place).count() > 1 {
            continue;
        }
        let mut candidates = interfaces.iter().filter(|interface| {
            let groups = interface.groups.iter().filter_map(|group| group.group_id.clone());
            interface.description.as_deref() == Some("RDSNetworkInterface")
                && interface.vpc_id == place.0
                && groups.collect::<BTreeSet<String>>() == place.1
        });
        if let (Some(one), None) = (candidates.next(), candidates.next()) {
            instances[index].network_interface_id.clone_from(&one.network_interface_id);
        }
    }
}
