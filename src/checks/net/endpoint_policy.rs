//! NET08: what the policy of the endpoint for Secrets Manager denies on a path
//! that is open.

use serde_json::{Value, json};

use super::{change_commands::describe_endpoint_policy, reachability::Reachability};
use crate::{
    checks::{Finding, Fix, Judgement, Missing, NetworkChange, Stop},
    evidence::Fact,
    network::Target,
};

/// NET08: an endpoint's policy refuses a call that the rotation needs.
pub(super) fn policy(reach: &Reachability<'_>) -> Finding {
    let actions = &reach.answer.api_denied_actions;
    let listed = actions.join(", ");
    let ids = reach.answer.endpoints.join(", ");
    let endpoint = reach.answer.endpoints.first().cloned().unwrap_or_default();
    let finding = Finding::new(
        "NET08",
        &endpoint,
        format!(
            "{} reaches {} through {ids}, whose policy does not let it call {listed}.",
            reach.function_name(),
            reach.target
        ),
    )
    .on(reach.basis)
    .fact("DescribeVpcEndpoints", format!("PolicyDocument of {ids} denies {listed}"));
    let mut finding = reach.with_resolution_notes(finding);
    let statements = statements(reach);
    let changes: Vec<NetworkChange> = reach
        .answer
        .endpoints
        .iter()
        .map(|endpoint| NetworkChange::AddEndpointStatements {
            endpoint: endpoint.clone(),
            statements: statements.clone(),
        })
        .collect();
    finding.fixes.push(if reach.still_denied(&changes) {
        // What a statement denies by name no other allows.
        let summary = format!(
            "Remove {listed} from the statements of {ids} that deny it, or exempt this \
             function's role from them."
        );
        let endpoints = reach.answer.endpoints.iter();
        let commands = endpoints.map(|id| describe_endpoint_policy(id)).collect();
        Fix { summary, commands, change: None, template: None }
    } else {
        let summary = "Add to the policy what is missing, for this function's role alone.";
        reach.fix_with(summary, changes)
    });
    finding.confirm(reach.rotate())
}

/// The statements that an endpoint's policy lacks.
fn statements(reach: &Reachability<'_>) -> Vec<Value> {
    let Target::AwsApi { secret_arn, superuser_arn, .. } = &reach.question.target else {
        return Vec::new();
    };
    let role = reach.function.configuration.role.as_deref().unwrap_or("*");
    let condition = json!({"ArnEquals": {"aws:PrincipalArn": role}});
    let secrets: Vec<&str> =
        [secret_arn, superuser_arn].into_iter().flatten().map(String::as_str).collect();
    let (random, about): (Vec<&String>, Vec<&String>) =
        reach.answer.api_denied_actions.iter().partition(|action| *action == "GetRandomPassword");
    let statement = |actions: Vec<&String>, resource: Value| {
        let actions: Vec<String> =
            actions.into_iter().map(|action| format!("secretsmanager:{action}")).collect();
        json!({"Effect": "Allow", "Principal": "*", "Action": actions, "Resource": resource,
            "Condition": condition})
    };
    let mut all = Vec::new();
    if !about.is_empty() && !secrets.is_empty() {
        all.push(statement(about, json!(secrets)));
    }
    if !random.is_empty() {
        all.push(statement(random, json!("*")));
    }
    all
}

/// What the policy may deny is neither fine nor a fault.
pub(super) fn undecided(reach: &Reachability<'_>) -> Judgement {
    let actions = &reach.answer.api_undecided_actions;
    if actions.is_empty() {
        return Ok(Vec::new());
    }
    Err(Stop::Inconclusive(vec![Missing {
        fact: Fact::VpcEndpoints,
        action: String::new(),
        resource: reach.answer.endpoints.join(", "),
        reason: format!(
            "the path is open; whether the policy of {} lets {} pass depends on a condition or on \
             something that was not seen",
            reach.answer.endpoints.join(", "),
            actions.join(", ")
        ),
    }]))
}
