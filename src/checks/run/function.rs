//! The rotation function of a case, and whether it is one that AWS vends.

use crate::{
    catalogue::{MarkKind, vended_marks},
    checks::{Case, Stop},
    evidence::{Function, Stack},
    rotation_log::RotationLog,
};

/// The rotation function. Reads `Secret` and `Function`.
///
/// # Errors
/// Not applicable where the secret has no function or the function is gone
/// (which is a question of its own); inconclusive where it was not seen.
pub(in crate::checks) fn rotation_function<'c>(case: &'c Case<'_>) -> Result<&'c Function, Stop> {
    let reading = case.function();
    if let Some(function) = reading.if_known() {
        return Ok(function);
    }
    let no_function =
        case.secret().if_known().is_some_and(|secret| secret.rotation_lambda_arn.is_none());
    if no_function {
        return Err(Stop::not_applicable("the secret has no rotation function"));
    }
    reading.or_not_applicable("the rotation function does not exist")
}

/// What to put after `--function-name`: the function's name, else its ARN.
pub(in crate::checks) fn name_of(function: &Function) -> &str {
    let configuration = &function.configuration;
    configuration
        .function_name
        .as_deref()
        .or(configuration.function_arn.as_deref())
        .unwrap_or("FUNCTION")
}

/// The function's ARN, else its name, as the resource of a finding.
pub(in crate::checks) fn resource_of(function: &Function) -> String {
    function.configuration.function_arn.clone().unwrap_or_else(|| name_of(function).to_owned())
}

/// Why a function is known to be one that AWS vends; none where nothing says so.
pub(in crate::checks) fn vended(function: &Function) -> Option<String> {
    vended_marks().iter().find_map(|mark| match mark.kind {
        MarkKind::Tag => function
            .tags
            .get(&mark.text)
            .filter(|value| value.contains(&mark.contains))
            .map(|value| format!("tag {} is {value}", mark.text)),
        MarkKind::Description => function
            .configuration
            .description
            .as_deref()
            .filter(|description| description.starts_with(&mark.text))
            .map(|description| format!("its description reads \"{description}\"")),
    })
}

/// Whether the function runs a template's code: vended, or the log shows texts
/// that a template prints.
pub(in crate::checks) fn from_template(function: &Function, log: Option<&RotationLog>) -> bool {
    vended(function).is_some() || log.is_some_and(|log| !log.templates.is_empty())
}

/// The tag that names the application's version.
const VERSION_TAG: &str = "serverlessrepo:semanticVersion";

/// The version of the application that the function was deployed from, and the
/// place that says so.
pub(in crate::checks) fn application_version(
    function: &Function,
    stack: Option<&Stack>,
) -> Option<(String, &'static str)> {
    if let Some(version) = function.tags.get(VERSION_TAG) {
        return Some((version.clone(), "GetFunction, Tags"));
    }
    let tags = &stack?.tags;
    let tag = tags.iter().find(|tag| tag.key.as_deref() == Some(VERSION_TAG))?;
    Some((tag.value.clone()?, "DescribeStacks, Tags"))
}

/// Whether the function's build is one of a partition whose builds lag behind,
/// so that the day it was set up says nothing about the age of its code.
pub(in crate::checks) fn build_lags(case: &Case<'_>, function: &Function) -> bool {
    case.partition() != "aws" && application_version(function, case.stack().if_known()).is_some()
}

/// `1.1.367` as numbers that compare.
pub(in crate::checks) fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{numbers, vended};
    use crate::evidence::Function;

    fn function(value: serde_json::Value) -> Function {
        serde_json::from_value(value).expect("function")
    }

    #[test]
    fn a_vended_function_shows_it() {
        let tagged = function(json!({"Tags": {"serverlessrepo:applicationId":
            "arn:aws:serverlessrepo:us-east-1:297356227824:applications/SecretsManagerRDSPostgreSQLRotationSingleUser"}}));
        assert!(vended(&tagged).is_some());
        let other = function(json!({"Configuration": {"Description": "rotates"},
            "Tags": {"serverlessrepo:applicationId": "arn:aws:serverlessrepo:us-east-1:1:applications/datadog"}}));
        assert_eq!(vended(&other), None);
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(numbers("1.1.1000") > numbers("1.1.618"));
        assert!(numbers("1.1.225") < numbers("1.1.367"));
    }
}
