//! The change that a denied request calls for: which document, which statement.

use serde_json::{Value, json};

use super::{
    decision::{Decision, DenyKind},
    edit::{Amended, Document, Edit, Grants},
    failure::{FailedOn, Hint},
    hint,
    principal::Principal,
    request::{Layer, Part},
    rotation::RotationRequest,
};
use crate::aws::arn::{self, Arn};

/// The change that removes what a decision rests on; none where there is none,
/// or where it is not for the account to make.
pub(super) fn propose(request: &RotationRequest, decision: &Decision) -> Option<Edit> {
    if !decision.is_denied() {
        return None;
    }
    match decision.kind? {
        DenyKind::KeyState => None,
        DenyKind::Explicit => exempt(request, decision),
        // The closest statement may be a grant, which stays as it is: where the right
        // belongs, the rest tells.
        DenyKind::Implicit if decision.layer == Layer::Grant => {
            let mut rest = request.clone();
            rest.layers.grants = Part::Absent;
            let decision = rest.decide();
            missing(&rest, &decision)
        }
        DenyKind::Implicit => missing(request, decision),
    }
}

/// What no statement allows.
fn missing(request: &RotationRequest, decision: &Decision) -> Option<Edit> {
    amend(request, decision).or_else(|| allow(request, decision.layer))
}

/// The role is taken out of a Deny.
fn exempt(request: &RotationRequest, decision: &Decision) -> Option<Edit> {
    if matches!(request.request.principal, Principal::Service(_)) {
        return None;
    }
    let decisive = decision.decisive.first()?;
    let document = document_of(request, decision.layer, &decisive.quote.policy)?;
    let role = request.role.clone()?;
    Some(Edit::Exempt { document, index: decisive.quote.index?, role })
}

/// The document that holds a statement of this layer.
fn document_of(request: &RotationRequest, layer: Layer, policy: &str) -> Option<Document> {
    match layer {
        Layer::Identity if policy.starts_with("arn:") => customer_managed(policy.to_owned()),
        Layer::Identity => {
            Some(Document::InlinePolicy { role: role_name(request)?, policy: policy.to_owned() })
        }
        Layer::Boundary => customer_managed(policy.to_owned()),
        Layer::Resource => resource_document(request),
        Layer::Endpoint => Some(Document::EndpointPolicy { endpoint: request.endpoint.clone()? }),
        _ => None,
    }
}

/// A statement that is meant for this request and names the secret wrongly, or
/// another one only, is fixed where it stands.
fn amend(request: &RotationRequest, decision: &Decision) -> Option<Edit> {
    let decisive = decision.decisive.first()?;
    let failure = decisive.failure.as_ref()?;
    let hint = failure.hint?;
    let stale = matches!(hint, Hint::SecretSuffixMissing | Hint::SecretSuffixStale);
    let (element, value) = match &failure.failed_on {
        FailedOn::Resource if stale => (Amended::Resource, request.request.resource.clone()),
        FailedOn::Condition { operator, key }
            if (stale || hint == Hint::OtherSecret)
                && key.eq_ignore_ascii_case("kms:EncryptionContext:SecretARN")
                && !operator.contains("Not") =>
        {
            let element = Amended::Condition { operator: operator.clone(), key: key.clone() };
            (element, request.request.context.value(key)?.to_owned())
        }
        _ => return None,
    };
    let wrong = failure.asked.iter().find(|text| hint::arns(text, &value) == Some(hint))?;
    Some(Edit::Amend {
        document: document_of(request, decisive.layer, &decisive.quote.policy)?,
        index: decisive.quote.index?,
        element,
        // An ARN without suffix and wildcard is no secret's: nobody misses it.
        instead_of: (hint == Hint::SecretSuffixMissing && !wrong.contains(['*', '?']))
            .then(|| wrong.clone()),
        value,
    })
}

fn allow(request: &RotationRequest, layer: Layer) -> Option<Edit> {
    let asks = &request.request;
    let key = asks.action.starts_with("kms:");
    let principal = || Some(json!({"AWS": request.role.clone()?}));
    let (document, principal, resource, condition) = match layer {
        // In one account a right belongs on the role, wherever the near miss is.
        Layer::Identity => identity(request)?,
        Layer::Resource
            if asks.action.starts_with("secretsmanager:") && !asks.is_cross_account() =>
        {
            identity(request)?
        }
        Layer::Boundary => {
            let name = request.layers.boundary.given()?.name().to_owned();
            (customer_managed(name)?, None, resource_of(request)?, None)
        }
        Layer::Endpoint => {
            let document = Document::EndpointPolicy { endpoint: request.endpoint.clone()? };
            (document, Some(principal()?), resource_of(request)?, None)
        }
        Layer::Resource => {
            let document = resource_document(request)?;
            match &document {
                // In a key's own policy `*` is this key, and nothing else.
                Document::KeyPolicy { .. } => {
                    let via = asks.context.value("kms:ViaService");
                    let condition = via.map(|via| json!({"StringEquals": {"kms:ViaService": via}}));
                    (document, Some(principal()?), "*".to_owned(), condition)
                }
                Document::FunctionPolicy { function } => {
                    let account = asks.context.value("aws:SourceAccount")?;
                    let condition = json!({"StringEquals": {"AWS:SourceAccount": account}});
                    let resource = function.clone();
                    (document, Some(service(request)?), resource, Some(condition))
                }
                Document::TrustPolicy { .. } => {
                    (document, Some(service(request)?), String::new(), None)
                }
                _ => (document, Some(principal()?), resource_of(request)?, None),
            }
        }
        _ => return None,
    };
    // An alias authorises nothing: without the key's ARN there is no statement.
    if key && resource.contains(":alias/") {
        return None;
    }
    let actions = vec![asks.action.clone()];
    Some(Edit::Allow { document, grants: Grants { actions, resource, principal, condition } })
}

type Parts = (Document, Option<Value>, String, Option<Value>);

fn identity(request: &RotationRequest) -> Option<Parts> {
    let document = Document::RolePolicy { role: role_name(request)? };
    Some((document, None, resource_of(request)?, None))
}

fn service(request: &RotationRequest) -> Option<Value> {
    match &request.request.principal {
        Principal::Service(name) => Some(json!({ "Service": name })),
        _ => None,
    }
}

/// The narrowest resource that a statement can name.
fn resource_of(request: &RotationRequest) -> Option<String> {
    let resource = request.request.resource.as_str();
    match resource.split_once(":log-stream:") {
        // Streams come and go: their group's ARN with `:*` covers them.
        Some((group, _)) => Some(format!("{group}:*")),
        None if resource.is_empty() => None,
        None => Some(resource.to_owned()),
    }
}

/// A managed policy that the account may change.
fn customer_managed(arn: String) -> Option<Document> {
    let account = Arn::parse(&arn)?.account.to_owned();
    (account != "aws").then_some(Document::ManagedPolicy { arn })
}

/// The resource's own policy.
fn resource_document(request: &RotationRequest) -> Option<Document> {
    let resource = request.request.resource.clone();
    match request.request.action.split(':').next()? {
        "kms" if resource.contains("alias/aws/") => None,
        "kms" => Some(Document::KeyPolicy { key: resource }),
        "secretsmanager" => Some(Document::SecretPolicy { secret: resource }),
        "lambda" => Some(Document::FunctionPolicy { function: resource }),
        "sts" => Some(Document::TrustPolicy { role: role_name(request)? }),
        _ => None,
    }
}

fn role_name(request: &RotationRequest) -> Option<String> {
    request.role.as_deref().map(|role| arn::role_name(role).to_owned())
}
