//! Secrets Manager: the secret, its rotation, its first value, its policy. Which database
//! the value is for is `subject`'s business.

use serde_json::{Map, Value, json};

use super::{
    plan::Resource,
    policy_document::{Document, document},
    value::{Seen, items},
    world::World,
};
use crate::{evidence::Fact, seal, template::Draft};

const SECRET: &str = "aws_secretsmanager_secret";
const VERSION: &str = "aws_secretsmanager_secret_version";

/// What the rest of the evidence hangs on.
pub(super) struct Parts<'p> {
    /// The secret, where it is in the plan.
    pub(super) secret: Option<&'p Resource>,
    /// Its current value, where it is in the plan.
    pub(super) version: Option<&'p Resource>,
    /// The function of the rotation.
    pub(super) function: Seen<String>,
}

/// Puts what is known of the secret.
pub(super) fn put<'p>(world: &World<'p>, draft: &mut Draft, rotation: &'p Resource) -> Parts<'p> {
    let kinds = [SECRET];
    let id = world.arn_in(rotation, "secret_id");
    let secret = id.clone().known().and_then(|id| world.called(&kinds, &id));
    let arn = secret.and_then(|secret| world.own_id(secret, "arn")).or_else(|| {
        let id = id.clone().known()?;
        Some(if id.starts_with("arn:") {
            id
        } else {
            world.place.arn("secretsmanager", &format!("secret:{id}"))
        })
    });
    let known = arn.is_some();
    // The rotation stands for its secret, where nothing names that one.
    let arn = arn.unwrap_or_else(|| {
        world.place.arn("secretsmanager", &format!("secret:{}", rotation.address))
    });
    let function = world.arn_in(rotation, "rotation_lambda_arn");
    let mut shape = Map::new();
    shape.insert("ARN".to_owned(), json!(arn));
    shape.insert("RotationEnabled".to_owned(), json!(true));
    if let Seen::Known(function) = &function {
        shape.insert("RotationLambdaARN".to_owned(), json!(world.function_arn(function)));
    }
    match rules(rotation) {
        Seen::Known(rules) => drop(shape.insert("RotationRules".to_owned(), rules)),
        Seen::Absent => {}
        Seen::Open(why) => draft.gap(Fact::Secret, "", why),
    }
    if let Seen::Open(why) = &function {
        draft.gap(Fact::Secret, "", format!("the function of the rotation: {why}"));
    }
    let version = secret.and_then(|secret| current_version(world, secret));
    match secret {
        Some(secret) => own(world, draft, secret, &mut shape),
        None => {
            let why = match &id {
                Seen::Open(why) => why.clone(),
                _ => format!("{} lies outside the plan", name_of(rotation, &arn)),
            };
            draft.gap(Fact::Secret, "", why.clone());
            draft.gap(Fact::SecretPolicy, "", why);
        }
    }
    if let Some(version) = version {
        let mut stages = Map::new();
        stages.insert(version.address.clone(), json!(["AWSCURRENT"]));
        shape.insert("VersionIdsToStages".to_owned(), Value::Object(stages));
    }
    let whole = secret.is_some() || known && id.known().is_some();
    // A rotation whose function is not known is no rotation without one: the checks must
    // not take the secret for managed by another service.
    if whole && !function.is_open() {
        draft.put("Secret", Value::Object(shape));
    }
    put_shape(draft, secret, version);
    Parts { secret, version, function }
}

fn name_of(rotation: &Resource, arn: &str) -> String {
    rotation.known_text("secret_id").unwrap_or_else(|| arn.to_owned())
}

/// RotationRules.
fn rules(rotation: &Resource) -> Seen<Value> {
    rotation.value("rotation_rules").map(|rules| {
        let block = items(rules).first().unwrap_or(rules);
        let mut found = Map::new();
        for (ours, theirs) in [
            ("automatically_after_days", "AutomaticallyAfterDays"),
            ("duration", "Duration"),
            ("schedule_expression", "ScheduleExpression"),
        ] {
            let value = &block[ours];
            let unset = value.is_null() || value == "" || value == 0;
            if !unset && (value.is_string() || value.is_i64()) {
                found.insert(theirs.to_owned(), value.clone());
            }
        }
        // A number where AWS has one.
        if let Some(days) = found.get_mut("AutomaticallyAfterDays")
            && let Some(number) = days.as_str().map(|text| text.parse::<i64>().ok())
        {
            *days = json!(number);
        }
        for name in ["Duration", "ScheduleExpression"] {
            if found.get(name).is_some_and(|value| !value.is_string()) {
                found.remove(name);
            }
        }
        Value::Object(found)
    })
}

/// What the secret's own resource says.
fn own(world: &World<'_>, draft: &mut Draft, secret: &Resource, shape: &mut Map<String, Value>) {
    let Some(secret) = world.of(&[SECRET]).find(|one| one.address == secret.address) else {
        return;
    };
    let arn = world.own_id(secret, "arn").unwrap_or_default();
    world.declare(draft, &arn, secret);
    // A name that is not known yet is none: nothing may be said about how it is spelt.
    if let Some(name) = secret.known_text("name") {
        world.declare(draft, &name, secret);
        shape.insert("Name".to_owned(), json!(name));
    }
    match world.arn_in(secret, "kms_key_id") {
        Seen::Known(key) => {
            shape.insert("KmsKeyId".to_owned(), json!(super::key::arn_of(world, &key)));
        }
        Seen::Absent => {}
        Seen::Open(why) => {
            let key = format!("{}.kms_key_id", secret.address);
            let key = world.place.arn("kms", &format!("key/{key}"));
            shape.insert("KmsKeyId".to_owned(), json!(key));
            for fact in [Fact::KeyMetadata, Fact::KeyPolicy, Fact::KeyGrants] {
                draft.gap(fact, &key, why.clone());
            }
        }
    }
    put_policy(world, draft, secret, &arn);
}

/// GetResourcePolicy.
fn put_policy<'p>(world: &World<'p>, draft: &mut Draft, secret: &'p Resource, arn: &str) {
    let mut unlinked = Vec::new();
    let mut own = None;
    for policy in world.made(&["aws_secretsmanager_secret_policy"]) {
        match world.arn_in(policy, "secret_arn") {
            Seen::Known(id) if world.is_called(secret, &id) => own = Some(policy),
            Seen::Open(why) => unlinked.push(why),
            _ => {}
        }
    }
    let (source, found) = match own {
        Some(policy) => (policy, document(world, policy, "policy")),
        None => (secret, document(world, secret, "policy")),
    };
    match found {
        Document::Known(policy) => {
            draft.put("SecretPolicy", policy);
            world.declare(draft, "the secret's policy", source);
        }
        Document::Open(why) => draft.gap(Fact::SecretPolicy, arn, why),
        Document::Absent => match unlinked.pop() {
            Some(why) => draft.gap(Fact::SecretPolicy, arn, why),
            // A secret that is read, not made, may have any.
            None if secret.data => {
                draft.gap(Fact::SecretPolicy, arn, format!("{} does not tell it", secret.address));
            }
            None => draft.put("SecretPolicy", Value::Null),
        },
    }
}

/// The value that will be the current one.
fn current_version<'p>(world: &World<'p>, secret: &'p Resource) -> Option<&'p Resource> {
    world.made(&[VERSION]).find(|version| {
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
        Seen::Known(text) => {
            let shape = seal::shape(&text);
            let shape = serde_json::to_value(shape).unwrap_or(Value::Null);
            draft.put("SecretShape", json!({"AWSCURRENT": shape}));
        }
        Seen::Open(_) => draft.gap(
            Fact::SecretShape,
            "",
            format!("{}.secret_string is not known yet", version.address),
        ),
        // A write-only value stands in no plan; a binary one is none of a database.
        Seen::Absent => {
            draft.gap(Fact::SecretShape, "", format!("{} does not show its value", version.address))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::put;
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

    fn put_first(world: &World<'_>, draft: &mut Draft) {
        let rotation = world.made(&["aws_secretsmanager_secret_rotation"]).next();
        let _ = put(world, draft, rotation.expect("a rotation"));
    }

    fn read(more: &[Given<'_>], days: serde_json::Value) -> Evidence {
        let secret: &[(&str, &[&str])] = &[("secret_id", &["aws_secretsmanager_secret.s.id"])];
        let known = json!({"rotation_lambda_arn": "arn:aws:lambda:eu-west-1:123456789012:function:f",
            "rotation_rules": [{"automatically_after_days": days}]});
        let mut all = vec![("aws_secretsmanager_secret_rotation.r", known, secret)];
        all.extend(more.iter().cloned());
        evidence(&all, put_first)
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
