//! CFN04, CFN05, CFN09: the stack's last operation failed for a reason that
//! concerns rotation, or its template says that the next one will.

use super::{
    declared::{name_of, schedules_of, template_of},
    events::{event_line, failed, logical, oldest_first, overcome, reason, stack, stack_argument},
};
use crate::{
    aws::commands::{Argument, Command},
    catalogue::stack_reason_proves,
    checks::{
        Basis, Case, Change, Check, Finding, Judgement, ProofKind,
        commands::{remove_pending, show_template, update_stack, upgrade_cdk},
    },
    evidence::{Fact, Stack, StackEvent, TemplateCircle, TemplateSchedule},
};

pub(super) static CHECK: Check = Check {
    name: "stack-operation-came-through",
    question: "Did the stack's last operation come through where rotation is concerned?",
    codes: &["CFN04", "CFN05", "CFN09"],
    facts: &[Fact::StackEvents, Fact::Stack, Fact::Secret],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    if let Some(template) = template_of(case) {
        let circles = template.circles.iter().filter_map(circle);
        let both = schedules_of(case, template).filter_map(both_declared);
        return Ok(circles.chain(both).collect());
    }
    let events = oldest_first(case)?;
    let mut findings = Vec::new();
    for code in CHECK.codes.iter() {
        let newest = events.iter().rev().find(|event| {
            failed(event)
                && !overcome(&events, event)
                && stack_reason_proves(
                    code,
                    event.resource_type.as_deref().unwrap_or_default(),
                    reason(event),
                )
        });
        if let Some(event) = newest {
            let finding = finding(case, code, event).on(Basis::Line).proof(
                ProofKind::Stack,
                "DescribeStackEvents",
                event_line(event),
            );
            findings.push(finding);
        }
    }
    if findings.is_empty()
        && let Some(stack) = case.stack().if_known()
        && let Some(why) = stack
            .stack_status_reason
            .as_deref()
            .filter(|why| stack_reason_proves("CFN04", "AWS::CloudFormation::Stack", why))
    {
        findings.push(circular(name(stack), name_argument(stack)).on(Basis::Line).proof(
            ProofKind::Stack,
            "DescribeStacks",
            why,
        ));
    }
    Ok(findings)
}

fn finding(case: &Case<'_>, code: &str, event: &StackEvent) -> Finding {
    match code {
        "CFN05" => stuck(case, event),
        "CFN09" => both_properties(event),
        _ => circular(stack(event), stack_argument(event)),
    }
}

/// Resources of the template that depend on each other.
fn circle(circle: &TemplateCircle) -> Option<Finding> {
    let names = &circle.logical_resource_ids;
    let first = names.first()?;
    let all = names.join(", ");
    let summary = match names.as_slice() {
        [only] => format!("{only} refers to itself: CloudFormation refuses the template."),
        _ => {
            format!("{all} depend on each other in a circle: CloudFormation refuses the template.")
        }
    };
    Some(
        Finding::new("CFN04", first, summary)
            .proof(ProofKind::Stack, "template", format!("references among {all}"))
            .advice(
                "Break the circle: a policy as a resource of its own, no reference to the secret in \
                 the permission, and only the schedule depends on both.",
),
    )
}

/// A schedule that names a function and asks for one.
fn both_declared(schedule: &TemplateSchedule) -> Option<Finding> {
    let function = schedule.rotation_lambda_arn.as_deref()?;
    let name = name_of(schedule);
    schedule.hosted_rotation_lambda.then(|| {
        Finding::new(
            "CFN09",
            name,
            format!("{name} has both HostedRotationLambda and RotationLambdaARN."),
        )
        .proof(ProofKind::Stack, "template", format!("RotationLambdaARN is {function}"))
        .advice("Keep one of the two.")
    })
}

fn circular(stack: &str, argument: Argument) -> Finding {
    Finding::new(
        "CFN04",
        stack,
        format!(
            "The resources of {stack} depend on each other in a circle, as the rotation function \
             and its default policy did in aws-cdk of May 2021."
        ),
    )
    .fix(
        "Upgrade aws-cdk, or take the secret's ARN out of the function's own policy.",
        upgrade_cdk(),
    )
    .confirm(describe(argument))
}

fn stuck(case: &Case<'_>, event: &StackEvent) -> Finding {
    let secret = case.secret_id();
    let reading = case.secret();
    let pending = reading.if_known().and_then(|secret| secret.stuck_pending());
    let finding = Finding::new(
        "CFN05",
        stack(event),
        format!(
            "The update of {} makes {} rotate {secret} at once, and the rotation before is not \
             complete.",
            stack(event),
            logical(event)
        ),
    );
    let finding = match pending {
        Some(version) => finding
            .fact("DescribeSecret", format!("AWSPENDING is on {version} alone"))
            .fix(
                "Once its cause is fixed, and only if no setSecret ran for it, remove AWSPENDING from the \
                 stuck version.",
                [remove_pending(case, version)],
            )
            .trying(Change::RemovePendingLabel),
        None => finding,
    };
    finding
        .fix(
            format!(
                "Set RotateImmediatelyOnUpdate: false on {}, so that an update does not rotate.",
                logical(event)
            ),
            [update_stack(stack_argument(event))],
        )
        .confirm(describe(stack_argument(event)))
}

fn both_properties(event: &StackEvent) -> Finding {
    Finding::new(
        "CFN09",
        stack(event),
        format!(
            "{} of {} has both HostedRotationLambda and RotationLambdaARN.",
            logical(event),
            stack(event)
        ),
    )
    .fix(
        "Keep one of the two.",
        [show_template(stack_argument(event)), update_stack(stack_argument(event))],
    )
    .confirm(describe(stack_argument(event)))
}

fn describe(stack: Argument) -> Command {
    Command::aws("cloudformation", "describe-stacks")
        .option("--stack-name", stack)
        .option("--query", "Stacks[0].StackStatus")
}

fn name(stack: &Stack) -> &str {
    id(stack).unwrap_or("the stack")
}

fn name_argument(stack: &Stack) -> Argument {
    Argument::or_placeholder(id(stack), "STACK")
}

fn id(stack: &Stack) -> Option<&str> {
    stack.stack_name.as_deref().or(stack.stack_id.as_deref())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::checks::testing::{codes, judge, lacks, not_applicable};

    fn event(kind: &str, status: &str, at: &str, reason: &str) -> Value {
        json!({"StackName": "app", "LogicalResourceId": "Schedule", "ResourceType": kind,
            "ResourceStatus": status, "Timestamp": at, "ResourceStatusReason": reason})
    }

    const SCHEDULE: &str = "AWS::SecretsManager::RotationSchedule";
    const STUCK: &str = "A previous rotation isn't complete. That rotation will be reattempted.";

    fn failed(reason: &str) -> Value {
        event(SCHEDULE, "UPDATE_FAILED", "2026-11-20T10:00:00Z", reason)
    }

    #[test]
    fn an_update_that_met_a_stuck_rotation_is_found_with_its_version() {
        let bundle = json!({"StackEvents": [failed(STUCK)], "Secret": {"Name": "db",
            "VersionIdsToStages": {"v1": ["AWSCURRENT"], "v2": ["AWSPENDING"]}}});
        let found = judge(&CHECK, bundle).expect("findings");
        assert_eq!(found[0].code(), "CFN05");
        assert!(found[0].fixes[0].lines()[0].ends_with("--remove-from-version-id v2"));
        let unseen = json!({"StackEvents": [failed(STUCK)],
            "Gaps": [{"Fact": "Secret", "Reason": "AccessDenied"}]});
        assert_eq!(codes(&judge(&CHECK, unseen)), ["CFN05"]);
    }

    #[test]
    fn other_reasons_have_their_own_codes() {
        let both = failed("Can only specify either HostedRotationLambda or RotationLambdaARN");
        assert_eq!(codes(&judge(&CHECK, json!({"StackEvents": [both]}))), ["CFN09"]);
        let circle = json!({"StackEvents": [failed("Resource limit")], "Stack": {"StackName": "app",
            "StackStatusReason": "Circular dependency between resources: [A, B]"}});
        assert_eq!(codes(&judge(&CHECK, circle)), ["CFN04"]);
    }

    #[test]
    fn a_template_shows_circles_and_both_properties() {
        let schedule = |hosted: bool| {
            json!({"LogicalResourceId": "Schedule", "SecretId": "arn:s",
                "RotationLambdaARN": "arn:f", "HostedRotationLambda": hosted})
        };
        let bundle =
            |template: Value| json!({"Secret": {"ARN": "arn:s"}, "Stack": {"_Template": template}});
        let circle = bundle(json!({"Circles": [{"LogicalResourceIds": ["A", "B"]}],
            "RotationSchedules": [schedule(false)]}));
        let found = judge(&CHECK, circle).expect("findings");
        assert_eq!((found[0].code(), found[0].resource.as_str(), found.len()), ("CFN04", "A", 1));
        let both = bundle(json!({"RotationSchedules": [schedule(true)]}));
        assert_eq!(codes(&judge(&CHECK, both)), ["CFN09"]);
        let other = json!({"Secret": {"ARN": "arn:other"},
            "Stack": {"_Template": {"RotationSchedules": [schedule(true)]}}});
        assert!(codes(&judge(&CHECK, other)).is_empty(), "another secret's schedule");
    }

    #[test]
    fn a_rollback_does_not_mend_and_a_later_update_does() {
        let after = |status| {
            let end = event("AWS::CloudFormation::Stack", status, "2026-11-20T11:00:00Z", "");
            codes(&judge(&CHECK, json!({"StackEvents": [end, failed(STUCK)]})))
        };
        assert_eq!(after("UPDATE_ROLLBACK_COMPLETE"), ["CFN05"]);
        assert!(after("UPDATE_COMPLETE").is_empty());
    }

    #[test]
    fn other_failures_are_not_ours_and_unseen_events_are_inconclusive() {
        let other = json!({"StackEvents": [failed("Rate exceeded")]});
        assert!(codes(&judge(&CHECK, other)).is_empty());
        let gap = json!({"Gaps": [{"Fact": "StackEvents", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::StackEvents));
        let denied_stack = json!({"StackEvents": [failed("Rate exceeded")],
            "Gaps": [{"Fact": "Stack", "Reason": "AccessDenied"}]});
        assert!(codes(&judge(&CHECK, denied_stack)).is_empty());
        assert!(not_applicable(&judge(&CHECK, json!({"StackEvents": null}))));
    }
}
