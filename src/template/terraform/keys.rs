//! KMS: the keys that a rotation depends on.

use std::collections::BTreeMap;

use super::{
    parts::Parts, plan::members, policy_documents::document, resource::Resource, world::World,
};
use crate::{
    evidence::{Fact, Grant, GrantConstraints, Key, KeyMetadata, Observed, PolicyDocument},
    template::{
        Draft,
        aws::{Open, Setting, keys},
    },
};

/// Kinds of keys.
const KEYS: [&str; 3] = ["aws_kms_key", EXTERNAL, "aws_kms_replica_key"];
/// A key whose material comes from elsewhere.
const EXTERNAL: &str = "aws_kms_external_key";
/// Names of keys.
const ALIAS: &str = "aws_kms_alias";

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

/// The keys of the plan, and gaps for those that are not in it.
pub(super) fn declare<'p>(world: &World<'p>, draft: &mut Draft, parts: &Parts<'p>) {
    for key in world.created(&KEYS) {
        let Some(arn) = world.own_id(key, "arn") else { continue };
        world.declare(draft, &arn, key);
        let found = Key {
            key_metadata: metadata(draft, key, &arn),
            policy: policy(world, draft, key, &arn),
            grants: grants(world, draft, key, &arn),
        };
        draft.evidence.keys.insert(arn, found);
    }
    let Some(secret) = parts.secret else { return };
    if let Setting::Known(named) = world.arn_in(secret, "kms_key_id") {
        let arn = arn_of(world, &named);
        let is_managed = arn.ends_with("alias/aws/secretsmanager");
        if !is_managed && !draft.evidence.keys.contains_key(&arn) {
            for fact in keys::FACTS {
                draft.gap(fact, &arn, format!("{named} is not in the plan"));
            }
            draft.evidence.keys.insert(arn, Key::default());
        }
    }
}

fn metadata(draft: &mut Draft, key: &Resource, arn: &str) -> Observed<KeyMetadata> {
    let is_external = key.kind == EXTERNAL;
    let material = key.text("key_material_base64");
    let enabled = key.flag(if is_external { "enabled" } else { "is_enabled" });
    // A key whose material comes from elsewhere waits for it.
    let state = if is_external && !key.exists && material.is_absent() {
        Some("PendingImport")
    } else {
        match enabled {
            Setting::Open(_) if is_external => Some(keys::state(None)),
            Setting::Open(open) => {
                draft.gap(Fact::KeyMetadata, arn, open);
                None
            }
            enabled => Some(keys::state(enabled.known())),
        }
    };
    let spec = key.known_text("customer_master_key_spec");
    Observed::Known(keys::metadata(arn, state, spec, key.known_text("key_usage")))
}

fn policy<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    key: &'p Resource,
    arn: &str,
) -> Observed<PolicyDocument> {
    let mut source = key;
    for policy in world.created(&["aws_kms_key_policy"]) {
        match world.arn_in(policy, "key_id") {
            Setting::Known(id) if world.is_called(key, &id) => source = policy,
            Setting::Open(open) => draft.gap(Fact::KeyPolicy, arn, open),
            _ => {}
        }
    }
    match document(world, source, "policy") {
        Setting::Known(policy) => return Observed::Known(PolicyDocument(policy)),
        // A new key without a policy gets the one that hands it to the account.
        Setting::Absent if !key.exists => {
            return Observed::Known(keys::default_policy(&world.place));
        }
        Setting::Absent => {
            draft.gap(Fact::KeyPolicy, arn, format!("{} does not show its policy", key.address));
        }
        Setting::Open(open) => draft.gap(Fact::KeyPolicy, arn, open),
    }
    Observed::NotAsked
}

fn grants<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    key: &'p Resource,
    arn: &str,
) -> Observed<Vec<Grant>> {
    let mut grants = Vec::new();
    for grant in world.created(&["aws_kms_grant"]) {
        let read = match world.arn_in(grant, "key_id") {
            Setting::Known(id) if world.is_called(key, &id) => one_grant(world, grant),
            Setting::Open(open) => Err(open),
            _ => continue,
        };
        match read {
            Ok(grant) => grants.push(grant),
            Err(open) => {
                draft.gap(Fact::KeyGrants, arn, open);
                return Observed::NotAsked;
            }
        }
    }
    Observed::Known(grants)
}

fn one_grant<'p>(world: &World<'p>, grant: &'p Resource) -> Result<Grant, Open> {
    let constraints = grant.value("constraints").settled()?;
    let context = |name: &str| -> Option<BTreeMap<String, String>> {
        let pairs: BTreeMap<String, String> = constraints
            .into_iter()
            .flat_map(|all| members(&all[0][name]))
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect();
        (!pairs.is_empty()).then_some(pairs)
    };
    let read = GrantConstraints {
        encryption_context_equals: context("encryption_context_equals"),
        encryption_context_subset: context("encryption_context_subset"),
    };
    Ok(Grant {
        grant_id: Some(grant.address.clone()),
        grantee_principal: world.arn_in(grant, "grantee_principal").settled()?,
        operations: grant.texts("operations").settled()?.unwrap_or_default(),
        constraints: Some(read).filter(|read| *read != GrantConstraints::default()),
        ..Grant::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{arn_of, declare};
    use crate::{
        evidence::Key,
        template::{
            Draft,
            aws::Setting,
            terraform::{
                parts::Parts,
                testing::{evidence, plan, world},
                world::World,
            },
        },
    };

    fn declare_all(world: &World<'_>, draft: &mut Draft) {
        declare(world, draft, &Parts { secret: None, version: None, function: Setting::Absent });
    }

    const ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/aws_kms_key.k";

    fn key(known: Value) -> Key {
        let found = evidence(&[("aws_kms_key.k", known, &[])], declare_all);
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
            declare_all,
        );
        let grants = found.keys[ARN].grants.known().expect("grants").clone();
        let constraints = grants[0].constraints.as_ref().expect("constraints");
        let equals = constraints.encryption_context_equals.as_ref().expect("a context");
        assert_eq!(equals.get("a").map(String::as_str), Some("b"));
    }
}
