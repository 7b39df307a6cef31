//! KMS: the keys that the secrets and the function name.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{
    policy_text::{self, Reading},
    world::World,
};
use crate::evidence::Fact;

/// The keys with these ids, ARNs or aliases.
pub(super) fn declare(world: &mut World<'_, '_>, wanted: &BTreeSet<String>) {
    for name in wanted.iter().filter(|name| !name.contains("alias/aws/")) {
        one_key(world, name);
    }
}

/// The policy that KMS gives to a key without one of its own.
///
/// Source: KMS Developer Guide, "Default key policy".
fn default_policy(world: &World<'_, '_>) -> Json {
    policy_text::document(vec![json!({"Sid": "Enable IAM User Permissions", "Effect": "Allow",
        "Principal": {"AWS": world.scope.place.iam("root")}, "Action": "kms:*",
        "Resource": "*"})])
}

fn one_key(world: &mut World<'_, '_>, name: &str) {
    let scope = world.scope;
    // An alias of the template leads to its key.
    let alias = name.rsplit_once("alias/").map(|(_, alias)| format!("alias/{alias}"));
    let target = alias.and_then(|alias| {
        let aliases = world.perhaps("AWS::KMS::Alias");
        let own = aliases.into_iter().find(|(one, open)| open.is_ok() && one.id == alias);
        own.and_then(|(one, _)| one.properties.get("TargetKeyId").id())
    });
    let wanted = target.as_deref().unwrap_or(name);
    let keys = world.perhaps("AWS::KMS::Key");
    let own = keys.into_iter().find(|(key, _)| {
        let arn = scope.attribute_id(key.resource, "Arn");
        arn == wanted || key.id == wanted
    });
    let facts = [Fact::KeyMetadata, Fact::KeyPolicy, Fact::KeyGrants];
    let (key, why) = match own {
        Some((key, Ok(()))) => (Some(key), String::new()),
        Some((_, Err(why))) => (None, why),
        None => (None, format!("key {name} is not in the template")),
    };
    let Some(key) = key else {
        for fact in facts {
            world.draft.gap(fact, name, why.clone());
        }
        return;
    };
    let arn = scope.attribute_id(key.resource, "Arn");
    world.declare(&arn, key.resource, key.resource.node.at);
    let mut found = json!({"Grants": null});
    let enabled = key.properties.get("Enabled").flag();
    let spec = key.properties.get("KeySpec").text();
    let usage = key.properties.get("KeyUsage").text();
    match (enabled, spec, usage) {
        (Ok(enabled), Ok(spec), Ok(usage)) => {
            let enabled = enabled.unwrap_or(true);
            found["KeyMetadata"] = json!({"Arn": arn, "KeyId": key.id, "Enabled": enabled,
                "KeyState": if enabled { "Enabled" } else { "Disabled" },
                "KeyManager": "CUSTOMER",
                "KeySpec": spec.unwrap_or_else(|| "SYMMETRIC_DEFAULT".to_owned()),
                "KeyUsage": usage.unwrap_or_else(|| "ENCRYPT_DECRYPT".to_owned())});
        }
        (Err(unknown), ..) | (_, Err(unknown), _) | (_, _, Err(unknown)) => {
            world.open(Fact::KeyMetadata, &arn, &unknown);
        }
    }
    match policy_text::read(key.properties.get("KeyPolicy")) {
        Reading::Document(document) => found["Policy"] = document,
        Reading::Nothing => found["Policy"] = default_policy(world),
        Reading::Open(unknown) => world.open(Fact::KeyPolicy, &arn, &unknown),
    }
    let named = world.draft.get("Keys").is_some_and(|keys| keys.get(&arn).is_some());
    if !named {
        world.draft.insert("Keys", &arn, found);
    }
}

#[cfg(test)]
mod tests {
    use crate::template::cloudformation::testing::evidence;

    fn secret_with(key: &str, more: &str) -> serde_json::Value {
        evidence(&format!(
            "
  F: {{Type: 'AWS::Lambda::Function', Properties: {{KmsKeyArn: {key}}}}}
{more}"
        ))
    }

    #[test]
    fn a_key_is_found_by_arn_id_and_alias() {
        let key = "  K: {Type: 'AWS::KMS::Key', Properties: {Enabled: false}}
  L: {Type: 'AWS::KMS::Alias', Properties: {AliasName: alias/own, TargetKeyId: !Ref K}}\n";
        for name in ["!GetAtt K.Arn", "!Ref K", "alias/own", "!Ref L"] {
            let found = secret_with(name, key);
            let key = &found["Keys"]["arn:aws:kms:us-east-1:123456789012:key/K"];
            assert_eq!(key["KeyMetadata"]["KeyState"], "Disabled", "{name}: {found}");
            assert_eq!(key["Policy"]["Statement"][0]["Action"], "kms:*", "the default policy");
        }
    }

    #[test]
    fn a_key_outside_is_open() {
        let found = secret_with("!Ref Open", "");
        assert!(found.get("Keys").is_none(), "{found}");
        let open = crate::template::cloudformation::testing::open_in(&found, "KeyPolicy");
        assert_eq!(open, ["${Open}"]);
    }
}
