//! IAM08: Secrets Manager may not invoke the rotation function.

use serde_json::Value;

use crate::{
    checks::{Case, Check, Finding, Judgement, Stop, command::quoted},
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "invoke-permission",
    question: "Does the function's policy let Secrets Manager invoke it?",
    codes: &["IAM08"],
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
    let policy = case.function_policy().or_absent()?;
    // Whether a condition fits is another check's question.
    let (proof, why) = match policy {
        Some(policy) if policy.statements().any(allows) => return Ok(vec![]),
        Some(policy) => (
            format!("{} statements, none for {SERVICE}", policy.statements().count()),
            format!("no statement of its policy lets {SERVICE} call {ACTION}"),
        ),
        None => ("no policy".to_owned(), "it has no resource policy".to_owned()),
    };
    let (name, qualifier) = split(function);
    let qualifier = qualifier
        .map_or_else(String::new, |qualifier| format!(" --qualifier {}", quoted(qualifier)));
    let place = if qualifier.is_empty() { "" } else { " for that qualifier" };
    Ok(vec![
        Finding::new(
            "IAM08",
            function,
            format!("Secrets Manager may not invoke {function}: {why}{place}, so no rotation starts."),
        )
        .fact("Lambda GetPolicy", proof)
        .fix(
            "Let Secrets Manager invoke the function for secrets of this account.",
            [format!(
                "aws lambda add-permission --function-name {}{qualifier} --statement-id SecretsManagerAccess \
                 --action {ACTION} --principal {SERVICE} --source-account {}",
                quoted(name),
                case.account_id()
            )],
        )
        .confirm(format!("aws lambda get-policy --function-name {}{qualifier}", quoted(name))),
    ])
}

/// The ARN without its qualifier, and the qualifier.
fn split(arn: &str) -> (&str, Option<&str>) {
    // arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]
    match arn.match_indices(':').nth(6) {
        Some((at, _)) => (&arn[..at], Some(&arn[at + 1..])),
        None => (arn, None),
    }
}

fn allows(statement: &Value) -> bool {
    let is = |value: &Value, wanted: &dyn Fn(&str) -> bool| match value {
        Value::String(one) => wanted(one),
        Value::Array(list) => list.iter().filter_map(Value::as_str).any(wanted),
        _ => false,
    };
    let of = |key: &str| statement.get(key).unwrap_or(&Value::Null);
    let principal = of("Principal");
    let for_service = is(principal, &|who| who == "*")
        || ["Service", "AWS"].iter().any(|kind| {
            principal.get(kind).is_some_and(|who| is(who, &|who| who == SERVICE || who == "*"))
        });
    of("Effect") == "Allow" && for_service && is(of("Action"), &covers)
}

/// Whether an action of a policy, with its asterisks, covers InvokeFunction.
fn covers(action: &str) -> bool {
    let (action, wanted) = (action.to_ascii_lowercase(), ACTION.to_ascii_lowercase());
    match action.strip_suffix('*') {
        Some(start) => wanted.starts_with(start),
        None => action == wanted,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:rotate";

    fn bundle(function: &str, policy: Value) -> Value {
        json!({"AccountId": "123456789012", "FunctionPolicy": policy,
            "Secret": {"Name": "app", "RotationLambdaARN": function}})
    }

    fn statement(principal: Value, action: &str) -> Value {
        json!({"Statement": [{"Effect": "Allow", "Principal": principal, "Action": action}]})
    }

    #[test]
    fn no_policy_and_no_statement_for_the_service_are_found() {
        let found = judge(&CHECK, bundle(FUNCTION, json!(null))).expect("findings");
        assert_eq!(
            found[0].fixes[0].commands[0],
            format!(
                "aws lambda add-permission --function-name {FUNCTION} --statement-id \
                     SecretsManagerAccess --action lambda:InvokeFunction --principal \
                     secretsmanager.amazonaws.com --source-account 123456789012"
            )
        );
        let events = statement(json!({"Service": "events.amazonaws.com"}), "lambda:InvokeFunction");
        assert_eq!(codes(&judge(&CHECK, bundle(FUNCTION, events))), ["IAM08"]);
        let other =
            statement(json!({"Service": "secretsmanager.amazonaws.com"}), "lambda:GetFunction");
        assert_eq!(codes(&judge(&CHECK, bundle(FUNCTION, other))), ["IAM08"]);
    }

    #[test]
    fn a_qualifier_goes_into_the_fix() {
        let found =
            judge(&CHECK, bundle(&format!("{FUNCTION}:live"), json!(null))).expect("findings");
        assert!(
            found[0].fixes[0].commands[0]
                .contains(&format!("--function-name {FUNCTION} --qualifier live "))
        );
    }

    #[test]
    fn any_statement_for_the_service_passes_even_with_a_condition() {
        let service = json!({"Service": ["events.amazonaws.com", "secretsmanager.amazonaws.com"]});
        let mut policy = statement(service, "lambda:Invoke*");
        policy["Statement"][0]["Condition"] = json!({"StringEquals": {"aws:SourceAccount": "1"}});
        assert!(codes(&judge(&CHECK, bundle(FUNCTION, policy))).is_empty());
        assert!(not_applicable(&judge(&CHECK, json!({"Secret": {"Name": "app"}}))));
    }

    #[test]
    fn a_refused_policy_is_named() {
        let mut refused = bundle(FUNCTION, json!(null));
        refused.as_object_mut().expect("object").remove("FunctionPolicy");
        refused["Gaps"] = denied(Fact::FunctionPolicy);
        assert!(lacks(&judge(&CHECK, refused), Fact::FunctionPolicy));
    }
}
