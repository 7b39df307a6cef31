//! KMS01, KMS02, KMS03: a key that Secrets Manager cannot encrypt with.

use std::borrow::Cow;

use crate::{
    aws::commands::{Argument, Command, CommandTemplate},
    catalogue::key_states,
    checks::{Case, Change, Check, Finding, Judgement, Missing, Stop, commands::id_of},
    evidence::{Fact, KeyMetadata, Secret},
};

pub(super) static CHECK: Check = Check {
    name: "key-usable",
    question: "Can the keys of the secret and of its superuser's secret be used?",
    codes: &["KMS01", "KMS02", "KMS03"],
    facts: &[Fact::Secret, Fact::SuperuserSecret, Fact::KeyMetadata],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    let superuser = case.superuser_secret();
    let mut findings = Vec::new();
    let mut missing: Vec<Missing> = Vec::new();
    let mut named = false;
    let superuser_secret = superuser
        .if_known()
        .filter(|other| own_key(other).is_none() || own_key(other) != own_key(secret));
    let owners = [(Some(secret), "the secret"), (superuser_secret, "the superuser's secret")];
    for (owner, whose) in owners {
        let Some(owner) = owner else { continue };
        let Some(key) = own_key(owner) else { continue };
        named = true;
        let reading = case.key_metadata(key);
        match reading.or_absent() {
            Ok(Some(metadata)) => findings.extend(judge_key(key, owner, whose, metadata)),
            // A definite "not found" is neither of these faults; the key's
            // policy or the secret's error shows more.
            Ok(None) => {}
            Err(_) => missing.push(reading.missing()),
        }
    }
    if superuser.is_unseen() && !superuser.is_not_asked() {
        missing.push(superuser.missing());
    }
    if findings.is_empty() && !missing.is_empty() {
        return Err(Stop::Inconclusive(missing));
    }
    if !named {
        return Err(Stop::not_applicable("the secret uses the key aws/secretsmanager"));
    }
    Ok(findings)
}

/// The key that a secret names, unless it is the service's own.
fn own_key(secret: &Secret) -> Option<&str> {
    secret
        .kms_key_id
        .as_deref()
        .filter(|key| !key.ends_with(key_states().default_key.alias.as_str()))
}

fn judge_key(key: &str, owner: &Secret, whose: &str, metadata: &KeyMetadata) -> Option<Finding> {
    let table = key_states();
    let resource = metadata.arn.as_deref().unwrap_or(key);
    let id = metadata.key_id.as_deref().unwrap_or(key);
    let on_key = |command: &CommandTemplate| command.fill(|_| Some(Cow::Borrowed(id)));
    let confirm = Command::aws("kms", "describe-key")
        .option("--key-id", id)
        .option("--query", "KeyMetadata.KeyState");
    let disabled = (metadata.enabled == Some(false)).then_some("Disabled");
    let state = metadata.key_state.as_deref().or(disabled);
    if let Some(row) = state.and_then(|state| table.unusable(state)) {
        let until = metadata
            .deletion_date
            .map_or_else(String::new, |date| format!(" and will be deleted on {}", date.date()));
        let finding = Finding::new(
            &row.code,
            resource,
            format!(
                "The key {id} of {whose} {}{until}: Secrets Manager can neither decrypt the current \
                 value nor encrypt a new one.",
                row.words
            ),
        )
        .fact("DescribeKey", format!("KeyState: {}", row.state))
        .fix(row.summary.clone(), row.commands.iter().map(on_key))
        .confirm(confirm);
        return Some(if row.fixes {
            finding.trying(Change::EnableKey { key: key.to_owned() })
        } else {
            finding
        });
    }
    let differs = |seen: &Option<String>, wanted: &str| seen.as_ref().is_some_and(|s| s != wanted);
    if !differs(&metadata.key_spec, &table.kind.spec)
        && !differs(&metadata.key_usage, &table.kind.usage)
    {
        return None;
    }
    let spec = metadata.key_spec.as_deref().unwrap_or("unknown");
    let usage = metadata.key_usage.as_deref().unwrap_or("unknown");
    Some(
        Finding::new(
            "KMS03",
            resource,
            format!(
                "The key {id} of {whose} is of kind {spec} for {usage}; Secrets Manager encrypts only \
                 with symmetric keys made for encryption."
            ),
        )
        .fact("DescribeKey", format!("KeySpec: {spec}, KeyUsage: {usage}"))
        .fix(
            "Give the secret a symmetric key.",
            [Command::aws("secretsmanager", "update-secret")
                .option("--secret-id", id_of(owner))
                .option("--kms-key-id", Argument::placeholder("SYMMETRIC_KEY_ARN"))],
        )
        .confirm(confirm),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::{
            Change,
            testing::{codes, denied, evidence, judge, lacks, not_applicable},
        },
        evidence::Fact,
    };

    const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/1a2b";

    fn bundle(metadata: Value) -> Value {
        json!({"Secret": {"Name": "app", "KmsKeyId": KEY}, "Keys": {KEY: {"KeyMetadata": metadata}}})
    }

    #[test]
    fn each_state_has_its_code_and_a_usable_key_none() {
        let of = |state: &str| codes(&judge(&CHECK, bundle(json!({"KeyState": state}))));
        assert_eq!(of("Disabled"), ["KMS01"]);
        for state in ["PendingDeletion", "PendingImport", "Unavailable", "PendingReplicaDeletion"] {
            assert_eq!(of(state), ["KMS02"], "{state}");
        }
        assert!(of("Enabled").is_empty() && of("Updating").is_empty());
        assert_eq!(
            codes(&judge(&CHECK, bundle(json!({"KeyState": "Enabled", "KeySpec": "RSA_2048"})))),
            ["KMS03"]
        );
    }

    #[test]
    fn the_fix_names_the_key_and_takes_the_finding_away() {
        let disabled = bundle(json!({"KeyId": "1a2b", "KeyState": "Disabled"}));
        let found = judge(&CHECK, disabled.clone()).expect("findings");
        assert_eq!(found[0].fixes[0].lines(), ["aws kms enable-key --key-id 1a2b"]);
        let mut evidence = evidence(disabled);
        let change: &Change = found[0].fixes[0].change.as_ref().expect("a change");
        change.apply(&mut evidence);
        let fixed = serde_json::to_value(&evidence).expect("bundle");
        assert!(codes(&judge(&CHECK, fixed)).is_empty());
    }

    #[test]
    fn the_superusers_key_counts_too() {
        let other = json!({"Secret": {"Name": "app"}, "SuperuserSecret": {"KmsKeyId": KEY},
            "Keys": {KEY: {"KeyMetadata": {"KeyState": "Disabled"}}}});
        let found = judge(&CHECK, other).expect("findings");
        assert!(found[0].summary.contains("superuser"));
        let same = json!({"Secret": {"KmsKeyId": KEY}, "SuperuserSecret": {"KmsKeyId": KEY},
            "Keys": {KEY: {"KeyMetadata": {"KeyState": "Disabled"}}}});
        assert_eq!(codes(&judge(&CHECK, same)), ["KMS01"], "one key, one finding");
    }

    #[test]
    fn the_services_own_key_is_no_question_and_a_refused_one_is_named() {
        assert!(not_applicable(&judge(&CHECK, json!({"Secret": {"Name": "app"}}))));
        let alias =
            json!({"Secret": {"KmsKeyId": "arn:aws:kms:eu-west-1:1:alias/aws/secretsmanager"}});
        assert!(not_applicable(&judge(&CHECK, alias)));
        let refused = json!({"Secret": {"KmsKeyId": KEY}, "Gaps": denied(Fact::KeyMetadata)});
        assert!(lacks(&judge(&CHECK, refused), Fact::KeyMetadata));
        let refused = json!({"Secret": {}, "Gaps": denied(Fact::SuperuserSecret)});
        assert!(lacks(&judge(&CHECK, refused), Fact::SuperuserSecret));
    }
}
