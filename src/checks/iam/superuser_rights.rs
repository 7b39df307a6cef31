//! IAM03, IAM07, IAM11, IAM12, IAM16, IAM18: what a rotation by another user
//! asks for besides: the superuser's secret, its key, and the database's resource.

use super::{
    key_rights::{is_foreign_managed, new_key},
    refusal::{SummaryDetail, conclude},
    rights::{Right, rights},
};
use crate::{
    checks::{Case, Check, Judgement, Stop},
    evidence::{Fact, Secret},
    policy::{DenyKind, Layer, Purpose},
};

pub(super) static CHECK: Check = Check {
    name: "superuser-rights",
    question: "May the function's role read the superuser's secret and describe the database?",
    codes: &["IAM03", "IAM07", "IAM11", "IAM12", "IAM16", "IAM18"],
    facts: FACTS,
    judge,
};

const FACTS: &[Fact] = &[
    Fact::Secret,
    Fact::SecretShape,
    Fact::SuperuserSecret,
    Fact::Function,
    Fact::Role,
    Fact::RolePolicies,
    Fact::AttachedPolicies,
    Fact::PermissionsBoundary,
    Fact::KeyMetadata,
    Fact::KeyPolicy,
    Fact::KeyGrants,
    Fact::VpcEndpoints,
    Fact::DBInstances,
    Fact::DBClusters,
];

const NONE: &str = "the rotation uses no superuser's secret";

fn judge(case: &Case<'_>) -> Judgement {
    let superuser = superuser(case)?;
    let rights = rights(case, FACTS, |purpose| {
        matches!(
            purpose,
            Purpose::DescribeSuperuserSecret
                | Purpose::GetSuperuserSecret
                | Purpose::DecryptSuperuserSecret
                | Purpose::DescribeDatabase
        )
    })?;
    let findings = conclude(case, rights, SummaryDetail::WithResources, |right| code(case, right))?;
    let new = |finding: crate::checks::Finding| match finding.code() {
        "IAM18" => new_key(finding, superuser, case.account_id()),
        _ => finding,
    };
    Ok(findings.into_iter().map(new).collect())
}

/// The superuser's secret. Which one it is stands in the value, so that where
/// nobody read that, the question is open.
fn superuser<'a>(case: &'a Case<'_>) -> Result<&'a Secret, Stop> {
    let reading = case.superuser_secret();
    if reading.is_not_asked() {
        let shape = case.secret_shape();
        let current = shape.or_not_applicable(NONE)?.get("AWSCURRENT");
        if current.is_some_and(|value| !value.keys.iter().any(|key| key == "masterarn")) {
            return Err(Stop::not_applicable(NONE));
        }
    }
    reading.or_not_applicable(NONE)
}

fn code(case: &Case<'_>, right: &Right) -> Option<&'static str> {
    if right.decision.kind == Some(DenyKind::KeyState) {
        return None;
    }
    Some(match right.request.purpose {
        Purpose::DecryptSuperuserSecret if is_foreign_managed(case, right) => "IAM18",
        _ if right.decision.layer == Layer::Boundary => "IAM11",
        Purpose::DecryptSuperuserSecret => "IAM07",
        Purpose::DescribeDatabase if has_other_prefix(right) => "IAM16",
        Purpose::DescribeDatabase => "IAM12",
        _ => "IAM03",
    })
}

/// Whether the role has actions that only look like those of the cluster's API.
fn has_other_prefix(right: &Right) -> bool {
    let is_other = |text: &str| text.starts_with("docdb:") || text.starts_with("neptune:");
    right.request.layers.identity.iter().any(|policy| {
        let statements = policy.document().get("Statement");
        let list = statements.and_then(|list| list.as_array()).map_or_else(
            || statements.into_iter().collect::<Vec<_>>(),
            |list| list.iter().collect(),
        );
        list.into_iter().filter_map(|statement| statement.get("Action")).any(|action| {
            action.as_str().is_some_and(is_other)
                || action
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(|one| one.as_str().is_some_and(is_other))
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::test_world::{
            KEY2, SUPERUSER, add, code_and_sid, finding, judge, refused, statement, world,
        },
        CHECK,
    };
    use crate::{
        catalogue::Severity,
        checks::{Basis, testing},
        evidence::Fact,
    };

    #[test]
    fn a_sound_world_passes() {
        assert_eq!(judge(&CHECK, |_| {}), Ok(vec![]));
    }

    #[test]
    fn the_superusers_secret_and_its_key_have_their_codes() {
        let found = finding(&CHECK, |bundle| statement(bundle, "Admin")["Action"] = json!("s3:*"));
        assert_eq!(found.code(), "IAM03");
        assert!(found.summary.contains(&format!("secretsmanager:GetSecretValue on {SUPERUSER}")));
        // Its resource policy, which may allow it, is no fact.
        assert_eq!(found.basis, Basis::Indication);
        assert!(
            found
                .proofs
                .last()
                .expect("a proof")
                .text
                .contains("the resource policy of that secret")
        );
        let deny = finding(&CHECK, |bundle| {
            add(
                bundle,
                json!({"Sid": "No", "Effect": "Deny", "Action": "secretsmanager:Get*",
                "Resource": SUPERUSER}),
            );
        });
        assert_eq!((code_and_sid(&deny), deny.basis), (("IAM03", Some("No")), Basis::State));
        let key = finding(&CHECK, |bundle| {
            statement(bundle, "AdminKey")["Resource"] = json!(KEY2.replace("k2", "k3"));
        });
        assert_eq!((code_and_sid(&key), key.severity), (("IAM07", Some("Key")), Severity::Error));
    }

    #[test]
    fn looking_at_the_database_is_sure_only_where_rds_manages_the_superuser() {
        let without = |bundle: &mut Value| statement(bundle, "Database")["Action"] = json!("s3:*");
        let found = finding(&CHECK, without);
        assert_eq!((found.code(), found.severity), ("IAM12", Severity::Warning));
        let managed = finding(&CHECK, |bundle| {
            without(bundle);
            bundle["SuperuserSecret"]["OwningService"] = json!("rds");
        });
        assert_eq!((managed.code(), managed.severity), ("IAM12", Severity::Error));
        let tagged = |key: &'static str, arn: &'static str| {
            finding(&CHECK, move |bundle| {
                bundle["SuperuserSecret"]["OwningService"] = json!("redshift");
                bundle["SuperuserSecret"]["Tags"] = json!([{"Key": key, "Value": arn}]);
            })
        };
        let cluster = "arn:aws:redshift:eu-west-1:111122223333:cluster:sales";
        let provisioned = tagged("aws:redshift:primaryClusterArn", cluster);
        assert_eq!((provisioned.code(), provisioned.severity), ("IAM12", Severity::Error));
        let call = format!("redshift:DescribeClusters on {cluster}");
        assert!(provisioned.summary.contains(&call), "{}", provisioned.summary);
        let namespace = "arn:aws:redshift-serverless:eu-west-1:111122223333:namespace/1a2b";
        let serverless = tagged("aws:redshift-serverless:namespaceArn", namespace);
        let calls =
            "redshift-serverless:ListNamespaces and redshift-serverless:ListWorkgroups on *";
        assert!(serverless.summary.contains(calls), "{}", serverless.summary);
        let prefix = finding(&CHECK, |bundle| {
            statement(bundle, "Database")["Action"] = json!(["docdb:DescribeDBClusters"]);
        });
        assert_eq!(prefix.code(), "IAM16");
    }

    #[test]
    fn without_a_superuser_there_is_no_question_and_unread_it_is_open() {
        let none = world(|bundle| bundle["SuperuserSecret"] = Value::Null);
        assert!(testing::not_applicable(&testing::judge(&CHECK, none)));
        let unread = world(|bundle| {
            bundle.as_object_mut().expect("an object").remove("SuperuserSecret");
        });
        assert!(testing::lacks(&testing::judge(&CHECK, unread.clone()), Fact::SecretShape));
        let mut single = unread;
        single["SecretShape"] = json!({"AWSCURRENT": {"Keys": ["password"], "Values": {}}});
        assert!(testing::not_applicable(&testing::judge(&CHECK, single)));
        let denied = testing::judge(&CHECK, refused(Fact::SuperuserSecret));
        assert!(testing::lacks(&denied, Fact::SuperuserSecret));
    }
}
