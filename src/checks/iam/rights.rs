//! What the checks of the role's rights share: the requests of a rotation,
//! decided, and what is missing where they could not be.

use crate::{
    aws::arn::{self, Arn},
    checks::{Case, Missing, Stop},
    evidence::{Evidence, Fact, Gap, Observed},
    policy::{
        Decision, DenyKind, DoubtReason, Effect, FailedOn, Layer, Part, Purpose, RotationRequest,
        Unseen,
    },
};

/// One request of the rotation with its decision.
pub(super) struct Right {
    pub(super) request: RotationRequest,
    pub(super) decision: Decision,
}

/// What the requests of one check came to.
#[derive(Default)]
pub(super) struct Rights {
    /// Denied for sure.
    pub(super) refused: Vec<Right>,
    /// What would settle those that could not be decided.
    pub(super) missing: Vec<Missing>,
}

impl Right {
    /// Whether the role and the resource are in different accounts.
    pub(super) fn is_cross_account(&self) -> bool {
        self.request.request.is_cross_account()
    }

    /// Whether a statement denies it.
    pub(super) fn is_explicit(&self) -> bool {
        self.decision.kind == Some(DenyKind::Explicit)
    }

    /// Whether what names the secret in a condition on the key, or the service
    /// that it is used through, is what refuses.
    pub(super) fn is_about_key_condition(&self) -> bool {
        let names = |key: &str| {
            let key = key.to_lowercase();
            key.starts_with("kms:encryptioncontext") || key == "kms:viaservice"
        };
        if let Some(failure) = self.decision.failure() {
            return match &failure.failed_on {
                FailedOn::Condition { key, .. } => names(key),
                FailedOn::EncryptionContextSubset | FailedOn::EncryptionContextEquals => true,
                _ => false,
            };
        }
        let denies = self.decision.decisive.first().filter(|_| self.is_explicit());
        let conditions = denies.and_then(|decisive| decisive.quote.source.get("Condition"));
        conditions
            .and_then(|conditions| conditions.as_object())
            .into_iter()
            .flat_map(|operators| operators.values())
            .filter_map(|keys| keys.as_object())
            .any(|keys| keys.keys().any(|key| names(key)))
    }
}

/// Decides the requests for these purposes, in the order in which they are made.
///
/// # Errors
/// Where no function rotates the secret, or its role was not seen.
pub(super) fn rights(
    case: &Case<'_>,
    facts: &[Fact],
    wanted: impl Fn(&Purpose) -> bool,
) -> Result<Rights, Stop> {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    if secret.rotation_lambda_arn.is_none() {
        return Err(Stop::not_applicable("no function rotates the secret"));
    }
    let function = case.function().or_not_applicable("the function does not exist")?;
    let role = case.role();
    if role.is_absent() {
        return Err(Stop::not_applicable("the function's role does not exist"));
    }
    // An open role, such as one that another stack exports, makes no request.
    let names_role =
        function.configuration.role.as_deref().is_some_and(|role| role.starts_with("arn:"));
    if !names_role && role.if_known().is_none() {
        return Err(role.inconclusive());
    }
    let evidence = case.policies(facts);
    let requests = case.rotation_requests().iter().filter(|request| wanted(&request.purpose));
    let mut rights = Rights::default();
    for mut request in requests.cloned() {
        // The endpoint's policy belongs to the path (NET08).
        let endpoint = std::mem::take(&mut request.layers.endpoint);
        let decision = request.decide();
        if decision.is_denied() {
            rights.refused.push(Right { request, decision });
        } else if !decision.is_certain() {
            rights.missing.extend(missing(evidence, &request, &decision, &endpoint));
        }
    }
    rights.missing.sort();
    rights.missing.dedup();
    Ok(rights)
}

/// The keys of the function's network, which hang on the endpoint.
const NETWORK_KEYS: [&str; 4] =
    ["aws:sourcevpce", "aws:sourcevpc", "aws:vpcsourceip", "aws:sourceip"];

/// What would settle a decision. What no call can show (an organization's id, a
/// tag of the role) leaves a right open only where nothing else grants it.
fn missing<T>(
    evidence: &Evidence,
    request: &RotationRequest,
    decision: &Decision,
    endpoint: &Part<T>,
) -> Vec<Missing> {
    let mut list = Vec::new();
    for doubt in &decision.doubts {
        match &doubt.why {
            DoubtReason::Unseen(unseen) => list.push(of_unseen(evidence, unseen)),
            DoubtReason::Key(key) if NETWORK_KEYS.contains(&key.to_lowercase().as_str()) => {
                list.extend(endpoint.unseen().map(|unseen| of_unseen(evidence, unseen)));
            }
            _ => {}
        }
    }
    if list.is_empty() && decision.effect == Effect::Deny {
        list.extend(decision.doubts.first().map(|doubt| {
            let fact = fact_of(doubt.layer, request);
            let what = match &doubt.why {
                DoubtReason::Key(key) => format!("does not show the value of {key}"),
                DoubtReason::Resource => "does not show the value of a variable".to_owned(),
                _ => "does not show how AWS reads this statement".to_owned(),
            };
            Missing {
                fact,
                action: fact.actions()[0].to_owned(),
                resource: request.request.resource.clone(),
                reason: what,
            }
        }));
    }
    list
}

fn fact_of(layer: Layer, request: &RotationRequest) -> Fact {
    let service = request.request.action.split(':').next();
    match (layer, service) {
        (Layer::Boundary, _) => Fact::PermissionsBoundary,
        (Layer::Grant, _) => Fact::KeyGrants,
        (Layer::Resource, Some("kms")) => Fact::KeyPolicy,
        (Layer::Resource, Some("lambda")) => Fact::FunctionPolicy,
        (Layer::Resource, _) => Fact::SecretPolicy,
        _ => Fact::RolePolicies,
    }
}

/// Something that the evaluator did not see, with the call that would show it.
pub(super) fn of_unseen(evidence: &Evidence, unseen: &Unseen) -> Missing {
    let fact = unseen.fact;
    let same = |resource: &str| {
        resource.is_empty() || resource == unseen.resource || unseen.resource.ends_with(resource)
    };
    let mut gaps = evidence.gaps.iter().filter(|gap| gap.fact == fact.name());
    let gap = gaps.clone().find(|gap| same(&gap.resource));
    let gap = gap.or_else(|| gaps.next().filter(|_| !fact.is_of_a_key()));
    // A list that was read, with a document in it that was not.
    let action = match fact {
        Fact::RolePolicies if is_known(&evidence.role_policies) => "iam:GetRolePolicy",
        Fact::AttachedPolicies if is_known(&evidence.attached_policies) => "iam:GetPolicyVersion",
        Fact::PermissionsBoundary => "iam:GetPolicyVersion",
        _ => fact.actions()[0],
    };
    Missing {
        fact,
        action: gap
            .map(|gap| gap.action.clone())
            .filter(|action| !action.is_empty())
            .unwrap_or_else(|| action.to_owned()),
        resource: unseen.resource.clone(),
        reason: gap.map_or_else(|| "not asked for".to_owned(), Gap::words),
    }
}

fn is_known<T>(observed: &Observed<T>) -> bool {
    observed.known().is_some()
}

/// The last part of a role's ARN.
pub(super) fn role_name(request: &RotationRequest) -> &str {
    request.role.as_deref().map_or("ROLE", arn::role_name)
}

/// The account of an ARN.
pub(super) fn account_of(arn: &str) -> Option<&str> {
    Arn::account_of(arn)
}
