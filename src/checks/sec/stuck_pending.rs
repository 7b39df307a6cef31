//! SEC07: an earlier rotation did not finish.

use crate::{
    catalogue::{Severity, secret_limits},
    checks::{
        Basis, Case, Change, Check, Finding, Judgement, ProofKind,
        commands::{describe_secret, diagnose, remove_pending, rotate},
        history::{FirstFailure, first_failure, step_reached},
    },
    evidence::{Fact, RotationStep, Secret},
};

pub(super) static CHECK: Check = Check {
    name: "stuck-pending",
    question: "Is AWSPENDING still on a version that is not current?",
    codes: &["SEC07"],
    facts: &[Fact::Secret, Fact::SecretVersions, Fact::LogEvents, Fact::TrailEvents],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    let Some(version) = secret.stuck_pending() else { return Ok(vec![]) };
    if is_young(case, version) && first_failure(case).is_none() {
        return Ok(vec![running(case, version)]);
    }
    let first = first_failure(case);
    let reached = step_reached(case, version).or(first.as_ref().and_then(|first| first.step));
    let when = first.as_ref().map_or_else(String::new, |first| format!("; {}", words(first)));
    let finding = Finding::new(
        "SEC07",
        case.secret_resource(),
        format!(
            "AWSPENDING is on version {version} and AWSCURRENT is not: an earlier rotation \
             never finished. This is the consequence of that failure, not its cause{when}."
        ),
    )
    .fact("DescribeSecret", stages(secret, version));
    let finding = match first {
        Some(first) => finding.proof(
            if first.source == "CloudTrail" { ProofKind::Trail } else { ProofKind::Log },
            first.source,
            words(&first),
        ),
        None => finding,
    };
    Ok(vec![with_fix(case, finding, version, reached)])
}

fn words(first: &FirstFailure) -> String {
    let at = first.at.map_or_else(|| "at an unknown time".to_owned(), |at| at.minute());
    match first.step {
        Some(step) => format!("first failed attempt of this run of failures: {at}, {step}"),
        None => format!("first failed attempt of this run of failures: {at}"),
    }
}

fn stages(secret: &Secret, version: &str) -> String {
    let current = secret.version_with("AWSCURRENT").unwrap_or("no version");
    format!("VersionIdsToStages: AWSPENDING on {version}, AWSCURRENT on {current}")
}

/// Adds the fix for what the failed attempt had already done.
fn with_fix(
    case: &Case<'_>,
    finding: Finding,
    version: &str,
    reached: Option<RotationStep>,
) -> Finding {
    let (remove, rotate) = (remove_pending(case, version), rotate(case));
    let finding = match reached {
        Some(RotationStep::CreateSecret) => finding
            .fix("Remove the cause first; then remove the label and rotate.", [remove, rotate])
            .trying(Change::RemovePendingLabel),
        Some(_) => finding.fix(
            format!(
                "Remove the cause first. setSecret has run, so the database may have the password of \
                 version {version}: keep the label and let the rotation finish (rotate-secret answers \
                 that the earlier rotation is attempted again)."
            ),
            [rotate],
        ),
        None => finding
            .fix(
                "Remove the cause first. Whether a setSecret changed the password in the database was \
                 not seen: that password would be in this version only, and rotate-secret alone \
                 finishes the rotation. Only where AWSCURRENT logs in and AWSPENDING does not, remove \
                 the label and rotate.",
                [remove, rotate],
            )
            .trying(Change::RemovePendingLabel),
    };
    finding.confirm(describe_secret(case, "VersionIdsToStages"))
}

fn is_young(case: &Case<'_>, version: &str) -> bool {
    let made = case.secret_versions().if_known().and_then(|versions| {
        let pending = versions.versions.iter().find(|v| v.version_id.as_deref() == Some(version));
        pending?.created_date
    });
    let minutes = secret_limits().under_way_minutes.value as f64;
    made.is_some_and(|made| case.now().seconds_since(made) < minutes * 60.0)
        && case.log().if_known().is_none_or(|log| !log.failing())
}

fn running(case: &Case<'_>, version: &str) -> Finding {
    Finding::new(
        "SEC07",
        case.secret_resource(),
        format!(
            "AWSPENDING is on version {version}, which is only minutes old and has no failure \
             on record: a rotation may be running."
        ),
    )
    .severity(Severity::Note)
    .on(Basis::Indication)
    .fact("ListSecretVersionIds", format!("version {version} is young"))
    .fix("Wait a few minutes and diagnose again.", [diagnose(case)])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::{
            Change,
            testing::{codes, denied, failed_log, judge, judge_with_log, lacks},
        },
        evidence::{Fact, RotationStep},
    };

    fn stuck() -> Value {
        json!({"Secret": {"Name": "prod/app", "VersionIdsToStages":
            {"v-new": ["AWSPENDING"], "v-now": ["AWSCURRENT"]}}})
    }

    #[test]
    fn a_pending_version_apart_from_the_current_one_is_stuck() {
        let found = judge(&CHECK, stuck()).expect("findings");
        assert_eq!(found[0].fixes[0].change, Some(Change::RemovePendingLabel));
        assert!(found[0].fixes[0].lines()[0].contains("--remove-from-version-id v-new"));
    }

    #[test]
    fn a_label_on_the_current_version_is_how_a_rotation_ends() {
        let healthy =
            json!({"Secret": {"VersionIdsToStages": {"v": ["AWSCURRENT", "AWSPENDING"]}}});
        assert!(codes(&judge(&CHECK, healthy)).is_empty());
    }

    #[test]
    fn the_first_failure_is_named_and_decides_the_fix() {
        let log = failed_log("v-new", "2026-11-19T03:12:00Z", RotationStep::TestSecret);
        let found = judge_with_log(&CHECK, stuck(), log).expect("findings");
        assert!(
            found[0].summary.contains("2026-11-19 03:12 UTC, testSecret"),
            "{}",
            found[0].summary
        );
        assert_eq!(found[0].fixes[0].change, None, "the label must stay once the password changed");
        assert!(!found[0].fixes[0].lines().iter().any(|c| c.contains("--remove-from-version-id")));
    }

    #[test]
    fn a_young_version_without_a_failure_is_only_a_note() {
        let mut bundle = stuck();
        bundle["SecretVersions"] =
            json!({"Versions": [{"VersionId": "v-new", "CreatedDate": "2026-11-21T11:55:00Z"}]});
        let found = judge(&CHECK, bundle).expect("findings");
        assert_eq!(found[0].severity, Severity::Note);
    }

    #[test]
    fn without_the_secret_it_is_inconclusive() {
        assert!(lacks(&judge(&CHECK, json!({"Gaps": denied(Fact::Secret)})), Fact::Secret));
    }
}
