//! IAM04, IAM05, IAM06, IAM11, IAM18: the use of the secret's KMS keys. Whether
//! a key is in a usable state is KMS01's question.

use super::{
    refusal::{SummaryDetail, conclude},
    rights::{Right, account_of, rights},
};
use crate::{
    aws::commands::{Argument, Command},
    catalogue::key_states,
    checks::{Basis, Case, Check, Finding, Fix, Judgement, commands::id_of},
    evidence::{Fact, Secret},
    policy::{DenyKind, Layer, Purpose},
};

pub(super) static CHECK: Check = Check {
    name: "key-rights",
    question: "May the function's role decrypt and encrypt with the secret's KMS key?",
    codes: &["IAM04", "IAM05", "IAM06", "IAM11", "IAM18"],
    facts: FACTS,
    judge,
};

const FACTS: &[Fact] = &[
    Fact::Secret,
    Fact::SecretVersions,
    Fact::Function,
    Fact::Role,
    Fact::RolePolicies,
    Fact::AttachedPolicies,
    Fact::PermissionsBoundary,
    Fact::KeyMetadata,
    Fact::KeyPolicy,
    Fact::KeyGrants,
];

fn judge(case: &Case<'_>) -> Judgement {
    let rights = rights(case, FACTS, |purpose| {
        matches!(
            purpose,
            Purpose::DecryptSecret | Purpose::EncryptSecret | Purpose::DecryptEarlierVersion
        )
    })?;
    let decrypts = !rights.refused.iter().any(|right| {
        right.request.purpose != Purpose::EncryptSecret
            && code_of_use(case, right, true) == Some("IAM04")
    });
    let findings = conclude(case, rights, SummaryDetail::WithResources, |right| {
        code_of_use(case, right, decrypts)
    })?;
    Ok(findings.into_iter().map(|finding| with_new_key(case, finding)).collect())
}

/// The code of a refused use of a key; where decrypting fails as well, that is
/// the fault and writing is part of it.
fn code_of_use(case: &Case<'_>, right: &Right, decrypts: bool) -> Option<&'static str> {
    if right.decision.kind == Some(DenyKind::KeyState) {
        return None;
    }
    let encrypts = right.request.purpose == Purpose::EncryptSecret;
    Some(match right.decision.layer {
        _ if is_foreign_managed(case, right) => "IAM18",
        Layer::Boundary => "IAM11",
        _ if right.is_about_key_condition() => "IAM06",
        _ if encrypts && decrypts => "IAM05",
        _ => "IAM04",
    })
}

/// `aws/secretsmanager` of another account.
pub(super) fn is_foreign_managed(case: &Case<'_>, right: &Right) -> bool {
    let key = &right.request.request.resource;
    right.is_cross_account()
        && (key.ends_with(key_states().default_key.alias.as_str())
            || case
                .key_metadata(key)
                .if_known()
                .is_some_and(|metadata| metadata.key_manager.as_deref() == Some("AWS")))
}

/// The fix of IAM18, which no policy can be.
fn with_new_key(case: &Case<'_>, finding: Finding) -> Finding {
    if finding.code() != "IAM18" {
        return finding;
    }
    match case.secret().if_known() {
        Some(secret) => new_key(finding, secret, case.account_id()),
        None => finding,
    }
}

/// Proposes a key of the account's own instead of a policy.
pub(super) fn new_key(mut finding: Finding, secret: &Secret, account: &str) -> Finding {
    let of = account_of(&finding.resource).unwrap_or(account).to_owned();
    finding.summary = format!(
        "The secret {} is encrypted with aws/secretsmanager of the account {of}, and the \
         function's role is in another account: that key serves its own account alone.",
        secret.label()
    );
    finding.basis = Basis::State;
    finding.fixes = vec![Fix {
        summary:
            "Give the secret a key of your own whose policy lets the role use kms:Decrypt and \
                  kms:GenerateDataKey, and allow the same in the role's account. Every reader of \
                  the secret needs kms:Decrypt on it before."
                .to_owned(),
        commands: vec![
            Command::aws("secretsmanager", "update-secret")
                .option("--secret-id", id_of(secret))
                .option("--kms-key-id", Argument::placeholder("KEY_ARN")),
        ],
        ..Fix::default()
    }];
    finding
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::test_world::{
            KEY, OTHER, SECRET, code_and_sid, finding, judge, statement, without_superuser, world,
        },
        CHECK,
    };
    use crate::{
        checks::testing::{self, codes, lacks},
        evidence::Fact,
    };

    #[test]
    fn a_sound_world_and_the_managed_key_pass() {
        assert_eq!(judge(&CHECK, |_| {}), Ok(vec![]));
        let managed = judge(&CHECK, |bundle| {
            bundle["Secret"]["KmsKeyId"] = Value::Null;
            statement(bundle, "Key")["Action"] = json!("kms:None");
        });
        assert_eq!(managed, Ok(vec![]));
    }

    #[test]
    fn decrypting_and_writing_have_codes_of_their_own() {
        let keep = |action: &'static str| {
            finding(&CHECK, move |bundle| {
                without_superuser(bundle);
                statement(bundle, "Key")["Action"] = json!(action);
            })
        };
        assert_eq!(code_and_sid(&keep("kms:Decrypt")), ("IAM05", Some("Key")));
        assert_eq!(code_and_sid(&keep("kms:GenerateDataKey")), ("IAM04", Some("Key")));
        let neither = keep("kms:Encrypt");
        assert_eq!(code_and_sid(&neither), ("IAM04", Some("Key")));
        assert!(neither.summary.contains("kms:Decrypt and kms:GenerateDataKey on"));
        let alias = finding(&CHECK, |bundle| {
            statement(bundle, "Key")["Resource"] =
                json!("arn:aws:kms:eu-west-1:111122223333:alias/billing");
        });
        assert!(alias.summary.contains("an alias never authorises"), "{}", alias.summary);
    }

    #[test]
    fn a_key_policy_that_does_not_delegate_is_quoted_and_fixed() {
        let found = finding(&CHECK, |bundle| {
            bundle["Keys"][KEY]["Policy"]["Statement"][0]["Principal"] =
                json!({"AWS": "arn:aws:iam::111122223333:role/Admin"});
        });
        assert_eq!(code_and_sid(&found), ("IAM04", Some("Root")));
        assert!(found.fixes[0].lines()[0].starts_with("aws kms put-key-policy"));
    }

    #[test]
    fn a_condition_on_another_secret_is_widened_and_keeps_the_first() {
        let found = finding(&CHECK, |bundle| {
            statement(bundle, "Key")["Condition"] =
                json!({"StringEquals": {"kms:EncryptionContext:SecretARN": OTHER}});
        });
        assert_eq!(code_and_sid(&found), ("IAM06", Some("Key")));
        assert!(found.summary.contains("names another secret"), "{}", found.summary);
        assert!(found.proofs[0].text.contains(OTHER) && found.proofs[0].text.contains(SECRET));
        let list = format!("\"kms:EncryptionContext:SecretARN\":[\"{OTHER}\",\"{SECRET}\"]");
        assert!(found.fixes[0].lines()[0].contains(&list), "{}", found.fixes[0].lines()[0]);
        let region = finding(&CHECK, |bundle| {
            statement(bundle, "Key")["Condition"] = json!({"StringEquals":
                {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}});
        });
        assert_eq!(code_and_sid(&region), ("IAM06", Some("Key")));
        let deny = finding(&CHECK, |bundle| {
            bundle["Keys"][KEY]["Policy"]["Statement"].as_array_mut().expect("a list").push(
                json!({"Sid": "Only", "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt",
                    "Resource": "*", "Condition": {"StringNotEquals":
                    {"kms:EncryptionContext:SecretARN": OTHER}}}),
            );
        });
        assert_eq!(code_and_sid(&deny), ("IAM06", Some("Only")));
    }

    #[test]
    fn a_grant_for_another_secret_is_the_nearest_miss() {
        let granted = |bundle: &mut Value| {
            bundle["Keys"][KEY]["Grants"] = json!([{"GrantId": "g1",
                "GranteePrincipal": "arn:aws:iam::111122223333:role/rotation-role",
                "Operations": ["Decrypt", "GenerateDataKey"],
                "Constraints": {"EncryptionContextSubset": {"SecretARN": OTHER}}}]);
        };
        // The key's policy leaves nothing to the role's: the right belongs into it.
        let found = finding(&CHECK, |bundle| {
            granted(bundle);
            without_superuser(bundle);
            statement(bundle, "Key")["Action"] = json!("kms:None");
            bundle["Keys"][KEY]["Policy"]["Statement"] = json!([]);
        });
        assert_eq!(code_and_sid(&found), ("IAM06", Some("g1")));
        let commands = &found.fixes[0].lines();
        assert_eq!(commands.len(), 1, "{commands:?}");
        assert!(commands[0].starts_with("aws kms put-key-policy "), "{commands:?}");
        // It leaves them all to it.
        let found = finding(&CHECK, |bundle| {
            granted(bundle);
            without_superuser(bundle);
            statement(bundle, "Key")["Action"] = json!("kms:None");
        });
        assert_eq!(code_and_sid(&found), ("IAM06", Some("g1")));
        assert!(found.fixes[0].lines()[0].starts_with("aws iam put-role-policy "));
    }

    #[test]
    fn another_accounts_managed_key_takes_a_key_of_ones_own() {
        let found = finding(&CHECK, |bundle| {
            bundle["Secret"]["ARN"] = json!(SECRET.replace("111122223333", "444455556666"));
            bundle["Secret"]["KmsKeyId"] = Value::Null;
        });
        assert_eq!(found.code(), "IAM18");
        assert!(found.fixes[0].lines()[0].starts_with("aws secretsmanager update-secret"));
        assert!(found.fixes[0].change.is_none());
    }

    #[test]
    fn a_disabled_key_is_another_checks_and_an_unseen_one_open() {
        let disabled = judge(&CHECK, |bundle| {
            bundle["Keys"][KEY]["KeyMetadata"]["KeyState"] = json!("Disabled");
        });
        assert_eq!(disabled, Ok(vec![]));
        for (part, fact) in [("Policy", Fact::KeyPolicy), ("KeyMetadata", Fact::KeyMetadata)] {
            let bundle = world(|bundle| {
                bundle["Secret"]["KmsKeyId"] = json!(KEY);
                bundle["Keys"][KEY].as_object_mut().expect("an object").remove(part);
                bundle["Gaps"] = testing::denied(fact);
                bundle["Gaps"][0]["Resource"] = json!(KEY);
            });
            assert!(lacks(&testing::judge(&CHECK, bundle), fact), "{fact:?}");
        }
    }

    #[test]
    fn the_former_key_of_the_current_version_counts() {
        let former = "arn:aws:kms:eu-west-1:111122223333:key/k0";
        let found = judge(&CHECK, |bundle| {
            bundle["SecretVersions"] = json!({"Versions": [{"VersionId": "a",
                "VersionStages": ["AWSCURRENT"], "KmsKeyIds": [former]}]});
            let mut key = bundle["Keys"][KEY].clone();
            key["KeyMetadata"]["Arn"] = json!(former);
            key["KeyMetadata"]["KeyId"] = json!("k0");
            bundle["Keys"][former] = key;
        });
        assert_eq!(codes(&found), ["IAM04"]);
        assert!(found.expect("findings")[0].summary.contains(former));
    }
}
