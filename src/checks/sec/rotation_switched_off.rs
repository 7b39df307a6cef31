//! SEC20: rotation was set up and is switched off.

use crate::{
    aws::{arn::Arn, commands::Argument},
    catalogue::transforms,
    checks::{
        Case, Check, Finding, Judgement, Missing, ProofKind, Stop,
        commands::{describe_secret, rotate},
        mgd::owner::owner,
    },
    evidence::{Fact, RotationRules, Secret, TemplateSchedule},
};

pub(super) static CHECK: Check = Check {
    name: "rotation-switched-off",
    question: "Is rotation switched off on a secret that was set up for it?",
    codes: &["SEC20"],
    facts: &[Fact::Secret, Fact::Stack],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    if let Some(finding) = without_function(case, secret)? {
        return Ok(vec![finding]);
    }
    if secret.rotation_enabled == Some(true) {
        return Ok(vec![]);
    }
    // A replica never rotates by itself; the primary's switch is what counts.
    let here = secret.arn.as_deref().and_then(Arn::region_of);
    if secret.primary_region.as_deref().zip(here).is_some_and(|(primary, here)| primary != here) {
        return Err(Stop::not_applicable("this is a replica; the primary rotates"));
    }
    // Null means that rotation was never configured (DescribeSecret API reference).
    let once = secret.rotation_lambda_arn.is_some() || secret.last_rotated_date.is_some();
    if secret.rotation_enabled.is_none() || !once {
        return Err(Stop::not_applicable("rotation was never set up for this secret"));
    }
    let last = match (&secret.last_rotated_date, &secret.rotation_lambda_arn) {
        (Some(last), _) => format!("it last rotated on {}", last.date()),
        (None, Some(function)) => format!("its function is {function}"),
        (None, None) => String::new(),
    };
    let function = match &secret.rotation_lambda_arn {
        Some(arn) => Some(Argument::from(arn)),
        None if secret.owning_service.is_some() => None,
        None => Some(Argument::placeholder("FUNCTION_ARN")),
    };
    Ok(vec![
        Finding::new(
            "SEC20",
            case.secret_resource(),
            format!(
                "Rotation is switched off on a secret that was set up for it ({last}): nothing \
                 rotates it, and a function that is called for it refuses."
            ),
        )
        .fact("DescribeSecret", "RotationEnabled: false")
        .fix(
            "Switch rotation on again. This starts a rotation at once; add \
             --no-rotate-immediately to wait for the schedule.",
            [rotate(case).option_if("--rotation-lambda-arn", function).option(
                "--rotation-rules",
                Argument::json(&rules(secret.rotation_rules.as_ref())),
            )],
        )
        .confirm(describe_secret(case, "RotationEnabled")),
    ])
}

/// A schedule of a template that gives the secret no function. A service that manages the
/// secret needs none; any other rotation is refused.
fn without_function(case: &Case<'_>, secret: &Secret) -> Result<Option<Finding>, Stop> {
    let reading = case.stack();
    let Some(template) = reading.if_known().and_then(|stack| stack.template.as_ref()) else {
        return Ok(None);
    };
    let of_secret = |one: &&TemplateSchedule| one.secret_id == secret.arn && secret.arn.is_some();
    let Some(schedule) = template.rotation_schedules.iter().find(of_secret) else {
        return Ok(None);
    };
    let name = schedule.logical_resource_id.as_deref().unwrap_or("the schedule");
    let finding = |summary: String, proof: &str, remedy: String| {
        Finding::new("SEC20", name, summary)
            .proof(ProofKind::Stack, "template", proof)
            .fix(remedy, [])
    };
    let expands = template.transforms.iter().any(|name| name.starts_with(HOSTED_TRANSFORM));
    if schedule.hosted_rotation_lambda && !expands {
        let newest = transforms().last().map_or("AWS::SecretsManager-2024-09-16", |one| &one.name);
        return Ok(Some(finding(
            format!(
                "{name} asks for a hosted function, and the template has no transform that makes \
                 one: the secret gets no rotation function."
            ),
            "HostedRotationLambda is set, Transform is not",
            format!("Add `Transform: {newest}` at the top of the template."),
        )));
    }
    let names_one = schedule.rotation_lambda_arn.is_some() || schedule.hosted_rotation_lambda;
    if names_one || owner(secret).is_some() {
        return Ok(None);
    }
    // Of a secret that the template does not make, who owns it is unknown.
    if secret.name.is_none() {
        return Err(Stop::Inconclusive(vec![Missing {
            reason: "not declared: whether a service manages the secret".to_owned(),
            ..case.secret().missing()
        }]));
    }
    Ok(Some(finding(
        format!(
            "{name} names no function, and no service manages {}: Secrets Manager refuses to rotate \
             it (No Lambda rotation function ARN is associated with this secret).",
            case.secret_id()
        ),
        "neither RotationLambdaARN nor HostedRotationLambda is set",
        format!("Add `RotationLambdaARN` or `HostedRotationLambda` to {name}."),
    )))
}

/// How the names of the transforms begin that make hosted functions.
const HOSTED_TRANSFORM: &str = "AWS::SecretsManager-";

/// The rules as they were, for the command line; every 30 days where none are left.
fn rules(rules: Option<&RotationRules>) -> serde_json::Value {
    let mut wanted = serde_json::Map::new();
    match rules.and_then(|rules| rules.schedule_expression.as_ref()) {
        Some(expression) => {
            wanted.insert("ScheduleExpression".to_owned(), expression.clone().into())
        }
        None => {
            let days = rules.and_then(|rules| rules.automatically_after_days).unwrap_or(30);
            wanted.insert("AutomaticallyAfterDays".to_owned(), days.into())
        }
    };
    if let Some(duration) = rules.and_then(|rules| rules.duration.as_ref()) {
        wanted.insert("Duration".to_owned(), duration.clone().into());
    }
    serde_json::Value::Object(wanted)
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
    fn rotation_that_was_switched_off_is_found_with_its_old_rules() {
        let bundle = json!({"Secret": {"Name": "app", "RotationEnabled": false,
            "RotationLambdaARN": "arn:aws:lambda:eu-west-1:1:function:f",
            "RotationRules": {"ScheduleExpression": "rate(10 days)", "Duration": "3h"}}});
        let found = judge(&CHECK, bundle).expect("findings");
        let command = &found[0].fixes[0].lines()[0];
        assert!(
            command.contains(r#"'{"ScheduleExpression":"rate(10 days)","Duration":"3h"}'"#),
            "{command}"
        );
    }

    #[test]
    fn a_replica_has_no_switch_of_its_own() {
        let copy = |region: &str| {
            json!({"Secret": {"RotationEnabled": false, "LastRotatedDate": "2026-10-20T03:10:58Z",
                "ARN": format!("arn:aws:secretsmanager:{region}:123456789012:secret:app-AbCdEf"),
                "PrimaryRegion": "eu-west-1"}})
        };
        assert!(not_applicable(&judge(&CHECK, copy("eu-central-1"))));
        assert_eq!(codes(&judge(&CHECK, copy("eu-west-1"))), ["SEC20"]);
    }

    #[test]
    fn rotation_that_is_on_or_was_never_set_up_is_not() {
        assert!(codes(&judge(&CHECK, json!({"Secret": {"RotationEnabled": true}}))).is_empty());
        assert!(not_applicable(&judge(&CHECK, json!({"Secret": {"RotationEnabled": false}}))));
        assert!(lacks(&judge(&CHECK, json!({"Gaps": denied(Fact::Secret)})), Fact::Secret));
    }
}
