//! Which superuser's secret a secret's value names, and which database it is for. A value
//! that is not known yet does not show, but the configuration tells what it is made of.

use super::{
    applications, databases, parts::Parts, references::Target, resource::Resource, secrets,
    world::World,
};
use crate::{
    evidence::{Fact, NamedDatabase, Observed},
    template::{
        Draft,
        aws::{Setting, functions},
        draft::entries,
    },
};

/// Where a database shows the secret that a service keeps for its master user.
const MANAGED: [&str; 2] = ["master_user_secret", "master_password_secret"];

/// Declares both.
pub(super) fn declare<'p>(world: &World<'p>, draft: &mut Draft, parts: &Parts<'p>) {
    superuser(world, draft, parts);
    database(world, draft, parts);
}

/// The database, where the value does not show it and there is only one that it can be.
fn database<'p>(world: &World<'p>, draft: &mut Draft, parts: &Parts<'p>) {
    let shown = draft.evidence.secret_shape.known().is_some();
    let Some(version) = parts.version.filter(|_| !shown) else { return };
    let mut named: Vec<&Resource> = world.named(version, "secret_string");
    named.retain(|one| databases::NAMED.contains(&one.kind.as_str()));
    let [database] = named.as_slice() else { return };
    let Some(host) = databases::host(world, database) else { return };
    // Of one that was left out, nothing may be said, and not that it does not exist.
    if !is_known(draft, &host) {
        for fact in [Fact::DBInstances, Fact::DBClusters] {
            draft.forget(fact);
            draft.gap(fact, &host, format!("not all of {} is known", database.address));
        }
    }
    let port = databases::port(world, database).and_then(|port| u16::try_from(port).ok());
    draft.evidence.database = port.map(|port| NamedDatabase { host, port });
}

/// The superuser's secret: as the value names it, else the one that it refers to, else the
/// one that the function's template is given.
fn superuser<'p>(world: &World<'p>, draft: &mut Draft, parts: &Parts<'p>) {
    let shape = draft.evidence.secret_shape.known().and_then(|shapes| shapes.get("AWSCURRENT"));
    let shown = shape.is_some();
    let named = shape.and_then(|shape| Some(shape.values.get("masterarn")?.as_str()?.to_owned()));
    let given = || {
        let arn = parts.function.clone().known()?;
        applications::superuser(world, functions::unqualified(&arn))
    };
    let referred = || match shown {
        false => referred(world, parts),
        true => None,
    };
    let named = named.or_else(referred).or_else(given);
    let Some(arn) = named else {
        // A value that shows and names none has none.
        if shown {
            draft.complete(&[Fact::SuperuserSecret]);
        }
        return;
    };
    if let Some((database, found)) = secrets::managed_secret(world, &arn) {
        world.declare(draft, &arn, database);
        // That its secret is named says that it has one, whatever else is known of it.
        databases::note_master_secret(world, draft, database);
        draft.evidence.superuser_secret = Observed::Known(found);
        return;
    }
    let Some(secret) = world.called(&[secrets::SECRET], &arn) else {
        draft.gap(Fact::SuperuserSecret, &arn, format!("{arn} is not in the plan"));
        return;
    };
    if let Setting::Open(open) = world.arn_in(secret, "kms_key_id") {
        return draft.gap(Fact::SuperuserSecret, &arn, open);
    }
    let found = secrets::described(world, draft, secret);
    draft.evidence.superuser_secret = Observed::Known(found);
}

/// The only other secret that the value refers to.
fn referred<'p>(world: &World<'p>, parts: &Parts<'p>) -> Option<String> {
    let version = parts.version?;
    let mut found: Vec<String> = Vec::new();
    for target in world.targets(version, "secret_string") {
        let Target::Attribute(other, attribute) = target else { continue };
        if parts.secret.is_some_and(|secret| std::ptr::eq(secret, other)) {
            continue;
        }
        let attribute = attribute.as_deref().unwrap_or("arn");
        let arn = if other.kind == secrets::SECRET && matches!(attribute, "arn" | "id") {
            world.own_id(other, "arn")
        } else if MANAGED.iter().any(|name| attribute.starts_with(name)) {
            databases::master_secret(world, other).known().and_then(|secret| secret.secret_arn)
        } else {
            None
        };
        found.extend(arn.filter(|arn| !found.contains(arn)));
    }
    let [_] = found.as_slice() else { return None };
    found.pop()
}

fn is_known(draft: &Draft, host: &str) -> bool {
    let evidence = &draft.evidence;
    entries(&evidence.db_instances).iter().any(|one| {
        one.endpoint.as_ref().and_then(|endpoint| endpoint.address.as_deref()) == Some(host)
    }) || entries(&evidence.db_clusters).iter().any(|one| one.endpoint.as_deref() == Some(host))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{
        evidence::Evidence,
        template::{
            Draft,
            terraform::{databases, secrets, testing::evidence, world::World},
        },
    };

    fn declare(world: &World<'_>, draft: &mut Draft) {
        let rotation = world.created(&["aws_secretsmanager_secret_rotation"]).next();
        let parts = secrets::declare(world, draft, rotation.expect("a rotation"));
        databases::declare(world, draft);
        super::declare(world, draft, &parts);
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
            declare,
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
            ("d.declared.eu-west-1.rds.amazonaws.com", 5432)
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
