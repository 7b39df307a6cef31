//! The rotation function's environment variables, as far as they were seen.

use super::function::resource_of;
use crate::{
    checks::{Missing, Stop},
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::variable;
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
}
