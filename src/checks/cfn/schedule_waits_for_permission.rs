//! CFN01: the stack creates the rotation schedule without waiting for the
//! function's permission, as its events show or as its template says.

use super::{
    declared::{name_of, schedules_of, template_of},
    events::{
        PERMISSION, SCHEDULE, event_line, failed, is, logical, oldest_first, overcome, reason,
        stack, stack_argument,
    },
};
use crate::{
    aws::commands::Command,
    catalogue::{Severity, stack_reason_proves},
    checks::{Basis, Case, Check, Finding, Judgement, ProofKind, commands::update_stack},
    evidence::{Fact, StackEvent, StackTemplate, TemplateSchedule},
};

pub(super) static CHECK: Check = Check {
    name: "schedule-waits-for-permission",
    question: "Does the stack create the rotation schedule after the function's permission?",
    codes: &["CFN01"],
    facts: &[Fact::StackEvents, Fact::Stack, Fact::Secret],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    if let Some(template) = template_of(case) {
        let schedules = schedules_of(case, template);
        return Ok(schedules.filter_map(|one| declared(template, one)).collect());
    }
    let events = oldest_first(case)?;
    let refused = events.iter().rev().find(|event| {
        failed(event)
            && !overcome(&events, event)
            && stack_reason_proves(
                "CFN01",
                event.resource_type.as_deref().unwrap_or_default(),
                reason(event),
            )
    });
    let race = race(&events);
    let Some((schedule, permission)) = race else {
        return Ok(refused.map(|event| failure(event, None)).into_iter().collect());
    };
    if let Some(event) = refused {
        return Ok(vec![failure(event, Some((schedule, permission)))]);
    }
    Ok(vec![described(
        Finding::new(
            "CFN01",
            stack(schedule),
            format!(
                "{} and {} of {} were created at the same time: the schedule fails whenever it comes \
                 first.",
                logical(schedule),
                logical(permission),
                stack(schedule)
            ),
        )
        .severity(Severity::Note)
        .on(Basis::Indication),
        schedule,
        Some(permission),
    )])
}

/// A schedule that does not wait for any permission of its function.
fn declared(template: &StackTemplate, schedule: &TemplateSchedule) -> Option<Finding> {
    let function = schedule.rotation_lambda_arn.as_deref()?;
    let own: Vec<&str> = template
        .permissions
        .iter()
        .filter(|one| one.function_name.as_deref() == Some(function))
        // Who is let in may be open.
        .filter(|one| one.principal.as_deref().is_none_or(admits_secrets_manager))
        .filter_map(|one| one.logical_resource_id.as_deref())
        .collect();
    if own.is_empty() || own.iter().any(|id| schedule.depends_on.iter().any(|on| on == id)) {
        return None;
    }
    let name = name_of(schedule);
    let listed = own.join(", ");
    let finding = Finding::new(
        "CFN01",
        name,
        format!(
            "{name} does not depend on {listed}, the permission for its function: CloudFormation \
             creates both at the same time, and {name} fails where it comes first."
        ),
    )
    .severity(Severity::Warning)
    .proof(
        ProofKind::Stack,
        "template",
        format!("{name} depends on {}", depends(&schedule.depends_on)),
    )
    .advice(format!("Add `DependsOn: {}` to {name} (aws-cdk does so since July 2023).", own[0]));
    Some(finding)
}

fn admits_secrets_manager(principal: &str) -> bool {
    principal.starts_with("secretsmanager.") || principal == "*" || principal.contains("${")
}

fn depends(ids: &[String]) -> String {
    if ids.is_empty() { "nothing".to_owned() } else { ids.join(", ") }
}

fn failure(event: &StackEvent, race: Option<(&StackEvent, &StackEvent)>) -> Finding {
    let why = match race {
        Some((_, permission)) => {
            format!(
                ", which was created at the same time as its permission {}",
                logical(permission)
            )
        }
        None => ", which Secrets Manager may not invoke yet".to_owned(),
    };
    let finding = Finding::new(
        "CFN01",
        stack(event),
        format!(
            "{} of {} could not be created for its function{why}.",
            logical(event),
            stack(event)
        ),
    )
    .on(Basis::Line)
    .proof(ProofKind::Stack, "DescribeStackEvents", event_line(event));
    match race {
        Some((schedule, permission)) => described(finding, schedule, Some(permission)),
        None => described(finding, event, None),
    }
}

/// The newest schedule whose making began in the same second as a permission's.
fn race<'e>(events: &[&'e StackEvent]) -> Option<(&'e StackEvent, &'e StackEvent)> {
    let second = |event: &StackEvent| event.timestamp.map(|at| at.millis().div_euclid(1000));
    events.iter().rev().filter(|event| is(event, SCHEDULE, "CREATE_IN_PROGRESS")).find_map(
        |schedule| {
            let permission = events.iter().find(|event| {
                is(event, PERMISSION, "CREATE_IN_PROGRESS")
                    && event.stack_name == schedule.stack_name
                    && second(event).is_some()
                    && second(event) == second(schedule)
            })?;
            Some((*schedule, *permission))
        },
    )
}

fn described(finding: Finding, schedule: &StackEvent, permission: Option<&StackEvent>) -> Finding {
    let depends_on = permission.map_or("the AWS::Lambda::Permission", logical);
    let finding = match permission {
        Some(permission) => finding
            .proof(ProofKind::Stack, "DescribeStackEvents", event_line(schedule))
            .proof(ProofKind::Stack, "DescribeStackEvents", event_line(permission)),
        None => finding,
    };
    finding
        .fix(
            format!(
                "Add `DependsOn: {depends_on}` to {} (aws-cdk does so since July 2023).",
                logical(schedule)
            ),
            [update_stack(stack_argument(schedule))],
        )
        .confirm(
            Command::aws("cloudformation", "describe-stack-events")
                .option("--stack-name", stack_argument(schedule))
                .option("--query", "StackEvents[?ResourceStatus=='CREATE_FAILED']"),
        )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::{
            Basis,
            testing::{codes, judge, lacks, not_applicable},
        },
    };

    fn event(logical: &str, kind: &str, status: &str, at: &str, reason: &str) -> Value {
        json!({"StackName": "app", "LogicalResourceId": logical, "ResourceType": kind,
            "ResourceStatus": status, "Timestamp": at, "ResourceStatusReason": reason})
    }

    fn made(schedule_at: &str) -> Vec<Value> {
        vec![
            event(
                "Allow",
                "AWS::Lambda::Permission",
                "CREATE_IN_PROGRESS",
                "2026-11-20T10:00:00.9Z",
                "",
            ),
            event(
                "Schedule",
                "AWS::SecretsManager::RotationSchedule",
                "CREATE_IN_PROGRESS",
                schedule_at,
                "",
            ),
        ]
    }

    const REFUSED: &str = "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access";

    #[test]
    fn a_race_that_was_lost_is_an_error() {
        let mut events = made("2026-11-20T10:00:00.2Z");
        events.push(event(
            "Schedule",
            "AWS::SecretsManager::RotationSchedule",
            "CREATE_FAILED",
            "2026-11-20T10:00:04Z",
            REFUSED,
        ));
        let found = judge(&CHECK, json!({"StackEvents": events.clone()})).expect("findings");
        assert_eq!((found.len(), found[0].basis), (1, Basis::Line));
        assert!(found[0].fixes[0].summary.contains("DependsOn: Allow"));
        events.push(event(
            "app",
            "AWS::CloudFormation::Stack",
            "UPDATE_COMPLETE",
            "2026-11-20T11:00:00Z",
            "",
        ));
        let overcome = judge(&CHECK, json!({"StackEvents": events})).expect("findings");
        assert_eq!(overcome[0].severity, Severity::Note);
    }

    #[test]
    fn a_race_that_was_won_is_a_note_and_a_wait_is_fine() {
        let won = judge(&CHECK, json!({"StackEvents": made("2026-11-20T10:00:00.1Z")}));
        assert_eq!(won.expect("findings")[0].severity, Severity::Note);
        let waited = judge(&CHECK, json!({"StackEvents": made("2026-11-20T10:00:12Z")}));
        assert!(codes(&waited).is_empty());
    }

    #[test]
    fn a_template_says_whether_the_schedule_waits() {
        let template = |depends_on: Value, principal: &str| {
            json!({"Secret": {"ARN": "arn:s"}, "Stack": {"_Template": {
                "RotationSchedules": [{"LogicalResourceId": "Schedule", "SecretId": "arn:s",
                    "RotationLambdaARN": "arn:f", "DependsOn": depends_on}],
                "Permissions": [{"LogicalResourceId": "Allow", "FunctionName": "arn:f",
                    "Principal": principal}]}}})
        };
        let service = "secretsmanager.amazonaws.com";
        let found = judge(&CHECK, template(json!(["Function"]), service)).expect("findings");
        assert_eq!((found[0].code(), found[0].resource.as_str()), ("CFN01", "Schedule"));
        assert!(codes(&judge(&CHECK, template(json!(["Function", "Allow"]), service))).is_empty());
        let other = template(json!([]), "events.amazonaws.com");
        assert!(codes(&judge(&CHECK, other)).is_empty(), "a permission for somebody else");
    }

    #[test]
    fn a_stack_that_was_not_seen_is_inconclusive_and_none_does_not_matter() {
        let gap = json!({"Gaps": [{"Fact": "StackEvents", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::StackEvents));
        assert!(not_applicable(&judge(&CHECK, json!({"StackEvents": null}))));
    }
}
