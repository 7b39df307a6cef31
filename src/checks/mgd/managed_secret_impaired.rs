//! MGD01: RDS cannot use the secret that it manages.

use super::owner::{databases, is_of_rds, tagged_database};
use crate::{
    aws::commands::{Argument, Command},
    checks::{
        Case, Check, Finding, Judgement, Stop,
        commands::{DatabaseOperation, on_database},
    },
    evidence::{Fact, MasterUserSecret},
};

pub(super) static CHECK: Check = Check {
    name: "managed-secret-impaired",
    question: "Can RDS still use the master user's secret that it manages?",
    codes: &["MGD01"],
    facts: &[Fact::Secret, Fact::SuperuserSecret, Fact::DBInstances, Fact::DBClusters],
    judge,
};

const IMPAIRED: &str = "impaired";

fn judge(case: &Case<'_>) -> Judgement {
    let (secret, superuser) = (case.secret(), case.superuser_secret());
    let of_case = [secret.if_known(), superuser.if_known()];
    let (databases, others): (Vec<_>, Vec<_>) = databases(case).into_iter().partition(|database| {
        let managed = database.secret.and_then(|secret| secret.secret_arn.as_deref());
        of_case.into_iter().flatten().any(|secret| {
            managed.is_some() && managed == secret.arn.as_deref()
                || tagged_database(secret) == Some((database.identifier, database.cluster))
        })
    });
    let findings: Vec<Finding> = databases
        .iter()
        .filter_map(|database| {
            let secret = database.secret?;
            if secret.secret_status.as_deref() != Some(IMPAIRED) {
                return None;
            }
            let (kind, name) = (if database.cluster { "cluster" } else { "instance" }, database.identifier);
            let arn = secret.secret_arn.as_deref().unwrap_or("an unnamed secret");
            let modify = || {
                on_database(DatabaseOperation::Modify, database.cluster, name)
                    .flag("--apply-immediately")
            };
            let (list, managed) = match database.cluster {
                true => ("DBClusters", "DBClusters[].MasterUserSecret"),
                false => ("DBInstances", "DBInstances[].MasterUserSecret"),
            };
            let finding = Finding::new(
                "MGD01",
                arn,
                format!(
                    "The secret that RDS manages for {kind} {name} is impaired: RDS can no longer use \
                     the secret or its KMS key, and does not rotate it."
                ),
            )
            .fact(format!("Describe{list}"), format!("MasterUserSecret of {name}: SecretStatus impaired"));
            let key = secret.kms_key_id.as_deref().map(|key| {
                Command::aws("kms", "describe-key")
                    .option("--key-id", key)
                    .option("--query", "KeyMetadata.KeyState")
            });
            Some(
                finding
                    .fix("See first whether its key is enabled and RDS may use it.", key)
                    .fix(
                        "Where the key or the secret is gone, let RDS create a new secret; choose a \
                         password for the moment in between.",
                        [
                            modify()
                                .flag("--no-manage-master-user-password")
                                .option("--master-user-password", Argument::output(password())),
                            modify().flag("--manage-master-user-password"),
                        ],
                    )
                    .confirm(
                        on_database(DatabaseOperation::Describe, database.cluster, name)
                            .option("--query", managed),
                    ),
            )
        })
        .collect();
    if !findings.is_empty() {
        return Ok(findings);
    }
    let unseen: Vec<_> = [
        case.db_instances().is_unseen().then(|| case.db_instances().missing()),
        case.db_clusters().is_unseen().then(|| case.db_clusters().missing()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let managed = of_case.into_iter().flatten().any(is_of_rds);
    let unknown = secret.is_unseen() && !secret.is_not_asked();
    if (managed || unknown) && !unseen.is_empty() {
        return Err(Stop::Inconclusive(unseen));
    }
    // Another's impaired secret may turn out to be the one that was not seen.
    let impaired = |secret: &MasterUserSecret| secret.secret_status.as_deref() == Some(IMPAIRED);
    if others.iter().any(|database| database.secret.is_some_and(impaired)) {
        if unknown {
            return Err(secret.inconclusive());
        }
        if superuser.is_unseen() && !superuser.is_not_asked() {
            return Err(superuser.inconclusive());
        }
    }
    if databases.iter().all(|database| database.secret.is_none()) {
        return Err(Stop::not_applicable(
            "RDS is not known to manage this secret or its superuser's for a database",
        ));
    }
    Ok(vec![])
}

/// Prints a new password.
fn password() -> Command {
    Command::aws("secretsmanager", "get-random-password")
        .flag("--exclude-punctuation")
        .option("--query", "RandomPassword")
        .option("--output", "text")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    fn bundle(status: &str) -> Value {
        json!({"Secret": {"ARN": "arn:s"}, "DBInstances": null, "DBClusters": [{"DBClusterIdentifier": "shop",
            "MasterUserSecret": {"SecretArn": "arn:s", "SecretStatus": status, "KmsKeyId": "k"}}]})
    }

    #[test]
    fn an_impaired_secret_is_found_with_the_commands_of_its_cluster() {
        let found = judge(&CHECK, bundle("impaired")).expect("findings");
        assert!(
            found[0].fixes[1].lines()[1].contains("modify-db-cluster --db-cluster-identifier shop")
        );
        assert!(codes(&judge(&CHECK, bundle("active"))).is_empty());
    }

    #[test]
    fn only_the_secrets_or_its_superusers_database_counts() {
        let mut other = bundle("impaired");
        other["Secret"]["ARN"] = json!("arn:another");
        assert!(not_applicable(&judge(&CHECK, other.clone())));
        other["SuperuserSecret"] = json!({"ARN": "arn:s"});
        assert_eq!(codes(&judge(&CHECK, other.clone())), ["MGD01"]);
        other.as_object_mut().expect("object").remove("SuperuserSecret");
        other["Gaps"] = denied(Fact::SuperuserSecret);
        assert!(lacks(&judge(&CHECK, other), Fact::SuperuserSecret));
    }

    #[test]
    fn a_refused_list_matters_only_where_rds_manages() {
        let refused = json!({"Secret": {"OwningService": "rds"}, "DBClusters": null,
            "Gaps": denied(Fact::DBInstances)});
        assert!(lacks(&judge(&CHECK, refused), Fact::DBInstances));
        assert!(not_applicable(&judge(&CHECK, json!({"Secret": {"Name": "app"}}))));
    }
}
