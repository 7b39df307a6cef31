//! KMS: the keys that a rotation depends on.

use serde_json::{Map, Value, json};

use super::{
    plan::{Resource, members},
    policy_document::{Document, document},
    secret::Parts,
    value::Seen,
    world::World,
};
use crate::{evidence::Fact, template::Draft};

/// Kinds of keys.
const KEYS: [&str; 3] = ["aws_kms_key", "aws_kms_external_key", "aws_kms_replica_key"];
/// Names of keys.
const ALIAS: &str = "aws_kms_alias";
/// The facts about a key.
const FACTS: [Fact; 3] = [Fact::KeyMetadata, Fact::KeyPolicy, Fact::KeyGrants];

/// The ARN of a key that is named by id, ARN or alias; what is not in the plan stays as
/// it is named.
pub(super) fn arn_of(world: &World<'_>, named: &str) -> String {
    let of_alias = world
        .called(&[ALIAS], named)
        .and_then(|alias| world.arn_in(alias, "target_key_id").known());
    let named = of_alias.as_deref().unwrap_or(named);
    let key = world.called(&KEYS, named).and_then(|key| world.own_id(key, "arn"));
    key.unwrap_or_else(|| named.to_owned())
}

/// Puts the keys of the plan, and names those that lie outside it.
pub(super) fn put<'p>(world: &World<'p>, draft: &mut Draft, parts: &Parts<'p>) {
    for key in world.made(&KEYS) {
        let Some(arn) = world.own_id(key, "arn") else { continue };
        world.declare(draft, &arn, key);
        let mut found = Map::new();
        found.insert("KeyMetadata".to_owned(), metadata(draft, key, &arn));
        put_policy(world, draft, key, &arn, &mut found);
        put_grants(world, draft, key, &arn, &mut found);
        draft.insert("Keys", &arn, Value::Object(found));
    }
    let Some(secret) = parts.secret else { return };
    if let Seen::Known(named) = world.arn_in(secret, "kms_key_id") {
        let arn = arn_of(world, &named);
        let is_managed = arn.ends_with("alias/aws/secretsmanager");
        let is_known = draft.get("Keys").is_some_and(|keys| keys.get(&arn).is_some());
        if !is_managed && !is_known {
            for fact in FACTS {
                draft.gap(fact, &arn, format!("{named} lies outside the plan"));
            }
            draft.insert("Keys", &arn, json!({}));
        }
    }
}

fn metadata(draft: &mut Draft, key: &Resource, arn: &str) -> Value {
    let mut found = json!({"Arn": arn, "KeyManager": "CUSTOMER"});
    let id = arn.rsplit('/').next().unwrap_or(arn);
    found["KeyId"] = json!(id);
    let external = key.kind == "aws_kms_external_key";
    let material = key.text("key_material_base64");
    let enabled = key.flag(if external { "enabled" } else { "is_enabled" });
    // A key whose material comes from elsewhere waits for it.
    let state = if external && !key.exists && material == Seen::Absent {
        Some("PendingImport")
    } else {
        match enabled {
            Seen::Known(true) | Seen::Absent => Some("Enabled"),
            Seen::Known(false) => Some("Disabled"),
            Seen::Open(_) if external => Some("Enabled"),
            Seen::Open(why) => {
                draft.gap(Fact::KeyMetadata, arn, why);
                None
            }
        }
    };
    if let Some(state) = state {
        found["KeyState"] = json!(state);
        found["Enabled"] = json!(state == "Enabled");
    }
    let spec = key.known_text("customer_master_key_spec");
    found["KeySpec"] = json!(spec.unwrap_or_else(|| "SYMMETRIC_DEFAULT".to_owned()));
    let usage = key.known_text("key_usage");
    found["KeyUsage"] = json!(usage.unwrap_or_else(|| "ENCRYPT_DECRYPT".to_owned()));
    found
}

fn put_policy<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    key: &'p Resource,
    arn: &str,
    found: &mut Map<String, Value>,
) {
    let mut source = (key, "policy");
    for policy in world.made(&["aws_kms_key_policy"]) {
        match world.arn_in(policy, "key_id") {
            Seen::Known(id) if world.is_called(key, &id) => source = (policy, "policy"),
            Seen::Open(why) => draft.gap(Fact::KeyPolicy, arn, why),
            _ => {}
        }
    }
    // A new key without a policy gets the one that hands it to the account. The
    // attribute is computed: unknown, where nothing in the configuration says it.
    if world.is_left_to_aws(source.0, "policy") && !key.exists {
        found.insert("Policy".to_owned(), default_policy(world));
        return;
    }
    match document(world, source.0, source.1) {
        Document::Known(policy) => drop(found.insert("Policy".to_owned(), policy)),
        Document::Absent if !key.exists => {
            found.insert("Policy".to_owned(), default_policy(world));
        }
        Document::Absent => {
            draft.gap(Fact::KeyPolicy, arn, format!("{} does not show its policy", key.address));
        }
        Document::Open(why) => draft.gap(Fact::KeyPolicy, arn, why),
    }
}

/// The policy that KMS gives to a key for which none was named (KMS Developer Guide,
/// "Default key policy").
fn default_policy(world: &World<'_>) -> Value {
    json!({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [{
        "Sid": "Enable IAM User Permissions", "Effect": "Allow",
        "Principal": {"AWS": world.place.iam("root")}, "Action": "kms:*", "Resource": "*"}]})
}

fn put_grants<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    key: &'p Resource,
    arn: &str,
    found: &mut Map<String, Value>,
) {
    let mut grants = Vec::new();
    let mut open = None;
    for grant in world.made(&["aws_kms_grant"]) {
        match world.arn_in(grant, "key_id") {
            Seen::Known(id) if world.is_called(key, &id) => match read_grant(world, grant) {
                Ok(grant) => grants.push(grant),
                Err(why) => open = Some(why),
            },
            Seen::Open(why) => open = Some(why),
            _ => {}
        }
    }
    match open {
        Some(why) => draft.gap(Fact::KeyGrants, arn, why),
        None if grants.is_empty() => drop(found.insert("Grants".to_owned(), Value::Null)),
        None => drop(found.insert("Grants".to_owned(), json!(grants))),
    }
}

fn read_grant<'p>(world: &World<'p>, grant: &'p Resource) -> Result<Value, String> {
    let grantee = world.arn_in(grant, "grantee_principal").settled()?;
    let operations = grant.texts("operations").settled()?.unwrap_or_default();
    let mut found = json!({"GrantId": grant.address, "Operations": operations});
    if let Some(grantee) = grantee {
        found["GranteePrincipal"] = json!(grantee);
    }
    let constraints = grant.value("constraints").settled()?;
    let mut read = Map::new();
    for (ours, theirs) in [
        ("encryption_context_equals", "EncryptionContextEquals"),
        ("encryption_context_subset", "EncryptionContextSubset"),
    ] {
        let context = constraints.map(|constraints| &constraints[0][ours]);
        let pairs: Map<String, Value> = context
            .into_iter()
            .flat_map(members)
            .filter(|(_, value)| value.is_string())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if !pairs.is_empty() {
            read.insert(theirs.to_owned(), Value::Object(pairs));
        }
    }
    if !read.is_empty() {
        found["Constraints"] = Value::Object(read);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{arn_of, put};
    use crate::{
        evidence::Key,
        template::{
            Draft,
            terraform::{
                secret::Parts,
                testing::{evidence, plan, world},
                value::Seen,
                world::World,
            },
        },
    };

    fn put_all(world: &World<'_>, draft: &mut Draft) {
        put(world, draft, &Parts { secret: None, version: None, function: Seen::Absent });
    }

    const ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/aws_kms_key.k";

    fn key(known: Value) -> Key {
        let found = evidence(&[("aws_kms_key.k", known, &[])], put_all);
        found.keys.get(ARN).cloned().expect("the key")
    }

    #[test]
    fn a_new_key_is_enabled_and_belongs_to_the_account() {
        let key = key(json!({}));
        let metadata = key.key_metadata.known().expect("metadata");
        assert_eq!(metadata.key_state.as_deref(), Some("Enabled"));
        let policy = key.policy.known().expect("a policy");
        assert_eq!(policy.0["Statement"][0]["Principal"]["AWS"], "arn:aws:iam::123456789012:root");
        assert!(!key.grants.is_unseen(), "there are none");
        let off = self::key(json!({"is_enabled": false}));
        let state = off.key_metadata.known().and_then(|metadata| metadata.key_state.clone());
        assert_eq!(state.as_deref(), Some("Disabled"));
    }

    #[test]
    fn an_alias_leads_to_its_key() {
        let plan = plan(&[
            ("aws_kms_key.k", json!({}), &[]),
            (
                "aws_kms_alias.a",
                json!({"name": "alias/a"}),
                &[("target_key_id", &["aws_kms_key.k.key_id"])],
            ),
        ]);
        let world = world(&plan);
        for name in ["alias/a", "arn:aws:kms:eu-west-1:123456789012:alias/a", ARN] {
            assert_eq!(arn_of(&world, name), ARN, "{name}");
        }
        assert_eq!(arn_of(&world, "alias/other"), "alias/other");
    }

    #[test]
    fn grants_are_read_with_their_constraints() {
        let grant = json!({"grantee_principal": "arn:r", "operations": ["Decrypt"],
            "constraints": [{"encryption_context_equals": {"a": "b"}}]});
        let found = evidence(
            &[
                ("aws_kms_key.k", json!({}), &[]),
                ("aws_kms_grant.g", grant, &[("key_id", &["aws_kms_key.k.key_id"])]),
            ],
            put_all,
        );
        let grants = found.keys[ARN].grants.known().expect("grants").clone();
        let constraints = grants[0].constraints.as_ref().expect("constraints");
        let equals = constraints.encryption_context_equals.as_ref().expect("a context");
        assert_eq!(equals.get("a").map(String::as_str), Some("b"));
    }
}
