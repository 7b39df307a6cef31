//! Databases: default ports, names of engines, and the parts of RDS's shapes that both
//! formats fill in alike.

use super::Place;
use crate::{
    catalogue::engines,
    evidence::{
        DbParameter, DbParameterGroupStatus, DbSubnet, DbSubnetGroup, Endpoint, Fact,
        MasterUserSecret, Observed, VpcSecurityGroupMembership,
    },
    template::{Draft, draft::entries},
};

/// The facts about databases.
pub(crate) const FACTS: [Fact; 3] = [Fact::DBInstances, Fact::DBClusters, Fact::DBParameters];

/// The engine's name of Amazon Redshift, whose clusters stand beside RDS's.
pub(crate) const REDSHIFT: &str = "redshift";
/// The engine's name of Amazon DocumentDB.
pub(crate) const DOCDB: &str = "docdb";

/// The port on which an engine listens where none is said (RDS API Reference,
/// CreateDBInstance, Port; DocumentDB and Redshift likewise).
const PORTS: &[(&str, i64)] = &[
    ("aurora-postgresql", 5432),
    ("postgres", 5432),
    ("aurora", 3306),
    ("mysql", 3306),
    ("mariadb", 3306),
    ("oracle", 1521),
    ("custom-oracle", 1521),
    ("sqlserver", 1433),
    ("custom-sqlserver", 1433),
    ("db2", 50000),
    (DOCDB, 27017),
    (REDSHIFT, 5439),
    ("neptune", 8182),
];

/// The port of an engine where none is said.
pub(crate) fn default_port(engine: &str) -> Option<i64> {
    PORTS.iter().find_map(|(name, port)| engine.starts_with(name).then_some(*port))
}

/// An engine as a secret names it: without the edition, and Aurora by its protocol.
pub(crate) fn engine_in_secret(engine: &str) -> String {
    let protocol = match engine {
        DOCDB => "mongo",
        // Aurora MySQL 1.
        "aurora" => "mysql",
        _ => engine.trim_start_matches("aurora-").trim_start_matches("custom-"),
    };
    let rows = engines().all();
    let row = rows.iter().find(|row| protocol.starts_with(row.name.as_str()));
    row.map_or(protocol, |row| row.name.as_str()).to_owned()
}

/// The engine of a kind of resource that has only one.
pub(crate) fn engine_of_kind(kind: &str) -> Option<&'static str> {
    let kind = kind.to_ascii_lowercase();
    [DOCDB, REDSHIFT].into_iter().find(|engine| kind.contains(engine))
}

/// The groups of a database.
pub(crate) fn memberships(groups: Vec<String>) -> Vec<VpcSecurityGroupMembership> {
    let one = |group| VpcSecurityGroupMembership {
        vpc_security_group_id: Some(group),
        status: Some("active".to_owned()),
    };
    groups.into_iter().map(one).collect()
}

/// A subnet group; without subnets where they are not declared.
pub(crate) fn subnet_group(name: &str, vpc: Option<String>, subnets: Vec<String>) -> DbSubnetGroup {
    let one = |subnet| DbSubnet {
        subnet_identifier: Some(subnet),
        subnet_status: Some("Active".to_owned()),
    };
    DbSubnetGroup {
        db_subnet_group_name: Some(name.to_owned()),
        vpc_id: vpc,
        subnets: subnets.into_iter().map(one).collect(),
    }
}

/// The parameter group of an instance.
pub(crate) fn parameter_group(name: String) -> DbParameterGroupStatus {
    DbParameterGroupStatus {
        db_parameter_group_name: Some(name),
        parameter_apply_status: Some("in-sync".to_owned()),
    }
}

/// Where a database listens.
pub(crate) fn endpoint(host: Option<String>, port: Option<i64>) -> Option<Endpoint> {
    host.map(|host| Endpoint { address: Some(host), port })
}

/// The secret that a service keeps for a master user.
pub(crate) fn master_secret(arn: String, key: Option<String>) -> MasterUserSecret {
    MasterUserSecret {
        secret_arn: Some(arn),
        secret_status: Some("active".to_owned()),
        kms_key_id: key,
    }
}

/// The host name of a database before it is there, in the form that AWS gives it.
pub(crate) fn host(place: &Place, name: &str, engine: Option<&str>, of_cluster: bool) -> String {
    let service = engine.filter(|one| [DOCDB, REDSHIFT].contains(one)).unwrap_or("rds");
    let mark = if of_cluster && service != REDSHIFT { "cluster-declared" } else { "declared" };
    let label: String = match name.contains("${") {
        true => name.to_owned(),
        false => name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect(),
    };
    format!("{label}.{mark}.{}.{service}.{}", place.region, place.url_suffix())
}

/// The host name of a cluster's readers.
pub(crate) fn reader_host(writer: &str) -> String {
    writer.replacen(".cluster-", ".cluster-ro-", 1)
}

/// A parameter that a group sets.
pub(crate) fn parameter(group: &str, name: String, value: String) -> DbParameter {
    DbParameter {
        db_parameter_group_name: Some(group.to_owned()),
        parameter_name: Some(name),
        parameter_value: Some(value),
        source: Some("user".to_owned()),
    }
}

/// How the names of the groups begin that come with an engine, and set nothing.
const DEFAULT_GROUP: &str = "default.";

/// Puts the parameters. `own` are the groups that the file declares, `open` says whether a
/// value of theirs is open. A list with a hole would say of what is in the hole that it is
/// not set, so then there is none.
pub(crate) fn put_parameters(
    draft: &mut Draft,
    parameters: Vec<DbParameter>,
    own: &[String],
    open: bool,
) {
    let mut named: Vec<String> = Vec::new();
    for instance in entries(&draft.evidence.db_instances) {
        let groups = &instance.db_parameter_groups;
        named.extend(groups.iter().filter_map(|group| group.db_parameter_group_name.clone()));
    }
    for cluster in entries(&draft.evidence.db_clusters) {
        named.extend(cluster.db_cluster_parameter_group.clone());
    }
    named.retain(|name| !name.starts_with(DEFAULT_GROUP) && !own.contains(name));
    named.sort();
    named.dedup();
    for group in &named {
        draft.gap(
            Fact::DBParameters,
            group,
            format!("the parameter group {group} is not declared"),
        );
    }
    if named.is_empty() && !open {
        draft.evidence.db_parameters = Observed::Known(parameters);
    }
}

#[cfg(test)]
mod tests {
    use super::{default_port, engine_in_secret, engine_of_kind};

    #[test]
    fn engines_have_their_ports_and_their_names_in_secrets() {
        for (engine, port, named) in [
            ("aurora-postgresql", 5432, "postgres"),
            ("aurora-mysql", 3306, "mysql"),
            ("aurora", 3306, "mysql"),
            ("oracle-ee", 1521, "oracle"),
            ("sqlserver-se", 1433, "sqlserver"),
            ("db2-ae", 50000, "db2"),
            ("docdb", 27017, "mongo"),
            ("redshift", 5439, "redshift"),
        ] {
            assert_eq!(default_port(engine), Some(port), "{engine}");
            assert_eq!(engine_in_secret(engine), named);
        }
        assert_eq!(engine_of_kind("AWS::DocDB::DBCluster"), Some("docdb"));
        assert_eq!(engine_of_kind("aws_redshift_cluster"), Some("redshift"));
        assert_eq!(engine_of_kind("aws_db_instance"), None);
    }
}
