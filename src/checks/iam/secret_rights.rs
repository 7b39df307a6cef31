//! IAM01, IAM02, IAM10, IAM11: the five calls of a rotation on its secret.

use super::{
    refusal::{SummaryDetail, conclude},
    rights::{Right, rights},
};
use crate::{
    catalogue::vended_handler,
    checks::{Case, Check, Judgement, run::function::vended},
    evidence::Fact,
    policy::{FailedOn, Hint, Layer, Purpose},
};

pub(super) static CHECK: Check = Check {
    name: "secret-rights",
    question: "May the function's role make the five calls of a rotation on the secret?",
    codes: &["IAM01", "IAM02", "IAM10", "IAM11"],
    facts: FACTS,
    judge,
};

const FACTS: &[Fact] = &[
    Fact::Secret,
    Fact::SecretPolicy,
    Fact::Function,
    Fact::Role,
    Fact::RolePolicies,
    Fact::AttachedPolicies,
    Fact::PermissionsBoundary,
    Fact::VpcEndpoints,
];

fn judge(case: &Case<'_>) -> Judgement {
    let rights = rights(case, FACTS, |purpose| {
        matches!(
            purpose,
            Purpose::DescribeSecret
                | Purpose::GetSecretValue(_)
                | Purpose::PutSecretValue
                | Purpose::UpdateSecretVersionStage
        ) || matches!(purpose, Purpose::GetRandomPassword) && asks_for_a_password(case)
    })?;
    conclude(case, rights, SummaryDetail::WithResources, |right| Some(code(right)))
}

/// Whether the function lets Secrets Manager make the new password. A function of one's own
/// may make its value itself: before it is deployed, only what the templates that do so
/// leave in the configuration says that it does not.
fn asks_for_a_password(case: &Case<'_>) -> bool {
    let function = case.function();
    let Some(function) = function.if_known().filter(|_| case.is_declared()) else { return true };
    let configuration = &function.configuration;
    let reads = |name: &str| configuration.variable(name).is_some();
    vended(function).is_some()
        || configuration.handler.as_deref() == Some(vended_handler())
        || ["EXCLUDE_CHARACTERS", "PASSWORD_LENGTH", "SECRETS_MANAGER_ENDPOINT"]
            .iter()
            .any(|name| reads(name))
}

fn code(right: &Right) -> &'static str {
    match right.decision.layer {
        Layer::Boundary | Layer::Scp | Layer::Rcp => "IAM11",
        Layer::Resource if right.is_explicit() => "IAM10",
        _ if names_no_such_secret(right) => "IAM02",
        _ => "IAM01",
    }
}

/// A Resource that is meant for this secret and lacks its suffix, or has
/// another one's.
pub(super) fn names_no_such_secret(right: &Right) -> bool {
    right.decision.failure().is_some_and(|failure| {
        failure.failed_on == FailedOn::Resource
            && matches!(failure.hint, Some(Hint::SecretSuffixMissing | Hint::SecretSuffixStale))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::test_world::{
            OTHER, ROLE, SECRET, add, code_and_sid, finding, judge, refused, statement,
            without_superuser, world,
        },
        CHECK,
    };
    use crate::{
        checks::{Basis, ProofKind, Stop, testing},
        evidence::Fact,
    };

    #[test]
    fn a_sound_world_passes() {
        assert_eq!(judge(&CHECK, |_| {}), Ok(vec![]));
    }

    #[test]
    fn each_missing_action_is_named_with_the_nearest_statement() {
        for action in
            ["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"]
        {
            let found = finding(&CHECK, |bundle| {
                without_superuser(bundle);
                let actions = statement(bundle, "Secret")["Action"].as_array_mut().expect("a list");
                actions.retain(|one| !one.as_str().expect("text").ends_with(action));
            });
            assert_eq!(code_and_sid(&found), ("IAM01", Some("Secret")), "{action}");
            assert_eq!((found.basis, found.resource.as_str()), (Basis::State, ROLE));
            assert!(found.summary.contains(&format!("secretsmanager:{action} on {SECRET}")));
            assert!(!found.summary.contains("nor"), "{}", found.summary);
        }
        let found = finding(&CHECK, |bundle| {
            statement(bundle, "Password")["Resource"] = json!(SECRET);
        });
        assert_eq!(code_and_sid(&found), ("IAM01", Some("Password")));
        assert!(found.summary.contains("covered by * alone"), "{}", found.summary);
    }

    #[test]
    fn a_partial_or_stale_arn_is_its_own_code_and_mended_in_place() {
        let partial = &SECRET[..SECRET.len() - 7];
        for (wrong, fixed) in [
            (json!(partial), json!(SECRET)),
            (
                json!([format!("{partial}-000000"), OTHER]),
                json!([format!("{partial}-000000"), OTHER, SECRET]),
            ),
        ] {
            let found = finding(&CHECK, |bundle| {
                statement(bundle, "Secret")["Resource"] = wrong;
            });
            assert_eq!(code_and_sid(&found), ("IAM02", Some("Secret")));
            let command = &found.fixes[0].lines()[0];
            assert!(command.starts_with(
                "aws iam put-role-policy --role-name rotation-role --policy-name rotation "
            ));
            assert!(command.contains(&format!("\"Resource\":{fixed}")), "{command}");
            assert!(found.fixes[1].template.as_deref().is_some_and(|text| text.contains(SECRET)));
        }
    }

    #[test]
    fn a_deny_is_quoted_wherever_it_stands() {
        let deny = json!({"Sid": "No", "Effect": "Deny", "Principal": "*",
            "Action": "secretsmanager:PutSecretValue", "Resource": "*"});
        let found = finding(&CHECK, |bundle| {
            bundle["SecretPolicy"] = json!({"Version": "2012-10-17", "Statement": [deny]});
        });
        assert_eq!(code_and_sid(&found), ("IAM10", Some("No")));
        assert_eq!(found.resource, SECRET);
        let found = finding(&CHECK, |bundle| {
            add(
                bundle,
                json!({"Sid": "Mine", "Effect": "Deny", "Resource": "*",
                "Action": "secretsmanager:PutSecretValue"}),
            );
        });
        assert_eq!(code_and_sid(&found), ("IAM01", Some("Mine")));
        assert!(found.proofs[0].text.contains(r#""Effect": "Deny""#), "{}", found.proofs[0].text);
    }

    #[test]
    fn a_boundary_that_is_silent_is_found_in_the_boundary() {
        let boundary = "arn:aws:iam::111122223333:policy/Bound";
        let found = finding(&CHECK, |bundle| {
            bundle["Role"]["PermissionsBoundary"] = json!({"PermissionsBoundaryArn": boundary});
            bundle["PermissionsBoundary"] = json!({"PolicyArn": boundary, "PolicyDocument":
                {"Version": "2012-10-17", "Statement": [{"Sid": "Reads", "Effect": "Allow",
                "Action": ["secretsmanager:Get*", "secretsmanager:Describe*"], "Resource": "*"}]}});
        });
        assert_eq!(code_and_sid(&found), ("IAM11", Some("Reads")));
        assert_eq!(found.resource, boundary);
        assert!(
            found.summary.contains("PutSecretValue and secretsmanager:UpdateSecretVersionStage")
        );
    }

    #[test]
    fn the_proof_shows_both_values_and_what_nobody_sees() {
        let found =
            finding(&CHECK, |bundle| statement(bundle, "Secret")["Resource"] = json!(OTHER));
        assert_eq!(found.proofs[0].kind, ProofKind::Policy);
        assert_eq!(
            found.proofs[0].source,
            "role rotation-role, policy rotation, statement \"Secret\""
        );
        let lines: Vec<&str> = found.proofs[0].text.lines().collect();
        assert_eq!(
            lines[1..],
            [format!("its Resource has {OTHER}"), format!("asked for {SECRET}")]
        );
        let last = found.proofs.last().expect("a proof");
        assert!(last.text.contains("permissions boundary: none"), "{}", last.text);
        assert!(
            last.text
                .ends_with("not evaluated: service control policies, resource control policies")
        );
    }

    #[test]
    fn what_was_refused_is_named_unless_a_deny_decides_anyway() {
        for fact in [Fact::RolePolicies, Fact::AttachedPolicies, Fact::SecretPolicy, Fact::Function]
        {
            assert!(testing::lacks(&testing::judge(&CHECK, refused(fact)), fact), "{fact:?}");
        }
        // The boundary stands in the role.
        let mut role = refused(Fact::Role);
        role.as_object_mut().expect("an object").remove("PermissionsBoundary");
        assert!(testing::lacks(&testing::judge(&CHECK, role), Fact::Role));
        let mut denied = refused(Fact::AttachedPolicies);
        add(&mut denied, json!({"Effect": "Deny", "Action": "*", "Resource": "*"}));
        assert_eq!(testing::codes(&testing::judge(&CHECK, denied)), ["IAM01"]);
    }

    #[test]
    fn an_inline_policy_that_was_not_read_asks_for_the_call_that_reads_it() {
        let unread = world(|bundle| {
            bundle["RolePolicies"] = json!([{"PolicyName": "rotation"}]);
            bundle["Gaps"] = json!([{"Fact": "RolePolicies", "Action": "iam:GetRolePolicy",
                "Resource": "rotation", "Reason": "AccessDenied"}]);
        });
        let Err(Stop::Inconclusive(missing)) = testing::judge(&CHECK, unread) else {
            panic!("not inconclusive")
        };
        assert_eq!(missing.len(), 1, "{missing:?}");
        assert_eq!(missing[0].action, "iam:GetRolePolicy");
        assert_eq!(
            (missing[0].resource.as_str(), missing[0].reason.as_str()),
            ("rotation", "access denied")
        );
    }

    #[test]
    fn what_no_call_shows_leaves_a_sole_grant_open_and_a_guard_alone() {
        let condition = json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}});
        let Err(Stop::Inconclusive(missing)) = judge(&CHECK, |bundle| {
            statement(bundle, "Secret")["Condition"] = condition;
        }) else {
            panic!("not inconclusive")
        };
        assert!(missing[0].reason.contains("aws:PrincipalOrgID"), "{missing:?}");
        let perimeter = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny",
            "Principal": "*", "Action": "*", "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}]});
        assert_eq!(judge(&CHECK, |bundle| bundle["SecretPolicy"] = perimeter), Ok(vec![]));
    }

    #[test]
    fn a_deny_by_endpoint_is_open_until_the_endpoints_are_seen() {
        let mut bundle = refused(Fact::VpcEndpoints);
        bundle["SecretPolicy"] = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny",
            "Principal": "*", "Action": "*", "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-9"}}}]});
        assert!(testing::lacks(&testing::judge(&CHECK, bundle.clone()), Fact::VpcEndpoints));
        bundle["VpcEndpoints"] = json!([]);
        assert_eq!(testing::codes(&testing::judge(&CHECK, bundle)), ["IAM10"]);
        assert_eq!(testing::judge(&CHECK, refused(Fact::VpcEndpoints)), Ok(vec![]));
    }

    #[test]
    fn without_a_function_the_question_does_not_arise() {
        let of = |change: &dyn Fn(&mut serde_json::Value)| {
            testing::not_applicable(&testing::judge(&CHECK, world(|bundle| change(bundle))))
        };
        assert!(of(&|bundle| bundle["Secret"]["RotationLambdaARN"] = json!(null)));
        assert!(of(&|bundle| bundle["Function"] = json!(null)));
        assert!(of(&|bundle| bundle["Role"] = json!(null)));
    }

    #[test]
    fn a_call_that_only_some_rotations_make_is_a_warning() {
        let found = finding(&CHECK, |bundle| {
            statement(bundle, "Secret")["Condition"] = json!({"StringNotEqualsIfExists":
                {"secretsmanager:VersionStage": "AWSPREVIOUS"}});
        });
        assert_eq!((found.code(), found.severity), ("IAM01", crate::catalogue::Severity::Warning));
        assert!(found.summary.contains("which some rotations do"), "{}", found.summary);
    }
}
