//! Which database a secret belongs to; the checks that look at the database start
//! from here.

use super::seen_databases::{DatabaseHints, SeenDatabases, plain_host};
use crate::{
    checks::{Case, Stop},
    evidence::{DbCluster, DbInstance, Fact},
};

/// The facts that finding the database reads: [`database`] looks at some or all.
pub(in crate::checks) const DATABASE_FACTS: [Fact; 6] = [
    Fact::Secret,
    Fact::SecretShape,
    Fact::SuperuserSecret,
    Fact::StackResources,
    Fact::DBInstances,
    Fact::DBClusters,
];

/// The database that a secret belongs to, and how that is known.
#[derive(Clone, Debug)]
pub(in crate::checks) struct SecretDatabase<'c> {
    /// The instance: the one named, or the writer of the cluster.
    pub(in crate::checks) instance: Option<&'c DbInstance>,
    /// The cluster, where it is one.
    pub(in crate::checks) cluster: Option<&'c DbCluster>,
    /// What says that the secret belongs to it.
    pub(in crate::checks) how: String,
    /// Whether that is only assumed.
    pub(in crate::checks) assumed: bool,
}

impl<'c> SecretDatabase<'c> {
    /// Engine as RDS names it.
    pub(in crate::checks) fn engine(&self) -> &'c str {
        self.cluster
            .and_then(|cluster| cluster.engine.as_deref())
            .or_else(|| self.instance?.engine.as_deref())
            .unwrap_or_default()
    }

    /// Major version; for MySQL and the like the first number only.
    pub(in crate::checks) fn major(&self) -> Option<u32> {
        let version = self
            .cluster
            .and_then(|cluster| cluster.engine_version.as_deref())
            .or_else(|| self.instance?.engine_version.as_deref())?;
        version.split('.').next()?.parse().ok()
    }

    /// Identifier of the cluster, else of the instance.
    pub(in crate::checks) fn identifier(&self) -> Option<&'c str> {
        self.cluster
            .and_then(|cluster| cluster.db_cluster_identifier.as_deref())
            .or_else(|| self.instance?.db_instance_identifier.as_deref())
    }

    /// The identifier, for words that people read.
    pub(in crate::checks) fn label(&self) -> &'c str {
        self.identifier().unwrap_or("the database")
    }

    /// ARN of the cluster or instance, else its identifier.
    pub(in crate::checks) fn resource(&self) -> String {
        self.cluster
            .and_then(|cluster| cluster.db_cluster_arn.as_deref())
            .or_else(|| match self.cluster {
                Some(_) => None,
                None => self.instance?.db_instance_arn.as_deref(),
            })
            .unwrap_or(self.label())
            .to_owned()
    }

    /// `rds:DescribeDBClusters` or `rds:DescribeDBInstances`, as a source of proof.
    pub(in crate::checks) fn source(&self) -> &'static str {
        if self.cluster.is_some() { "DescribeDBClusters" } else { "DescribeDBInstances" }
    }

    /// Name of the master user.
    pub(in crate::checks) fn master_username(&self) -> Option<&'c str> {
        self.cluster
            .and_then(|cluster| cluster.master_username.as_deref())
            .or_else(|| self.instance?.master_username.as_deref())
    }
}

/// The database of the case's secret.
///
/// # Errors
/// Not applicable where there is no RDS database or nothing names which of
/// several it is; inconclusive where what would name it was not seen.
pub(in crate::checks) fn secret_database<'c>(
    case: &'c Case<'_>,
) -> Result<SecretDatabase<'c>, Stop> {
    let shapes = case.secret_shape();
    let shape = shapes.if_known().and_then(|by_stage| by_stage.get("AWSCURRENT"));
    let text = |key: &str| shape.and_then(|shape| shape.text(key));
    let named = case.named_database().map(|named| plain_host(&named.host));
    let hints = DatabaseHints {
        host: text("host").map(|host| plain_host(&host)),
        instance: text("dbInstanceIdentifier"),
        cluster: text("dbClusterIdentifier"),
    };
    let names_none =
        shape.is_some_and(|shape| !shape.keys.iter().any(|key| PLACES.contains(&key.as_str())));
    if names_none && named.is_none() {
        return Err(Stop::not_applicable("the secret names no database"));
    }
    let (instances_reading, clusters_reading) = (case.db_instances(), case.db_clusters());
    let fleet = SeenDatabases {
        instances: instances_reading.if_known().map_or(&[], Vec::as_slice),
        clusters: clusters_reading.if_known().map_or(&[], Vec::as_slice),
    };
    let by_caller = named.as_deref().map(|host| (host, format!("{host} was named as the host")));
    let found = by_caller.and_then(|(host, how)| fleet.at(host, how));
    let found = found.or_else(|| fleet.by_hints(&hints)).or_else(|| fleet.by_owner(case));
    if let Some(database) = found.or_else(|| fleet.by_stack(case)) {
        return Ok(database);
    }
    // What was not seen might hold the one that is meant.
    let unseen: Vec<_> = [
        instances_reading.is_unseen().then(|| instances_reading.missing()),
        clusters_reading.is_unseen().then(|| clusters_reading.missing()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !unseen.is_empty() {
        return Err(Stop::Inconclusive(unseen));
    }
    if let Some(host) = named.as_ref().or(hints.host.as_ref()) {
        return Err(Stop::not_applicable(format!("no RDS database answers at {host}")));
    }
    match fleet.only() {
        Some(only) => Ok(only),
        None if fleet.is_empty() => Err(Stop::not_applicable("there is no RDS database")),
        None if shapes.is_unseen() => Err(shapes.inconclusive()),
        None => Err(Stop::not_applicable("nothing names which of several databases it is")),
    }
}

/// Keys of a secret that name a database.
const PLACES: &[&str] = &["host", "dbInstanceIdentifier", "dbClusterIdentifier", "engine"];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::secret_database;
    use crate::checks::{Case, Stop, testing::evidence};

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf";

    fn fleet() -> Value {
        json!({
            "Secret": {"ARN": ARN},
            "DBInstances": [
                {"DBInstanceIdentifier": "orders", "DBInstanceArn": "arn:orders", "Engine": "postgres",
                    "EngineVersion": "16.3",
                    "Endpoint": {"Address": "orders.abc.eu-west-1.rds.amazonaws.com", "Port": 5432}},
                {"DBInstanceIdentifier": "shop-1", "DBClusterIdentifier": "shop", "Engine": "aurora-mysql"},
                {"DBInstanceIdentifier": "shop-2", "DBClusterIdentifier": "shop", "Engine": "aurora-mysql"}
            ],
            "DBClusters": [{"DBClusterIdentifier": "shop", "DBClusterArn": "arn:shop",
                "Engine": "aurora-mysql", "EngineVersion": "8.0.mysql_aurora.3.05.2",
                "Endpoint": "shop.cluster-abc.eu-west-1.rds.amazonaws.com",
                "DBClusterMembers": [
                    {"DBInstanceIdentifier": "shop-1", "IsClusterWriter": false},
                    {"DBInstanceIdentifier": "shop-2", "IsClusterWriter": true}]}]
        })
    }

    fn shaped(mut bundle: Value, values: Value) -> Value {
        let keys: Vec<&String> = values.as_object().expect("object").keys().collect();
        bundle["SecretShape"] = json!({"AWSCURRENT": {"Keys": keys, "Values": values}});
        bundle
    }

    /// The database that is found and whether it is assumed.
    fn found(bundle: Value) -> Result<(String, bool), Stop> {
        let evidence = evidence(bundle);
        let case = Case::new(&evidence);
        secret_database(&case).map(|database| (database.label().to_owned(), database.assumed))
    }

    fn sure(label: &str) -> Result<(String, bool), Stop> {
        Ok((label.to_owned(), false))
    }

    #[test]
    fn the_host_or_the_identifier_names_it() {
        let host = json!({"host": "Orders.abc.eu-west-1.rds.amazonaws.com."});
        assert_eq!(found(shaped(fleet(), host)), sure("orders"));
        let cluster = json!({"host": "shop.cluster-abc.eu-west-1.rds.amazonaws.com"});
        assert_eq!(found(shaped(fleet(), cluster)), sure("shop"));
        assert_eq!(
            found(shaped(fleet(), json!({"dbInstanceIdentifier": "orders"}))),
            sure("orders")
        );
        assert_eq!(found(shaped(fleet(), json!({"dbClusterIdentifier": "shop"}))), sure("shop"));
    }

    #[test]
    fn the_caller_knows_better_than_the_secret() {
        let mut named = shaped(fleet(), json!({"dbClusterIdentifier": "shop"}));
        named["Database"] = json!({"Host": "ORDERS.abc.eu-west-1.rds.amazonaws.com", "Port": 5432});
        assert_eq!(found(named.clone()), sure("orders"));
        named["Database"]["Host"] = json!("another-name.example.com");
        assert_eq!(found(named.clone()), sure("shop"), "another name of it");
        named["SecretShape"] = json!(null);
        named["DBInstances"] = json!([named["DBInstances"][0]]);
        named["DBClusters"] = json!([]);
        assert!(matches!(found(named), Err(Stop::NotApplicable(_))), "no guess");
    }

    #[test]
    fn the_writer_stands_for_its_cluster() {
        let evidence = evidence(shaped(fleet(), json!({"dbClusterIdentifier": "shop"})));
        let case = Case::new(&evidence);
        let database = secret_database(&case).expect("database");
        let writer = database.instance.and_then(|one| one.db_instance_identifier.as_deref());
        assert_eq!((writer, database.major()), (Some("shop-2"), Some(8)));
        assert_eq!((database.engine(), database.resource().as_str()), ("aurora-mysql", "arn:shop"));
    }

    #[test]
    fn the_owner_of_a_managed_secret_is_its_database() {
        let mut tagged = fleet();
        tagged["SuperuserSecret"] =
            json!({"Tags": [{"Key": "aws:rds:primaryDBInstanceArn", "Value": "arn:orders"}]});
        assert_eq!(found(tagged), sure("orders"));
        let mut owned = fleet();
        owned["DBClusters"][0]["MasterUserSecret"] = json!({"SecretArn": ARN});
        assert_eq!(found(owned), sure("shop"));
    }

    #[test]
    fn a_stack_that_attaches_the_secret_names_its_only_database() {
        let mut stack = fleet();
        stack["StackResources"] = json!([
            {"ResourceType": "AWS::SecretsManager::SecretTargetAttachment", "PhysicalResourceId": ARN},
            {"ResourceType": "AWS::RDS::DBInstance", "PhysicalResourceId": "orders"}]);
        assert_eq!(found(stack.clone()), sure("orders"));
        stack["StackResources"][0]["PhysicalResourceId"] = json!("another");
        assert!(matches!(found(stack), Err(Stop::Inconclusive(_))));
    }

    #[test]
    fn the_only_database_is_assumed() {
        let mut one = fleet();
        one["DBInstances"].as_array_mut().expect("array").remove(0);
        assert_eq!(found(one), Ok(("shop".to_owned(), true)));
    }

    #[test]
    fn what_cannot_be_told_is_not_guessed() {
        let Err(Stop::Inconclusive(missing)) = found(fleet()) else { panic!("guessed") };
        assert_eq!(missing[0].fact.name(), "SecretShape");
        let elsewhere = shaped(fleet(), json!({"host": "10.0.0.1"}));
        assert!(matches!(found(elsewhere), Err(Stop::NotApplicable(_))));
        let key = shaped(fleet(), json!({"apiKey": null}));
        assert!(matches!(found(key), Err(Stop::NotApplicable(_))));
        let none = json!({"Secret": {"ARN": ARN}, "DBInstances": [], "DBClusters": []});
        assert!(matches!(found(none), Err(Stop::NotApplicable(_))));
    }

    #[test]
    fn a_denied_list_is_inconclusive_unless_the_other_answers() {
        let mut gap = shaped(fleet(), json!({"dbInstanceIdentifier": "orders"}));
        gap.as_object_mut().expect("object").remove("DBClusters");
        gap["Gaps"] = json!([{"Fact": "DBClusters", "Reason": "AccessDenied"}]);
        assert_eq!(found(gap.clone()), sure("orders"));
        gap["SecretShape"]["AWSCURRENT"]["Values"] = json!({"dbClusterIdentifier": "shop"});
        let Err(Stop::Inconclusive(missing)) = found(gap) else { panic!("guessed") };
        assert_eq!(missing[0].fact.name(), "DBClusters");
    }
}
