//! Which database a secret is for, and which superuser's secret: those that its value
//! refers to. A value that is not known yet does not show, but the configuration tells
//! what it is made of.

use serde_json::{Value, json};

use super::{
    database::{CLUSTERS, INSTANCE},
    plan::Resource,
    references::Target,
    secret::Parts,
    value::{Seen, items},
    world::World,
};
use crate::{evidence::Fact, template::Draft};

const SECRET: &str = "aws_secretsmanager_secret";

/// Names the database, where the value does not show it and there is only one that it
/// can be.
pub(super) fn put<'p>(world: &World<'p>, draft: &mut Draft, parts: &Parts<'p>) {
    put_superuser(world, draft, parts);
    let shown = draft.get("SecretShape").is_some();
    let Some(version) = parts.version.filter(|_| !shown) else { return };
    let databases = databases(world, version);
    let [database] = databases.as_slice() else { return };
    let attribute = if database.kind == INSTANCE { "address" } else { "endpoint" };
    let Some(host) = world.host(database, attribute) else { return };
    // Of one that was left out, nothing may be said, and not that it does not exist.
    if !is_known(draft, &host) {
        for (key, fact) in [("DBInstances", Fact::DBInstances), ("DBClusters", Fact::DBClusters)] {
            draft.take(key);
            draft.gap(fact, &host, format!("{} cannot be told whole", database.address));
        }
    }
    if let Some(port) = super::database::port(world, database) {
        draft.put("Database", json!({"Host": host, "Port": port}));
    }
}

/// The superuser's secret: as the value names it, else the one that it refers to.
fn put_superuser<'p>(world: &World<'p>, draft: &mut Draft, parts: &Parts<'p>) {
    let named = draft
        .get("SecretShape")
        .and_then(|shape| shape.pointer("/AWSCURRENT/Values/masterarn")?.as_str())
        .map(str::to_owned);
    if let Some(named) = named {
        let own = world.called(&[SECRET], &named);
        return match own.or_else(|| managed_by(world, &named)) {
            Some(found) => put_one(world, draft, found, &named),
            None => {
                draft.gap(Fact::SuperuserSecret, &named, format!("{named} lies outside the plan"));
            }
        };
    }
    let Some(version) = parts.version else { return };
    let mut found: Vec<&Resource> = Vec::new();
    for target in world.targets(version, "secret_string") {
        if let Target::Attribute(other, attribute) = target
            && parts.secret.is_none_or(|secret| !std::ptr::eq(secret, other))
            && !found.iter().any(|one| std::ptr::eq(*one, other))
        {
            let attribute = attribute.as_deref().unwrap_or("arn");
            let is_secret = other.kind == SECRET && matches!(attribute, "arn" | "id");
            if is_secret || attribute.starts_with(MANAGED) {
                found.push(other);
            }
        }
    }
    if let [one] = found.as_slice() {
        let named = one.known_text("arn").unwrap_or_default();
        put_one(world, draft, one, &named);
    }
}

/// Where a database tells the secret that RDS manages for its master user.
const MANAGED: &str = "master_user_secret";

/// The database whose master user's secret has that ARN.
fn managed_by<'p>(world: &World<'p>, arn: &str) -> Option<&'p Resource> {
    let path = format!("{MANAGED}.0.secret_arn");
    world
        .of(&[INSTANCE, CLUSTERS[0], CLUSTERS[1]])
        .find(|one| one.known_text(&path).as_deref() == Some(arn))
}

/// SuperuserSecret: a secret of the plan, or the one that RDS makes for a database.
fn put_one<'p>(world: &World<'p>, draft: &mut Draft, source: &'p Resource, named: &str) {
    if source.kind == SECRET {
        let Some(arn) = world.own_id(source, "arn") else { return };
        world.declare(draft, &arn, source);
        let mut found = json!({"ARN": arn});
        if let Some(name) = source.known_text("name") {
            world.declare(draft, &name, source);
            found["Name"] = json!(name);
        }
        match world.arn_in(source, "kms_key_id") {
            Seen::Known(key) => found["KmsKeyId"] = json!(super::key::arn_of(world, &key)),
            Seen::Absent => {}
            Seen::Open(why) => return draft.gap(Fact::SuperuserSecret, &arn, why),
        }
        return draft.put("SuperuserSecret", found);
    }
    let known = source.known_text(&format!("{MANAGED}.0.secret_arn"));
    let own = Some(named.to_owned()).filter(|named| named.contains(":secret:"));
    let arn = known.or(own).unwrap_or_else(|| {
        let name = world.name(source);
        world.place.arn("secretsmanager", &format!("secret:rds!{name}-XXXXXX"))
    });
    world.declare(draft, &arn, source);
    let mut found = json!({"ARN": arn, "OwningService": "rds"});
    if let Some((_, name)) = arn.split_once(":secret:") {
        found["Name"] = json!(name.rsplit_once('-').map_or(name, |(name, _)| name));
    }
    match world.arn_in(source, "master_user_secret_kms_key_id") {
        Seen::Known(key) => found["KmsKeyId"] = json!(super::key::arn_of(world, &key)),
        Seen::Open(why) if !world.is_left_to_aws(source, "master_user_secret_kms_key_id") => {
            return draft.gap(Fact::SuperuserSecret, &arn, why);
        }
        _ => {}
    }
    own_secret(draft, &world.name(source), &arn);
    if let Some(owner) = world.own_id(source, "arn") {
        let kind = if source.kind == INSTANCE { "DBInstance" } else { "DBCluster" };
        found["Tags"] = json!([{"Key": format!("aws:rds:primary{kind}Arn"), "Value": owner}]);
    }
    draft.put("SuperuserSecret", found);
}

/// Notes on the database which secret RDS manages for it.
fn own_secret(draft: &mut Draft, name: &str, arn: &str) {
    for (key, id) in
        [("DBInstances", "DBInstanceIdentifier"), ("DBClusters", "DBClusterIdentifier")]
    {
        let Some(Value::Array(all)) = draft.get_mut(key) else { continue };
        let owner = all.iter_mut().find(|one| {
            one[id] == name && (key == "DBClusters" || one["DBClusterIdentifier"].is_null())
        });
        if let Some(owner) = owner {
            owner["MasterUserSecret"] = json!({"SecretArn": arn, "SecretStatus": "active"});
        }
    }
}

/// The databases whose attributes the value is made of.
fn databases<'p>(world: &World<'p>, version: &'p Resource) -> Vec<&'p Resource> {
    let mut found: Vec<&Resource> = Vec::new();
    for other in world.named(version, "secret_string") {
        let is_database = other.kind == INSTANCE || CLUSTERS.contains(&other.kind.as_str());
        if is_database && !found.iter().any(|one| std::ptr::eq(*one, other)) {
            found.push(other);
        }
    }
    found
}

fn is_known(draft: &Draft, host: &str) -> bool {
    let list = |key: &str| draft.get(key).map_or(&[][..], items);
    let is = |value: &Value| value.as_str() == Some(host);
    list("DBInstances").iter().any(|one| is(&one["Endpoint"]["Address"]))
        || list("DBClusters").iter().any(|one| is(&one["Endpoint"]))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{
        evidence::Evidence,
        template::{
            Draft,
            terraform::{database, secret, testing::evidence, world::World},
        },
    };

    fn put(world: &World<'_>, draft: &mut Draft) {
        let rotation = world.made(&["aws_secretsmanager_secret_rotation"]).next();
        let parts = secret::put(world, draft, rotation.expect("a rotation"));
        database::put(world, draft);
        super::put(world, draft, &parts);
    }

    /// With a value that refers to these.
    fn read(database: Value, references: &[&str]) -> Evidence {
        let own: (&str, &[&str]) = ("secret_id", &["aws_secretsmanager_secret.s.id"]);
        evidence(
            &[
                ("aws_secretsmanager_secret.s", json!({"name": "s"}), &[]),
                ("aws_secretsmanager_secret.admin", json!({"name": "admin"}), &[]),
                (
                    "aws_secretsmanager_secret_rotation.r",
                    json!({"rotation_lambda_arn": "arn:f"}),
                    &[own],
                ),
                (
                    "aws_secretsmanager_secret_version.v",
                    json!({}),
                    &[own, ("secret_string", references)],
                ),
                ("aws_db_instance.d", database, &[]),
            ],
            put,
        )
    }

    #[test]
    fn the_value_names_its_database_and_its_superuser() {
        let database =
            json!({"identifier": "d", "engine": "postgres", "vpc_security_group_ids": ["sg-1"]});
        let references = ["aws_db_instance.d.address", "aws_secretsmanager_secret.admin.arn"];
        let found = read(database.clone(), &references);
        let named = found.database.as_ref().expect("a database");
        assert_eq!(
            (named.host.as_str(), named.port),
            ("d.planned.eu-west-1.rds.amazonaws.com", 5432)
        );
        let superuser = found.superuser_secret.known().expect("a superuser");
        assert_eq!(superuser.name.as_deref(), Some("admin"));
        let managed =
            read(database.clone(), &["aws_db_instance.d.master_user_secret[0].secret_arn"]);
        let superuser = managed.superuser_secret.known().expect("a superuser");
        assert_eq!(superuser.owning_service.as_deref(), Some("rds"));
        let owner = &managed.db_instances.known().expect("instances")[0];
        let own = owner.master_user_secret.as_ref().and_then(|own| own.secret_arn.as_ref());
        assert_eq!(own, superuser.arn.as_ref());
        assert!(read(database, &["local.value"]).database.is_none());
    }

    #[test]
    fn a_database_that_was_left_out_is_not_said_to_be_missing() {
        let found =
            read(json!({"identifier": "d", "engine": "postgres"}), &["aws_db_instance.d.address"]);
        assert!(found.database.is_some() && found.db_instances.is_unseen());
    }
}
