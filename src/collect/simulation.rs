//! SimulatePrincipalPolicy: a second opinion on the role, on request, of what a rotation
//! asks for. `policy::second_opinion` says what the answers mean.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, Statement};

use super::{
    call::Caller,
    convert::{list, word},
    pages::pages,
    scene::{PatchResult, Scene, extend, patch},
    session::Clients,
    step::steps,
};
use crate::{
    aws::limits,
    evidence::{
        Fact, MatchedStatement, OrganizationsDecisionDetail, PermissionsBoundaryDecisionDetail,
        Reason, SimulatedRequest,
    },
    policy::simulated_requests,
};

steps! {
    5 "iam:SimulatePrincipalPolicy" => Simulation <- [Secret, Function]: |tasks| {
        let Some(role) = tasks.scene.role_arn() else { return Vec::new() };
        let task = |question: Question| {
            let role = role.clone();
            tasks.one(question.resource.clone(), async move |caller, clients, _resource: &str| {
                simulate(caller, clients, &role, question).await
            })
        };
        questions(tasks.scene).into_iter().map(task).collect()
    };
}

pub(super) const ACTION: &str = "iam:SimulatePrincipalPolicy";

/// The actions that are asked for with the same resource and condition keys: one call.
#[derive(Clone, Debug)]
pub struct Question {
    /// An ARN, or `*`.
    pub resource: String,
    /// Such as `kms:Decrypt`.
    pub actions: BTreeSet<String>,
    /// Condition keys with their values.
    pub context: Vec<(String, Vec<String>)>,
}

/// What to ask, from what is known by now.
fn questions(scene: &Scene) -> Vec<Question> {
    let mut questions = BTreeMap::<_, BTreeSet<String>>::new();
    for request in simulated_requests(&scene.evidence) {
        let request = request.request;
        let key = (request.resource, request.context.values());
        questions.entry(key).or_default().insert(request.action);
    }
    questions
        .into_iter()
        .map(|((resource, context), actions)| Question { resource, actions, context })
        .collect()
}

pub(super) async fn simulate(
    caller: &Caller,
    clients: &Clients,
    principal: &str,
    question: Question,
) -> PatchResult {
    let context = question.context.into_iter().map(|(key, values)| {
        // Numbers, dates and addresses are given as strings too, and compared as what
        // the policy's operator makes of them.
        let kind = if values.len() == 1 {
            ContextKeyTypeEnum::String
        } else {
            ContextKeyTypeEnum::StringList
        };
        let entry = ContextEntry::builder().context_key_name(key).context_key_type(kind);
        entry.set_context_key_values(Some(values)).build()
    });
    let request = clients
        .iam
        .simulate_principal_policy()
        .policy_source_arn(principal)
        .set_action_names(Some(question.actions.into_iter().collect()))
        .resource_arns(&question.resource)
        .set_context_entries(Some(context.collect()));
    let mut pages =
        pages!(caller, ACTION, principal, limits::SIMULATION_PAGES, request, set_marker, marker);
    let mut results = Vec::new();
    while let Some(page) = pages.next().await? {
        results.extend(list(page.evaluation_results, result));
    }
    let cut = pages.cut();
    patch(move |scene| {
        extend(&mut scene.evidence.simulation, results);
        if cut {
            let message = format!("only the first {} pages were read", limits::SIMULATION_PAGES);
            scene.gap(Fact::Simulation, ACTION, &question.resource, Reason::Truncated, &message);
        }
    })
}

fn result(result: EvaluationResult) -> SimulatedRequest {
    let statement = |statement: Statement| MatchedStatement {
        source_policy_id: statement.source_policy_id,
        source_policy_type: word(statement.source_policy_type),
    };
    SimulatedRequest {
        eval_action_name: Some(result.eval_action_name),
        eval_resource_name: result.eval_resource_name,
        eval_decision: word(Some(result.eval_decision)),
        matched_statements: list(result.matched_statements, statement),
        missing_context_values: result.missing_context_values.unwrap_or_default(),
        organizations_decision_detail: result.organizations_decision_detail.map(|detail| {
            OrganizationsDecisionDetail {
                allowed_by_organizations: detail.allowed_by_organizations,
            }
        }),
        permissions_boundary_decision_detail: result.permissions_boundary_decision_detail.map(
            |detail| PermissionsBoundaryDecisionDetail {
                allowed_by_permissions_boundary: detail.allowed_by_permissions_boundary,
            },
        ),
    }
}
