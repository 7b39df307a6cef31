//! IAM policies as the lists of a role hold them. One whose document is open stays in the
//! list without it: what it allows or denies is not visible.

use serde_json::{Value, json};

use super::{Open, Setting};
use crate::{
    catalogue::managed_policy,
    evidence::{
        AttachedPermissionsBoundary, Fact, ManagedPolicy, Observed, PolicyDocument, Role,
        RolePolicy,
    },
    template::{Draft, draft::begin},
};

/// The facts about a role.
pub(crate) const FACTS: [Fact; 4] =
    [Fact::Role, Fact::RolePolicies, Fact::AttachedPolicies, Fact::PermissionsBoundary];

/// A role of which nothing is declared.
pub(crate) fn outside(draft: &mut Draft, role: &str, reason: impl Into<Open>) {
    let reason = reason.into();
    for fact in FACTS {
        draft.gap(fact, role, &reason);
    }
}

/// Adds an inline policy; a gap, where its document is open.
pub(crate) fn add_inline(draft: &mut Draft, name: &str, document: Setting<Value>) {
    let document = match document {
        Setting::Known(document) => Some(PolicyDocument(document)),
        Setting::Absent => None,
        Setting::Open(open) => {
            draft.gap(Fact::RolePolicies, name, open);
            None
        }
    };
    begin(&mut draft.evidence.role_policies)
        .push(RolePolicy { policy_name: Some(name.to_owned()), policy_document: document });
}

/// A managed policy by ARN or name: one that the file declares, else one of AWS's whose
/// document is known, else a gap of the fact.
pub(crate) fn managed(
    draft: &mut Draft,
    fact: Fact,
    arn: &str,
    declared: Option<Setting<Value>>,
) -> ManagedPolicy {
    let document = match declared {
        Some(document) => document,
        None => match managed_policy(arn) {
            Some(document) => Setting::Known(document),
            None => Setting::Open(format!("the document of {arn} is not declared").into()),
        },
    };
    let document = match document {
        Setting::Known(document) => Some(PolicyDocument(document)),
        Setting::Absent => {
            draft.gap(fact, arn, format!("{arn} has no document"));
            None
        }
        Setting::Open(open) => {
            draft.gap(fact, arn, open);
            None
        }
    };
    ManagedPolicy {
        policy_name: arn.rsplit('/').next().map(str::to_owned),
        policy_arn: Some(arn.to_owned()),
        policy_document: document,
        ..ManagedPolicy::default()
    }
}

/// Puts a role's boundary: `boundary` is its policy, where the role has one.
pub(crate) fn put_boundary(draft: &mut Draft, role: &mut Role, boundary: Option<ManagedPolicy>) {
    role.permissions_boundary = boundary.as_ref().map(|policy| AttachedPermissionsBoundary {
        permissions_boundary_type: Some("Policy".to_owned()),
        permissions_boundary_arn: policy.policy_arn.clone(),
    });
    draft.evidence.permissions_boundary = match boundary {
        None => Observed::Absent,
        // Without its document it is not visible; the gap stands already.
        Some(policy) if policy.policy_document.is_none() => Observed::NotAsked,
        Some(policy) => Observed::Known(policy),
    };
}

/// The trust that every function's role needs.
pub(crate) fn trust() -> PolicyDocument {
    PolicyDocument(json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
}
