//! SEC26: someone else stores values while the secret rotates.

use crate::{
    aws::arn,
    checks::{
        Basis, Case, Check, Finding, Judgement, ProofKind,
        commands::{events_of, rotate},
        history::{Trail, caller},
    },
    evidence::{Fact, Time, TrailEvent},
};

pub(super) static CHECK: Check = Check {
    name: "second-writer",
    question: "Did anyone but the rotation store a value while it ran?",
    codes: &["SEC26"],
    facts: &[Fact::Secret, Fact::Function, Fact::TrailEvents],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let events =
        case.trail_events().or_not_applicable("CloudTrail holds no event of this secret")?;
    let trail = Trail::of(case, events);
    let success = trail.last(&["RotationSucceeded"]);
    let since = |at: Time| success.is_none_or(|then| at > then);
    let writes: Vec<_> = trail
        .named(&["PutSecretValue", "UpdateSecret"])
        .filter(|(at, event)| since(*at) && stores_a_value(event) && is_foreign(case, event))
        .collect();
    let abandoned = trail.named(&["RotationAbandoned"]).rfind(|(at, _)| since(*at));
    let within = writes.iter().find(|(at, _)| is_during_a_rotation(&trail, *at));
    let finding = match (abandoned, within) {
        (None, None) => return Ok(vec![]),
        (Some((at, _)), _) => Finding::new(
            "SEC26",
            case.secret_resource(),
            format!(
                "Secrets Manager abandoned the rotation at {}, because another value was stored \
                 meanwhile{}.",
                at.minute(),
                writes.last().map_or_else(String::new, |(_, event)| {
                    format!("; the last other writer was {}", caller(event))
                })
            ),
        )
        .proof(
            ProofKind::Trail,
            "CloudTrail",
            format!("RotationAbandoned at {}", at.second()),
        ),
        (None, Some((at, event))) => Finding::new(
            "SEC26",
            case.secret_resource(),
            format!(
                "{} stored a value at {}, in the middle of a rotation: the rotation then finds its \
                 labels moved.",
                caller(event),
                at.minute()
            ),
        )
        .on(Basis::Indication),
    };
    let finding = writes.iter().rev().take(3).fold(finding, |finding, (at, event)| {
        let name = event.event_name.as_deref().unwrap_or_default();
        finding.proof(
            ProofKind::Trail,
            "CloudTrail",
            format!("{name} at {} by {}", at.second(), caller(event)),
        )
    });
    Ok(vec![
        finding
            .fix(
                "Let only the rotation write. In Terraform, keep the value out of the plan: \
                 lifecycle { ignore_changes = [secret_string] } on aws_secretsmanager_secret_version.",
                [rotate(case)],
            )
            .confirm(events_of("ResourceName", &case.secret_resource())),
    ])
}

/// UpdateSecret may also change a description; only a new version is a value.
fn stores_a_value(event: &TrailEvent) -> bool {
    let Some(detail) = event.detail() else {
        return event.event_name.as_deref() == Some("PutSecretValue");
    };
    detail.get("errorCode").is_none_or(serde_json::Value::is_null)
        && (event.event_name.as_deref() == Some("PutSecretValue")
            || detail.pointer("/responseElements/versionId").is_some())
}

/// Whether it was neither the function nor its role. Without either name,
/// nobody is called a foreigner.
fn is_foreign(case: &Case<'_>, event: &TrailEvent) -> bool {
    let who = caller(event);
    let function = case.function();
    let configuration = function.if_known().map(|function| &function.configuration);
    let role = configuration.and_then(|configuration| configuration.role.as_deref());
    let name = configuration.and_then(|c| c.function_name.clone()).or_else(|| {
        let secret = case.secret().if_known()?;
        arn::function_name(secret.rotation_lambda_arn.as_deref()?).map(str::to_owned)
    });
    if role.is_none() && name.is_none() {
        return false;
    }
    // Lambda names the session after the function.
    let by_session = event.username.is_some() && event.username == name;
    let by_arn = name.as_deref().is_some_and(|name| who.ends_with(&format!("/{name}")));
    Some(who.as_str()) != role && !by_session && !by_arn
}

fn is_during_a_rotation(trail: &Trail<'_>, at: Time) -> bool {
    let Some((started, _)) = trail.named(&["RotationStarted"]).rfind(|(start, _)| *start <= at)
    else {
        return false;
    };
    let ends: &'static [&'static str] =
        &["RotationSucceeded", "RotationFailed", "RotationAbandoned"];
    trail.named(ends).find(|(end, _)| *end >= started).is_some_and(|(end, _)| at <= end)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, judge, lacks},
        evidence::Fact,
    };

    fn event(name: &str, minute: u32, role: &str) -> Value {
        json!({"EventName": name, "EventTime": format!("2026-11-20T03:{minute:02}:00Z"),
            "CloudTrailEvent": json!({"userIdentity": {"arn": format!("arn:aws:iam::1:role/{role}")}}).to_string()})
    }

    fn bundle(events: Value) -> Value {
        json!({"Secret": {"Name": "app"}, "TrailEvents": events,
            "Function": {"Configuration": {"FunctionName": "f", "Role": "arn:aws:iam::1:role/rotation"}}})
    }

    #[test]
    fn an_abandoned_rotation_names_the_other_writer() {
        let found = judge(
            &CHECK,
            bundle(json!([
                event("PutSecretValue", 10, "deploy"),
                event("RotationAbandoned", 11, "x")
            ])),
        );
        let found = found.expect("findings");
        assert!(found[0].summary.contains("role/deploy"), "{}", found[0].summary);
    }

    #[test]
    fn only_a_write_of_another_while_it_rotates_counts() {
        let during = |role: &str| {
            bundle(json!([
                event("RotationStarted", 10, "x"),
                event("PutSecretValue", 11, role),
                event("RotationFailed", 12, "x")
            ]))
        };
        assert_eq!(codes(&judge(&CHECK, during("deploy"))), ["SEC26"]);
        assert!(codes(&judge(&CHECK, during("rotation"))).is_empty());
        let after = bundle(json!([
            event("RotationStarted", 10, "x"),
            event("RotationFailed", 12, "x"),
            event("PutSecretValue", 20, "deploy")
        ]));
        assert!(codes(&judge(&CHECK, after)).is_empty());
        let settled = bundle(json!([
            event("RotationAbandoned", 11, "x"),
            event("RotationSucceeded", 40, "x")
        ]));
        assert!(codes(&judge(&CHECK, settled)).is_empty());
    }

    #[test]
    fn a_refused_trail_is_named() {
        let refused = json!({"Secret": {}, "Gaps": denied(Fact::TrailEvents)});
        assert!(lacks(&judge(&CHECK, refused), Fact::TrailEvents));
    }
}
