//! SEC21: so many young versions that no room is left for another.

use crate::{
    catalogue::{Severity, secret_limits},
    checks::{
        Case, Check, Finding, Judgement,
        commands::{events_of, on_secret},
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "version-quota",
    question: "Is there room for another version of the secret?",
    codes: &["SEC21"],
    facts: &[Fact::Secret, Fact::SecretVersions],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let versions =
        case.secret_versions().or_not_applicable("ListSecretVersionIds returned no version")?;
    let limits = secret_limits();
    let spared = limits.versions_spared_hours.value;
    // Older versions without a label are purged as needed; young ones never are.
    let unpurgeable = versions
        .versions
        .iter()
        .filter(|version| {
            let young = version
                .created_date
                .is_some_and(|made| case.now().seconds_since(made) < spared as f64 * 3600.0);
            young || !version.version_stages.is_empty()
        })
        .count() as i64;
    if unpurgeable < limits.versions_worrying.value {
        return Ok(vec![]);
    }
    let kept = limits.versions_kept.value;
    let full = unpurgeable >= kept;
    Ok(vec![
        Finding::new(
            "SEC21",
            case.secret_resource(),
            format!(
                "{unpurgeable} versions are labelled or younger than {spared} hours and cannot be \
                 purged; a secret may have about {kept}. {}",
                if full {
                    "The next PutSecretValue, and with it the rotation, is likely to be refused."
                } else {
                    "Something writes the secret far more often than rotation does."
                }
            ),
        )
        .severity(if full { Severity::Error } else { Severity::Warning })
        .fact("ListSecretVersionIds", format!("{} versions in all", versions.versions.len()))
        .fix(
            "Find who writes, and let it write only when the value changes; the versions are purged \
             a day later.",
            [events_of("EventName", "PutSecretValue")],
        )
        .confirm(
            on_secret(case, "list-secret-version-ids")
                .flag("--include-deprecated")
                .option("--query", "length(Versions)"),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::testing::{codes, denied, judge, lacks},
        evidence::Fact,
    };

    fn bundle(count: usize, made: &str) -> Value {
        let versions: Vec<Value> =
            (0..count).map(|n| json!({"VersionId": n.to_string(), "CreatedDate": made})).collect();
        json!({"Secret": {"Name": "app"}, "SecretVersions": {"Versions": versions}})
    }

    #[test]
    fn only_versions_that_cannot_be_purged_count() {
        let full = judge(&CHECK, bundle(100, "2026-11-21T01:00:00Z")).expect("findings");
        assert_eq!(full[0].severity, Severity::Error);
        let near = judge(&CHECK, bundle(90, "2026-11-21T01:00:00Z")).expect("findings");
        assert_eq!(near[0].severity, Severity::Warning);
        assert!(codes(&judge(&CHECK, bundle(100, "2026-11-01T00:00:00Z"))).is_empty());
    }

    #[test]
    fn a_refused_list_is_named() {
        let bundle = json!({"Secret": {}, "Gaps": denied(Fact::SecretVersions)});
        assert!(lacks(&judge(&CHECK, bundle), Fact::SecretVersions));
    }
}
