//! SimulatePrincipalPolicy: a second opinion on the role, on request, of what a rotation
//! asks for. What it means is `policy::second_opinion`'s business.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, Statement};

use super::{
    call::Caller,
    convert::{list, word},
    pages::pages,
    scene::{Found, Scene, extend, found},
    session::Clients,
};
use crate::{
    evidence::{
        MatchedStatement, OrganizationsDecisionDetail, PermissionsBoundaryDecisionDetail,
        SimulatedRequest,
    },
    policy::simulated_requests,
};

pub(super) const ACTION: &str = "iam:SimulatePrincipalPolicy";
/// Pages of one answer; a page holds a hundred results, and a question few actions.
const PAGES: usize = 3;

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
pub(super) fn questions(scene: &Scene) -> Vec<Question> {
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
) -> Found {
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
    let mut pages = pages!(caller, ACTION, principal, PAGES, request, set_marker, marker);
    let mut results = Vec::new();
    while let Some(page) = pages.next().await? {
        results.extend(list(page.evaluation_results, result));
    }
    found(move |scene| extend(&mut scene.evidence.simulation, results))
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
