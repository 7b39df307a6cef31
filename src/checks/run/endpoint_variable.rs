//! RUN11: SECRETS_MANAGER_ENDPOINT is missing or names no endpoint of the region.

use super::{
    environment::variable,
    function::{from_template, name_of, resource_of, rotation_function},
};
use crate::{
    catalogue::{Severity, all_partition_domains, partition_domains},
    checks::{
        Basis, Case, Change, Check, Finding, Judgement, ProofKind, Stop,
        commands::{function_name, published, set_variables, show_setting},
    },
    evidence::{Fact, Function},
    rotation_log::{Invocation, RotationLog},
};

pub(super) static CHECK: Check = Check {
    name: "endpoint-variable",
    question: "Does SECRETS_MANAGER_ENDPOINT name the endpoint of the secret's region?",
    codes: &["RUN11"],
    facts: &[Fact::Secret, Fact::Function, Fact::LogEvents],
    judge,
};

const NAME: &str = "SECRETS_MANAGER_ENDPOINT";

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    let log = case.log();
    let log = log.if_known();
    let Some(value) = variable(function, NAME)? else {
        let raised = log.and_then(key_error);
        if raised.is_none() && !from_template(function, log) {
            return Err(Stop::not_applicable(
                "the variable is not set, and nothing says that the code is a template that wants it",
            ));
        }
        return Ok(vec![missing(case, function, raised)]);
    };
    let fault = match fault(value, case.region_if_known(), case.partition()) {
        Ok(()) => return Ok(Vec::new()),
        Err(fault) => fault,
    };
    let (severity, basis) = match fault.certain {
        true => (Severity::Error, Basis::State),
        false => (Severity::Warning, Basis::Indication),
    };
    let finding = Finding::new(
        "RUN11",
        resource_of(function),
        format!("{NAME} of {} is {value:?}: {}.", name_of(function), fault.what),
    )
    .severity(severity)
    .on(basis)
    .fact("GetFunction", format!("Environment.Variables.{NAME} is {value:?}"));
    Ok(vec![with_fix(case, function, finding)])
}

fn missing(case: &Case<'_>, function: &Function, raised: Option<&Invocation>) -> Finding {
    let mut finding = Finding::new(
        "RUN11",
        resource_of(function),
        format!("{} has no variable {NAME}, which its template reads first.", name_of(function)),
    )
    .fact("GetFunction", format!("Environment.Variables has no {NAME}"));
    if let Some(run) = raised {
        let id = run.request_id.as_deref().unwrap_or("of unknown id");
        let source = format!("log, request {id}");
        finding = finding.proof(ProofKind::Log, source, format!("KeyError: '{NAME}'"));
    }
    with_fix(case, function, finding)
}

/// An invocation that ended because the variable is missing.
fn key_error(log: &RotationLog) -> Option<&Invocation> {
    log.invocations.iter().rev().find(|run| {
        run.error
            .as_ref()
            .is_some_and(|error| error.error_type == "KeyError" && error.message.contains(NAME))
    })
}

fn with_fix(case: &Case<'_>, function: &Function, finding: Finding) -> Finding {
    let suffix = partition_domains(case.partition())
        .and_then(|domains| domains.suffixes.first())
        .map_or("amazonaws.com", String::as_str);
    let value = format!("https://secretsmanager.{}.{suffix}", case.region());
    let finding = finding
        .fix(
            "Set the variable and keep the others, which Lambda replaces as a whole.",
            [set_variables(function_name(function), &[(NAME, &value)])],
        )
        .confirm(show_setting(
            case,
            function_name(function),
            format!("Environment.Variables.{NAME}"),
        ));
    // An endpoint with a placeholder in it fixes nothing.
    let finding = match case.region_if_known() {
        Some(_) => finding.trying(Change::SetVariable { name: NAME.to_owned(), value }),
        None => finding,
    };
    published(case, finding)
}

/// What is wrong with an endpoint, and whether no client could use it.
struct EndpointFault {
    what: String,
    certain: bool,
}

/// Judges the text of an endpoint: `https://`, a host with the label of Secrets
/// Manager (alone, FIPS, or behind a VPC endpoint's name), the region, the
/// partition's domain. A host under a name of one's own may be anything, and is
/// no fault; without a region only the form is judged.
fn fault(value: &str, region: Option<&str>, partition: &str) -> Result<(), EndpointFault> {
    let certain = |what: String| Err(EndpointFault { what, certain: true });
    if value != value.trim() || value.is_empty() {
        return certain("it is empty or has blanks around it".to_owned());
    }
    let Some((scheme, rest)) = value.split_once("://") else {
        return certain("it lacks https://".to_owned());
    };
    let host = rest.split(['/', ':']).next().unwrap_or_default().to_ascii_lowercase();
    if !matches!(scheme, "https" | "http") || host.is_empty() {
        return certain("it is not an HTTPS address".to_owned());
    }
    let fits = |suffix: &String| host.ends_with(&format!(".{suffix}"));
    let domains = partition_domains(partition);
    let of_partition = domains.is_none_or(|known| known.suffixes.iter().any(fits));
    if !of_partition && !all_partition_domains().any(|row| row.suffixes.iter().any(fits)) {
        return Ok(());
    }
    let labels: Vec<&str> = host.split('.').collect();
    let service = labels.iter().position(|label| label.starts_with("secretsmanager"));
    let Some(named) = service.and_then(|index| labels.get(index + 1).copied()) else {
        return Err(EndpointFault {
            what: "it is not a name of Secrets Manager's own".to_owned(),
            certain: false,
        });
    };
    let Some(region) = region else { return Ok(()) };
    if named != region {
        return certain(format!("it names {named}, and the secret is in {region}"));
    }
    if !of_partition {
        return certain(format!("its domain is not one of partition {partition}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{CHECK, fault};
    use crate::{
        catalogue::Severity,
        checks::testing::{codes, evidence, judge, judge_with_log, lacks, not_applicable},
        rotation_log::{Invocation, RaisedError, RotationLog},
    };

    fn bundle(variables: serde_json::Value) -> serde_json::Value {
        json!({"Region": "eu-west-1", "Secret": {"RotationLambdaARN": "arn"},
            "Function": {"Configuration": {"FunctionName": "rotate",
                "Description": "Conducts an AWS SecretsManager secret rotation for RDS MySQL",
                "Environment": {"Variables": variables}}}})
    }

    #[test]
    fn endpoints_that_work_are_left_alone() {
        for (value, partition) in [
            ("https://secretsmanager.eu-west-1.amazonaws.com", "aws"),
            ("https://secretsmanager.eu-west-1.amazonaws.com/", "aws"),
            ("https://secretsmanager-fips.eu-west-1.amazonaws.com", "aws"),
            ("https://secretsmanager.eu-west-1.api.aws", "aws"),
            ("https://vpce-0a1-b2.secretsmanager.eu-west-1.vpce.amazonaws.com", "aws"),
            ("https://vpce-0a1.secretsmanager.eu-west-1.amazonaws.com", "aws"),
            ("https://secretsmanager.eu-west-1.c2s.ic.gov", "aws-iso"),
        ] {
            assert!(fault(value, Some("eu-west-1"), partition).is_ok(), "{value}");
        }
    }

    #[test]
    fn endpoints_that_cannot_work_are_certain() {
        for value in [
            "",
            "secretsmanager.eu-west-1.amazonaws.com",
            "https://secretsmanager.us-east-1.amazonaws.com",
            "https://secretsmanager.eu-west-1.amazonaws.com.cn",
            "https://secretsmanager.eu-west-1.amazonaws.com ",
        ] {
            assert!(
                fault(value, Some("eu-west-1"), "aws").is_err_and(|fault| fault.certain),
                "{value}"
            );
        }
        let other = fault("https://lambda.eu-west-1.amazonaws.com", Some("eu-west-1"), "aws");
        assert!(other.is_err_and(|fault| !fault.certain));
    }

    #[test]
    fn a_name_of_ones_own_and_an_unknown_region_prove_nothing() {
        for own in ["https://proxy.example.com", "https://secretsmanager.internal.example.com"] {
            assert!(fault(own, Some("eu-west-1"), "aws").is_ok(), "{own}");
        }
        assert!(fault("https://secretsmanager.us-east-1.amazonaws.com", None, "aws").is_ok());
    }

    #[test]
    fn another_region_is_found_and_the_fix_works() {
        let value = "https://secretsmanager.us-east-1.amazonaws.com";
        let wrong = bundle(json!({"SECRETS_MANAGER_ENDPOINT": value}));
        let found = judge(&CHECK, wrong.clone()).expect("findings");
        assert_eq!((found[0].code(), found[0].severity), ("RUN11", Severity::Error));
        let mut fixed = evidence(wrong);
        found[0].fixes[0].change.as_ref().expect("change").apply(&mut fixed);
        let fixed = serde_json::to_value(&fixed).expect("bundle");
        assert!(codes(&judge(&CHECK, fixed)).is_empty());
    }

    #[test]
    fn a_template_needs_the_variable_and_other_code_may_not() {
        assert_eq!(codes(&judge(&CHECK, bundle(json!({"OTHER": "(hidden)"})))), ["RUN11"]);
        let mut own = bundle(json!({}));
        own["Function"]["Configuration"]["Description"] = json!("my own");
        assert!(not_applicable(&judge(&CHECK, own.clone())));
        let raised = Invocation {
            error: Some(RaisedError {
                error_type: "KeyError".to_owned(),
                message: "'SECRETS_MANAGER_ENDPOINT'".to_owned(),
            }),
            ..Invocation::default()
        };
        let log = RotationLog { invocations: vec![raised], ..RotationLog::default() };
        assert_eq!(codes(&judge_with_log(&CHECK, own, log)), ["RUN11"]);
    }

    #[test]
    fn what_was_hidden_or_denied_is_inconclusive() {
        let hidden = bundle(json!({"SECRETS_MANAGER_ENDPOINT": "(hidden)"}));
        assert!(lacks(&judge(&CHECK, hidden), crate::evidence::Fact::Function));
        let gap = json!({"Secret": {"RotationLambdaARN": "arn"},
            "Gaps": [{"Fact": "Function", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::Function));
        let mut fine = bundle(
            json!({"SECRETS_MANAGER_ENDPOINT": "https://secretsmanager.eu-west-1.amazonaws.com"}),
        );
        fine["Gaps"] = json!([{"Fact": "LogEvents", "Reason": "AccessDenied"}]);
        assert!(codes(&judge(&CHECK, fine)).is_empty());
    }
}
