//! RDS and DocumentDB: instances and clusters with their subnets, groups and parameters.
//! Redshift has no place in the evidence; its endpoint stands in the secret's value.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{
    identity::default_group,
    resolved::{Resolved, Told, Unknown},
    scope::{Resource, Scope},
    world::{Made, World, compact},
};
use crate::evidence::Fact;

/// The port on which engines listen where none is said.
///
/// Source: RDS API Reference, CreateDBInstance, Port; DocumentDB and Redshift likewise.
const PORTS: &[(&str, i64)] = &[
    ("aurora-postgresql", 5432),
    ("postgres", 5432),
    ("aurora-mysql", 3306),
    ("aurora", 3306),
    ("mysql", 3306),
    ("mariadb", 3306),
    ("oracle", 1521),
    ("sqlserver", 1433),
    ("db2", 50000),
    ("docdb", 27017),
    ("redshift", 5439),
    ("neptune", 8182),
];

/// The kinds of resources that are databases, each with the fact it stands in.
pub(super) const KINDS: &[(&str, Fact)] = &[
    ("AWS::RDS::DBInstance", Fact::DBInstances),
    ("AWS::DocDB::DBInstance", Fact::DBInstances),
    ("AWS::RDS::DBCluster", Fact::DBClusters),
    ("AWS::DocDB::DBCluster", Fact::DBClusters),
];

/// The secret that RDS keeps for a database's master user, where it is to.
pub(super) fn master_secret(scope: &Scope<'_>, resource: &Resource<'_>) -> Option<Json> {
    let managed = scope.property(resource, "ManageMasterUserPassword").flag() == Ok(Some(true));
    let key = scope.property(resource, "MasterUserSecret").get("KmsKeyId").id();
    managed.then(|| {
        compact(json!({"SecretStatus": "active", "KmsKeyId": key,
            "SecretArn": scope.attribute_id(resource, "MasterUserSecret.SecretArn")}))
    })
}

/// The engine of a database, as its API names it.
pub(super) fn engine(scope: &Scope<'_>, resource: &Resource<'_>) -> Told<String> {
    match resource.kind {
        "AWS::DocDB::DBCluster" | "AWS::DocDB::DBInstance" => Ok(Some("docdb".to_owned())),
        "AWS::Redshift::Cluster" => Ok(Some("redshift".to_owned())),
        _ => match scope.property(resource, "Engine").text()? {
            Some(engine) => Ok(Some(engine)),
            None => match cluster_of(scope, resource) {
                Some(cluster) => engine(scope, cluster),
                None => Ok(None),
            },
        },
    }
}

/// The cluster of an instance, where it is one of the template.
fn cluster_of<'s, 't>(scope: &'s Scope<'t>, resource: &Resource<'_>) -> Option<&'s Resource<'t>> {
    if !resource.kind.ends_with("Instance") {
        return None;
    }
    let id = scope.property(resource, "DBClusterIdentifier").id()?;
    scope.resources().iter().find(|one| {
        matches!(one.kind, "AWS::RDS::DBCluster" | "AWS::DocDB::DBCluster")
            && scope.id_of(one) == id
            && one.name != resource.name
    })
}

/// The port of a database: as declared, else that of its engine.
pub(super) fn port(scope: &Scope<'_>, resource: &Resource<'_>) -> Told<i64> {
    if let Some(port) = scope.property(resource, "Port").number()? {
        return Ok(Some(port));
    }
    if let Some(cluster) = cluster_of(scope, resource)
        && let Some(port) = scope.property(cluster, "Port").number()?
    {
        return Ok(Some(port));
    }
    let Some(engine) = engine(scope, resource)? else { return Ok(None) };
    Ok(PORTS.iter().find(|(name, _)| engine.starts_with(name)).map(|(_, port)| *port))
}

/// Every database of the template. Where there is none, the secret's lies outside.
pub(super) fn declare(world: &mut World<'_, '_>) {
    let mut any = false;
    for (kind, fact) in KINDS {
        for database in world.made(kind, *fact) {
            any = true;
            world.declare(&database.id, database.resource, database.resource.node.at);
            let host = world.scope.endpoint(database.resource);
            let host = Resolved { at: database.resource.node.at, value: host };
            if let Some(host) = host.id() {
                world.declare(&host, database.resource, database.resource.node.at);
            }
            let made = match fact {
                Fact::DBInstances => instance(world, &database, &host),
                _ => cluster(world, &database, &host),
            };
            match made {
                Ok(found) => world.draft.push(fact.name(), found),
                Err(unknown) => world.open(*fact, &database.id, &unknown),
            }
        }
    }
    if any {
        world.draft.list("DBInstances");
        world.draft.list("DBClusters");
        parameters(world);
    } else {
        for fact in [Fact::DBInstances, Fact::DBClusters, Fact::DBParameters] {
            world.draft.gap(fact, "", "no database is in the template");
        }
    }
}

fn instance(
    world: &mut World<'_, '_>,
    database: &Made<'_, '_>,
    host: &Resolved,
) -> Result<Json, Unknown> {
    let (scope, properties) = (world.scope, &database.properties);
    let cluster = cluster_of(scope, database.resource);
    // What an instance of a cluster does not say, its cluster does.
    let told = |name: &str| match (properties.get(name).is_nothing(), cluster) {
        (true, Some(cluster)) => scope.property(cluster, name),
        _ => properties.get(name).clone(),
    };
    let engine = engine(scope, database.resource)?;
    let port = port(scope, database.resource)?;
    let subnets = subnet_group(world, &told("DBSubnetGroupName"))?;
    let vpc = subnets.as_ref().and_then(|group| group["VpcId"].as_str().map(str::to_owned));
    let groups = groups(&told, vpc.as_deref());
    let public = match properties.get("PubliclyAccessible").flag()? {
        Some(public) => Some(public),
        // Without a word it depends on the subnets; with a group of subnets it is not.
        None => subnets.as_ref().map(|_| false),
    };
    let address = host.known().map(|host| json!({"Address": host, "Port": port}));
    let parameters = properties.get("DBParameterGroupName").id();
    let account = &scope.place;
    Ok(compact(json!({"DBInstanceIdentifier": database.id,
        "DBInstanceArn": account.arn("rds", &format!("db:{}", arn_name(properties, &database.id, "DBInstanceIdentifier"))),
        "DBInstanceStatus": "available", "Engine": engine,
        "EngineVersion": told("EngineVersion").known(), "Endpoint": address,
        "MasterUsername": told("MasterUsername").known(), "DBName": properties.get("DBName").known(),
        "DBClusterIdentifier": properties.get("DBClusterIdentifier").id(),
        "PubliclyAccessible": public, "VpcSecurityGroups": groups, "DBSubnetGroup": subnets,
        "DBParameterGroups": parameters.map(|name| json!([
            {"DBParameterGroupName": name, "ParameterApplyStatus": "in-sync"}])),
        "MasterUserSecret": master_secret(scope, database.resource),
        "CACertificateIdentifier": properties.get("CACertificateIdentifier").known(),
        "ReadReplicaSourceDBInstanceIdentifier":
            properties.get("SourceDBInstanceIdentifier").known(),
        "TagList": World::tags(properties.get("Tags"))})))
}

fn cluster(
    world: &mut World<'_, '_>,
    database: &Made<'_, '_>,
    host: &Resolved,
) -> Result<Json, Unknown> {
    let (scope, properties) = (world.scope, &database.properties);
    let vpc = subnet_group(world, properties.get("DBSubnetGroupName"))
        .ok()
        .flatten()
        .and_then(|group| group["VpcId"].as_str().map(str::to_owned));
    let told = |name: &str| properties.get(name).clone();
    let members: Vec<Json> = scope
        .resources()
        .iter()
        .filter(|one| matches!(one.kind, "AWS::RDS::DBInstance" | "AWS::DocDB::DBInstance"))
        .filter(|one| scope.property(one, "DBClusterIdentifier").id().as_deref() == Some(&database.id))
        .enumerate()
        // The first that is made is the writer.
        .map(|(at, one)| {
            json!({"DBInstanceIdentifier": scope.id_of(one), "IsClusterWriter": at == 0})
        })
        .collect();
    let reader = scope.attribute_id(database.resource, "ReadEndpoint.Address");
    let name = arn_name(properties, &database.id, "DBClusterIdentifier");
    Ok(compact(json!({"DBClusterIdentifier": database.id,
        "DBClusterArn": scope.place.arn("rds", &format!("cluster:{name}")),
        "Status": "available", "Engine": engine(scope, database.resource)?,
        "EngineVersion": properties.get("EngineVersion").known(),
        "Endpoint": host.known(), "ReaderEndpoint": reader,
        "Port": port(scope, database.resource)?,
        "MasterUsername": properties.get("MasterUsername").known(),
        "DatabaseName": properties.get("DatabaseName").known(),
        "DBClusterParameterGroup": properties.get("DBClusterParameterGroupName").id(),
        "DBSubnetGroup": properties.get("DBSubnetGroupName").id(),
        "VpcSecurityGroups": groups(&told, vpc.as_deref()),
        "MasterUserSecret": master_secret(scope, database.resource),
        "DBClusterMembers": members, "TagList": World::tags(properties.get("Tags"))})))
}

/// A database's name in its ARN, where policies may name it: an open one stays open.
fn arn_name(properties: &Resolved, id: &str, property: &str) -> String {
    match properties.get(property).text() {
        Err(unknown) => unknown.token,
        _ => id.to_lowercase(),
    }
}

/// The groups of a database; that of its VPC, where none is said.
fn groups(told: &dyn Fn(&str) -> Resolved, vpc: Option<&str>) -> Json {
    let mut ids = told("VPCSecurityGroups").ids();
    ids.extend(told("VpcSecurityGroupIds").ids());
    if ids.is_empty() {
        ids.extend(vpc.filter(|vpc| vpc.starts_with("vpc-")).map(default_group));
    }
    ids.iter().map(|id| json!({"VpcSecurityGroupId": id, "Status": "active"})).collect()
}

/// A group of subnets; `None` where it is not in the template.
fn subnet_group(world: &World<'_, '_>, name: &Resolved) -> Result<Option<Json>, Unknown> {
    let Some(name) = name.id() else { return Ok(None) };
    for kind in ["AWS::RDS::DBSubnetGroup", "AWS::DocDB::DBSubnetGroup"] {
        let all = world.perhaps(kind);
        let Some((group, open)) =
            all.into_iter().find(|(one, _)| one.id.eq_ignore_ascii_case(&name))
        else {
            continue;
        };
        open.map_err(|why| Unknown::named(&name, why))?;
        let ids = group.properties.get("SubnetIds").ids();
        let vpc = ids.iter().find_map(|id| super::gateways::vpc_of(world, id));
        let subnets: Vec<Json> = ids
            .iter()
            .map(|id| json!({"SubnetIdentifier": id, "SubnetStatus": "Active"}))
            .collect();
        return Ok(Some(compact(
            json!({"DBSubnetGroupName": name, "VpcId": vpc, "Subnets": subnets}),
        )));
    }
    Ok(None)
}

/// The parameters that the template's groups set. Of a group that is not there nothing
/// is known.
fn parameters(world: &mut World<'_, '_>) {
    let mut named: BTreeSet<String> = BTreeSet::new();
    for list in ["DBInstances", "DBClusters"] {
        for database in world.draft.get(list).and_then(Json::as_array).into_iter().flatten() {
            named.extend(database["DBClusterParameterGroup"].as_str().map(str::to_owned));
            let groups = database["DBParameterGroups"].as_array().into_iter().flatten();
            named.extend(
                groups.filter_map(|g| g["DBParameterGroupName"].as_str().map(str::to_owned)),
            );
        }
    }
    let (mut found, mut open) = (Vec::new(), false);
    let mut own: BTreeSet<String> = BTreeSet::new();
    for kind in [
        "AWS::RDS::DBParameterGroup",
        "AWS::RDS::DBClusterParameterGroup",
        "AWS::DocDB::DBClusterParameterGroup",
    ] {
        for group in world.made(kind, Fact::DBParameters) {
            world.declare(&group.id, group.resource, group.resource.node.at);
            own.insert(group.id.clone());
            let parameters = group.properties.get("Parameters");
            if let Some(unknown) = parameters.unknown() {
                open = true;
                world.open(Fact::DBParameters, &group.id, unknown);
            }
            for (name, value) in parameters.members() {
                match value.text() {
                    Ok(Some(value)) => found.push(json!({"DBParameterGroupName": group.id,
                        "ParameterName": name, "ParameterValue": value, "Source": "user"})),
                    Ok(None) => {}
                    Err(unknown) => {
                        open = true;
                        world.open(Fact::DBParameters, &group.id, &unknown);
                    }
                }
            }
        }
    }
    let outside: Vec<&String> =
        named.difference(&own).filter(|group| !group.starts_with("default.")).collect();
    for group in &outside {
        let why = format!("parameter group {group} is not in the template");
        world.draft.gap(Fact::DBParameters, group, why);
    }
    // What no group sets has the engine's default; of a group that is open nothing is told.
    if outside.is_empty() && !open {
        world.draft.put("DBParameters", Json::Array(found));
    }
}

#[cfg(test)]
mod tests {
    use crate::template::cloudformation::testing::{evidence, open_in};

    #[test]
    fn a_cluster_has_its_instances_and_its_parameters() {
        let found = evidence(
            "
  C: {Type: 'AWS::RDS::DBCluster', Properties: {Engine: aurora-postgresql, DBSubnetGroupName: !Ref G, DBClusterParameterGroupName: !Ref P}}
  I: {Type: 'AWS::RDS::DBInstance', Properties: {Engine: aurora-postgresql, DBClusterIdentifier: !Ref C}}
  N: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: vpc-1, CidrBlock: 10.0.1.0/24}}
  G: {Type: 'AWS::RDS::DBSubnetGroup', Properties: {SubnetIds: [!Ref N]}}
  P: {Type: 'AWS::RDS::DBClusterParameterGroup', Properties: {Parameters: {rds.force_ssl: 1}}}
  A: {Type: 'AWS::SecretsManager::SecretTargetAttachment', Properties: {SecretId: !Ref S, TargetId: !Ref C, TargetType: 'AWS::RDS::DBCluster'}}
",
        );
        // The secret's value is not declared, so which database is meant is not told.
        assert!(found.get("DBClusters").is_none(), "{found}");
        assert_eq!(open_in(&found, "DBClusters"), [""]);
    }

    #[test]
    fn what_the_secret_names_is_there() {
        let text = "
  G: {Type: 'AWS::SecretsManager::Secret', Properties: {Name: g, GenerateSecretString: {SecretStringTemplate: '{\"username\": \"u\"}', GenerateStringKey: password}}}
  C: {Type: 'AWS::RDS::DBCluster', Properties: {Engine: aurora-postgresql, DBSubnetGroupName: !Ref Subnets}}
  I: {Type: 'AWS::RDS::DBInstance', Properties: {Engine: aurora-postgresql, DBClusterIdentifier: !Ref C}}
  N: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: vpc-1, CidrBlock: 10.0.1.0/24}}
  Subnets: {Type: 'AWS::RDS::DBSubnetGroup', Properties: {SubnetIds: [!Ref N]}}
  P: {Type: 'AWS::RDS::DBClusterParameterGroup', Properties: {Parameters: {rds.force_ssl: 1}}}
  A: {Type: 'AWS::SecretsManager::SecretTargetAttachment', Properties: {SecretId: !Ref G, TargetId: !Ref C, TargetType: 'AWS::RDS::DBCluster'}}
  H: {Type: 'AWS::SecretsManager::RotationSchedule', Properties: {SecretId: !Ref A, RotationLambdaARN: !ImportValue fn}}
";
        let read = crate::template::cloudformation::read(
            &format!("Resources:{text}"),
            &crate::template::Settings::default(),
        );
        let found = read.expect("a template").rotations.remove(0).evidence;
        let found = serde_json::to_value(found).expect("a bundle");
        let cluster = &found["DBClusters"][0];
        assert_eq!(cluster["Endpoint"], "c.cluster-declared.us-east-1.rds.amazonaws.com");
        assert_eq!(cluster["ReaderEndpoint"], "c.cluster-ro-declared.us-east-1.rds.amazonaws.com");
        assert_eq!(cluster["DBClusterMembers"][0]["DBInstanceIdentifier"], "I");
        let instance = &found["DBInstances"][0];
        assert_eq!(instance["Endpoint"]["Port"], 5432);
        assert_eq!(instance["DBSubnetGroup"]["Subnets"][0]["SubnetIdentifier"], "subnet-N");
        assert_eq!(found["DBParameters"][0]["ParameterName"], "rds.force_ssl");
        let values = &found["SecretShape"]["AWSCURRENT"]["Values"];
        assert_eq!(
            (&values["engine"], &values["dbClusterIdentifier"]),
            (&"postgres".into(), &"C".into())
        );
    }
}
