//! RDS, DocumentDB and Redshift: instances and clusters with their subnets and groups. A
//! Redshift cluster stands among the instances: it listens at one endpoint, as they do.

use super::{
    ids::{default_group, owner},
    scope::{Presence, Resource, Scope},
    value::Resolved,
    world::{Created, World, tags},
};
use crate::{
    evidence::{DbCluster, DbClusterMember, DbInstance, DbSubnetGroup, Fact, MasterUserSecret},
    template::{
        aws::{Open, Setting, databases, secrets},
        draft::begin,
    },
};

/// The kinds of resources that are databases, each with the fact it stands in.
pub(super) const KINDS: &[(&str, Fact)] = &[
    ("AWS::RDS::DBInstance", Fact::DBInstances),
    ("AWS::DocDB::DBInstance", Fact::DBInstances),
    ("AWS::Redshift::Cluster", Fact::DBInstances),
    ("AWS::RDS::DBCluster", Fact::DBClusters),
    ("AWS::DocDB::DBCluster", Fact::DBClusters),
];

/// The secret that a service keeps for a database's master user, where it is to.
pub(super) fn master_secret(
    scope: &Scope<'_>,
    resource: &Resource<'_>,
) -> Option<MasterUserSecret> {
    let is_set = |name: &str| scope.property(resource, name).flag().known() == Some(true);
    let managed = is_set("ManageMasterUserPassword") || is_set("ManageMasterPassword");
    let key = scope.property(resource, "MasterUserSecret").get("KmsKeyId").id();
    let key = key.or_else(|| scope.property(resource, "MasterPasswordSecretKmsKeyId").id());
    managed.then(|| {
        let arn = scope.attribute_id(resource, "MasterUserSecret.SecretArn");
        databases::master_secret(arn, key)
    })
}

/// The secret with this ARN, where a service keeps it for a database of the template.
pub(super) fn managed_secret<'s, 't>(
    scope: &'s Scope<'t>,
    arn: &str,
) -> Option<(&'s Resource<'t>, crate::evidence::Secret)> {
    scope.resources().iter().find_map(|one| {
        let secret = KINDS
            .iter()
            .any(|(kind, _)| *kind == one.kind)
            .then(|| master_secret(scope, one))
            .flatten()?;
        (secret.secret_arn.as_deref() == Some(arn))
            .then(|| (one, secrets::managed(arn, &owner(one), secret.kms_key_id)))
    })
}

/// The engine of a database, as its API names it.
pub(super) fn engine(scope: &Scope<'_>, resource: &Resource<'_>) -> Setting<String> {
    if let Some(engine) = databases::engine_of_kind(resource.kind) {
        return Setting::Known(engine.to_owned());
    }
    match (scope.property(resource, "Engine").text(), cluster_of(scope, resource)) {
        (Setting::Absent, Some(cluster)) => engine(scope, cluster),
        (setting, _) => setting,
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
pub(super) fn port(scope: &Scope<'_>, resource: &Resource<'_>) -> Setting<i64> {
    let own = scope.property(resource, "Port").number();
    let own = match (own, cluster_of(scope, resource)) {
        (Setting::Absent, Some(cluster)) => scope.property(cluster, "Port").number(),
        (setting, _) => setting,
    };
    match own {
        Setting::Absent => {
            engine(scope, resource).and_then(|engine| databases::default_port(&engine).into())
        }
        setting => setting,
    }
}

/// The database of the template that an id, a name or an ARN names.
pub(super) fn called<'s, 't>(scope: &'s Scope<'t>, named: &str) -> Option<&'s Resource<'t>> {
    // `arn:aws:rds:REGION:ACCOUNT:cluster:NAME`; Redshift has a namespace there.
    let name = match named.starts_with("arn:") {
        true => named.splitn(7, ':').nth(6).unwrap_or(named),
        false => named,
    };
    scope.resources().iter().find(|one| {
        KINDS.iter().any(|(kind, _)| *kind == one.kind)
            && scope.id_of(one).eq_ignore_ascii_case(name)
            && scope.presence(one) == Presence::Made
    })
}

/// Every database of the template. Where there is none, the secret's is not declared.
pub(super) fn declare(world: &mut World<'_, '_>) {
    let mut any = false;
    for (kind, fact) in KINDS {
        for database in world.created(kind, *fact) {
            any = true;
            world.declare_whole(&database.id, database.resource);
            let host = world.scope.endpoint(database.resource);
            let host = Resolved { at: database.resource.node.at, value: host };
            if let Some(host) = host.id() {
                world.declare_whole(&host, database.resource);
            }
            let open = match fact {
                Fact::DBInstances => instance(world, &database, &host)
                    .map(|found| begin(&mut world.draft.evidence.db_instances).push(found)),
                _ => cluster(world, &database, &host)
                    .map(|found| begin(&mut world.draft.evidence.db_clusters).push(found)),
            };
            if let Err(open) = open {
                world.draft.gap(*fact, &database.id, open);
            }
            let is_placed = ["PubliclyAccessible", "DBSubnetGroupName", "DBClusterIdentifier"]
                .iter()
                .any(|name| !database.properties.get(name).is_nothing());
            if !is_placed && *fact == Fact::DBInstances {
                let reason = format!("the network of {} is not declared", database.resource.name);
                world.draft.gap(Fact::NetworkInterfaces, &database.id, reason);
            }
        }
    }
    if any {
        begin(&mut world.draft.evidence.db_instances);
        begin(&mut world.draft.evidence.db_clusters);
        super::parameters::declare(world);
    } else {
        for fact in databases::FACTS {
            world.draft.gap(fact, "", "no database is declared");
        }
    }
}

fn instance(
    world: &World<'_, '_>,
    database: &Created<'_, '_>,
    host: &Resolved,
) -> Result<DbInstance, Open> {
    let (scope, properties) = (world.scope, &database.properties);
    let cluster = cluster_of(scope, database.resource);
    // What an instance of a cluster does not say, its cluster does.
    let property = |name: &str| match (properties.get(name).is_nothing(), cluster) {
        (true, Some(cluster)) => scope.property(cluster, name),
        _ => properties.get(name).clone(),
    };
    let engine = engine(scope, database.resource).settled()?;
    let is_redshift = engine.as_deref() == Some(databases::REDSHIFT);
    let subnets = match is_redshift {
        true => subnet_group(world, properties.get("ClusterSubnetGroupName"))?,
        false => subnet_group(world, &property("DBSubnetGroupName"))?,
    };
    let vpc = subnets.as_ref().and_then(|group| group.vpc_id.clone());
    let public = match properties.get("PubliclyAccessible").flag().settled()? {
        Some(public) => Some(public),
        // Where nothing is said, it depends on the subnets; with a group of subnets it is
        // not public, nor is a Redshift cluster.
        None => (subnets.is_some() || is_redshift).then_some(false),
    };
    let identifier = if is_redshift { "ClusterIdentifier" } else { "DBInstanceIdentifier" };
    let kind = if is_redshift { ("redshift", "cluster") } else { ("rds", "db") };
    let name = arn_name(properties, &database.id, identifier);
    let parameters = properties.get("DBParameterGroupName").id();
    Ok(DbInstance {
        db_instance_identifier: Some(database.id.clone()),
        db_instance_arn: Some(scope.place.arn(kind.0, &format!("{}:{name}", kind.1))),
        db_instance_status: Some("available".to_owned()),
        engine,
        engine_version: property("EngineVersion").known(),
        endpoint: databases::endpoint(host.known(), port(scope, database.resource).settled()?),
        master_username: property("MasterUsername").known(),
        db_name: properties.get("DBName").known(),
        db_cluster_identifier: properties.get("DBClusterIdentifier").id(),
        publicly_accessible: public,
        vpc_security_groups: databases::memberships(groups(&property, vpc.as_deref())),
        db_subnet_group: subnets,
        db_parameter_groups: parameters.map(databases::parameter_group).into_iter().collect(),
        master_user_secret: master_secret(scope, database.resource),
        ca_certificate_identifier: properties.get("CACertificateIdentifier").known(),
        read_replica_source_db_instance_identifier: properties
            .get("SourceDBInstanceIdentifier")
            .known(),
        tag_list: tags(properties.get("Tags")),
        ..DbInstance::default()
    })
}

fn cluster(
    world: &World<'_, '_>,
    database: &Created<'_, '_>,
    host: &Resolved,
) -> Result<DbCluster, Open> {
    let (scope, properties) = (world.scope, &database.properties);
    let vpc = subnet_group(world, properties.get("DBSubnetGroupName"))
        .ok()
        .flatten()
        .and_then(|group| group.vpc_id);
    let property = |name: &str| properties.get(name).clone();
    let members = scope
        .resources()
        .iter()
        .filter(|one| matches!(one.kind, "AWS::RDS::DBInstance" | "AWS::DocDB::DBInstance"))
        .filter(|one| {
            scope.property(one, "DBClusterIdentifier").id().as_deref() == Some(&database.id)
        })
        .enumerate()
        // The first that is created is the writer.
        .map(|(at, one)| DbClusterMember {
            db_instance_identifier: Some(scope.id_of(one)),
            is_cluster_writer: Some(at == 0),
        });
    let name = arn_name(properties, &database.id, "DBClusterIdentifier");
    Ok(DbCluster {
        db_cluster_identifier: Some(database.id.clone()),
        db_cluster_arn: Some(scope.place.arn("rds", &format!("cluster:{name}"))),
        status: Some("available".to_owned()),
        engine: engine(scope, database.resource).settled()?,
        engine_version: properties.get("EngineVersion").known(),
        reader_endpoint: host.known().map(|host| databases::reader_host(&host)),
        endpoint: host.known(),
        port: port(scope, database.resource).settled()?,
        master_username: properties.get("MasterUsername").known(),
        database_name: properties.get("DatabaseName").known(),
        db_cluster_parameter_group: properties.get("DBClusterParameterGroupName").id(),
        db_subnet_group: properties.get("DBSubnetGroupName").id(),
        vpc_security_groups: databases::memberships(groups(&property, vpc.as_deref())),
        master_user_secret: master_secret(scope, database.resource),
        db_cluster_members: members.collect(),
        tag_list: tags(properties.get("Tags")),
        ..DbCluster::default()
    })
}

/// A database's name in its ARN, where policies may name it: an open one stays open.
fn arn_name(properties: &Resolved, id: &str, property: &str) -> String {
    match properties.get(property).text() {
        Setting::Open(open) => open.token,
        _ => id.to_lowercase(),
    }
}

/// The groups of a database; that of its VPC, where none is said.
fn groups(property: &dyn Fn(&str) -> Resolved, vpc: Option<&str>) -> Vec<String> {
    let mut ids = property("VPCSecurityGroups").ids();
    ids.extend(property("VpcSecurityGroupIds").ids());
    if ids.is_empty() {
        ids.extend(vpc.filter(|vpc| vpc.starts_with("vpc-")).map(default_group));
    }
    ids
}

/// A group of subnets; without subnets where it is not in the template.
fn subnet_group(world: &World<'_, '_>, name: &Resolved) -> Result<Option<DbSubnetGroup>, Open> {
    let Some(name) = name.id() else { return Ok(None) };
    for kind in [
        "AWS::RDS::DBSubnetGroup",
        "AWS::DocDB::DBSubnetGroup",
        "AWS::Redshift::ClusterSubnetGroup",
    ] {
        let all = world.perhaps(kind);
        let Some((group, open)) =
            all.into_iter().find(|(one, _)| one.id.eq_ignore_ascii_case(&name))
        else {
            continue;
        };
        open?;
        let ids = group.properties.get("SubnetIds").ids();
        let vpc = ids.iter().find_map(|id| super::gateways::vpc_of(world, id));
        return Ok(Some(databases::subnet_group(&name, vpc, ids)));
    }
    Ok(None)
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
        // The secret's value is not declared, so which database is meant is unknown.
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
