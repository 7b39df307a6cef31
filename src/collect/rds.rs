//! RDS: instances, clusters and the parameters that decide how one logs in.

use std::{collections::BTreeSet, sync::LazyLock};

use aws_sdk_rds::types as sdk;
use regex::Regex;

use super::{
    call::Caller,
    convert::{given, list, time},
    pages::pages,
    scene::{PatchResult, extend, patch},
    scope,
    session::Clients,
    step::steps,
};
use crate::aws::limits;
use crate::{evidence::*, seal};

steps! {
    2 "rds:DescribeDBInstances" => DBInstances <- [Secret]:
        |tasks| tasks.of_region(instances);
    2 "rds:DescribeDBClusters" => DBClusters <- [Secret]:
        |tasks| tasks.of_region(clusters);
    4 "rds:DescribeDBParameters" => DBParameters <- [DBInstances]:
        |tasks| tasks.each(scope::relevant(tasks.scene).parameter_groups, parameters);
    4 "rds:DescribeDBClusterParameters" => DBParameters <- [DBClusters]: |tasks| {
        tasks.each(scope::relevant(tasks.scene).cluster_parameter_groups, cluster_parameters)
    };
}

async fn instances(caller: &Caller, clients: &Clients) -> PatchResult {
    let action = "rds:DescribeDBInstances";
    let request = clients.rds.describe_db_instances();
    let mut pages = pages!(caller, action, "", limits::DATABASE_PAGES, request, set_marker, marker);
    let mut all = Vec::new();
    while let Some(page) = pages.next().await? {
        all.extend(list(page.db_instances, instance));
    }
    let cut = pages.cut();
    patch(move |scene| {
        scene.evidence.db_instances = Observed::Known(all);
        if cut {
            let message = format!(
                "only the first {most} pages of instances were read",
                most = limits::DATABASE_PAGES
            );
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

async fn clusters(caller: &Caller, clients: &Clients) -> PatchResult {
    let action = "rds:DescribeDBClusters";
    let request = clients.rds.describe_db_clusters();
    let mut pages = pages!(caller, action, "", limits::DATABASE_PAGES, request, set_marker, marker);
    let mut all = Vec::new();
    while let Some(page) = pages.next().await? {
        all.extend(list(page.db_clusters, cluster));
    }
    let cut = pages.cut();
    patch(move |scene| {
        scene.evidence.db_clusters = Observed::Known(all);
        if cut {
            let message = format!(
                "only the first {most} pages of clusters were read",
                most = limits::DATABASE_PAGES
            );
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

pub(super) async fn parameters(caller: &Caller, clients: &Clients, group: &str) -> PatchResult {
    let request = clients.rds.describe_db_parameters().db_parameter_group_name(group);
    let action = "rds:DescribeDBParameters";
    let request = request.max_records(100);
    let mut pages =
        pages!(caller, action, group, limits::PARAMETER_PAGES, request, set_marker, marker);
    let mut all = Vec::new();
    while let Some(page) = pages.next().await? {
        all.extend(list(page.parameters, |found| parameter(group, found)));
    }
    put_parameters(action, group, all, pages.cut())
}

pub(super) async fn cluster_parameters(
    caller: &Caller,
    clients: &Clients,
    group: &str,
) -> PatchResult {
    let request =
        clients.rds.describe_db_cluster_parameters().db_cluster_parameter_group_name(group);
    let action = "rds:DescribeDBClusterParameters";
    let request = request.max_records(100);
    let mut pages =
        pages!(caller, action, group, limits::PARAMETER_PAGES, request, set_marker, marker);
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
) -> PatchResult {
    static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("ssl|tls|password|auth|secure_transport|encrypt|connect|hba|sqlnet")
            .expect("a constant pattern")
    });
    parameters.retain(|parameter| {
        parameter.source.as_deref() == Some("user")
            || parameter.parameter_name.as_deref().is_some_and(|name| LOGIN.is_match(name))
    });
    let group = group.to_owned();
    patch(move |scene| {
        extend(&mut scene.evidence.db_parameters, parameters);
        if cut {
            let message =
                format!("only the first {most} pages were read", most = limits::PARAMETER_PAGES);
            scene.gap(Fact::DBParameters, action, &group, Reason::Truncated, &message);
        }
    })
}

/// Names the interface of each instance where only one fits:
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
        instances.iter().map(|instance| (scope::vpc_of(instance), groups_of(instance))).collect();
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
