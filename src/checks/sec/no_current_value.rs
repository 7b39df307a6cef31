//! SEC06: rotation of a secret that has no current value.

use crate::{
    checks::{
        Case, Check, Finding, Judgement, Stop,
        commands::{describe_secret, store_value},
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "no-current-value",
    question: "Is there a version with the label AWSCURRENT?",
    codes: &["SEC06"],
    facts: &[Fact::Secret, Fact::SecretVersions],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    if secret.version_with("AWSCURRENT").is_some() {
        return Ok(vec![]);
    }
    if secret.rotation_enabled != Some(true) && secret.rotation_lambda_arn.is_none() {
        return Err(Stop::not_applicable("rotation is not set up"));
    }
    // DescribeSecret leaves the labels out where there is no version; so does
    // evidence of a secret that does not exist yet. The list distinguishes them.
    let source = if secret.version_ids_to_stages.is_empty() {
        let has_current = case.secret_versions().or_absent()?.is_some_and(|versions| {
            let mut labels = versions.versions.iter().flat_map(|v| &v.version_stages);
            labels.any(|label| label == "AWSCURRENT")
        });
        if has_current {
            return Ok(vec![]);
        }
        "ListSecretVersionIds"
    } else {
        "DescribeSecret"
    };
    Ok(vec![
        Finding::new(
            "SEC06",
            case.secret_resource(),
            "Rotation is set up, but no version carries AWSCURRENT: rotation starts from the \
             current value, and there is none.",
        )
        .fact(source, "no version has the label AWSCURRENT")
        .fix(
            "Store a first value, with the credentials that the database has now; in Terraform, let \
             aws_secretsmanager_secret_rotation depend on aws_secretsmanager_secret_version.",
            [store_value(case)],
        )
        .confirm(describe_secret(case, "VersionIdsToStages")),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    #[test]
    fn rotation_without_a_current_version_is_found() {
        let pending_only = json!({"Secret": {"RotationEnabled": true, "VersionIdsToStages": {"p": ["AWSPENDING"]}}});
        assert_eq!(codes(&judge(&CHECK, pending_only)), ["SEC06"]);
        let no_version = json!({"Secret": {"RotationEnabled": true}, "SecretVersions": null});
        assert_eq!(codes(&judge(&CHECK, no_version)), ["SEC06"]);
    }

    #[test]
    fn a_current_version_or_no_rotation_is_fine() {
        let current = json!({"Secret": {"RotationEnabled": true, "VersionIdsToStages": {"c": ["AWSCURRENT"]}}});
        assert!(codes(&judge(&CHECK, current)).is_empty());
        assert!(not_applicable(&judge(&CHECK, json!({"Secret": {"Name": "plain"}}))));
    }

    #[test]
    fn without_labels_the_refused_list_would_settle_it() {
        let bundle =
            json!({"Secret": {"RotationEnabled": true}, "Gaps": denied(Fact::SecretVersions)});
        assert!(lacks(&judge(&CHECK, bundle), Fact::SecretVersions));
    }
}
