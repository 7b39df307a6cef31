//! AWS's own simulation of the role's rights beside this evaluator's. The two are shown
//! side by side and never merged: the simulation knows the organization's policies,
//! which an account cannot read, and knows nothing of the policies of secrets, keys and
//! endpoints. So both are asked about the role's side alone.
//!
//! Source: IAM API Reference, SimulatePrincipalPolicy.

use std::sync::Arc;

use serde_json::json;

use super::{
    decide::decide,
    document::{Effect, Policy},
    principal::Principal,
    request::{Layers, Part, Request},
    rotation::{RotationRequest, rotation_requests},
};
use crate::evidence::{Evidence, SimulatedRequest};

/// The requests of a rotation that the simulation can be asked about: those that the
/// role makes itself.
pub fn simulated_requests(evidence: &Evidence) -> Vec<RotationRequest> {
    let mut requests = rotation_requests(evidence);
    requests.retain(|asked| matches!(asked.request.principal, Principal::Session { .. }));
    requests
}

/// What the simulation said of the requests of a rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecondOpinion {
    /// Requests of which both say the same.
    pub agreed: usize,
    /// Those where AWS says something else.
    pub differences: Vec<Difference>,
}

/// A request on which the two differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Such as `kms:Decrypt`.
    pub action: String,
    /// ARN, or `*`.
    pub resource: String,
    /// What the role's policies and its boundary say, as they were read: whether it is
    /// allowed; `None` where that cannot be told.
    pub read: Option<bool>,
    /// AWS's decision: `allowed`, `explicitDeny`, `implicitDeny`.
    pub simulated: String,
    /// The policies of the statements that decided, as the simulator names them.
    pub policies: Vec<String>,
    /// Whether the organization's service control policies are why it is denied.
    pub denied_by_organization: bool,
    /// Condition keys that the simulation lacked: it may be wrong for want of them.
    pub missing_context: Vec<String>,
}

/// Compares; `None` where no simulation was seen.
pub fn second_opinion(evidence: &Evidence) -> Option<SecondOpinion> {
    let simulated = evidence.simulation.known()?;
    let mut opinion = SecondOpinion::default();
    let mut requests = simulated_requests(evidence);
    requests.sort_by(|a, b| key(&a.request).cmp(&key(&b.request)));
    // GetSecretValue of two labels is one request to the simulation.
    requests.dedup_by(|a, b| {
        key(&a.request) == key(&b.request) && a.request.context == b.request.context
    });
    for asked in &requests {
        let answer = simulated.iter().find(|answer| is_of(answer, &asked.request));
        let Some(decision) = answer.and_then(|answer| answer.eval_decision.clone()) else {
            continue;
        };
        let read = of_the_role_alone(asked);
        if read == Some(decision == "allowed") {
            opinion.agreed += 1;
        } else if let Some(answer) = answer {
            opinion.differences.push(difference(asked, read, decision, answer));
        }
    }
    opinion.differences.dedup();
    Some(opinion)
}

fn key(request: &Request) -> (&str, &str) {
    (&request.action, &request.resource)
}

fn is_of(answer: &SimulatedRequest, request: &Request) -> bool {
    let action = answer.eval_action_name.as_deref().unwrap_or_default();
    let resource = answer.eval_resource_name.as_deref().unwrap_or_default();
    action.eq_ignore_ascii_case(&request.action) && resource == request.resource
}

fn difference(
    asked: &RotationRequest,
    read: Option<bool>,
    simulated: String,
    answer: &SimulatedRequest,
) -> Difference {
    let policies = answer.matched_statements.iter();
    let by_organization = answer.organizations_decision_detail.as_ref();
    Difference {
        action: asked.request.action.clone(),
        resource: asked.request.resource.clone(),
        read,
        simulated,
        policies: policies.filter_map(|statement| statement.source_policy_id.clone()).collect(),
        denied_by_organization: by_organization
            .is_some_and(|detail| !detail.allowed_by_organizations),
        missing_context: answer.missing_context_values.clone(),
    }
}

/// What the role's own policies and its boundary say of a request, as if the resource
/// were in the role's account and left it to them.
fn of_the_role_alone(asked: &RotationRequest) -> Option<bool> {
    let account = asked.request.principal.account()?;
    let mut request = asked.request.clone();
    request.resource_account = Some(account.to_owned());
    // A key leaves nothing to the account's policies unless its own policy says so.
    let leaves_it = || {
        Arc::new(Policy::new(
            "a key that leaves it to the account",
            json!({"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*",
                "Principal": {"AWS": account}}}),
        ))
    };
    let is_key = request.action.starts_with("kms:");
    let layers = Layers {
        identity: asked.layers.identity.clone(),
        identity_unseen: asked.layers.identity_unseen.clone(),
        boundary: asked.layers.boundary.clone(),
        resource: if is_key { Part::Given(vec![leaves_it()]) } else { Part::Absent },
        ..Layers::default()
    };
    let decision = decide(&request, &layers);
    decision.is_certain().then_some(decision.effect == Effect::Allow)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::rotation::tests::{KEY, SECRET, world},
        *,
    };

    fn says(action: &str, resource: &str, decision: &str) -> Value {
        json!({"EvalActionName": action, "EvalResourceName": resource, "EvalDecision": decision})
    }

    fn opinion(simulation: Value, change: impl FnOnce(&mut Value)) -> SecondOpinion {
        let evidence = world(|bundle| {
            change(bundle);
            bundle["Simulation"] = simulation;
        });
        second_opinion(&evidence).expect("a simulation")
    }

    #[test]
    fn without_a_simulation_there_is_no_second_opinion() {
        assert_eq!(second_opinion(&world(|_| {})), None);
    }

    #[test]
    fn the_role_is_asked_about_and_nobody_else() {
        let actions: Vec<String> = simulated_requests(&world(|_| {}))
            .into_iter()
            .map(|asked| asked.request.action)
            .collect();
        for wanted in ["secretsmanager:GetSecretValue", "kms:GenerateDataKey", "logs:PutLogEvents"]
        {
            assert!(actions.iter().any(|action| action == wanted), "{wanted}: {actions:?}");
        }
        assert!(!actions.iter().any(|action| action == "lambda:InvokeFunction"), "{actions:?}");
    }

    #[test]
    fn what_both_say_is_counted_and_shown_no_further() {
        let simulation = json!([
            says("secretsmanager:PutSecretValue", SECRET, "allowed"),
            says("kms:Decrypt", KEY, "allowed"),
        ]);
        let told = opinion(simulation, |_| {});
        assert_eq!(told.differences, []);
        assert!(told.agreed >= 2, "{told:?}");
    }

    /// The policies of secret and key have no say in a simulation, so they have none here.
    #[test]
    fn the_resources_own_policies_make_no_difference() {
        let simulation = json!([
            says("secretsmanager:PutSecretValue", SECRET, "allowed"),
            says("kms:Decrypt", KEY, "allowed"),
        ]);
        let told = opinion(simulation, |bundle| {
            bundle["SecretPolicy"] = json!({"Statement": {"Effect": "Deny", "Principal": "*",
                "Action": "*", "Resource": "*"}});
            bundle["Keys"][KEY]["Policy"] = json!({"Statement": []});
        });
        assert_eq!(told.differences, []);
    }

    #[test]
    fn a_refusal_of_the_organization_is_a_difference_with_its_reason() {
        let mut refused = says("kms:Decrypt", KEY, "implicitDeny");
        refused["OrganizationsDecisionDetail"] = json!({"AllowedByOrganizations": false});
        refused["MatchedStatements"] = json!([{"SourcePolicyId": "rotation"}]);
        let told = opinion(json!([refused]), |_| {});
        let [difference] = told.differences.as_slice() else { panic!("{told:?}") };
        assert_eq!((difference.read, difference.denied_by_organization), (Some(true), true));
        assert_eq!(difference.simulated, "implicitDeny");
        assert_eq!(difference.policies, ["rotation"]);
    }

    #[test]
    fn a_request_that_cannot_be_told_here_is_shown_with_what_aws_says() {
        let simulation = json!([says("secretsmanager:PutSecretValue", SECRET, "allowed")]);
        let told = opinion(simulation, |bundle| {
            let facts = bundle.as_object_mut().expect("an object");
            facts.remove("RolePolicies");
            facts.remove("AttachedPolicies");
        });
        let differences = told.differences;
        assert_eq!(differences.len(), 1, "{differences:?}");
        assert_eq!(differences[0].read, None);
    }
}
