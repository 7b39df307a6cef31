//! KMS: the keys that the secrets and the function name.

use std::collections::BTreeSet;

use super::{policy_documents, world::World};
use crate::{
    evidence::{Fact, Key, Observed, PolicyDocument},
    template::aws::{Open, Setting, keys},
};

/// The keys with these ids, ARNs or aliases.
pub(super) fn declare(world: &mut World<'_, '_>, wanted: &BTreeSet<String>) {
    for name in wanted.iter().filter(|name| !name.contains("alias/aws/")) {
        one_key(world, name);
    }
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
    let all = world.perhaps("AWS::KMS::Key");
    let own = all.into_iter().find(|(key, _)| {
        let arn = scope.attribute_id(key.resource, "Arn");
        arn == wanted || key.id == wanted
    });
    let (key, open) = match own {
        Some((key, Ok(()))) => (Some(key), Open::from("")),
        Some((_, Err(open))) => (None, open),
        None => (None, format!("the key {name} is not declared").into()),
    };
    let Some(key) = key else {
        for fact in keys::FACTS {
            world.draft.gap(fact, name, &open);
        }
        return;
    };
    let arn = scope.attribute_id(key.resource, "Arn");
    world.declare_whole(&arn, key.resource);
    let mut found = Key { grants: Observed::Absent, ..Key::default() };
    let enabled = key.properties.get("Enabled").flag();
    let spec = key.properties.get("KeySpec").text();
    let usage = key.properties.get("KeyUsage").text();
    match (enabled, spec, usage) {
        (Setting::Open(open), ..) | (_, Setting::Open(open), _) | (.., Setting::Open(open)) => {
            world.draft.gap(Fact::KeyMetadata, &arn, open);
        }
        (enabled, spec, usage) => {
            let state = keys::state(enabled.known());
            let metadata = keys::metadata(&arn, Some(state), spec.known(), usage.known());
            found.key_metadata = Observed::Known(metadata);
        }
    }
    match policy_documents::read(key.properties.get("KeyPolicy")) {
        Setting::Known(document) => found.policy = Observed::Known(PolicyDocument(document)),
        Setting::Absent => {
            found.policy = Observed::Known(keys::default_policy(&world.scope.place));
        }
        Setting::Open(open) => world.draft.gap(Fact::KeyPolicy, &arn, open),
    }
    world.draft.evidence.keys.entry(arn).or_insert(found);
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
