//! Grants on a KMS key: they only allow. Semantics: KMS Developer Guide,
//! "Grants in AWS KMS"; KMS API Reference, "GrantConstraints".

use std::{collections::BTreeMap, sync::Arc};

use super::{
    action::Action,
    principal::Principal,
    proof::{FailedOn, Failure},
    request::Quote,
    statement::Asked,
    tri::Tri,
};
use crate::evidence::Grant;

const CONTEXT: &str = "kms:encryptioncontext:";

/// Whether an action uses the key's material, so that the key's state counts.
pub(super) fn is_cryptographic(action: &Action) -> bool {
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
