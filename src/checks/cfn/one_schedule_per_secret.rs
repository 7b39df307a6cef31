//! CFN08: the stack rotates the secret twice, or rotates the superuser's secret
//! in its place.

use super::{
    declared::{name_of, schedules_of, template_of},
    events::SCHEDULE,
};
use crate::{
    aws::commands::{Argument, Command},
    catalogue::Severity,
    checks::{Basis, Case, Check, Finding, Judgement, ProofKind, commands::update_stack},
    evidence::{Fact, StackResource},
};

pub(super) static CHECK: Check = Check {
    name: "one-schedule-per-secret",
    question: "Does the stack have one rotation schedule for the secret?",
    codes: &["CFN08"],
    facts: &[Fact::StackResources, Fact::Secret, Fact::SuperuserSecret, Fact::Stack],
    judge,
};

const SECRET: &str = "AWS::SecretsManager::Secret";

fn judge(case: &Case<'_>) -> Judgement {
    if let Some(template) = template_of(case) {
        let own: Vec<&str> = schedules_of(case, template).map(name_of).collect();
        return Ok(twice(case, &own).into_iter().collect());
    }
    let resources = case.stack_resources();
    let resources = resources.or_not_applicable("the function belongs to no stack")?;
    let secret = case.secret().or_not_applicable("there is no secret")?;
    let Some(arn) = secret.arn.as_deref() else { return Err(case.secret().inconclusive()) };
    let schedules = |of: &str| -> Vec<&StackResource> {
        resources
            .iter()
            .filter(|one| one.resource_type.as_deref() == Some(SCHEDULE))
            .filter(|one| one.physical_resource_id.as_deref() == Some(of))
            .filter(|one| one.resource_status.as_deref() != Some("DELETE_COMPLETE"))
            .collect()
    };
    let own = schedules(arn);
    if own.len() > 1 {
        let names: Vec<&str> = own.iter().map(|one| logical(one)).collect();
        return Ok(vec![proven(
            Finding::new(
                "CFN08",
                case.secret_resource(),
                format!(
                    "{} each set the rotation of {}: the one that was deployed last wins, and the \
                     functions undo each other's work.",
                    names.join(" and "),
                    case.secret_id()
                ),
            )
            .severity(Severity::Warning),
            &own,
            "Keep one of the schedules in the template.",
        )]);
    }
    let superuser = case.superuser_secret();
    let superuser = superuser.if_known().and_then(|secret| secret.arn.as_deref());
    let in_stack = resources.iter().any(|one| {
        one.resource_type.as_deref() == Some(SECRET)
            && one.physical_resource_id.as_deref() == Some(arn)
    });
    let (Some(superuser), true) = (superuser.filter(|one| *one != arn), in_stack) else {
        return Ok(Vec::new());
    };
    let theirs = schedules(superuser);
    if theirs.is_empty() || !own.is_empty() || secret.rotation_enabled == Some(true) {
        return Ok(Vec::new());
    }
    Ok(vec![proven(
        Finding::new(
            "CFN08",
            case.secret_resource(),
            format!(
                "{} rotates the superuser's secret {superuser}, and nothing rotates {}.",
                logical(theirs[0]),
                case.secret_id()
            ),
        )
        .severity(Severity::Warning)
        .on(Basis::Indication),
        &theirs,
        "If the application's secret was meant, give its ARN to the schedule.",
    )])
}

/// Two schedules of a template for one secret.
fn twice(case: &Case<'_>, own: &[&str]) -> Option<Finding> {
    let [_, .., last] = own else { return None };
    let names = own.join(" and ");
    Some(
        Finding::new(
            "CFN08",
            *last,
            format!(
                "{names} each set the rotation of {}: the one that is deployed last wins, and each \
                 deploy may change the function.",
                case.secret_id()
            ),
        )
        .severity(Severity::Warning)
        .proof(ProofKind::Stack, "template", format!("{names} have the same SecretId"))
        .advice("Keep one of the schedules in the template."),
    )
}

fn proven(mut finding: Finding, schedules: &[&StackResource], summary: &str) -> Finding {
    for one in schedules {
        let of = one.physical_resource_id.as_deref().unwrap_or_default();
        finding = finding.proof(
            ProofKind::Stack,
            "DescribeStackResources",
            format!("{} is a RotationSchedule of {of}", logical(one)),
        );
    }
    let stack = schedules.first().and_then(|one| one.stack_name.as_deref());
    let stack = || Argument::or_placeholder(stack, "STACK");
    finding.fix(summary, [update_stack(stack())]).confirm(
        Command::aws("cloudformation", "describe-stack-resources")
            .option("--stack-name", stack())
            .option("--query", format!("StackResources[?ResourceType=='{SCHEDULE}']")),
    )
}

fn logical(resource: &StackResource) -> &str {
    resource.logical_resource_id.as_deref().unwrap_or("a schedule")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::checks::testing::{codes, judge, lacks, not_applicable};

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf";
    const MASTER: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:master-AbCdEf";

    fn schedule(name: &str, of: &str) -> Value {
        json!({"StackName": "app", "LogicalResourceId": name, "PhysicalResourceId": of,
            "ResourceType": "AWS::SecretsManager::RotationSchedule"})
    }

    fn bundle(resources: Value) -> Value {
        json!({"Secret": {"ARN": ARN, "Name": "db"}, "SuperuserSecret": {"ARN": MASTER},
            "StackResources": resources})
    }

    #[test]
    fn two_schedules_on_one_secret_are_found() {
        let found = judge(&CHECK, bundle(json!([schedule("A", ARN), schedule("B", ARN)])));
        assert!(found.expect("findings")[0].summary.contains("A and B"));
        let one = bundle(json!([schedule("A", ARN), schedule("B", MASTER)]));
        assert!(codes(&judge(&CHECK, one)).is_empty());
    }

    #[test]
    fn two_schedules_in_the_template_are_found() {
        let schedule = |name: &str, of: &str| json!({"LogicalResourceId": name, "SecretId": of});
        let template = |of: &str| {
            json!({"Secret": {"ARN": ARN, "Name": "db"}, "Stack": {"_Template": {
                "RotationSchedules": [schedule("A", ARN), schedule("B", of)]}}})
        };
        let found = judge(&CHECK, template(ARN)).expect("findings");
        assert_eq!((found[0].code(), found[0].resource.as_str()), ("CFN08", "B"));
        assert!(codes(&judge(&CHECK, template(MASTER))).is_empty());
    }

    #[test]
    fn a_schedule_on_the_superuser_instead_is_found() {
        let own = json!({"LogicalResourceId": "Own", "PhysicalResourceId": ARN,
            "ResourceType": "AWS::SecretsManager::Secret"});
        let mut master = bundle(json!([schedule("B", MASTER), own]));
        assert_eq!(codes(&judge(&CHECK, master.clone())), ["CFN08"]);
        master["Secret"]["RotationEnabled"] = json!(true);
        assert!(codes(&judge(&CHECK, master)).is_empty());
    }

    #[test]
    fn denied_resources_are_inconclusive_and_a_denied_superuser_does_not_matter() {
        let gap = json!({"Secret": {"ARN": ARN},
            "Gaps": [{"Fact": "StackResources", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::StackResources));
        let mut gap = bundle(json!([schedule("A", ARN)]));
        gap.as_object_mut().expect("object").remove("SuperuserSecret");
        gap["Gaps"] = json!([{"Fact": "SuperuserSecret", "Reason": "AccessDenied"}]);
        assert!(codes(&judge(&CHECK, gap)).is_empty());
        let gap = json!({"StackResources": [schedule("A", ARN)],
            "Gaps": [{"Fact": "Secret", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::Secret));
        assert!(not_applicable(&judge(&CHECK, json!({"StackResources": null}))));
    }
}
