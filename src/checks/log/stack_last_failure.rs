//! Does a stack event since the last good deployment name the cause? What only
//! CloudFormation can get wrong is judged in `checks/cfn`.

use std::sync::LazyLock;

use crate::{
    catalogue::{Place, cause_codes},
    checks::{
        Case, Check, Finding, Judgement, ProofKind,
        log_modes::{self, ComparedArns, FailureRecord, KnownIds, QuotedText, explain, findings},
    },
    evidence::{Fact, StackEvent},
};

pub(super) static CHECK: Check = Check {
    name: "stack-last-failure",
    question: "Do the stack's last failures name a cause?",
    codes: &CODES,
    facts: &[Fact::StackEvents, log_modes::FACTS[0], log_modes::FACTS[1]],
    judge,
};

/// The codes of the causes that are matched against stack events.
static CODES: LazyLock<Vec<&'static str>> = LazyLock::new(|| cause_codes(&[Place::Stack]));

fn judge(case: &Case<'_>) -> Judgement {
    let reading = case.stack_events();
    let events = reading.or_not_applicable("the rotation function belongs to no stack")?;
    let mut events: Vec<&StackEvent> = events.iter().collect();
    events.sort_by_key(|event| std::cmp::Reverse(event.timestamp));
    let names = KnownIds::of(case);
    let arns = ComparedArns::of(case);
    let mut found: Vec<Finding> = Vec::new();
    let current = events.into_iter().take_while(|event| !is_good_deployment(event));
    for event in current.filter(|event| has_failed(event)) {
        let Some(record) = record(event) else { continue };
        for finding in findings(&explain(&record, arns), &record, &names) {
            if !found.iter().any(|other| other.code() == finding.code()) {
                found.push(finding);
            }
        }
    }
    Ok(found)
}

fn has_failed(event: &StackEvent) -> bool {
    event.resource_status.as_deref().is_some_and(|status| status.ends_with("_FAILED"))
}

/// The stack itself came to a good end: older failures are history.
fn is_good_deployment(event: &StackEvent) -> bool {
    event.resource_type.as_deref() == Some("AWS::CloudFormation::Stack")
        && event.physical_resource_id.as_deref().is_none_or(|id| id.contains(":stack/"))
        && event.stack_name.as_deref() == event.logical_resource_id.as_deref()
        && matches!(
            event.resource_status.as_deref(),
            Some("CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE")
        )
}

fn record(event: &StackEvent) -> Option<FailureRecord> {
    let at = event.timestamp.map(|at| format!(", {}", at.second())).unwrap_or_default();
    let what = event.logical_resource_id.as_deref().unwrap_or("a resource");
    let status = event.resource_status.as_deref().unwrap_or_default();
    let quote = QuotedText {
        text: event.resource_status_reason.clone()?,
        source: format!("stack event, {what} {status}{at}"),
    };
    Some(FailureRecord::of_texts(Place::Stack, ProofKind::Stack, vec![quote]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checks::{Basis, Stop, log_modes::test_logs},
        evidence::{Evidence, Observed},
    };

    fn event(id: &str, kind: &str, status: &str, at: &str, reason: Option<&str>) -> StackEvent {
        StackEvent {
            stack_name: Some("app".to_owned()),
            logical_resource_id: Some(id.to_owned()),
            resource_type: Some(kind.to_owned()),
            resource_status: Some(status.to_owned()),
            resource_status_reason: reason.map(str::to_owned),
            timestamp: Some(test_logs::at(at)),
            ..StackEvent::default()
        }
    }

    fn found(events: Vec<StackEvent>) -> Vec<Finding> {
        let evidence = Evidence { stack_events: Observed::Known(events), ..test_logs::evidence() };
        let case = Case::new(&evidence);
        let found = judge(&case).expect("a judgement");
        assert!(case.reads().iter().all(|fact| CHECK.facts.contains(fact)));
        assert!(found.iter().all(|finding| CHECK.codes.contains(&finding.code())));
        found
    }

    const REFUSED: &str = "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.";
    const SCHEDULE: &str = "AWS::SecretsManager::RotationSchedule";

    #[test]
    fn a_failed_event_names_the_cause() {
        let found = found(vec![
            event("Schedule", SCHEDULE, "CREATE_FAILED", "2026-11-21T03:00:00Z", Some(REFUSED)),
            event(
                "Function",
                "AWS::Lambda::Function",
                "UPDATE_FAILED",
                "2026-11-21T03:00:00Z",
                Some(
                    "The runtime parameter of python3.7 is no longer supported for creating or updating AWS Lambda functions.",
                ),
            ),
        ]);
        let said: Vec<_> = found.iter().map(|f| (f.code(), f.basis)).collect();
        assert_eq!(said, [("IAM08", Basis::Candidate), ("RUN05", Basis::Line)]);
        assert_eq!(found[0].proofs[0].kind, ProofKind::Stack);
        assert_eq!(
            found[0].proofs[0].source,
            "stack event, Schedule CREATE_FAILED, 2026-11-21 03:00:00 UTC"
        );
    }

    #[test]
    fn a_good_deployment_since_makes_it_history() {
        assert!(
            found(vec![
                event("Schedule", SCHEDULE, "CREATE_FAILED", "2026-11-20T03:00:00Z", Some(REFUSED)),
                event(
                    "app",
                    "AWS::CloudFormation::Stack",
                    "UPDATE_COMPLETE",
                    "2026-11-21T03:00:00Z",
                    None
                ),
            ])
            .is_empty()
        );
    }

    #[test]
    fn no_stack_is_not_applicable_and_an_unseen_one_inconclusive() {
        let mut evidence = test_logs::evidence();
        assert!(matches!(judge(&Case::new(&evidence)), Err(Stop::Inconclusive(_))));
        evidence.stack_events = Observed::Absent;
        assert!(matches!(judge(&Case::new(&evidence)), Err(Stop::NotApplicable(_))));
    }
}
