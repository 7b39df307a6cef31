//! The rotation function's environment variables, as far as they were seen. No
//! check lives here.

use super::function::{name_of, resource_of};
use crate::{
    checks::{Missing, Stop, command::quoted},
    evidence::{Fact, Function},
};

/// What stands in for the value of a variable that is not allow-listed.
const HIDDEN: &str = "(hidden)";

/// The value of a variable; none where it is not set.
///
/// # Errors
/// Inconclusive where Lambda could not decrypt the environment, or where the
/// value was not taken into the evidence.
pub(super) fn variable<'f>(function: &'f Function, name: &str) -> Result<Option<&'f str>, Stop> {
    let Some(environment) = &function.configuration.environment else { return Ok(None) };
    if let Some(error) = &environment.error {
        let code = error.error_code.as_deref().unwrap_or("no code given");
        let key = function.configuration.kms_key_arn.clone();
        return Err(unseen(
            "kms:Decrypt",
            key.unwrap_or_else(|| resource_of(function)),
            format!("Lambda could not decrypt the environment: {code}"),
        ));
    }
    match environment.variables.get(name).map(String::as_str) {
        Some(HIDDEN) => Err(unseen(
            "lambda:GetFunctionConfiguration",
            resource_of(function),
            format!("the value of {name} is hidden"),
        )),
        value => Ok(value),
    }
}

fn unseen(action: &str, resource: String, reason: String) -> Stop {
    Stop::Inconclusive(vec![Missing {
        fact: Fact::Function,
        action: action.to_owned(),
        resource,
        reason,
    }])
}

/// Commands that set one variable and keep the others, which Lambda replaces as
/// a whole.
pub(super) fn setting(function: &Function, name: &str, value: &str) -> Vec<String> {
    settings(function, &[(name, value)])
}

/// The same for several variables at once.
pub(super) fn settings(function: &Function, variables: &[(&str, &str)]) -> Vec<String> {
    let edits: Vec<_> = variables
        .iter()
        .map(|(name, value)| {
            let value = serde_json::Value::from(*value).to_string().replace('\'', r"'\''");
            format!(".{name}={value}")
        })
        .collect();
    editing(name_of(function), &edits.join(" | "))
}

/// Commands that take one variable away and keep the others.
pub(super) fn unsetting(function: &Function, name: &str) -> Vec<String> {
    editing(name_of(function), &format!("del(.{name})"))
}

fn editing(function: &str, edit: &str) -> Vec<String> {
    let function = quoted(function);
    vec![
        format!(
            "aws lambda get-function-configuration --function-name {function} | jq '{{Variables: \
             ((.Environment.Variables // {{}}) | {edit})}}' > environment.json"
        ),
        format!(
            "aws lambda update-function-configuration --function-name {function} --environment \
             file://environment.json"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{setting, unsetting, variable};
    use crate::{checks::Stop, evidence::Function};

    fn function(environment: serde_json::Value) -> Function {
        let value =
            json!({"Configuration": {"FunctionName": "rotate", "Environment": environment}});
        serde_json::from_value(value).expect("function")
    }

    #[test]
    fn what_was_not_seen_is_neither_set_nor_missing() {
        assert_eq!(variable(&function(json!(null)), "A"), Ok(None));
        assert_eq!(variable(&function(json!({"Variables": {"A": "1"}})), "A"), Ok(Some("1")));
        let hidden = function(json!({"Variables": {"A": "(hidden)"}}));
        assert!(matches!(variable(&hidden, "A"), Err(Stop::Inconclusive(_))));
        let broken = function(json!({"Error": {"ErrorCode": "KMSDisabledException"}}));
        let Err(Stop::Inconclusive(missing)) = variable(&broken, "A") else { panic!("decrypted") };
        assert_eq!(missing[0].action, "kms:Decrypt");
        assert!(missing[0].reason.contains("KMSDisabledException"));
    }

    #[test]
    fn commands_keep_the_other_variables() {
        let commands = setting(&function(json!(null)), "A", "it's");
        assert!(
            commands[0].contains(r#".Environment.Variables // {}) | .A="it'\''s")"#),
            "{commands:?}"
        );
        assert!(unsetting(&function(json!(null)), "A")[0].contains("| del(.A))"));
    }
}
