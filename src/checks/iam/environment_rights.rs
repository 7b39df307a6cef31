//! IAM21: Lambda cannot decrypt the function's environment with its role.

use super::{
    refusal::{SummaryDetail, conclude},
    rights::rights,
};
use crate::{
    checks::{Case, Check, Judgement, Stop},
    evidence::Fact,
    policy::{DenyKind, Purpose},
};

pub(super) static CHECK: Check = Check {
    name: "environment-rights",
    question: "May the function's role decrypt the function's environment variables?",
    codes: &["IAM21"],
    facts: FACTS,
    judge,
};

const FACTS: &[Fact] = &[
    Fact::Secret,
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
    let function = case.function().or_not_applicable("the function does not exist")?;
    let configuration = &function.configuration;
    if configuration.kms_key_arn.as_deref().is_none_or(str::is_empty) {
        return Err(Stop::not_applicable("the environment is under no key of its own"));
    }
    let mut rights = rights(case, FACTS, |purpose| *purpose == Purpose::DecryptEnvironment)?;
    // A key that nobody may use now, whatever the rights, is reported by Lambda itself.
    rights.refused.retain(|right| right.decision.kind != Some(DenyKind::KeyState));
    conclude(case, rights, SummaryDetail::WithResources, |_| Some("IAM21"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::test_world::{KEY, ROLE, code_and_sid, finding, judge, statement, world},
        CHECK,
    };
    use crate::{checks::testing, evidence::Fact};

    const OWN: &str = "arn:aws:kms:eu-west-1:111122223333:key/k3";

    fn under_its_own_key(bundle: &mut Value) {
        bundle["Function"]["Configuration"]["KMSKeyArn"] = json!(OWN);
        bundle["Keys"][OWN] = bundle["Keys"][KEY].clone();
        bundle["Keys"][OWN]["KeyMetadata"] =
            json!({"Arn": OWN, "KeyId": "k3", "KeyState": "Enabled"});
    }

    #[test]
    fn the_role_or_a_grant_has_to_allow_it() {
        let found = finding(&CHECK, under_its_own_key);
        assert_eq!(found.code(), "IAM21");
        assert!(found.summary.contains(&format!("kms:Decrypt on {OWN}")), "{}", found.summary);
        let allowed = judge(&CHECK, |bundle| {
            under_its_own_key(bundle);
            statement(bundle, "Key")["Resource"] = json!([KEY, OWN]);
        });
        assert_eq!(allowed, Ok(vec![]));
        // Lambda creates such a grant when the key is set.
        let granted = judge(&CHECK, |bundle| {
            under_its_own_key(bundle);
            bundle["Keys"][OWN]["Grants"] = json!([{"GrantId": "g", "GranteePrincipal": ROLE,
                "Operations": ["Decrypt"]}]);
        });
        assert_eq!(granted, Ok(vec![]));
        let key = finding(&CHECK, |bundle| {
            under_its_own_key(bundle);
            statement(bundle, "Key")["Resource"] = json!([KEY, OWN]);
            statement(bundle, "Key")["Condition"] = json!({"StringEquals":
                {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}});
        });
        assert_eq!(code_and_sid(&key), ("IAM21", Some("Key")));
    }

    #[test]
    fn without_a_key_of_its_own_there_is_no_question() {
        assert!(testing::not_applicable(&testing::judge(&CHECK, world(|_| {}))));
        let unseen = world(|bundle| {
            under_its_own_key(bundle);
            bundle["Keys"] = json!({});
        });
        assert!(testing::lacks(&testing::judge(&CHECK, unseen), Fact::KeyPolicy));
    }
}
