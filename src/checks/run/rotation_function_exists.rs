//! RUN15: the function that RotationLambdaARN names is not there.

use super::function::{name_of, resource_of};
use crate::{
    aws::arn::{self, Arn},
    aws::commands::{Argument, Command},
    catalogue::Severity,
    checks::{
        Basis, Case, Check, Finding, Judgement,
        commands::{on_function, rotate},
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "rotation-function-exists",
    question: "Does the function that the secret names exist, where Secrets Manager can invoke it?",
    codes: &["RUN15"],
    facts: &[Fact::Secret, Fact::Function],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no secret")?;
    let Some(arn) = secret.rotation_lambda_arn.as_deref() else {
        return Err(crate::checks::Stop::not_applicable("the secret has no rotation function"));
    };
    let parts = FunctionArn::parse(arn);
    if let Some((region, here)) =
        parts.region.zip(case.region_if_known()).filter(|(region, here)| region != here)
    {
        return Ok(vec![elsewhere(case, arn, region, here)]);
    }
    let Some(function) = case.function().or_absent()? else {
        return Ok(vec![gone(case, arn, &parts)]);
    };
    let accounts = parts.account.zip(case.account_if_known());
    Ok(accounts
        .filter(|(account, here)| account != here)
        .map(|(account, here)| {
            Finding::new(
                "RUN15",
                resource_of(function),
                format!(
                    "The rotation function {} is in account {account}, the secret in {here}; whether \
                     Secrets Manager may invoke it across accounts is not visible from here.",
                    name_of(function)
                ),
            )
            .severity(Severity::Note)
            .on(Basis::Indication)
            .fact("DescribeSecret", format!("RotationLambdaARN is {arn}"))
        })
        .into_iter()
        .collect())
}

fn gone(case: &Case<'_>, arn: &str, parts: &FunctionArn<'_>) -> Finding {
    let what = match parts.qualifier {
        Some(qualifier) => format!(
            "the function {}, or its version or alias {qualifier}, does not exist",
            parts.name
        ),
        None => format!("the function {} does not exist", parts.name),
    };
    let new = match parts.qualifier {
        Some(_) => Argument::from(arn::unqualified(arn)),
        None => replaced(arn, case.region_if_known().or(parts.region)),
    };
    let summary = match parts.qualifier {
        Some(_) => "Point the secret at the function without the qualifier, or restore the alias.",
        None => "Restore the function, or point the secret at the one that took its place.",
    };
    Finding::new(
        "RUN15",
        arn,
        format!("{} names a function for rotation, but {what}.", case.secret_id()),
    )
    .fact("DescribeSecret", format!("RotationLambdaARN is {arn}"))
    .fact("GetFunction", "ResourceNotFoundException: no such function, version or alias")
    .fix(
        summary,
        [
            Command::aws("lambda", "list-functions")
                // Where the secret's own region is known, every command names it.
                .option_if("--region", parts.region.filter(|_| case.region_if_known().is_none()))
                .option("--query", "Functions[].FunctionArn")
                .option("--output", "text"),
            repoint(case, new.clone()),
        ],
    )
    .confirm(state_of(new))
}

fn elsewhere(case: &Case<'_>, arn: &str, region: &str, here: &str) -> Finding {
    let new = replaced(arn, Some(here));
    Finding::new(
        "RUN15",
        arn,
        format!(
            "{} is in {here}, its rotation function in {region}: Secrets Manager invokes functions of \
             its own region only.",
            case.secret_id()
        ),
    )
    .fact("DescribeSecret", format!("RotationLambdaARN is {arn}"))
    .fix(
        format!("Deploy the function in {here} and point the secret at it."),
        [repoint(case, new.clone())],
    )
    .confirm(state_of(new))
}

fn repoint(case: &Case<'_>, function: Argument) -> Command {
    rotate(case).option("--rotation-lambda-arn", function).flag("--no-rotate-immediately")
}

fn state_of(function: Argument) -> Command {
    on_function(function, "get-function").option("--query", "Configuration.State")
}

/// The ARN that a new function in that region would have, its name left open.
fn replaced(arn: &str, region: Option<&str>) -> Argument {
    let name = Argument::placeholder("NEW_FUNCTION");
    match Arn::parse(arn) {
        Some(Arn { partition, account, .. }) => Argument::from(format!("arn:{partition}:lambda:"))
            .then(Argument::or_placeholder(region, "REGION"))
            .then(format!(":{account}:function:"))
            .then(name),
        None => name,
    }
}

/// The parts of `arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]`.
struct FunctionArn<'a> {
    region: Option<&'a str>,
    account: Option<&'a str>,
    name: &'a str,
    qualifier: Option<&'a str>,
}

impl<'a> FunctionArn<'a> {
    fn parse(arn: &'a str) -> Self {
        Self {
            region: Arn::region_of(arn),
            account: Arn::account_of(arn),
            name: arn::function_name(arn).unwrap_or(arn),
            qualifier: arn::function_qualifier(arn),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::testing::{codes, judge, lacks, not_applicable},
    };

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf";

    fn bundle(lambda: &str, function: serde_json::Value) -> serde_json::Value {
        json!({"Secret": {"ARN": SECRET, "Name": "prod/db", "RotationLambdaARN": lambda},
            "Function": function})
    }

    #[test]
    fn a_deleted_function_or_alias_is_found() {
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:rotate";
        let found = judge(&CHECK, bundle(arn, json!(null)));
        assert_eq!(codes(&found), ["RUN15"]);
        let alias = judge(&CHECK, bundle(&format!("{arn}:live"), json!(null))).expect("findings");
        assert!(alias[0].summary.contains("alias live"));
        assert!(alias[0].fixes[0].lines()[1].contains(&format!("{arn} ")));
    }

    #[test]
    fn a_function_of_another_region_is_found() {
        let found = judge(
            &CHECK,
            bundle("arn:aws:lambda:eu-central-1:123456789012:function:rotate", json!({})),
        )
        .expect("findings");
        assert!(found[0].summary.contains("eu-central-1"));
        assert_eq!(found[0].severity, Severity::Error);
    }

    #[test]
    fn a_region_and_an_account_that_are_not_known_are_not_compared() {
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function:rotate";
        let unknown =
            json!({"Secret": {"Name": "rds!a", "RotationLambdaARN": arn}, "Function": {}});
        assert!(codes(&judge(&CHECK, unknown.clone())).is_empty());
        let mut gone = unknown;
        gone["Function"] = json!(null);
        let found = judge(&CHECK, gone).expect("findings");
        let commands = &found[0].fixes[0].lines();
        assert!(commands[0].contains("--region eu-central-1"), "{commands:?}");
        assert!(commands[1].contains("--secret-id 'rds!a'"), "{commands:?}");
    }

    #[test]
    fn another_account_is_worth_a_note_only() {
        let found = judge(
            &CHECK,
            bundle("arn:aws:lambda:eu-west-1:999999999999:function:rotate", json!({})),
        )
        .expect("findings");
        assert_eq!(found[0].severity, Severity::Note);
    }

    #[test]
    fn an_existing_function_passes_and_none_does_not_matter() {
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:rotate";
        assert!(codes(&judge(&CHECK, bundle(arn, json!({})))).is_empty());
        assert!(not_applicable(&judge(&CHECK, json!({"Secret": {"ARN": SECRET}}))));
    }

    #[test]
    fn a_function_that_was_not_seen_is_not_missing() {
        let denied = json!({"Secret": {"ARN": SECRET,
                "RotationLambdaARN": "arn:aws:lambda:eu-west-1:123456789012:function:rotate"},
            "Gaps": [{"Fact": "Function", "Action": "lambda:GetFunction", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, denied), crate::evidence::Fact::Function));
        let gap = json!({"Gaps": [{"Fact": "Secret", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::Secret));
    }
}
