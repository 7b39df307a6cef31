//! A request, and the policies that apply to it.

use std::sync::Arc;

use serde_json::Value;

use super::{context::Context, document::Policy, principal::Principal};
use crate::{
    aws::arn::Arn,
    evidence::{Fact, Grant},
};

/// One request to AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub principal: Principal,
    /// `service:Name`.
    pub action: String,
    /// The resource's ARN; `*` for an action without one.
    pub resource: String,
    /// The account of the resource, where it is not in its ARN.
    pub resource_account: Option<String>,
    /// The condition keys.
    pub context: Context,
}

impl Request {
    /// The account that owns the resource; the principal's for `*`.
    pub fn resource_account(&self) -> Option<&str> {
        self.resource_account
            .as_deref()
            .or_else(|| Arn::account_of(&self.resource))
            .or_else(|| self.principal.account())
    }

    /// Whether the resource is in another account than the one who asks.
    pub fn is_cross_account(&self) -> bool {
        match (self.principal.account(), self.resource_account()) {
            (Some(principal), Some(resource)) => principal != resource,
            _ => false,
        }
    }
}

/// One part of the picture: given, not there, or not seen.
#[derive(Clone, Debug, Default)]
pub enum Part<T> {
    /// Seen.
    Given(T),
    /// Looked for, and not there.
    #[default]
    Absent,
    /// Not seen.
    Unseen(Unseen),
}

/// Something that would have been needed and was not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// The fact.
    pub fact: Fact,
    /// What it is about: an ARN, an id or a name.
    pub resource: String,
}

impl Unseen {
    /// Whether it is a policy that only allows: those that AWS manages do, but for the few
    /// whose names say that they deny.
    pub(super) fn only_allows(&self) -> bool {
        let name = self.resource.rsplit('/').next().unwrap_or_default();
        self.resource.contains(":iam::aws:policy/")
            && !["Deny", "Quarantine"].iter().any(|word| name.contains(word))
    }
}

impl<T> Part<T> {
    /// The value, where it was seen.
    pub fn given(&self) -> Option<&T> {
        match self {
            Self::Given(value) => Some(value),
            _ => None,
        }
    }

    /// What was not seen.
    pub fn unseen(&self) -> Option<&Unseen> {
        match self {
            Self::Unseen(unseen) => Some(unseen),
            _ => None,
        }
    }
}

/// A list of policies that belong together.
pub type Policies = Vec<Arc<Policy>>;

/// Every policy that applies to a request.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// Identity policies of the principal.
    pub identity: Policies,
    /// Identity policies that exist, or may exist, and were not seen.
    pub identity_unseen: Vec<Unseen>,
    /// Permissions boundary.
    pub boundary: Part<Arc<Policy>>,
    /// Session policy.
    pub session: Part<Arc<Policy>>,
    /// The resource's own policy: of a secret, key, function, or a role's trust
    /// policy. A key can have two.
    pub resource: Part<Policies>,
    /// Policy of the VPC endpoint that the call goes through.
    pub endpoint: Part<Policies>,
    /// SCPs by level, root first; `None`: not visible.
    pub scps: Option<Vec<Policies>>,
    /// RCPs by level, root first; `None`: not visible.
    pub rcps: Option<Vec<Policies>>,
    /// Grants on a key.
    pub grants: Part<Vec<Grant>>,
    /// State of a key, such as `Enabled`.
    pub key_state: Part<String>,
}

/// A layer of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Identity policies.
    Identity,
    /// Permissions boundary.
    Boundary,
    /// Session policy.
    Session,
    /// The resource's policy.
    Resource,
    /// VPC endpoint policy.
    Endpoint,
    /// Service control policies.
    Scp,
    /// Resource control policies.
    Rcp,
    /// Grants of a key.
    Grant,
    /// State of a key.
    KeyState,
}

impl Layer {
    /// The layer's short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Boundary => "boundary",
            Self::Session => "session",
            Self::Resource => "resource",
            Self::Endpoint => "vpce",
            Self::Scp => "scp",
            Self::Rcp => "rcp",
            Self::Grant => "grant",
            Self::KeyState => "key_state",
        }
    }

    /// The layer as a person calls it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::Resource => "resource-based policy",
            Self::Endpoint => "VPC endpoint policy",
            Self::Scp => "service control policy",
            Self::Rcp => "resource control policy",
            Self::Grant => "grant",
            Self::KeyState => "key state",
        }
    }
}

/// The statement of a decision: which it is, and as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// The policy's name.
    pub policy: String,
    /// The statement's place in the document; none for a grant or key state.
    pub index: Option<usize>,
    /// Its Sid; a grant's id; a key's state.
    pub sid: Option<String>,
    /// As it stands.
    pub source: Arc<Value>,
}

impl Quote {
    /// `Sid "X" of P`, or `statement 2 of P`.
    pub fn words(&self) -> String {
        match (&self.sid, self.index) {
            (Some(sid), Some(_)) => format!("statement \"{sid}\" of {}", self.policy),
            (None, Some(index)) => format!("statement {} of {}", index + 1, self.policy),
            (Some(sid), None) => format!("{} {sid}", self.policy),
            (None, None) => self.policy.clone(),
        }
    }
}
