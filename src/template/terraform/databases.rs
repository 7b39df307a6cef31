//! RDS, DocumentDB and Redshift: instances, clusters and their subnet groups. One of which
//! the groups are open is left out. A Redshift cluster stands among the instances: it
//! listens at one endpoint, as they do.

use super::{resource::Resource, vpcs::vpc_of_subnet, world::World};
use crate::{
    evidence::{
        DbCluster, DbClusterMember, DbInstance, DbParameterGroupStatus, DbSubnetGroup, Fact,
        MasterUserSecret,
    },
    template::{
        Draft,
        aws::{Open, Setting, databases, secrets},
        draft::begin,
    },
};

/// Clusters with instances in them.
const CLUSTERS: [&str; 2] = ["aws_rds_cluster", "aws_docdb_cluster"];
const MEMBERS: [&str; 2] = ["aws_rds_cluster_instance", "aws_docdb_cluster_instance"];
const INSTANCE: &str = "aws_db_instance";
const REDSHIFT: &str = "aws_redshift_cluster";
/// What a secret's value may name: databases with an endpoint of their own.
pub(super) const NAMED: [&str; 4] = [INSTANCE, CLUSTERS[0], CLUSTERS[1], REDSHIFT];
const SUBNET_GROUPS: [&str; 3] =
    ["aws_db_subnet_group", "aws_docdb_subnet_group", "aws_redshift_subnet_group"];

/// Databases.
pub(super) fn declare(world: &World<'_>, draft: &mut Draft) {
    draft.complete(&[Fact::DBInstances, Fact::DBClusters]);
    for instance in world.of(&[INSTANCE, REDSHIFT]) {
        add(world, draft, instance, instance_of);
    }
    for cluster in world.of(&CLUSTERS) {
        if !announce(world, draft, cluster) {
            continue;
        }
        match cluster_of(world, cluster) {
            Ok(found) => begin(&mut draft.evidence.db_clusters).push(found),
            Err(open) => draft.gap(Fact::DBClusters, &world.name(cluster), open),
        }
    }
    for member in world.created(&MEMBERS) {
        add(world, draft, member, member_of);
    }
}

/// Notes where a database is declared; false for a data source that is not read yet.
fn announce<'p>(world: &World<'p>, draft: &mut Draft, resource: &'p Resource) -> bool {
    if resource.data && resource.known_text("id").is_none() {
        return false;
    }
    let ids = [Some(world.name(resource)), world.own_id(resource, "arn"), host(world, resource)];
    for id in ids.into_iter().flatten() {
        world.declare(draft, &id, resource);
    }
    true
}

fn add<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    resource: &'p Resource,
    read: fn(&World<'p>, &'p Resource) -> Result<DbInstance, Open>,
) {
    if !announce(world, draft, resource) {
        return;
    }
    match read(world, resource) {
        Ok(found) => begin(&mut draft.evidence.db_instances).push(found),
        Err(open) => draft.gap(Fact::DBInstances, &world.name(resource), open),
    }
}

/// The host name of a database.
pub(super) fn host(world: &World<'_>, resource: &Resource) -> Option<String> {
    let attribute = match resource.kind.as_str() {
        INSTANCE => "address",
        REDSHIFT => "dns_name",
        _ => "endpoint",
    };
    world.host(resource, attribute)
}

fn engine_of(resource: &Resource) -> Option<String> {
    let of_kind = databases::engine_of_kind(&resource.kind).map(str::to_owned);
    of_kind.or_else(|| resource.known_text("engine"))
}

/// The port: as known; the engine's own where nothing says another.
pub(super) fn port(world: &World<'_>, resource: &Resource) -> Option<i64> {
    match resource.number("port") {
        Setting::Known(port) => Some(port),
        Setting::Open(_) if !world.is_left_to_aws(resource, "port") => None,
        _ => databases::default_port(&engine_of(resource)?),
    }
}

/// The secret that a service keeps for a database's master user, if it does.
pub(super) fn master_secret<'p>(
    world: &World<'p>,
    resource: &'p Resource,
) -> Setting<MasterUserSecret> {
    let known = resource.known_text("master_user_secret.0.secret_arn");
    let known = known.or_else(|| resource.known_text("master_password_secret_arn"));
    let arn = known.unwrap_or_else(|| secrets::managed_arn(&world.place, &world.owner(resource)));
    let path = match resource.kind.as_str() {
        REDSHIFT => "master_password_secret_kms_key_id",
        _ => "master_user_secret_kms_key_id",
    };
    let key = match world.is_left_to_aws(resource, path) {
        true => Setting::Absent,
        false => world.arn_in(resource, path),
    };
    match key {
        Setting::Open(open) => Setting::Open(open),
        key => {
            let key = key.known().map(|key| super::keys::arn_of(world, &key));
            Setting::Known(databases::master_secret(arn, key))
        }
    }
}

/// The same, where the plan says that the service keeps one.
fn own_master_secret<'p>(world: &World<'p>, resource: &'p Resource) -> Option<MasterUserSecret> {
    let is_known = resource.known_text("master_user_secret.0.secret_arn").is_some();
    let is_kept = is_known || world.keeps_master_secret(resource);
    is_kept.then(|| master_secret(world, resource).known()).flatten()
}

/// Notes on a database that a service keeps its master user's secret.
pub(super) fn note_master_secret<'p>(world: &World<'p>, draft: &mut Draft, resource: &'p Resource) {
    let (name, secret) = (Some(world.name(resource)), master_secret(world, resource).known());
    let evidence = &mut draft.evidence;
    for one in evidence.db_instances.known_mut().into_iter().flatten() {
        if one.db_instance_identifier == name && one.db_cluster_identifier.is_none() {
            one.master_user_secret.clone_from(&secret);
        }
    }
    for one in evidence.db_clusters.known_mut().into_iter().flatten() {
        if one.db_cluster_identifier == name {
            one.master_user_secret.clone_from(&secret);
        }
    }
}

/// The security groups: the default one of the VPC, where none is named.
fn groups<'p>(
    world: &World<'p>,
    resource: &'p Resource,
    subnets: Option<&DbSubnetGroup>,
) -> Result<Vec<String>, Open> {
    let named = match world.is_left_to_aws(resource, "vpc_security_group_ids") {
        true => Vec::new(),
        false => world.ids(resource, "vpc_security_group_ids").settled()?.unwrap_or_default(),
    };
    if !named.is_empty() {
        return Ok(named);
    }
    let vpc = subnets.and_then(|group| group.vpc_id.as_deref()).unwrap_or_default();
    match world.called(&["aws_vpc"], vpc).filter(|vpc| !vpc.data) {
        Some(vpc) => Ok(vec![world.default_of(vpc, "default_security_group_id")]),
        None => Err(format!("{} names no security group", resource.address).into()),
    }
}

/// The subnet group; without subnets where they are not in the plan.
fn subnet_group<'p>(
    world: &World<'p>,
    resource: &'p Resource,
) -> Result<Option<DbSubnetGroup>, Open> {
    let path = match resource.kind.as_str() {
        REDSHIFT => "cluster_subnet_group_name",
        _ => "db_subnet_group_name",
    };
    if world.is_left_to_aws(resource, path) {
        return Ok(None);
    }
    let Some(name) = world.id(resource, path).settled()? else { return Ok(None) };
    let Some(group) = world.called(&SUBNET_GROUPS, &name) else {
        return Ok(Some(databases::subnet_group(&name, None, Vec::new())));
    };
    let subnets = world.ids(group, "subnet_ids").settled()?.unwrap_or_default();
    let vpc = subnets.iter().find_map(|id| vpc_of_subnet(world, id));
    Ok(Some(databases::subnet_group(&name, vpc, subnets)))
}

fn instance_of<'p>(world: &World<'p>, instance: &'p Resource) -> Result<DbInstance, Open> {
    let subnets = subnet_group(world, instance)?;
    let groups = groups(world, instance, subnets.as_ref())?;
    Ok(DbInstance {
        vpc_security_groups: databases::memberships(groups),
        db_subnet_group: subnets,
        publicly_accessible: Some(instance.flag("publicly_accessible").settled()?.unwrap_or(false)),
        db_parameter_groups: parameter_group(world, instance, "parameter_group_name"),
        read_replica_source_db_instance_identifier: world
            .id(instance, "replicate_source_db")
            .known(),
        master_user_secret: own_master_secret(world, instance),
        ..common(world, instance)
    })
}

/// What instances of all kinds have.
fn common<'p>(world: &World<'p>, instance: &'p Resource) -> DbInstance {
    let version = instance.known_text("engine_version_actual");
    DbInstance {
        db_instance_identifier: Some(world.name(instance)),
        db_instance_arn: world.own_id(instance, "arn"),
        db_instance_status: Some("available".to_owned()),
        engine: engine_of(instance),
        engine_version: version.or_else(|| instance.known_text("engine_version")),
        master_username: user(instance),
        db_name: instance.known_text("db_name").or_else(|| instance.known_text("database_name")),
        ca_certificate_identifier: instance.known_text("ca_cert_identifier"),
        endpoint: databases::endpoint(host(world, instance), port(world, instance)),
        ..DbInstance::default()
    }
}

fn user(resource: &Resource) -> Option<String> {
    resource.known_text("username").or_else(|| resource.known_text("master_username"))
}

fn parameter_group<'p>(
    world: &World<'p>,
    instance: &'p Resource,
    path: &str,
) -> Vec<DbParameterGroupStatus> {
    if world.is_left_to_aws(instance, path) {
        return Vec::new();
    }
    world.id(instance, path).known().map(databases::parameter_group).into_iter().collect()
}

fn cluster_of<'p>(world: &World<'p>, cluster: &'p Resource) -> Result<DbCluster, Open> {
    let subnets = subnet_group(world, cluster)?;
    let groups = groups(world, cluster, subnets.as_ref())?;
    let version = cluster.known_text("engine_version_actual");
    let path = "db_cluster_parameter_group_name";
    let is_default = world.is_left_to_aws(cluster, path);
    Ok(DbCluster {
        db_cluster_identifier: Some(world.name(cluster)),
        db_cluster_arn: world.own_id(cluster, "arn"),
        status: Some("available".to_owned()),
        engine: engine_of(cluster),
        engine_version: version.or_else(|| cluster.known_text("engine_version")),
        endpoint: world.host(cluster, "endpoint"),
        reader_endpoint: world.host(cluster, "reader_endpoint"),
        port: port(world, cluster),
        master_username: user(cluster),
        database_name: cluster.known_text("database_name"),
        db_cluster_parameter_group: world.id(cluster, path).known().filter(|_| !is_default),
        db_subnet_group: subnets.and_then(|group| group.db_subnet_group_name),
        vpc_security_groups: databases::memberships(groups),
        master_user_secret: own_master_secret(world, cluster),
        db_cluster_members: members(world, cluster),
        ..DbCluster::default()
    })
}

/// The instances of a cluster; the first that is created is the writer.
fn members<'p>(world: &World<'p>, cluster: &'p Resource) -> Vec<DbClusterMember> {
    let of_cluster = |member: &&'p Resource| {
        world
            .id(member, "cluster_identifier")
            .known()
            .is_some_and(|id| world.is_called(cluster, &id))
    };
    let own = world.created(&MEMBERS).filter(of_cluster).enumerate();
    own.map(|(at, member)| DbClusterMember {
        db_instance_identifier: Some(world.name(member)),
        is_cluster_writer: Some(at == 0),
    })
    .collect()
}

/// An instance of a cluster: groups, subnets and port are the cluster's.
fn member_of<'p>(world: &World<'p>, member: &'p Resource) -> Result<DbInstance, Open> {
    let id = world.id(member, "cluster_identifier").settled()?;
    let id = id.ok_or_else(|| format!("{} names no cluster", member.address))?;
    let cluster = world.called(&CLUSTERS, &id).ok_or_else(|| format!("{id} is not in the plan"))?;
    let subnets = subnet_group(world, cluster)?;
    let groups = groups(world, cluster, subnets.as_ref())?;
    let common = common(world, member);
    let cluster_port = port(world, cluster);
    let endpoint = host(world, member);
    Ok(DbInstance {
        db_cluster_identifier: Some(world.name(cluster)),
        vpc_security_groups: databases::memberships(groups),
        db_subnet_group: subnets,
        engine: common.engine.clone().or_else(|| engine_of(cluster)),
        engine_version: common
            .engine_version
            .clone()
            .or_else(|| cluster.known_text("engine_version")),
        master_username: user(cluster),
        endpoint: databases::endpoint(endpoint, cluster_port.or_else(|| port(world, member))),
        publicly_accessible: Some(member.flag("publicly_accessible").known().unwrap_or(false)),
        db_parameter_groups: parameter_group(world, member, "db_parameter_group_name"),
        ..common
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::declare;
    use crate::template::terraform::testing::{evidence, gaps};

    #[test]
    fn an_instance_of_a_cluster_has_what_the_cluster_has() {
        let found = evidence(
            &[
                ("aws_security_group.g", json!({}), &[]),
                ("aws_subnet.s", json!({"vpc_id": "vpc-1"}), &[]),
                (
                    "aws_db_subnet_group.n",
                    json!({"name": "n"}),
                    &[("subnet_ids", &["aws_subnet.s.id"])],
                ),
                (
                    "aws_rds_cluster.c",
                    json!({"cluster_identifier": "c", "engine": "aurora-mysql",
                    "db_subnet_group_name": "n"}),
                    &[("vpc_security_group_ids", &["aws_security_group.g.id"])],
                ),
                (
                    "aws_rds_cluster_instance.i",
                    json!({"identifier": "i"}),
                    &[("cluster_identifier", &["aws_rds_cluster.c.id"])],
                ),
            ],
            declare,
        );
        assert!(found.gaps.is_empty(), "{:?}", found.gaps);
        let cluster = &found.db_clusters.known().expect("clusters")[0];
        assert_eq!(cluster.port, Some(3306), "the engine's own");
        let one = &found.db_instances.known().expect("instances")[0];
        assert_eq!(one.db_cluster_identifier.as_deref(), Some("c"));
        assert_eq!(one.engine.as_deref(), Some("aurora-mysql"));
        let group = one.db_subnet_group.as_ref().expect("subnets");
        assert_eq!(group.vpc_id.as_deref(), Some("vpc-1"));
        let own = one.vpc_security_groups[0].vpc_security_group_id.as_deref();
        assert_eq!(own, Some("aws_security_group.g"));
    }

    #[test]
    fn one_without_a_group_that_shows_is_left_out() {
        let found = evidence(
            &[("aws_db_instance.d", json!({"identifier": "d", "engine": "postgres"}), &[])],
            declare,
        );
        assert_eq!(gaps(&found), [("DBInstances", "d")]);
    }
}
