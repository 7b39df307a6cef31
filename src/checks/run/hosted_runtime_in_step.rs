//! RUN04: the template asks AWS for a hosted function so that its runtime and its
//! package can diverge.

use crate::{
    catalogue::{Severity, transforms},
    checks::{Basis, Case, Check, Finding, Judgement, ProofKind, Stop},
    evidence::{Fact, TemplateSchedule},
};

pub(super) static CHECK: Check = Check {
    name: "hosted-runtime-in-step",
    question: "Does the template leave the runtime of a hosted function to AWS?",
    codes: &["RUN04"],
    facts: &[Fact::Stack, Fact::Secret],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let stack = case.stack().or_not_applicable("the function belongs to no stack")?;
    let template = stack
        .template
        .as_ref()
        .ok_or_else(|| Stop::not_applicable("the stack's template was not read"))?;
    let secret = case.secret().if_known().and_then(|secret| secret.arn.as_deref());
    let hosted: Vec<&TemplateSchedule> = template
        .rotation_schedules
        .iter()
        .filter(|one| secret.is_some() && one.secret_id.as_deref() == secret)
        .filter(|one| one.hosted_rotation_lambda)
        .collect();
    if hosted.is_empty() {
        return Err(Stop::not_applicable("the template asks for no hosted function"));
    }
    let Some((newest, older)) = transforms().split_last() else { return Ok(Vec::new()) };
    let old = older.iter().find(|row| template.transforms.contains(&row.name));
    let mut found = Vec::new();
    for schedule in hosted {
        let name = schedule.logical_resource_id.as_deref().unwrap_or("the schedule");
        let runtime = schedule.runtime.as_deref();
        let (summary, proof, remedy) = match (old, runtime) {
            (Some(old), _) => (
                format!(
                    "{name} is created by {}, which keeps the runtime and renews the package: a later \
                     update of the stack may leave the function with modules for another Python.",
                    old.name
                ),
                format!("Transform is {}", old.name),
                format!("Use the transform {} and leave Runtime unset.", newest.name),
            ),
            (None, Some(runtime)) => (
                format!(
                    "{name} fixes the runtime of its hosted function at {runtime}, and AWS renews \
                     the package: the two may diverge."
                ),
                format!("HostedRotationLambda.Runtime is {runtime}"),
                "Leave Runtime unset.".to_owned(),
            ),
            (None, None) => continue,
        };
        let source = old.unwrap_or(newest);
        found.push(
            Finding::new("RUN04", name, summary)
                .severity(Severity::Warning)
                .on(Basis::Indication)
                .proof(ProofKind::Stack, "template", proof)
                .proof(ProofKind::Date, &source.provenance.source, source.advice.clone())
                .advice(remedy),
        );
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::checks::testing::{codes, judge, lacks, not_applicable};

    fn bundle(transform: &str, schedule: Value) -> Value {
        let mut schedule = schedule;
        schedule["LogicalResourceId"] = json!("Schedule");
        schedule["SecretId"] = json!("arn:s");
        json!({"Secret": {"ARN": "arn:s"}, "Stack": {"_Template": {"Transforms": [transform],
            "RotationSchedules": [schedule]}}})
    }

    const OLD: &str = "AWS::SecretsManager-2020-07-23";
    const NEW: &str = "AWS::SecretsManager-2024-09-16";

    #[test]
    fn the_old_transform_and_a_fixed_runtime_are_found() {
        let hosted = json!({"HostedRotationLambda": true});
        let found = judge(&CHECK, bundle(OLD, hosted.clone())).expect("findings");
        assert!(found[0].fixes[0].summary.contains(NEW), "{}", found[0].fixes[0].summary);
        let fixed = json!({"HostedRotationLambda": true, "Runtime": "python3.9"});
        let found = judge(&CHECK, bundle(NEW, fixed)).expect("findings");
        assert!(found[0].summary.contains("python3.9"));
        assert!(codes(&judge(&CHECK, bundle(NEW, hosted))).is_empty());
    }

    #[test]
    fn without_a_template_or_a_hosted_function_there_is_nothing_to_say() {
        assert!(not_applicable(&judge(&CHECK, bundle(OLD, json!({"RotationLambdaARN": "arn:f"})))));
        let denied = json!({"Secret": {"ARN": "arn:s"},
            "Gaps": [{"Fact": "Stack", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, denied), crate::evidence::Fact::Stack));
        assert!(not_applicable(&judge(&CHECK, json!({"Stack": {"StackName": "s"}}))));
    }
}
