//! SEC08: AWSPENDING on a version that never got a value.

use crate::{
    checks::{
        Case, Change, Check, Finding, Judgement, Stop,
        commands::{on_secret, remove_pending, rotate},
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "empty-pending",
    question: "Does the version that is stuck in AWSPENDING hold a value?",
    codes: &["SEC08"],
    facts: &[Fact::Secret, Fact::SecretVersions],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    let pending =
        secret.stuck_pending().ok_or_else(|| Stop::not_applicable("no rotation is unfinished"))?;
    let versions =
        case.secret_versions().or_not_applicable("ListSecretVersionIds returned no version")?;
    // Only where the list names keys at all does a version without one say
    // that nothing was ever encrypted for it.
    let keys_are_listed = versions.versions.iter().any(|version| !version.kms_key_ids.is_empty());
    let row = versions.versions.iter().find(|v| v.version_id.as_deref() == Some(pending));
    if !keys_are_listed || row.is_none_or(|row| !row.kms_key_ids.is_empty()) {
        return Ok(vec![]);
    }
    Ok(vec![
        Finding::new(
            "SEC08",
            case.secret_resource(),
            format!(
                "Version {pending} carries AWSPENDING and holds no value: the attempt that created it \
                 ended before it stored one."
            ),
        )
        .fact("ListSecretVersionIds", format!("version {pending} has no KmsKeyIds, others have"))
        .fix(
            "Remove what stopped the attempt, then remove the label from the empty version and rotate.",
            [remove_pending(case, pending), rotate(case)],
        )
        .trying(Change::RemovePendingLabel)
        .confirm(on_secret(case, "list-secret-version-ids")),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    fn bundle(pending_keys: Value) -> Value {
        json!({"Secret": {"Name": "app", "VersionIdsToStages": {"p": ["AWSPENDING"], "c": ["AWSCURRENT"]}},
               "SecretVersions": {"Versions": [
                   {"VersionId": "c", "KmsKeyIds": ["DefaultEncryptionKey"]},
                   {"VersionId": "p", "KmsKeyIds": pending_keys}]}})
    }

    #[test]
    fn a_pending_version_without_a_key_among_versions_with_keys_is_empty() {
        assert_eq!(codes(&judge(&CHECK, bundle(json!([])))), ["SEC08"]);
        assert!(codes(&judge(&CHECK, bundle(json!(["DefaultEncryptionKey"])))).is_empty());
    }

    #[test]
    fn a_list_that_names_no_keys_at_all_proves_nothing() {
        let mut bundle = bundle(json!([]));
        bundle["SecretVersions"]["Versions"][0]["KmsKeyIds"] = json!([]);
        assert!(codes(&judge(&CHECK, bundle)).is_empty());
    }

    #[test]
    fn a_refused_list_is_named() {
        let mut bundle = bundle(json!([]));
        bundle.as_object_mut().expect("object").remove("SecretVersions");
        bundle["Gaps"] = denied(Fact::SecretVersions);
        assert!(lacks(&judge(&CHECK, bundle), Fact::SecretVersions));
        let healthy = json!({"Secret": {"VersionIdsToStages": {"c": ["AWSCURRENT"]}}});
        assert!(not_applicable(&judge(&CHECK, healthy)));
    }
}
