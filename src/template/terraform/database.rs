//! RDS: instances, clusters and their subnet groups. One of which the groups cannot be
//! told is left out.

use serde_json::{Value, json};

use super::{plan::Resource, value::Seen, world::World};
use crate::{evidence::Fact, template::Draft};

/// Clusters, and the instances in them.
pub(super) const CLUSTERS: [&str; 2] = ["aws_rds_cluster", "aws_docdb_cluster"];
const MEMBERS: [&str; 2] = ["aws_rds_cluster_instance", "aws_docdb_cluster_instance"];
/// Instances of their own.
pub(super) const INSTANCE: &str = "aws_db_instance";
const SUBNET_GROUPS: [&str; 2] = ["aws_db_subnet_group", "aws_docdb_subnet_group"];

/// Puts the databases.
pub(super) fn put(world: &World<'_>, draft: &mut Draft) {
    draft.list("DBInstances");
    draft.list("DBClusters");
    for instance in world.of(&[INSTANCE]) {
        add(world, draft, instance, ("DBInstances", Fact::DBInstances), read_instance);
    }
    for cluster in world.of(&CLUSTERS) {
        add(world, draft, cluster, ("DBClusters", Fact::DBClusters), read_cluster);
    }
    for member in world.made(&MEMBERS) {
        add(world, draft, member, ("DBInstances", Fact::DBInstances), read_member);
    }
}

type Reader<'p> = fn(&World<'p>, &'p Resource) -> Result<Value, String>;

fn add<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    resource: &'p Resource,
    (key, fact): (&str, Fact),
    read: Reader<'p>,
) {
    if resource.data && resource.known_text("id").is_none() {
        return;
    }
    let name = world.name(resource);
    for id in [Some(name.clone()), world.own_id(resource, "arn")].into_iter().flatten() {
        world.declare(draft, &id, resource);
    }
    if let Some(host) = world.host(resource, host_attribute(resource)) {
        world.declare(draft, &host, resource);
    }
    match read(world, resource) {
        Ok(found) => draft.push(key, found),
        Err(why) => draft.gap(fact, &name, why),
    }
}

/// The attribute that has the host name.
fn host_attribute(resource: &Resource) -> &'static str {
    if resource.kind == INSTANCE { "address" } else { "endpoint" }
}

/// The port of an engine that is not told another (Amazon RDS User Guide, "Create a DB
/// instance": settings).
fn default_port(engine: &str) -> Option<i64> {
    [
        ("aurora-postgresql", 5432),
        ("postgres", 5432),
        ("aurora", 3306),
        ("mysql", 3306),
        ("mariadb", 3306),
        ("oracle", 1521),
        ("custom-oracle", 1521),
        ("sqlserver", 1433),
        ("db2", 50000),
        ("docdb", 27017),
    ]
    .into_iter()
    .find_map(|(name, port)| engine.starts_with(name).then_some(port))
}

fn engine_of(resource: &Resource) -> Option<String> {
    let of_kind = resource.kind.starts_with("aws_docdb").then(|| "docdb".to_owned());
    resource.known_text("engine").or(of_kind)
}

/// The port: as known; the engine's own where nothing says another.
pub(super) fn port(world: &World<'_>, resource: &Resource) -> Option<i64> {
    match resource.number("port") {
        Seen::Known(port) => Some(port),
        Seen::Open(_) if !world.is_left_to_aws(resource, "port") => None,
        _ => default_port(&engine_of(resource)?),
    }
}

/// The security groups: the default one of the VPC, where none is named.
fn groups<'p>(world: &World<'p>, resource: &'p Resource, subnets: &Value) -> Result<Value, String> {
    let named = match world.is_left_to_aws(resource, "vpc_security_group_ids") {
        true => Vec::new(),
        false => world.ids(resource, "vpc_security_group_ids").settled()?.unwrap_or_default(),
    };
    let groups = if named.is_empty() {
        let vpc = subnets["VpcId"].as_str().unwrap_or_default();
        match world.called(&["aws_vpc"], vpc).filter(|vpc| !vpc.data) {
            Some(vpc) => vec![world.default_of(vpc, "default_security_group_id")],
            None => return Err(format!("{} names no security group", resource.address)),
        }
    } else {
        named
    };
    let list: Vec<Value> = groups
        .into_iter()
        .map(|group| json!({"VpcSecurityGroupId": group, "Status": "active"}))
        .collect();
    Ok(json!(list))
}

/// DBSubnetGroup of an instance: with its subnets, where they are in the plan.
fn subnet_group<'p>(world: &World<'p>, resource: &'p Resource) -> Result<Value, String> {
    if world.is_left_to_aws(resource, "db_subnet_group_name") {
        return Ok(Value::Null);
    }
    let Some(name) = world.id(resource, "db_subnet_group_name").settled()? else {
        return Ok(Value::Null);
    };
    let mut found = json!({"DBSubnetGroupName": name});
    let Some(group) = world.called(&SUBNET_GROUPS, &name) else { return Ok(found) };
    let subnets = world.ids(group, "subnet_ids").settled()?.unwrap_or_default();
    let own = subnets.iter().find_map(|id| world.called(&["aws_subnet", "aws_default_subnet"], id));
    if let Some(Seen::Known(vpc)) = own.map(|subnet| world.id(subnet, "vpc_id")) {
        found["VpcId"] = json!(vpc);
    }
    let list: Vec<Value> = subnets
        .into_iter()
        .map(|id| json!({"SubnetIdentifier": id, "SubnetStatus": "Active"}))
        .collect();
    found["Subnets"] = json!(list);
    Ok(found)
}

fn read_instance<'p>(world: &World<'p>, instance: &'p Resource) -> Result<Value, String> {
    let subnets = subnet_group(world, instance)?;
    let mut found = common(world, instance);
    found["VpcSecurityGroups"] = groups(world, instance, &subnets)?;
    if !subnets.is_null() {
        found["DBSubnetGroup"] = subnets;
    }
    found["PubliclyAccessible"] = public(instance)?;
    add_parameter_group(world, instance, "parameter_group_name", &mut found);
    if let Some(source) = world.id(instance, "replicate_source_db").known() {
        found["ReadReplicaSourceDBInstanceIdentifier"] = json!(source);
    }
    Ok(found)
}

/// What instances of both kinds have.
fn common(world: &World<'_>, instance: &Resource) -> Value {
    let Some(instance) =
        world.of(&[INSTANCE, MEMBERS[0], MEMBERS[1]]).find(|one| one.address == instance.address)
    else {
        return json!({});
    };
    let mut found = json!({"DBInstanceIdentifier": world.name(instance),
        "DBInstanceStatus": "available"});
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            found[key] = value;
        }
    };
    set("DBInstanceArn", world.own_id(instance, "arn").map(Value::String));
    set("Engine", engine_of(instance).map(Value::String));
    let version = instance.known_text("engine_version_actual");
    set(
        "EngineVersion",
        version.or_else(|| instance.known_text("engine_version")).map(Value::String),
    );
    set("CACertificateIdentifier", instance.known_text("ca_cert_identifier").map(Value::String));
    if let Some(host) = world.host(instance, host_attribute(instance)) {
        let mut endpoint = json!({"Address": host});
        if let Some(port) = port(world, instance) {
            endpoint["Port"] = json!(port);
        }
        set("Endpoint", Some(endpoint));
    }
    found
}

/// Whether it has a public address: no, unless it says so.
fn public(instance: &Resource) -> Result<Value, String> {
    match instance.flag("publicly_accessible") {
        Seen::Known(public) => Ok(json!(public)),
        Seen::Absent => Ok(json!(false)),
        Seen::Open(_) if instance.kind != INSTANCE => Ok(json!(false)),
        Seen::Open(why) => Err(why),
    }
}

fn add_parameter_group<'p>(
    world: &World<'p>,
    instance: &'p Resource,
    path: &str,
    found: &mut Value,
) {
    if world.is_left_to_aws(instance, path) {
        return;
    }
    if let Seen::Known(name) = world.id(instance, path) {
        found["DBParameterGroups"] =
            json!([{"DBParameterGroupName": name, "ParameterApplyStatus": "in-sync"}]);
    }
}

fn read_cluster<'p>(world: &World<'p>, cluster: &'p Resource) -> Result<Value, String> {
    let subnets = subnet_group(world, cluster)?;
    let mut found = json!({"DBClusterIdentifier": world.name(cluster), "Status": "available",
        "VpcSecurityGroups": groups(world, cluster, &subnets)?});
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            found[key] = value;
        }
    };
    set("DBClusterArn", world.own_id(cluster, "arn").map(Value::String));
    set("Engine", engine_of(cluster).map(Value::String));
    let version = cluster.known_text("engine_version_actual");
    set(
        "EngineVersion",
        version.or_else(|| cluster.known_text("engine_version")).map(Value::String),
    );
    set("Endpoint", world.host(cluster, "endpoint").map(Value::String));
    set("ReaderEndpoint", world.host(cluster, "reader_endpoint").map(Value::String));
    set("Port", port(world, cluster).map(|port| json!(port)));
    set("DBSubnetGroup", subnets["DBSubnetGroupName"].as_str().map(|name| json!(name)));
    let path = "db_cluster_parameter_group_name";
    if !world.is_left_to_aws(cluster, path) {
        let name = world.id(cluster, path).known();
        set("DBClusterParameterGroup", name.map(Value::String));
    }
    Ok(found)
}

/// An instance of a cluster: groups, subnets and port are the cluster's.
fn read_member<'p>(world: &World<'p>, member: &'p Resource) -> Result<Value, String> {
    let id = world.id(member, "cluster_identifier").settled()?;
    let id = id.ok_or_else(|| format!("{} names no cluster", member.address))?;
    let cluster =
        world.called(&CLUSTERS, &id).ok_or_else(|| format!("{id} lies outside the plan"))?;
    let subnets = subnet_group(world, cluster)?;
    let mut found = common(world, member);
    found["DBClusterIdentifier"] = json!(world.name(cluster));
    found["VpcSecurityGroups"] = groups(world, cluster, &subnets)?;
    if !subnets.is_null() {
        found["DBSubnetGroup"] = subnets;
    }
    if found.get("Engine").is_none() {
        found["Engine"] = json!(engine_of(cluster));
    }
    if let Some(port) = port(world, cluster) {
        found["Endpoint"]["Port"] = json!(port);
    }
    found["PubliclyAccessible"] = public(member)?;
    add_parameter_group(world, member, "db_parameter_group_name", &mut found);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::put;
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
            put,
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
            put,
        );
        assert_eq!(gaps(&found), [("DBInstances", "d")]);
    }
}
