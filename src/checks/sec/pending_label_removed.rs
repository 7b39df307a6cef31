//! SEC29: AWSPENDING was removed after the database had got its password.

use crate::{
    aws::commands::Argument,
    checks::{
        Basis, Case, Check, Finding, Judgement, ProofKind, Stop,
        commands::{on_secret, rotate},
        history::{Trail, caller, step_reached},
    },
    evidence::{Fact, RotationStep, Time, TrailEvent},
};

pub(super) static CHECK: Check = Check {
    name: "pending-label-removed",
    question: "Was AWSPENDING removed from a version whose password the database may have?",
    codes: &["SEC29"],
    facts: &[Fact::Secret, Fact::SecretVersions, Fact::TrailEvents, Fact::LogEvents],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    let trail_reading = case.trail_events();
    let events = trail_reading.if_known().map_or(&[][..], Vec::as_slice);
    let trail = Trail::of(case, events);
    let success = trail.last(&["RotationSucceeded"]).max(secret.last_rotated_date);
    let removals = trail
        .named(&["UpdateSecretVersionStage"])
        .filter(|(at, _)| success.is_none_or(|then| *at > then))
        .filter_map(|(at, event)| Some((pending_removed_from(event)?, Some((at, event)))));
    // Without CloudTrail, a version newer than the current one and without any
    // label shows that a label was removed, but not by whom.
    let unlabelled = newer_without_label(case).into_iter().map(|version| (version, None));
    for (version, removal) in removals.chain(unlabelled) {
        let keeps_a_label =
            secret.version_ids_to_stages.get(&version).is_some_and(|s| !s.is_empty());
        let past_set_secret =
            step_reached(case, &version).is_some_and(|step| step > RotationStep::SetSecret);
        if past_set_secret && !keeps_a_label {
            return Ok(vec![found(case, &version, removal)]);
        }
    }
    if trail_reading.is_unseen() && newer_without_label(case).is_empty() {
        let versions = case.secret_versions();
        if versions.is_unseen() {
            return Err(Stop::Inconclusive(vec![trail_reading.missing(), versions.missing()]));
        }
    }
    Ok(vec![])
}

/// The version from which a call removed AWSPENDING, without moving it elsewhere.
fn pending_removed_from(event: &TrailEvent) -> Option<String> {
    let detail = event.detail()?;
    let request = detail.get("requestParameters")?;
    let text = |key: &str| request.get(key).and_then(serde_json::Value::as_str);
    let refused = detail.get("errorCode").is_some_and(|code| !code.is_null());
    (!refused && text("versionStage") == Some("AWSPENDING") && text("moveToVersionId").is_none())
        .then(|| text("removeFromVersionId").map(str::to_owned))?
}

fn newer_without_label(case: &Case<'_>) -> Vec<String> {
    let reading = case.secret_versions();
    let Some(versions) = reading.if_known() else { return vec![] };
    let current = versions
        .versions
        .iter()
        .find(|version| version.version_stages.iter().any(|label| label == "AWSCURRENT"))
        .and_then(|version| version.created_date);
    versions
        .versions
        .iter()
        .filter(|version| version.version_stages.is_empty())
        .filter(|version| current.is_some_and(|current| version.created_date > Some(current)))
        .filter_map(|version| version.version_id.clone())
        .collect()
}

fn found(case: &Case<'_>, version: &str, removal: Option<(Time, &TrailEvent)>) -> Finding {
    let by = removal.map_or_else(String::new, |(at, event)| {
        format!(" by {} at {}", caller(event), at.minute())
    });
    let finding = Finding::new(
        "SEC29",
        case.secret_resource(),
        format!(
            "AWSPENDING was removed from version {version}{by}, but its attempt had already passed \
             setSecret: the database probably has the password of that version, and AWSCURRENT no \
             longer logs in."
        ),
    )
    .on(Basis::Indication)
    .fact("rotation history", format!("the attempt {version} failed after setSecret"));
    let finding = match removal {
        Some((at, event)) => finding.proof(
            ProofKind::Trail,
            "CloudTrail",
            format!("UpdateSecretVersionStage at {} by {}", at.second(), caller(event)),
        ),
        None => finding.fact("ListSecretVersionIds", format!("{version} is newer than AWSCURRENT")),
    };
    let current = case.secret().if_known().and_then(|secret| secret.version_with("AWSCURRENT"));
    finding
        .fix(
            "Try the password of that version on the database, soon: a version without a label may \
             be purged. If it logs in, make the version current; rotate only then.",
            [
                on_secret(case, "update-secret-version-stage")
                    .option("--version-stage", "AWSCURRENT")
                    .option("--move-to-version-id", version)
                    .option(
                        "--remove-from-version-id",
                        Argument::or_placeholder(current, "CURRENT_VERSION_ID"),
                    ),
                rotate(case),
            ],
        )
        .confirm(on_secret(case, "list-secret-version-ids").flag("--include-deprecated"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, failed_log, judge, judge_with_log, lacks},
        evidence::{Fact, RotationStep},
    };

    fn bundle() -> Value {
        json!({"Secret": {"Name": "app", "VersionIdsToStages": {"now": ["AWSCURRENT"]}},
            "SecretVersions": null,
            "TrailEvents": [{"EventName": "UpdateSecretVersionStage", "EventTime": "2026-11-20T05:00:00Z",
                "Username": "alice", "CloudTrailEvent": json!({"requestParameters": {
                    "versionStage": "AWSPENDING", "removeFromVersionId": "new"}}).to_string()}]})
    }

    #[test]
    fn a_label_taken_off_after_set_secret_is_found() {
        let log = failed_log("new", "2026-11-20T03:00:00Z", RotationStep::TestSecret);
        let found = judge_with_log(&CHECK, bundle(), log).expect("findings");
        assert!(found[0].summary.contains("by alice"));
        assert!(found[0].fixes[0].lines()[0].contains("--move-to-version-id new"));
    }

    #[test]
    fn a_label_taken_off_before_set_secret_is_as_it_should_be() {
        let log = failed_log("new", "2026-11-20T03:00:00Z", RotationStep::CreateSecret);
        assert!(codes(&judge_with_log(&CHECK, bundle(), log)).is_empty());
    }

    #[test]
    fn without_the_trail_the_list_of_versions_tells() {
        let mut listed = bundle();
        listed["TrailEvents"] = json!(null);
        listed["SecretVersions"] = json!({"Versions": [
            {"VersionId": "now", "VersionStages": ["AWSCURRENT"], "CreatedDate": "2026-11-01"},
            {"VersionId": "new", "CreatedDate": "2026-11-20"}]});
        let log = failed_log("new", "2026-11-20T03:00:00Z", RotationStep::FinishSecret);
        assert_eq!(codes(&judge_with_log(&CHECK, listed, log)), ["SEC29"]);
    }

    #[test]
    fn refused_facts_are_named() {
        let mut gaps = denied(Fact::TrailEvents);
        gaps.as_array_mut().expect("list").push(denied(Fact::SecretVersions)[0].clone());
        let refused = json!({"Secret": {"Name": "app"}, "Gaps": gaps});
        let judgement = judge(&CHECK, refused);
        assert!(lacks(&judgement, Fact::TrailEvents) && lacks(&judgement, Fact::SecretVersions));
    }
}
