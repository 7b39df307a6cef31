//! Does a CloudTrail message since the last success name the cause?

use std::{collections::BTreeSet, sync::LazyLock};

use crate::{
    catalogue::{Place, Severity, cause_codes},
    checks::{
        Case, Check, Finding, Judgement, ProofKind,
        log_modes::{self, ComparedArns, FailureRecord, KnownIds, QuotedText, explain, findings},
    },
    evidence::{Fact, RotationStep, Secret, TrailEvent},
};

pub(super) static CHECK: Check = Check {
    name: "trail-last-failure",
    question: "Does CloudTrail name the cause of the failure?",
    codes: &CODES,
    facts: &[Fact::TrailEvents, log_modes::FACTS[0], log_modes::FACTS[1]],
    judge,
};

/// The codes of the causes that are matched against CloudTrail events.
static CODES: LazyLock<Vec<&'static str>> = LazyLock::new(|| cause_codes(&[Place::Trail]));

/// The events that record how a rotation ended.
const TELLING: [&str; 4] =
    ["RotationFailed", "TestRotationFailed", "RotationAbandoned", "RotateSecret"];

fn judge(case: &Case<'_>) -> Judgement {
    let reading = case.trail_events();
    let Some(events) = reading.or_absent()? else { return Ok(Vec::new()) };
    let secret = case.secret().if_known();
    let mut own: Vec<&TrailEvent> = events
        .iter()
        .filter(|event| secret.is_none_or(|secret| event.may_concern(secret)))
        .collect();
    own.sort_by_key(|event| std::cmp::Reverse(event.event_time));
    let names = KnownIds::of(case);
    let arns = ComparedArns::of(case);
    let mut seen = BTreeSet::new();
    let mut found: Vec<Finding> = Vec::new();
    for event in own {
        let name = event.event_name.as_deref().unwrap_or_default();
        if name == "RotationSucceeded" {
            break;
        }
        // Of each kind the newest: what came before it may be fixed.
        if !TELLING.contains(&name) || !seen.insert(name) {
            continue;
        }
        let record = record(event, name);
        let mut names = names.clone();
        names.set_if_new("version", event.rotation_token().as_deref());
        for mut finding in findings(&explain(&record, arns), &record, &names) {
            // A schedule that is set goes on without the caller who was refused.
            if finding.code() == "IAM13" && is_scheduled(secret) {
                finding = finding.severity(Severity::Warning);
            }
            if !found.iter().any(|other| other.code() == finding.code()) {
                found.push(finding);
            }
        }
    }
    Ok(found)
}

fn is_scheduled(secret: Option<&Secret>) -> bool {
    secret.is_some_and(|secret| secret.rotation_enabled == Some(true))
}

fn record(event: &TrailEvent, name: &str) -> FailureRecord {
    let at = event.event_time.map(|at| format!(", {}", at.second())).unwrap_or_default();
    let source = format!("CloudTrail {name}{at}");
    let error_code = event
        .detail()
        .and_then(|detail| Some(detail.get("errorCode")?.as_str()?.to_owned()))
        .unwrap_or_default();
    let message = event.error_message().unwrap_or_default();
    let step =
        RotationStep::ALL.into_iter().find(|step| message.contains(&format!("during {step} step")));
    let quotes = [name.to_owned(), error_code, message]
        .into_iter()
        .filter(|text| !text.is_empty())
        .map(|text| QuotedText { text, source: source.clone() })
        .collect();
    FailureRecord {
        token: event.rotation_token(),
        ..FailureRecord::of_texts(Place::Trail, ProofKind::Trail, quotes)
    }
    .in_step(step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checks::{Stop, log_modes::test_logs},
        evidence::{Evidence, Observed},
    };

    fn event(name: &str, at: &str, secret: &str, error: Option<(&str, &str)>) -> TrailEvent {
        let mut detail = serde_json::json!({ "additionalEventData": { "SecretId": secret } });
        if let Some((code, message)) = error {
            detail["errorCode"] = code.into();
            detail["errorMessage"] = message.into();
        }
        TrailEvent {
            event_name: Some(name.to_owned()),
            event_time: Some(test_logs::at(at)),
            cloud_trail_event: Some(detail.to_string()),
            ..TrailEvent::default()
        }
    }

    fn codes(events: Vec<TrailEvent>) -> Vec<&'static str> {
        let evidence = Evidence { trail_events: Observed::Known(events), ..test_logs::evidence() };
        let case = Case::new(&evidence);
        let found = judge(&case).expect("a judgement");
        assert!(case.reads().iter().all(|fact| CHECK.facts.contains(fact)));
        assert!(found.iter().all(|finding| CHECK.codes.contains(&finding.code())));
        found.iter().map(Finding::code).collect()
    }

    const FOREIGN_WRITE: (&str, &str) = (
        "",
        "Pending secret version 7b3c for Secret a was not created by Lambda arn:aws:lambda:eu-west-1:123456789012:function:rotate. Remove the AWSPENDING staging label and restart rotation",
    );
    const GENERIC: (&str, &str) = (
        "",
        "Error when executing lambda arn:aws:lambda:eu-west-1:123456789012:function:rotate during setSecret step",
    );

    #[test]
    fn a_message_names_the_cause() {
        let events = vec![
            event("RotationFailed", "2026-11-21T03:00:00Z", test_logs::SECRET, Some(FOREIGN_WRITE)),
            event("RotationAbandoned", "2026-11-21T02:00:00Z", test_logs::SECRET, None),
        ];
        assert_eq!(codes(events), ["IAM17", "SEC26"]);
        let caller = (
            "AccessDenied",
            "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: secretsmanager:RotateSecret on resource: a",
        );
        let events = vec![event("RotateSecret", "2026-11-21T03:00:00Z", "prod/db", Some(caller))];
        assert_eq!(codes(events), ["IAM13"]);
    }

    #[test]
    fn the_generic_message_proves_nothing() {
        let events =
            vec![event("RotationFailed", "2026-11-21T03:00:00Z", test_logs::SECRET, Some(GENERIC))];
        assert!(codes(events).is_empty());
    }

    #[test]
    fn what_came_before_a_success_or_a_newer_event_is_history() {
        let old =
            event("RotationFailed", "2026-11-20T03:00:00Z", test_logs::SECRET, Some(FOREIGN_WRITE));
        let success = event("RotationSucceeded", "2026-11-21T03:00:00Z", test_logs::SECRET, None);
        assert!(codes(vec![old.clone(), success]).is_empty());
        let newer =
            event("RotationFailed", "2026-11-21T03:00:00Z", test_logs::SECRET, Some(GENERIC));
        assert!(codes(vec![old, newer]).is_empty());
    }

    #[test]
    fn another_secrets_events_are_left_alone() {
        let other = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:other-AbCdEf";
        let events =
            vec![event("RotationFailed", "2026-11-21T03:00:00Z", other, Some(FOREIGN_WRITE))];
        assert!(codes(events).is_empty());
    }

    #[test]
    fn a_trail_that_was_not_seen_is_inconclusive() {
        let evidence = test_logs::evidence();
        assert!(matches!(judge(&Case::new(&evidence)), Err(Stop::Inconclusive(_))));
    }
}
