//! MGD03: a database that lost the secret which RDS managed for it.

use super::owner::{databases, is_of_rds, tagged_database};
use crate::{
    checks::{
        Basis, Case, Check, Finding, Judgement, Stop,
        commands::{DatabaseOperation, on_database},
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "managed-secret-lost",
    question: "Does the database still have the secret that RDS managed for it?",
    codes: &["MGD03"],
    facts: &[Fact::Secret, Fact::DBInstances, Fact::DBClusters],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    if !is_of_rds(secret) {
        return Err(Stop::not_applicable("RDS does not own the secret"));
    }
    let Some((identifier, cluster)) = tagged_database(secret) else {
        return Err(Stop::not_applicable("no tag says which database the secret is for"));
    };
    let unseen_list = if cluster {
        let reading = case.db_clusters();
        reading.is_unseen().then(|| reading.inconclusive())
    } else {
        let reading = case.db_instances();
        reading.is_unseen().then(|| reading.inconclusive())
    };
    if let Some(stop) = unseen_list {
        return Err(stop);
    }
    let databases = databases(case);
    let Some(database) = databases
        .iter()
        .find(|database| database.cluster == cluster && database.identifier == identifier)
    else {
        return Err(Stop::not_applicable(format!("the database {identifier} was not seen")));
    };
    if database.secret.is_some() {
        return Ok(vec![]);
    }
    let kind = if cluster { "cluster" } else { "instance" };
    let resource = if database.arn.is_empty() { identifier } else { database.arn };
    Ok(vec![
        Finding::new(
            "MGD03",
            resource,
            format!(
                "The {kind} {identifier} has no managed secret any more, although the secret {} was \
                 created for it: a database restored from a snapshot comes without one, so nothing \
                 rotates its password.",
                secret.label()
            ),
        )
        .on(Basis::Indication)
        .fact(
            if cluster { "DescribeDBClusters" } else { "DescribeDBInstances" },
            format!("{identifier} has no MasterUserSecret"),
        )
        .fix(
            "Let RDS manage the password again; it creates a new secret, which applications must then read.",
            [on_database(DatabaseOperation::Modify, cluster, identifier)
                .flag("--manage-master-user-password")
                .flag("--apply-immediately")],
        )
        .confirm(on_database(DatabaseOperation::Describe, cluster, identifier)),
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

    fn bundle(managed: Value) -> Value {
        json!({"Secret": {"Name": "rds!db-1", "OwningService": "rds", "Tags": [
                {"Key": "aws:rds:primaryDBInstanceArn", "Value": "arn:aws:rds:eu-west-1:1:db:shop"}]},
            "DBClusters": null,
            "DBInstances": [{"DBInstanceIdentifier": "shop", "MasterUserSecret": managed}]})
    }

    #[test]
    fn a_database_without_its_secret_is_found() {
        let found = judge(&CHECK, bundle(json!(null))).expect("findings");
        assert!(
            found[0].fixes[0].lines()[0]
                .contains("modify-db-instance --db-instance-identifier shop")
        );
        assert!(codes(&judge(&CHECK, bundle(json!({"SecretArn": "arn:s"})))).is_empty());
    }

    #[test]
    fn a_refused_list_is_named_and_ones_own_secret_is_no_question() {
        let mut refused = bundle(json!(null));
        refused.as_object_mut().expect("object").remove("DBInstances");
        refused["Gaps"] = denied(Fact::DBInstances);
        assert!(lacks(&judge(&CHECK, refused), Fact::DBInstances));
        assert!(not_applicable(&judge(&CHECK, json!({"Secret": {"Name": "app"}}))));
    }
}
