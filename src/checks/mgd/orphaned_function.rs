//! MGD04: a rotation function that no longer rotates this secret.

use crate::{
    aws::commands::{Argument, Command},
    catalogue::Severity,
    checks::{
        Basis, Case, Check, Finding, Judgement, Stop,
        commands::{function_name, on_function},
    },
    evidence::{Fact, Function},
};

pub(super) static CHECK: Check = Check {
    name: "orphaned-function",
    question: "Is there a rotation function that the secret no longer uses?",
    codes: &["MGD04"],
    facts: &[Fact::Secret, Fact::Function],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    if secret.rotation_lambda_arn.is_some() {
        return Ok(vec![]);
    }
    let reading = case.function();
    // Without an ARN in the secret nobody looks for a function, unless asked to.
    if reading.is_not_asked() {
        return Err(Stop::not_applicable("no function is known for this secret"));
    }
    let function = reading.or_not_applicable("no function is known for this secret")?;
    let name = function.configuration.function_name.as_deref().unwrap_or("the function");
    let now = match &secret.owning_service {
        Some(service) => format!("{service} owns the secret now and rotates it"),
        None => "the secret names no function".to_owned(),
    };
    Ok(vec![
        Finding::new(
            "MGD04",
            function.configuration.function_arn.as_deref().unwrap_or(name),
            format!(
                "{name} rotates this secret no longer: {now}. Its log and its settings (such as \
                 EXCLUDE_CHARACTERS) have no bearing on the secret."
            ),
        )
        .severity(Severity::Note)
        .on(Basis::Indication)
        .fact("DescribeSecret", "no RotationLambdaARN")
        .fix(
            "See that no other secret uses the function, then delete it.",
            [
                Command::aws("secretsmanager", "list-secrets")
                    .option("--query", secrets_with(function)),
                on_function(function_name(function), "delete-function"),
            ],
        )
        .confirm(on_function(function_name(function), "get-function")),
    ])
}

/// The query for the secrets whose function has this name. Only a name that Lambda would
/// take stands in a text of JMESPath; for any other one there is a placeholder.
fn secrets_with(function: &Function) -> Argument {
    let is_plain =
        |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let name = function.configuration.function_name.as_deref().filter(is_plain);
    Argument::from("SecretList[?contains(RotationLambdaARN || '', '")
        .then(Argument::or_placeholder(name, "FUNCTION"))
        .then("')].Name")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    #[test]
    fn a_function_that_the_secret_does_not_name_is_a_note() {
        let function = json!({"Configuration": {"FunctionName": "f"}});
        let orphan = json!({"Secret": {"OwningService": "rds"}, "Function": function});
        assert_eq!(codes(&judge(&CHECK, orphan)), ["MGD04"]);
        let used = json!({"Secret": {"RotationLambdaARN": "arn:f"}, "Function": function});
        assert!(codes(&judge(&CHECK, used)).is_empty());
    }

    #[test]
    fn no_function_is_no_question_and_a_refused_one_is_named() {
        assert!(not_applicable(&judge(&CHECK, json!({"Secret": {}}))));
        let refused = json!({"Secret": {}, "Gaps": denied(Fact::Function)});
        assert!(lacks(&judge(&CHECK, refused), Fact::Function));
    }
}
