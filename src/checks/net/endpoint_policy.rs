//! NET08: what the policy of the endpoint for Secrets Manager denies on a way
//! that is open. How a policy is read is the path engine's business.

use serde_json::{Value, json};

use super::path::Walk;
use crate::{
    checks::{Finding, Fix, Judgement, Missing, NetworkChange, Stop},
    evidence::Fact,
    network::Target,
};

/// NET08: an endpoint's policy refuses a call of rotation's.
pub(super) fn policy(walk: &Walk<'_>) -> Finding {
    let actions = &walk.answer.api_denied_actions;
    let listed = actions.join(", ");
    let ids = walk.answer.endpoints.join(", ");
    let endpoint = walk.answer.endpoints.first().cloned().unwrap_or_default();
    let finding = Finding::new(
        "NET08",
        &endpoint,
        format!(
            "{} reaches {} through {ids}, whose policy does not let it call {listed}.",
            walk.function_name(),
            walk.target
        ),
    )
    .on(walk.basis)
    .fact("DescribeVpcEndpoints", format!("PolicyDocument of {ids} denies {listed}"));
    let mut finding = walk.with_notes(finding);
    let statements = statements(walk);
    let changes: Vec<NetworkChange> = walk
        .answer
        .endpoints
        .iter()
        .map(|endpoint| NetworkChange::AddEndpointStatements {
            endpoint: endpoint.clone(),
            statements: statements.clone(),
        })
        .collect();
    finding.fixes.push(if walk.still_denied(&changes) {
        // What a statement denies by name no other allows.
        let summary = format!(
            "Take {listed} out of the statements of {ids} that deny it, or let them spare this \
             function's role."
        );
        let shown = walk.answer.endpoints.iter().map(|id| {
            format!(
                "aws ec2 describe-vpc-endpoints --vpc-endpoint-ids {id} --query \
                 'VpcEndpoints[0].PolicyDocument' --output text"
            )
        });
        Fix { summary, commands: shown.collect(), change: None, template: None }
    } else {
        let summary = "Add to the policy what is missing, for this function's role alone.";
        walk.settled(summary, changes)
    });
    finding.confirm(walk.rotate())
}

/// The statements that an endpoint's policy lacks.
fn statements(walk: &Walk<'_>) -> Vec<Value> {
    let Target::AwsApi { secret_arn, superuser_arn, .. } = &walk.question.target else {
        return Vec::new();
    };
    let role = walk.function.configuration.role.as_deref().unwrap_or("*");
    let condition = json!({"ArnEquals": {"aws:PrincipalArn": role}});
    let secrets: Vec<&str> =
        [secret_arn, superuser_arn].into_iter().flatten().map(String::as_str).collect();
    let (random, about): (Vec<&String>, Vec<&String>) =
        walk.answer.api_denied_actions.iter().partition(|action| *action == "GetRandomPassword");
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
pub(super) fn undecided(walk: &Walk<'_>) -> Judgement {
    let actions = &walk.answer.api_undecided_actions;
    if actions.is_empty() {
        return Ok(Vec::new());
    }
    Err(Stop::Inconclusive(vec![Missing {
        fact: Fact::VpcEndpoints,
        action: String::new(),
        resource: walk.answer.endpoints.join(", "),
        reason: format!(
            "the path is open; whether the policy of {} lets {} pass hangs on a condition or on \
             something that was not seen",
            walk.answer.endpoints.join(", "),
            actions.join(", ")
        ),
    }]))
}
