//! What KMS has besides policies: grants, which only allow, and the state of a
//! key. Semantics: KMS Developer Guide,
//! "Grants in AWS KMS"; KMS API Reference, "GrantConstraints".

use std::{collections::BTreeMap, sync::Arc};

use super::{
    action::Action,
    decision::{Decision, Decisive, DenyKind, Doubt, DoubtReason, StatementRole},
    document::Effect,
    failure::{FailedOn, Failure},
    judge::Judge,
    principal::Principal,
    request::{Layer, Part, Quote},
    statement::Asked,
    tri::Tri,
};
use crate::evidence::Grant;

const CONTEXT: &str = "kms:encryptioncontext:";

/// Whether an action uses the key's material, so that the key's state counts.
fn is_cryptographic(action: &Action) -> bool {
    action.service() == "kms"
        && [
            "decrypt",
            "derivesharedsecret",
            "encrypt",
            "generatedatakey",
            "generatemac",
            "reencrypt",
            "sign",
            "verify",
        ]
        .iter()
        .any(|name| action.name().starts_with(name))
}

/// Whether a grant allows a request.
pub(super) fn allows(grant: &Grant, asked: &Asked<'_>) -> Tri {
    first_miss(grant, asked).map_or(Tri::Yes, |(_, value)| value)
}

/// Where a grant fails, and how far it got on the scale of a statement's
/// elements.
pub(super) fn failure(grant: &Grant, asked: &Asked<'_>) -> Option<(u8, Failure)> {
    let (failed_on, value) = first_miss(grant, asked)?;
    let request = asked.request;
    let pairs = |pairs: Option<&BTreeMap<String, String>>| {
        pairs.into_iter().flatten().map(|(key, value)| format!("{key}={value}")).collect()
    };
    let constraints = grant.constraints.as_ref();
    let (reached, asks, seen) = match &failed_on {
        FailedOn::GranteePrincipal => (
            0,
            grant.grantee_principal.iter().cloned().collect(),
            request.principal.name().to_owned(),
        ),
        FailedOn::Operations => (1, grant.operations.clone(), request.action.clone()),
        FailedOn::EncryptionContextEquals => {
            (3, pairs(constraints.and_then(|c| c.encryption_context_equals.as_ref())), sent(asked))
        }
        _ => {
            (3, pairs(constraints.and_then(|c| c.encryption_context_subset.as_ref())), sent(asked))
        }
    };
    let uncertain = value == Tri::Unknown;
    Some((reached, Failure { failed_on, asked: asks, seen: Some(seen), hint: None, uncertain }))
}

fn sent(asked: &Asked<'_>) -> String {
    let pairs = asked.request.context.below(CONTEXT);
    let pairs: Vec<String> =
        pairs.map(|(key, value)| format!("{key}={}", value.unwrap_or("?"))).collect();
    pairs.join(", ")
}

fn first_miss(grant: &Grant, asked: &Asked<'_>) -> Option<(FailedOn, Tri)> {
    let grantee = grant.grantee_principal.as_deref().unwrap_or_default();
    let named = names(grantee, &asked.request.principal);
    if named == Tri::No {
        return Some((FailedOn::GranteePrincipal, Tri::No));
    }
    if !grant.operations.iter().any(|operation| operation.eq_ignore_ascii_case(asked.action.name()))
    {
        return Some((FailedOn::Operations, Tri::No));
    }
    let constraints = grant.constraints.as_ref();
    if let Some(equals) = constraints.and_then(|c| c.encryption_context_equals.as_ref()) {
        let pairs = asked.request.context.below(CONTEXT).count();
        let met = contains(equals, asked).and((pairs == equals.len()).into());
        if met != Tri::Yes {
            return Some((FailedOn::EncryptionContextEquals, met));
        }
    }
    if let Some(subset) = constraints.and_then(|c| c.encryption_context_subset.as_ref()) {
        let met = contains(subset, asked);
        if met != Tri::Yes {
            return Some((FailedOn::EncryptionContextSubset, met));
        }
    }
    (named == Tri::Unknown).then_some((FailedOn::GranteePrincipal, Tri::Unknown))
}

/// A grant names a role or one of its sessions. What it means for a grant to
/// name an account is not documented.
fn names(grantee: &str, principal: &Principal) -> Tri {
    if grantee == principal.name() || principal.role() == Some(grantee) {
        return Tri::Yes;
    }
    let account = principal.account().is_some_and(|account| {
        grantee == account || grantee.ends_with(&format!(":iam::{account}:root"))
    });
    if account { Tri::Unknown } else { Tri::No }
}

/// Whether the request's encryption context holds all the pairs: keys without,
/// values with case.
fn contains(pairs: &BTreeMap<String, String>, asked: &Asked<'_>) -> Tri {
    Tri::all(pairs.iter().map(|(key, value)| {
        let wanted = key.to_lowercase();
        let mut sent = asked.request.context.below(CONTEXT);
        match sent.find(|(key, _)| *key == wanted) {
            Some((_, Some(sent))) => (sent == value).into(),
            Some((_, None)) => Tri::Unknown,
            None => Tri::No,
        }
    }))
}

/// The grant as a decision quotes it.
pub(super) fn quote(grant: &Grant) -> Quote {
    Quote {
        policy: "grant".to_owned(),
        index: None,
        sid: grant.grant_id.clone(),
        source: Arc::new(serde_json::to_value(grant).unwrap_or_default()),
    }
}

impl Judge<'_> {
    /// An authorised use of a key still fails in most of its states.
    pub(super) fn key_state(&self, doubts: &mut Vec<Doubt>) -> Option<Decision> {
        if !is_cryptographic(&self.asked.action) {
            return None;
        }
        let state = match &self.layers.key_state {
            Part::Absent => return None,
            Part::Given(state) => state,
            Part::Unseen(unseen) => {
                let why = DoubtReason::Unseen(unseen.clone());
                doubts.push(Doubt { layer: Layer::KeyState, quote: None, why });
                return None;
            }
        };
        if matches!(state.as_str(), "Enabled" | "Updating") {
            return None;
        }
        let quote = Quote {
            policy: "in state".to_owned(),
            index: None,
            sid: Some(state.clone()),
            source: Arc::new(state.as_str().into()),
        };
        let decisive = vec![Decisive { layer: Layer::KeyState, quote, failure: None }];
        let (kind, layer) = (Some(DenyKind::KeyState), Layer::KeyState);
        Some(self.decision(Effect::Deny, kind, layer, StatementRole::Deny, decisive, Vec::new()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{sample::*, *};

    #[test]
    fn grants_only_allow_and_have_constraints() {
        let ask = request("kms:Decrypt", KEY);
        let decided = |grant: Value, boundary| {
            let grants = serde_json::from_value(json!([grant])).expect("grant");
            let layers = Layers {
                resource: on_resource("Root Allow kms:* *", json!({"AWS": ROOT})),
                grants: Part::Given(grants),
                boundary,
                ..Layers::default()
            };
            line(&decide(&ask, &layers))
        };
        let grant = |grantee: &str, operation: &str, constraints: Value| {
            json!({"GrantId": "g", "GranteePrincipal": grantee, "Operations": [operation],
                "Constraints": constraints})
        };
        let no = || json!(null);
        let silent = || Part::Given(own("B Allow logs:* *"));
        assert_eq!(decided(grant(ROLE, "Decrypt", no()), Part::Absent), "grant allow g");
        assert_eq!(decided(grant(SESSION, "Decrypt", no()), Part::Absent), "grant allow g");
        assert_eq!(
            decided(grant(ROLE, "Encrypt", no()), Part::Absent),
            "grant near_miss g Operations"
        );
        assert_eq!(
            decided(grant("arn:aws:iam::1:role/x", "Decrypt", no()), Part::Absent),
            "grant near_miss g GranteePrincipal"
        );
        let subset = json!({"EncryptionContextSubset": {"secretarn": SECRET}});
        assert_eq!(decided(grant(ROLE, "Decrypt", subset), Part::Absent), "grant allow g");
        let equals = json!({"EncryptionContextEquals": {"SecretARN": SECRET}});
        assert_eq!(
            decided(grant(ROLE, "Decrypt", equals), Part::Absent),
            "grant near_miss g Constraints.EncryptionContextEquals"
        );
        let equals =
            json!({"EncryptionContextEquals": {"SecretARN": SECRET, "SecretVersionId": "v1"}});
        assert_eq!(decided(grant(ROLE, "Decrypt", equals), Part::Absent), "grant allow g");
        assert!(decided(grant(ROLE, "Decrypt", no()), silent()).starts_with('?'), "not documented");
        assert!(
            decided(grant(ROOT, "Decrypt", no()), Part::Absent).starts_with('?'),
            "not documented"
        );
    }

    #[test]
    fn key_states() {
        for (state, expected) in [
            ("Enabled", "resource allow U"),
            ("Updating", "resource allow U"),
            ("Disabled", "key_state deny Disabled"),
            ("PendingDeletion", "key_state deny PendingDeletion"),
            ("PendingReplicaDeletion", "key_state deny PendingReplicaDeletion"),
            ("Unavailable", "key_state deny Unavailable"),
            ("Creating", "key_state deny Creating"),
        ] {
            let layers = Layers {
                resource: on_resource("U Allow kms:* *", json!({"AWS": ROLE})),
                key_state: Part::Given(state.to_owned()),
                ..Layers::default()
            };
            assert_eq!(line(&decide(&request("kms:Decrypt", KEY), &layers)), expected);
            assert_eq!(
                line(&decide(&request("kms:DescribeKey", KEY), &layers)),
                "resource allow U"
            );
        }
    }
}
