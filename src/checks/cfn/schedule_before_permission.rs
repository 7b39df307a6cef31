//! CFN01: the stack makes the rotation schedule without waiting for the
//! function's permission.

use super::events::{
    PERMISSION, SCHEDULE, failed, is, logical, oldest_first, overcome, reason, stack, told,
};
use crate::{
    catalogue::{Severity, stack_reason_proves},
    checks::{Basis, Case, Check, Finding, Judgement, ProofKind, command::quoted},
    evidence::{Fact, StackEvent},
};

pub(super) static CHECK: Check = Check {
    name: "schedule-waits-for-permission",
    question: "Does the stack make the rotation schedule after the function's permission?",
    codes: &["CFN01"],
    facts: &[Fact::StackEvents],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
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
                "{} and {} of {} were made at the same time: the schedule fails whenever it comes \
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

fn failure(event: &StackEvent, race: Option<(&StackEvent, &StackEvent)>) -> Finding {
    let why = match race {
        Some((_, permission)) => {
            format!(", which was made at the same time as its permission {}", logical(permission))
        }
        None => ", which Secrets Manager may not invoke yet".to_owned(),
    };
    let finding = Finding::new(
        "CFN01",
        stack(event),
        format!("{} of {} could not be made for its function{why}.", logical(event), stack(event)),
    )
    .on(Basis::Line)
    .proof(ProofKind::Stack, "DescribeStackEvents", told(event));
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
            .proof(ProofKind::Stack, "DescribeStackEvents", told(schedule))
            .proof(ProofKind::Stack, "DescribeStackEvents", told(permission)),
        None => finding,
    };
    finding
        .fix(
            format!(
                "Add `DependsOn: {depends_on}` to {} (aws-cdk does so since July 2023).",
                logical(schedule)
            ),
            [format!(
                "aws cloudformation update-stack --stack-name {} --template-body \
                 file://template.json --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND",
                quoted(stack(schedule))
            )],
        )
        .confirm(format!(
            "aws cloudformation describe-stack-events --stack-name {} --query \
             \"StackEvents[?ResourceStatus=='CREATE_FAILED']\"",
            quoted(stack(schedule))
        ))
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
    fn a_stack_that_was_not_seen_is_inconclusive_and_none_does_not_matter() {
        let gap = json!({"Gaps": [{"Fact": "StackEvents", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::StackEvents));
        assert!(not_applicable(&judge(&CHECK, json!({"StackEvents": null}))));
    }
}
