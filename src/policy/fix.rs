//! The smallest change that lets denied requests through: which document, which
//! statement. How a change alters a document is `edit.rs`'s, how it is written
//! as command and template `command.rs`'s business.

use serde_json::{Value, json};

use super::{
    arn::Arn,
    command::{self, Names},
    decision::{Decision, DenyKind},
    document::Effect,
    edit::{Document, Edit, Grants, apply, merge},
    principal::Principal,
    request::Layer,
    rotation::RotationRequest,
};

/// What lets denied requests through.
#[derive(Clone, Debug, PartialEq)]
pub struct FixPlan {
    /// The changes, one for each document.
    pub steps: Vec<FixStep>,
    /// Whether every request is allowed for sure once they are made.
    pub verified: bool,
    /// What then still stands, in one sentence each.
    pub remaining: Vec<String>,
}

/// A change to one document.
#[derive(Clone, Debug, PartialEq)]
pub struct FixStep {
    /// The document.
    pub document: Document,
    /// One sentence.
    pub summary: String,
    /// The statements that are added or changed, as they then stand.
    pub statements: Vec<Value>,
    /// Commands to paste.
    pub commands: Vec<String>,
    /// The same in a CloudFormation template.
    pub cloudformation: String,
    /// What it lets through besides.
    pub widens: Vec<String>,
}

/// Rounds that one request may take: a cross-account use of a key behind a
/// boundary needs three documents.
const ROUNDS: usize = 6;

/// Plans what lets these requests through. Those that are allowed already take
/// no change; those that cannot be told get none, and stay in `remaining`.
pub fn fix(requests: &[RotationRequest]) -> FixPlan {
    let mut edits: Vec<Edit> = Vec::new();
    for request in requests {
        for _ in 0..ROUNDS {
            let decision = after(request, &edits).decide();
            let Some(edit) = propose(request, &decision) else { break };
            let merged = merge(&edits, edit);
            if merged == edits {
                break;
            }
            edits = merged;
        }
    }
    let mut remaining: Vec<String> = Vec::new();
    for request in requests {
        let decision = after(request, &edits).decide();
        if !decision.is_allowed() {
            remaining.push(words(request, &decision));
        }
    }
    remaining.dedup();
    let names = Names::of(requests);
    let steps = command::steps(requests, &edits, &names);
    FixPlan { steps, verified: remaining.is_empty(), remaining }
}

fn after(request: &RotationRequest, edits: &[Edit]) -> RotationRequest {
    let mut request = request.clone();
    apply(&mut request, edits);
    request
}

fn words(request: &RotationRequest, decision: &Decision) -> String {
    let text = decision.words(&request.request.action, &request.request.resource);
    match decision.doubts.first() {
        Some(_) if decision.effect == Effect::Allow => {
            format!("{text}, unless what was not seen denies it")
        }
        _ => text,
    }
}

/// The change that removes what a decision rests on; none where there is none,
/// or where it is not for the account to make.
fn propose(request: &RotationRequest, decision: &Decision) -> Option<Edit> {
    if !decision.is_denied() {
        return None;
    }
    match decision.kind? {
        DenyKind::KeyState => None,
        DenyKind::Explicit => exempt(request, decision),
        DenyKind::Implicit => allow(request, decision.layer),
    }
}

/// The role is taken out of a Deny.
fn exempt(request: &RotationRequest, decision: &Decision) -> Option<Edit> {
    if matches!(request.request.principal, Principal::Service(_)) {
        return None;
    }
    let decisive = decision.decisive.first()?;
    let policy = decisive.quote.policy.clone();
    let document = match decision.layer {
        Layer::Identity if policy.starts_with("arn:") => customer_managed(policy.clone())?,
        Layer::Identity => {
            Document::InlinePolicy { role: role_name(request)?, policy: policy.clone() }
        }
        Layer::Boundary => customer_managed(policy.clone())?,
        Layer::Resource => resource_document(request)?,
        Layer::Endpoint => Document::EndpointPolicy { endpoint: request.endpoint.clone()? },
        _ => return None,
    };
    let role = request.role.clone()?;
    Some(Edit::Exempt { document, index: decisive.quote.index?, role })
}

fn allow(request: &RotationRequest, layer: Layer) -> Option<Edit> {
    let asks = &request.request;
    let key = asks.action.starts_with("kms:");
    let principal = || Some(json!({"AWS": request.role.clone()?}));
    let (document, principal, resource, condition) = match layer {
        // In one account a right belongs on the role, wherever the near miss is.
        Layer::Identity | Layer::Grant => identity(request)?,
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
    let account = Arn::read(&arn)?.account.to_owned();
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
    request.role.as_deref()?.rsplit('/').next().map(str::to_owned)
}
