//! SCH05: set up without rotating at once, and never rotated since.

use crate::{
    catalogue::Severity,
    checks::{
        Basis, Case, Check, Finding, Judgement, ProofKind, Stop,
        commands::{describe_secret, rotate},
        history::Trail,
    },
    evidence::{Fact, TrailEvent},
};

pub(super) static CHECK: Check = Check {
    name: "never-rotated",
    question: "Has the secret rotated at all since rotation was set up?",
    codes: &["SCH05"],
    facts: &[Fact::Secret, Fact::TrailEvents],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    if secret.rotation_enabled != Some(true) {
        return Err(Stop::not_applicable("rotation is not enabled"));
    }
    if secret.last_rotated_date.is_some() {
        return Ok(vec![]);
    }
    let Some(events) = case.trail_events().or_absent()? else { return Ok(vec![]) };
    let trail = Trail::of(case, events);
    if trail.last(&["RotationSucceeded"]).is_some() {
        return Ok(vec![]);
    }
    let tested = trail.named(&["TestRotationSucceeded"]).next_back();
    let deferred = trail.named(&["RotateSecret"]).rfind(|(_, event)| is_deferred(event));
    let Some((at, event)) = tested.or(deferred) else { return Ok(vec![]) };
    let name = event.event_name.as_deref().unwrap_or_default();
    let next = secret.next_rotation_date.map_or_else(
        || "at its first scheduled rotation".to_owned(),
        |next| format!("on {}", next.date()),
    );
    Ok(vec![
        Finding::new(
            "SCH05",
            case.secret_resource(),
            format!(
                "Rotation was set up without rotating at once, and the secret has never rotated. Only \
                 testSecret was tried, with the present value; setting a password, storing it and \
                 moving the labels happens for the first time {next}."
            ),
        )
        .severity(Severity::Warning)
        .on(if tested.is_some() { Basis::State } else { Basis::Indication })
        .fact("DescribeSecret", "no LastRotatedDate")
        .proof(ProofKind::Trail, "CloudTrail", format!("{name} at {}", at.second()))
        .fix(
            "Rotate once now, while someone watches.",
            [rotate(case)],
        )
        .confirm(describe_secret(case, "LastRotatedDate")),
    ])
}

/// A call that asked not to rotate at once.
fn is_deferred(event: &TrailEvent) -> bool {
    event.detail().is_some_and(|detail| {
        detail.pointer("/requestParameters/rotateImmediately")
            == Some(&serde_json::Value::Bool(false))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::{
            Basis,
            testing::{codes, denied, judge, lacks, not_applicable},
        },
        evidence::Fact,
    };

    fn bundle(events: Value) -> Value {
        json!({"Secret": {"Name": "app", "RotationEnabled": true}, "TrailEvents": events})
    }

    fn event(name: &str, request: Value) -> Value {
        json!({"EventName": name, "EventTime": "2026-11-10T00:00:00Z",
            "CloudTrailEvent": json!({"requestParameters": request}).to_string()})
    }

    #[test]
    fn only_a_test_so_far_is_found() {
        let tested = judge(&CHECK, bundle(json!([event("TestRotationSucceeded", json!(null))])));
        assert_eq!(tested.expect("findings")[0].basis, Basis::State);
        let deferred = event("RotateSecret", json!({"rotateImmediately": false}));
        assert_eq!(
            judge(&CHECK, bundle(json!([deferred]))).expect("findings")[0].basis,
            Basis::Indication
        );
        let at_once = event("RotateSecret", json!({}));
        assert!(codes(&judge(&CHECK, bundle(json!([at_once])))).is_empty());
        let both = json!([
            event("TestRotationSucceeded", json!(null)),
            event("RotationSucceeded", json!(null))
        ]);
        assert!(codes(&judge(&CHECK, bundle(both))).is_empty());
    }

    #[test]
    fn a_refused_trail_is_named() {
        let refused =
            json!({"Secret": {"RotationEnabled": true}, "Gaps": denied(Fact::TrailEvents)});
        assert!(lacks(&judge(&CHECK, refused), Fact::TrailEvents));
        assert!(not_applicable(&judge(&CHECK, json!({"Secret": {"RotationEnabled": false}}))));
    }
}
