//! Which database a secret belongs to; the checks that look at the database start
//! from here.

use crate::{
    checks::{Case, Stop},
    evidence::{DbCluster, DbInstance, Fact, MasterUserSecret, Tag},
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

/// What the secret's value says about its database.
struct DatabaseHints {
    host: Option<String>,
    instance: Option<String>,
    cluster: Option<String>,
}

/// The databases that were seen.
struct SeenDatabases<'c> {
    instances: &'c [DbInstance],
    clusters: &'c [DbCluster],
}

impl<'c> SeenDatabases<'c> {
    fn is_empty(&self) -> bool {
        self.instances.is_empty() && self.clusters.is_empty()
    }

    /// The database that answers at a host.
    fn at(&self, host: &str, how: String) -> Option<SecretDatabase<'c>> {
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

    fn by_hints(&self, hints: &DatabaseHints) -> Option<SecretDatabase<'c>> {
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
    fn by_owner(&self, case: &Case<'_>) -> Option<SecretDatabase<'c>> {
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
    fn by_stack(&self, case: &'c Case<'_>) -> Option<SecretDatabase<'c>> {
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
    fn only(&self) -> Option<SecretDatabase<'c>> {
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
fn plain_host(host: &str) -> String {
    host.trim().trim_end_matches('.').to_lowercase()
}

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
