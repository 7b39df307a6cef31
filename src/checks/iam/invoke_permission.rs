//! IAM08, IAM09, IAM19: whom the function's own policy lets invoke it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    refusal::{proof, reason, statement, with_policy_fix},
    rights::{Right, of_unseen},
};
use crate::{
    aws::{
        arn,
        commands::{Argument, Command},
    },
    checks::{
        Case, Change, Check, Finding, Fix, Judgement, PolicyStatement, ProofKind, Stop,
        commands::on_function,
    },
    evidence::Fact,
    policy::{
        Document, Effect, FailedOn, Layers, Part, Policy, Purpose, Replacement, RotationRequest,
        decide, rotation_requests,
    },
};

pub(super) static CHECK: Check = Check {
    name: "invoke-permission",
    question: "Does the function's policy let Secrets Manager invoke it, for this secret alone?",
    codes: &["IAM08", "IAM09", "IAM19"],
    facts: &[Fact::Secret, Fact::Function, Fact::FunctionPolicy],
    judge,
};

const SERVICE: &str = "secretsmanager.amazonaws.com";
const ACTION: &str = "lambda:InvokeFunction";

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    let function = secret
        .rotation_lambda_arn
        .as_deref()
        .ok_or_else(|| Stop::not_applicable("no function rotates the secret"))?;
    if case.function().is_absent() {
        return Err(Stop::not_applicable("the function does not exist"));
    }
    case.function_policy().or_absent()?;
    let evidence = case.policies(CHECK.facts);
    let request = rotation_requests(evidence)
        .into_iter()
        .find(|request| request.purpose == Purpose::InvokeFunction)
        .ok_or_else(|| Stop::not_applicable("no function rotates the secret"))?;
    let decision = request.decide();
    if decision.is_denied() {
        return Ok(vec![refused(function, Right { request, decision })]);
    }
    if decision.effect == Effect::Deny {
        let missing = decision.unseen().map(|unseen| of_unseen(evidence, unseen)).collect();
        return Err(Stop::Inconclusive(missing));
    }
    let open = open_statements(&request);
    Ok(open_to_all(case, function, &request, &open).into_iter().collect())
}

/// IAM09 where a statement lets the service in, only not for this; else IAM08.
fn refused(function: &str, right: Right) -> Finding {
    let nearly = right.decision.failure().is_some_and(|failure| {
        matches!(failure.failed_on, FailedOn::Resource | FailedOn::Condition { .. })
    });
    let qualifier = arn::function_qualifier(function);
    let clause = match &right.request.layers.resource {
        Part::Given(_) => reason(&right.decision),
        _ => "it has no resource policy".to_owned(),
    };
    let place = if qualifier.is_some() { " for that qualifier" } else { "" };
    let code = if nearly { "IAM09" } else { "IAM08" };
    let (source, text) = match &right.request.layers.resource {
        Part::Given(_) => proof(&right),
        _ => (format!("Lambda GetPolicy{place}"), "no policy".to_owned()),
    };
    let finding = Finding::new(
        code,
        function,
        format!("Secrets Manager may not invoke {function}{place}: {clause}. No rotation starts."),
    )
    .statement(statement(&right.decision))
    .proof(ProofKind::Policy, source, text);
    with_policy_fix(finding, &[right.request]).confirm(on_policy(function, "get-policy"))
}

/// An operation on the function's policy: that of the alias or version, where the ARN
/// names one.
fn on_policy(function: &str, operation: &'static str) -> Command {
    on_function(arn::unqualified(function), operation)
        .option_if("--qualifier", arn::function_qualifier(function))
}

/// The statements that let the service in for any account.
fn open_statements(request: &RotationRequest) -> Vec<(usize, Option<String>, Value)> {
    let mut asks = request.request.clone();
    // A request for somebody else's secret.
    for key in ["aws:SourceArn", "aws:SourceAccount"] {
        asks.context.remove(key);
    }
    let policies = request.layers.resource.given().into_iter().flatten();
    let statements = policies
        .flat_map(|policy| policy.statements().iter().map(|statement| (policy.name(), statement)));
    statements
        .filter(|(name, statement)| {
            let alone =
                json!({"Version": "2012-10-17", "Statement": [Value::clone(statement.source())]});
            let layers = Layers {
                resource: Part::Given(vec![Arc::new(Policy::new(*name, alone))]),
                ..Layers::default()
            };
            decide(&asks, &layers).is_allowed()
        })
        .map(|(_, statement)| {
            (statement.index, statement.sid.clone(), Value::clone(statement.source()))
        })
        .collect()
}

/// IAM19.
fn open_to_all(
    case: &Case<'_>,
    function: &str,
    request: &RotationRequest,
    open: &[(usize, Option<String>, Value)],
) -> Option<Finding> {
    let (index, sid, source) = open.first()?;
    let account = case.account_id();
    let policy = request.layers.resource.given()?.first()?;
    let mut statements: Vec<Value> = policy
        .statements()
        .iter()
        .filter(|statement| !open.iter().any(|(index, ..)| *index == statement.index))
        .map(|statement| Value::clone(statement.source()))
        .collect();
    let bounded = json!({"Sid": "SecretsManagerAccount", "Effect": "Allow",
        "Principal": {"Service": SERVICE}, "Action": ACTION, "Resource": function,
        "Condition": {"StringEquals": {"AWS:SourceAccount": account}}});
    statements.push(bounded);
    // In this order: in the other one a rotation in between fails.
    let mut commands = vec![
        on_policy(function, "add-permission")
            .option("--statement-id", "SecretsManagerAccount")
            .option("--action", ACTION)
            .option("--principal", SERVICE)
            .option(
                "--source-account",
                Argument::or_placeholder(case.account_if_known(), "ACCOUNT"),
            ),
    ];
    let sids = open.iter().filter_map(|(_, sid, _)| sid.as_deref());
    commands.extend(
        sids.map(|sid| on_policy(function, "remove-permission").option("--statement-id", sid)),
    );
    let place = sid.as_ref().map_or_else(
        || format!("the function's policy, statement {}", index + 1),
        |sid| format!("the function's policy, statement \"{sid}\""),
    );
    let mut finding = Finding::new(
        "IAM19",
        function,
        format!(
            "{SERVICE} may invoke {function} for any account: {place}, has no condition on \
             aws:SourceAccount or aws:SourceArn."
        ),
    )
    .statement(Some(PolicyStatement {
        policy: policy.name().to_owned(),
        sid: sid.clone(),
        index: Some(*index),
        source: source.clone(),
    }))
    .proof(ProofKind::Policy, place, source.to_string())
    .confirm(on_policy(function, "get-policy"));
    finding.fixes.push(Fix {
        summary: "Add a statement for the secret's account, then remove the open one.".to_owned(),
        commands,
        change: Some(Change::ReplacePolicies {
            policies: vec![Replacement {
                document: Document::FunctionPolicy { function: function.to_owned() },
                name: String::new(),
                after: json!({"Version": "2012-10-17", "Statement": statements}),
            }],
        }),
        ..Fix::default()
    });
    Some(finding)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::testing::{codes, denied, evidence, judge, lacks, not_applicable},
        evidence::Fact,
    };

    const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:rotate";
    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf";

    fn bundle(function: &str, policy: Value) -> Value {
        json!({"FunctionPolicy": policy,
            "Secret": {"ARN": SECRET, "Name": "app", "RotationLambdaARN": function}})
    }

    fn statement(principal: Value, action: &str, condition: Value) -> Value {
        json!({"Sid": "S", "Effect": "Allow", "Principal": principal, "Action": action,
            "Resource": FUNCTION, "Condition": condition})
    }

    fn policy(statements: Value) -> Value {
        json!({"Version": "2012-10-17", "Statement": statements})
    }

    fn service(condition: Value) -> Value {
        let principal = json!({"Service": "secretsmanager.amazonaws.com"});
        statement(principal, "lambda:InvokeFunction", condition)
    }

    fn account(account: &str) -> Value {
        json!({"StringEquals": {"AWS:SourceAccount": account}})
    }

    #[test]
    fn no_policy_and_no_statement_for_the_service_are_found() {
        let found = judge(&CHECK, bundle(FUNCTION, json!(null))).expect("findings");
        assert_eq!(
            found[0].fixes[0].lines()[0],
            format!(
                "aws lambda add-permission --function-name {FUNCTION} --statement-id \
                     SecretsManagerInvoke --action lambda:InvokeFunction --principal \
                     secretsmanager.amazonaws.com --source-account 123456789012"
            )
        );
        let events = json!({"Service": "events.amazonaws.com"});
        let events = statement(events, "lambda:InvokeFunction", json!({}));
        assert_eq!(codes(&judge(&CHECK, bundle(FUNCTION, policy(json!([events]))))), ["IAM08"]);
        let other = json!({"Service": "secretsmanager.amazonaws.com"});
        let other = statement(other, "lambda:GetFunction", json!({}));
        let found = judge(&CHECK, bundle(FUNCTION, policy(json!([other])))).expect("findings");
        assert_eq!(found[0].code(), "IAM08");
        let quoted = found[0].statement.as_ref().expect("the nearest statement");
        assert_eq!((quoted.sid.as_deref(), quoted.index), (Some("S"), Some(0)));
    }

    #[test]
    fn a_qualifier_goes_into_the_fix() {
        let found =
            judge(&CHECK, bundle(&format!("{FUNCTION}:live"), json!(null))).expect("findings");
        assert!(
            found[0].fixes[0].lines()[0]
                .contains(&format!("--function-name {FUNCTION} --qualifier live "))
        );
    }

    #[test]
    fn a_statement_that_fits_another_secret_account_or_qualifier_is_another_code() {
        let with = |condition| bundle(FUNCTION, policy(json!([service(condition)])));
        let other = SECRET.replace("app-AbCdEf", "other-GhIjKl");
        for condition in [
            json!({"ArnLike": {"AWS:SourceArn": other}}),
            json!({"StringEquals": {"AWS:SourceArn": "arn:aws:secretsmanager:*"}}),
            account("999999999999"),
        ] {
            let found = judge(&CHECK, with(condition.clone())).expect("findings");
            assert_eq!(found[0].code(), "IAM09", "{condition}");
            let quoted = found[0].statement.as_ref().expect("the statement");
            assert_eq!(quoted.source["Condition"], condition);
        }
        let bare = policy(json!([service(account("123456789012"))]));
        let alias = bundle(&format!("{FUNCTION}:live"), bare);
        assert_eq!(codes(&judge(&CHECK, alias)), ["IAM09"]);
    }

    #[test]
    fn one_fitting_statement_passes() {
        let wrong = service(account("999999999999"));
        let right = service(account("123456789012"));
        let both = bundle(FUNCTION, policy(json!([wrong, right])));
        assert!(codes(&judge(&CHECK, both)).is_empty());
        assert!(not_applicable(&judge(&CHECK, json!({"Secret": {"Name": "app"}}))));
    }

    #[test]
    fn an_open_statement_is_noted_and_its_fix_closes_it() {
        let open = bundle(FUNCTION, policy(json!([service(json!({}))])));
        let found = judge(&CHECK, open.clone()).expect("findings");
        assert_eq!((found[0].code(), found[0].severity), ("IAM19", Severity::Note));
        assert!(found[0].fixes[0].lines()[1].contains("remove-permission"));
        let mut evidence = evidence(open);
        found[0].fixes[0].change.as_ref().expect("a change").apply(&mut evidence);
        let fixed = serde_json::to_value(&evidence).expect("bundle");
        assert!(codes(&judge(&CHECK, fixed)).is_empty());
        let beside = policy(json!([service(account("123456789012")), service(json!({}))]));
        assert_eq!(codes(&judge(&CHECK, bundle(FUNCTION, beside))), ["IAM19"]);
    }

    #[test]
    fn a_refused_policy_is_named() {
        let mut refused = bundle(FUNCTION, json!(null));
        refused.as_object_mut().expect("object").remove("FunctionPolicy");
        refused["Gaps"] = denied(Fact::FunctionPolicy);
        assert!(lacks(&judge(&CHECK, refused), Fact::FunctionPolicy));
    }
}
