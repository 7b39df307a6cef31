//! Changes to policy documents, and what they make of the layers of a request.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    document::Policy,
    principal::Principal,
    request::{Part, Policies},
    rotation::RotationRequest,
};
use crate::aws::arn;

/// A policy document that can be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// A new inline policy on the role.
    RolePolicy {
        /// The role's name.
        role: String,
    },
    /// An inline policy that is there.
    InlinePolicy {
        /// The role's name.
        role: String,
        /// The policy's name.
        policy: String,
    },
    /// A customer managed policy, also one that serves as a boundary.
    ManagedPolicy {
        /// Its ARN.
        arn: String,
    },
    /// A key policy.
    KeyPolicy {
        /// The key's ARN.
        key: String,
    },
    /// A secret's resource policy.
    SecretPolicy {
        /// The secret's ARN.
        secret: String,
    },
    /// A function's resource policy.
    FunctionPolicy {
        /// The function's ARN with its qualifier.
        function: String,
    },
    /// A role's trust policy.
    TrustPolicy {
        /// The role's name.
        role: String,
    },
    /// The policy of a VPC endpoint.
    EndpointPolicy {
        /// Its id.
        endpoint: String,
    },
}

/// A change.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Edit {
    /// A statement that allows.
    Allow { document: Document, grants: Grants },
    /// A role is taken out of the Deny at this place.
    Exempt { document: Document, index: usize, role: String },
    /// An element of the statement at this place gets a value, next to those it
    /// has or in the place of one that can never match.
    Amend {
        document: Document,
        index: usize,
        element: Amended,
        value: String,
        instead_of: Option<String>,
    },
}

/// The element that is amended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Amended {
    Resource,
    Condition { operator: String, key: String },
}

impl Amended {
    pub(super) fn words(&self) -> String {
        match self {
            Self::Resource => "the statement's Resource".to_owned(),
            Self::Condition { key, .. } => format!("the condition on {key}"),
        }
    }
}

/// What a new statement allows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grants {
    pub(super) actions: Vec<String>,
    /// Empty in a trust policy.
    pub(super) resource: String,
    pub(super) principal: Option<Value>,
    pub(super) condition: Option<Value>,
}

impl Edit {
    pub(super) fn document(&self) -> &Document {
        match self {
            Self::Allow { document, .. }
            | Self::Exempt { document, .. }
            | Self::Amend { document, .. } => document,
        }
    }
}

impl Grants {
    /// The statement.
    pub(super) fn statement(&self) -> Value {
        let mut statement = Map::new();
        statement.insert("Effect".to_owned(), "Allow".into());
        if let Some(principal) = &self.principal {
            statement.insert("Principal".to_owned(), principal.clone());
        }
        let actions = match self.actions.as_slice() {
            [one] => Value::from(one.as_str()),
            many => json!(many),
        };
        statement.insert("Action".to_owned(), actions);
        if !self.resource.is_empty() {
            statement.insert("Resource".to_owned(), self.resource.as_str().into());
        }
        if let Some(condition) = &self.condition {
            statement.insert("Condition".to_owned(), condition.clone());
        }
        Value::Object(statement)
    }
}

/// The changes with one more: what differs in actions alone becomes one statement.
pub(super) fn merge(edits: &[Edit], edit: Edit) -> Vec<Edit> {
    let mut edits = edits.to_vec();
    if let Edit::Allow { document, grants } = &edit {
        for earlier in &mut edits {
            if let Edit::Allow { document: there, grants: given } = earlier
                && there == document
                && given.resource == grants.resource
                && given.principal == grants.principal
                && given.condition == grants.condition
            {
                for action in &grants.actions {
                    if !given.actions.contains(action) {
                        given.actions.push(action.clone());
                    }
                }
                return edits;
            }
        }
    }
    if !edits.contains(&edit) {
        edits.push(edit);
    }
    edits
}

/// A document after the changes to it.
pub(super) fn change(document: Option<&Value>, edits: &[&Edit]) -> Value {
    let mut changed = document
        .filter(|document| document.is_object())
        .cloned()
        .unwrap_or_else(|| json!({"Version": "2012-10-17"}));
    let mut statements = match changed.get("Statement") {
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    for edit in edits {
        match edit {
            Edit::Allow { grants, .. } => statements.push(grants.statement()),
            Edit::Exempt { index, role, .. } => {
                if let Some(statement) = statements.get_mut(*index) {
                    exempt(statement, role);
                }
            }
            Edit::Amend { index, element, value, instead_of, .. } => {
                let statement = statements.get_mut(*index);
                let slot = statement.and_then(|statement| match element {
                    Amended::Resource => statement.get_mut("Resource"),
                    Amended::Condition { operator, key } => {
                        statement.get_mut("Condition")?.get_mut(operator)?.get_mut(key)
                    }
                });
                if let Some(slot) = slot {
                    amend(slot, value, instead_of.as_deref());
                }
            }
        }
    }
    changed["Statement"] = Value::Array(statements);
    changed
}

/// Adds a value to a list, or puts it in the place of another.
fn amend(slot: &mut Value, value: &str, instead_of: Option<&str>) {
    let mut list = match slot.take() {
        Value::Array(list) => list,
        one => vec![one],
    };
    match list.iter_mut().find(|one| instead_of.is_some() && one.as_str() == instead_of) {
        Some(wrong) => *wrong = value.into(),
        None => list.push(value.into()),
    }
    list.dedup();
    *slot = match list.len() {
        1 => list.remove(0),
        _ => Value::Array(list),
    };
}

/// Adds the role to those that a Deny leaves alone.
fn exempt(statement: &mut Value, role: &str) {
    if !statement.get("Condition").is_some_and(Value::is_object) {
        statement["Condition"] = json!({});
    }
    let Some(conditions) = statement["Condition"].as_object_mut() else { return };
    let operator = conditions.entry("ArnNotEquals").or_insert_with(|| json!({}));
    let Some(keys) = operator.as_object_mut() else { return };
    let key = keys.keys().find(|key| key.eq_ignore_ascii_case("aws:PrincipalArn")).cloned();
    let values = keys.entry(key.unwrap_or_else(|| "aws:PrincipalArn".to_owned()));
    let values = values.or_insert(Value::Null);
    *values = match std::mem::take(values) {
        Value::Null => role.into(),
        Value::Array(mut list) => {
            list.push(role.into());
            Value::Array(list)
        }
        one => json!([one, role]),
    };
}

/// The document as a request's layers hold it.
pub(super) fn current<'a>(request: &'a RotationRequest, document: &Document) -> Option<&'a Value> {
    let layers = &request.layers;
    let named = |wanted: &str| {
        let boundary = layers.boundary.given();
        layers.identity.iter().chain(boundary).find(|policy| policy.name() == wanted)
    };
    let first = |part: &'a Part<Policies>| part.given().and_then(|policies| policies.first());
    let policy = match document {
        _ if !touches(request, document) => None,
        Document::RolePolicy { .. } => None,
        Document::InlinePolicy { policy, .. } => named(policy),
        Document::ManagedPolicy { arn } => named(arn),
        Document::EndpointPolicy { .. } => first(&layers.endpoint),
        _ => first(&layers.resource),
    };
    policy.map(|policy| policy.document())
}

/// Whether a document applies to a request.
pub(super) fn touches(request: &RotationRequest, document: &Document) -> bool {
    let own = !matches!(request.request.principal, Principal::Service(_));
    let resource = &request.request.resource;
    let about = |service: &str| request.request.action.starts_with(service);
    match document {
        Document::RolePolicy { role } | Document::InlinePolicy { role, .. } => {
            own && request.role.as_deref().map(arn::role_name) == Some(role)
        }
        Document::ManagedPolicy { .. } => own,
        Document::EndpointPolicy { endpoint } => request.endpoint.as_ref() == Some(endpoint),
        Document::KeyPolicy { key } => resource == key,
        Document::SecretPolicy { secret } => resource == secret,
        Document::FunctionPolicy { function } => resource == function,
        Document::TrustPolicy { .. } => about("sts:"),
    }
}

/// Makes the changes in the layers of a request.
pub(super) fn apply(request: &mut RotationRequest, edits: &[Edit]) {
    let mut done: Vec<&Document> = Vec::new();
    for edit in edits {
        let document = edit.document();
        if done.contains(&document) || !touches(request, document) {
            continue;
        }
        done.push(document);
        let all: Vec<&Edit> = edits.iter().filter(|edit| edit.document() == document).collect();
        let changed = change(current(request, document), &all);
        put(request, document, changed);
    }
}

fn put(request: &mut RotationRequest, document: &Document, changed: Value) {
    let layers = &mut request.layers;
    let replace = |part: &mut Part<Policies>, changed: Value| {
        let mut policies = match std::mem::take(part) {
            Part::Given(policies) => policies,
            _ => Vec::new(),
        };
        let name = policies.first().map_or("the new policy", |policy| policy.name()).to_owned();
        let policy = Arc::new(Policy::new(name, changed));
        match policies.first_mut() {
            Some(first) => *first = policy,
            None => policies.push(policy),
        }
        *part = Part::Given(policies);
    };
    match document {
        Document::RolePolicy { .. } => {
            layers.identity.push(Arc::new(Policy::new("the new policy", changed)));
        }
        Document::InlinePolicy { policy: name, .. } | Document::ManagedPolicy { arn: name } => {
            let policies = layers.identity.iter_mut();
            let boundary = match &mut layers.boundary {
                Part::Given(policy) => Some(policy),
                _ => None,
            };
            for policy in policies.chain(boundary).filter(|policy| policy.name() == name) {
                *policy = Arc::new(Policy::new(name.as_str(), changed.clone()));
            }
        }
        Document::EndpointPolicy { .. } => replace(&mut layers.endpoint, changed),
        _ => replace(&mut layers.resource, changed),
    }
}
