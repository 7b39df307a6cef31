//! APP02: an application may still use the password of before.

use crate::{
    catalogue::{Severity, secret_limits},
    checks::{
        Basis, Case, Check, Finding, Judgement, ProofKind, Stop,
        commands::{describe_secret, events_of},
        history::{Trail, failing},
        vended_template::template,
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "password-cached",
    question: "Has anyone read the secret since it last rotated?",
    codes: &["APP02"],
    facts: &[
        Fact::Secret,
        Fact::SecretShape,
        Fact::Function,
        Fact::Stack,
        Fact::LogEvents,
        Fact::TrailEvents,
    ],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    let events = case.trail_events().or_not_applicable("CloudTrail shows no rotation")?;
    let rotated = Trail::of(case, events)
        .last(&["RotationSucceeded"])
        .ok_or_else(|| Stop::not_applicable("CloudTrail shows no rotation that succeeded"))?;
    if failing(case) {
        return Err(Stop::not_applicable("the rotation itself fails"));
    }
    let shape = case.secret_shape();
    let names_a_superuser = shape
        .if_known()
        .and_then(|stages| stages.get("AWSCURRENT"))
        .is_some_and(|value| value.keys.iter().any(|key| key == "masterarn"));
    if names_a_superuser || template(case).is_some_and(|template| template.alternates()) {
        return Err(Stop::not_applicable("users alternate: the password of before still works"));
    }
    let read = secret
        .last_accessed_date
        .ok_or_else(|| Stop::not_applicable("the secret shows no date of a last read"))?;
    let days = secret_limits().unread_days.value;
    // The rotation itself reads the secret on its day, and the date has no hour.
    if read.date() > rotated.date() || case.now().days_since(rotated) < days {
        return Ok(vec![]);
    }
    Ok(vec![
        Finding::new(
            "APP02",
            case.secret_resource(),
            format!(
                "The secret rotated at {} and has not been read on any later day (last on {}): an \
                 application that keeps the password in memory still uses the old one, and its next \
                 new connection is refused.",
                rotated.minute(),
                read.date()
            ),
        )
        .severity(Severity::Note)
        .on(Basis::Indication)
        .proof(ProofKind::Trail, "CloudTrail", format!("RotationSucceeded at {}", rotated.second()))
        .fact("DescribeSecret", format!("LastAccessedDate: {}", read.date()))
        .fix(
            "Let the application read the secret again when a login is refused, or cache it for \
             minutes only; or alternate two users.",
            [describe_secret(case, "LastAccessedDate")],
        )
        .confirm(events_of("ResourceName", &case.secret_resource())),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    fn bundle(read: &str) -> Value {
        json!({"Secret": {"Name": "app", "LastAccessedDate": read, "VersionIdsToStages": {"c": ["AWSCURRENT"]}},
            "TrailEvents": [{"EventName": "RotationSucceeded", "EventTime": "2026-11-18T03:00:00Z"}]})
    }

    #[test]
    fn a_secret_that_nobody_read_since_is_a_note() {
        let found = judge(&CHECK, bundle("2026-11-18")).expect("findings");
        assert_eq!(found[0].severity, Severity::Note);
        assert!(codes(&judge(&CHECK, bundle("2026-11-19"))).is_empty());
        let mut fresh = bundle("2026-11-18");
        fresh["CapturedAt"] = json!("2026-11-19T12:00:00Z");
        assert!(codes(&judge(&CHECK, fresh)).is_empty(), "too early to judge");
    }

    #[test]
    fn alternating_users_and_failing_rotations_are_other_questions() {
        let mut alternating = bundle("2026-11-18");
        alternating["SecretShape"] = json!({"AWSCURRENT": {"Keys": ["masterarn"]}});
        assert!(not_applicable(&judge(&CHECK, alternating)));
        let mut stuck = bundle("2026-11-18");
        stuck["Secret"]["VersionIdsToStages"] = json!({"c": ["AWSCURRENT"], "p": ["AWSPENDING"]});
        assert!(not_applicable(&judge(&CHECK, stuck)));
    }

    #[test]
    fn a_refused_trail_is_named() {
        let refused = json!({"Secret": {}, "Gaps": denied(Fact::TrailEvents)});
        assert!(lacks(&judge(&CHECK, refused), Fact::TrailEvents));
    }
}
