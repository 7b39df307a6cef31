//! Secrets Manager: the secret, its rotation, its first value, its policy.

use std::collections::BTreeMap;

use super::{
    databases, functions::of_rotation, parts::Parts, policy_documents::document,
    resource::Resource, value::items, world::World,
};
use crate::{
    evidence::{Fact, Observed, PolicyDocument, RotationRules, Secret},
    seal,
    template::{
        Draft,
        aws::{Open, Setting, keys, secrets},
    },
};

/// The kind of a secret.
pub(super) const SECRET: &str = "aws_secretsmanager_secret";
const VERSION: &str = "aws_secretsmanager_secret_version";

/// The secret of a rotation.
pub(super) fn declare<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    rotation: &'p Resource,
) -> Parts<'p> {
    let id = world.arn_in(rotation, "secret_id");
    let kinds = [SECRET];
    let secret = id.clone().known().and_then(|id| world.called(&kinds, &id));
    let function = world.arn_in(rotation, "rotation_lambda_arn");
    let managed = id.clone().known().and_then(|id| managed_secret(world, &id));
    let mut found = match (&id, secret, managed) {
        (_, Some(secret), _) => own(world, draft, secret),
        (_, None, Some((database, managed))) => {
            let arn = managed.arn.clone().unwrap_or_default();
            world.declare(draft, &arn, database);
            draft.gap(Fact::SecretPolicy, &arn, "the policy of a managed secret is not declared");
            managed
        }
        (Setting::Known(id), ..) => {
            let reason = format!("{id} is not in the plan");
            for fact in [Fact::Secret, Fact::SecretPolicy] {
                draft.gap(fact, "", reason.clone());
            }
            Secret { arn: Some(secrets::arn_of(&world.place, id)), ..Secret::default() }
        }
        (open, ..) => {
            let open = match open {
                Setting::Open(open) => open.clone(),
                _ => Open::from(format!("{} names no secret", rotation.address)),
            };
            for fact in [Fact::Secret, Fact::SecretPolicy] {
                draft.gap(fact, "", &open);
            }
            Secret::default()
        }
    };
    found.rotation_enabled = Some(true);
    let arn = function.clone().known().map(|function| world.place.function_arn(&function));
    found.rotation_lambda_arn = arn;
    match rules(rotation) {
        Setting::Open(open) => draft.gap(Fact::Secret, "", open),
        rules => found.rotation_rules = rules.known(),
    }
    if let Setting::Open(open) = &function {
        draft.gap(Fact::Secret, "", of_rotation(open));
    }
    let version = secret.and_then(|secret| current_version(world, secret));
    if version.is_some() {
        found.version_ids_to_stages = secrets::first_version();
    }
    // A rotation whose function is open is no rotation without one: the checks must not
    // take the secret for managed by another service.
    if found.arn.is_some() && !function.is_open() {
        draft.evidence.secret = Observed::Known(found);
    }
    put_shape(draft, secret, version);
    Parts { secret, version, function }
}

/// The secret that a service keeps for a database's master user.
pub(super) fn managed_secret<'p>(world: &World<'p>, arn: &str) -> Option<(&'p Resource, Secret)> {
    world.of(&databases::NAMED).find_map(|database| {
        let secret = databases::master_secret(world, database).known()?;
        let owner = world.owner(database);
        (secret.secret_arn.as_deref() == Some(arn))
            .then(|| (database, secrets::managed(arn, &owner, secret.kms_key_id)))
    })
}

fn rules(rotation: &Resource) -> Setting<RotationRules> {
    rotation.value("rotation_rules").map(|rules| {
        let block = items(rules).first().unwrap_or(rules);
        // Terraform writes what is unset as an empty text or as zero too.
        let text =
            |name: &str| block[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let days = &block["automatically_after_days"];
        let days = days.as_i64().or_else(|| days.as_str()?.parse().ok());
        RotationRules {
            automatically_after_days: days.filter(|days| *days != 0),
            duration: text("duration"),
            schedule_expression: text("schedule_expression"),
        }
    })
}

/// DescribeSecret of a secret of the plan, without its rotation.
fn own<'p>(world: &World<'p>, draft: &mut Draft, secret: &'p Resource) -> Secret {
    let mut found = described(world, draft, secret);
    let arn = found.arn.clone().unwrap_or_default();
    if let Setting::Open(open) = world.arn_in(secret, "kms_key_id") {
        let key = world.place.arn("kms", &format!("key/{}.kms_key_id", secret.address));
        for fact in keys::FACTS {
            draft.gap(fact, &key, &open);
        }
        found.kms_key_id = Some(key);
    }
    put_policy(world, draft, secret, &arn);
    found
}

/// What a secret's resource says of it.
pub(super) fn described<'p>(world: &World<'p>, draft: &mut Draft, secret: &'p Resource) -> Secret {
    let arn = world.own_id(secret, "arn");
    // A name that is not known yet is none: nothing may be said about how it is spelt.
    let name = secret.known_text("name");
    for id in [&arn, &name].into_iter().flatten() {
        world.declare(draft, id, secret);
    }
    let key = world.arn_in(secret, "kms_key_id").known();
    Secret {
        arn,
        name,
        description: secret.known_text("description"),
        kms_key_id: key.map(|key| super::keys::arn_of(world, &key)),
        ..Secret::default()
    }
}

/// GetResourcePolicy.
fn put_policy<'p>(world: &World<'p>, draft: &mut Draft, secret: &'p Resource, arn: &str) {
    let mut unlinked = None;
    let mut source = secret;
    for policy in world.created(&["aws_secretsmanager_secret_policy"]) {
        match world.arn_in(policy, "secret_arn") {
            Setting::Known(id) if world.is_called(secret, &id) => source = policy,
            Setting::Open(open) => unlinked = Some(open),
            _ => {}
        }
    }
    match document(world, source, "policy") {
        Setting::Known(policy) => {
            draft.evidence.secret_policy = Observed::Known(PolicyDocument(policy));
            world.declare(draft, "the secret's policy", source);
        }
        Setting::Open(open) => draft.gap(Fact::SecretPolicy, arn, open),
        Setting::Absent => match unlinked {
            Some(open) => draft.gap(Fact::SecretPolicy, arn, open),
            // A secret that is read, not created, may have any.
            None if secret.data => {
                let reason = format!("{} does not show it", secret.address);
                draft.gap(Fact::SecretPolicy, arn, reason);
            }
            None => draft.evidence.secret_policy = Observed::Absent,
        },
    }
}

/// The value that will be the current one.
fn current_version<'p>(world: &World<'p>, secret: &'p Resource) -> Option<&'p Resource> {
    world.created(&[VERSION]).find(|version| {
        let own = world.arn_in(version, "secret_id").known();
        let stages = version.texts("version_stages").known().unwrap_or_default();
        own.is_some_and(|id| world.is_called(secret, &id))
            && (stages.is_empty() || stages.iter().any(|stage| stage == "AWSCURRENT"))
    })
}

/// The keys of the value; the value itself is never kept.
fn put_shape(draft: &mut Draft, secret: Option<&Resource>, version: Option<&Resource>) {
    let named = secret.map_or("the secret", |secret| secret.address.as_str());
    let Some(version) = version else {
        draft.gap(Fact::SecretShape, "", format!("no value of {named} is in the plan"));
        return;
    };
    match version.text("secret_string") {
        Setting::Known(text) => {
            let stages = BTreeMap::from([("AWSCURRENT".to_owned(), seal::shape(&text))]);
            draft.evidence.secret_shape = Observed::Known(stages);
        }
        Setting::Open(open) => draft.gap(Fact::SecretShape, "", open),
        // A write-only value stands in no plan; a binary one is none of a database.
        Setting::Absent => {
            let reason = format!("{} does not show its value", version.address);
            draft.gap(Fact::SecretShape, "", reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::declare;
    use crate::{
        evidence::Evidence,
        template::{
            Draft,
            terraform::{
                testing::{Given, evidence, gaps},
                world::World,
            },
        },
    };

    fn declare_first(world: &World<'_>, draft: &mut Draft) {
        let rotation = world.created(&["aws_secretsmanager_secret_rotation"]).next();
        let _ = declare(world, draft, rotation.expect("a rotation"));
    }

    fn read(more: &[Given<'_>], days: serde_json::Value) -> Evidence {
        let secret: &[(&str, &[&str])] = &[("secret_id", &["aws_secretsmanager_secret.s.id"])];
        let known = json!({"rotation_lambda_arn": "arn:aws:lambda:eu-west-1:123456789012:function:f",
            "rotation_rules": [{"automatically_after_days": days}]});
        let mut all = vec![("aws_secretsmanager_secret_rotation.r", known, secret)];
        all.extend(more.iter().cloned());
        evidence(&all, declare_first)
    }

    #[test]
    fn the_secret_has_its_rules_its_policy_and_the_keys_of_its_value() {
        let secret: &[(&str, &[&str])] = &[("secret_id", &["aws_secretsmanager_secret.s.id"])];
        let arn: &[(&str, &[&str])] = &[("secret_arn", &["aws_secretsmanager_secret.s.arn"])];
        let value = json!({"host": "h", "password": "hunter2"}).to_string();
        let found = read(
            &[
                ("aws_secretsmanager_secret.s", json!({"name": "s"}), &[]),
                ("aws_secretsmanager_secret_version.v", json!({"secret_string": value}), secret),
                (
                    "aws_secretsmanager_secret_policy.p",
                    json!({"policy": "{\"Statement\": []}"}),
                    arn,
                ),
            ],
            json!("30"),
        );
        let own = found.secret.known().expect("a secret");
        assert_eq!(own.name.as_deref(), Some("s"));
        let rules = own.rotation_rules.as_ref().expect("rules");
        assert_eq!(rules.automatically_after_days, Some(30));
        assert!(own.version_with("AWSCURRENT").is_some());
        assert!(found.secret_policy.known().is_some());
        let shape = &found.secret_shape.known().expect("a shape")["AWSCURRENT"];
        assert_eq!(shape.keys, ["host", "password"]);
        assert_eq!(shape.values.len(), 1, "of the values only the place");
    }

    #[test]
    fn what_is_not_in_the_plan_is_a_gap() {
        let found = read(&[("aws_secretsmanager_secret.other", json!({}), &[])], json!(1));
        let facts: Vec<&str> = gaps(&found).into_iter().map(|(fact, _)| fact).collect();
        assert_eq!(facts, ["Secret", "SecretPolicy", "SecretShape"]);
        assert!(found.secret.is_unseen());
        let found = read(&[("aws_secretsmanager_secret.s", json!({"name": "s"}), &[])], json!(1));
        assert_eq!(gaps(&found), [("SecretShape", "")]);
    }
}
