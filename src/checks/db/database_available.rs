//! DB19: the database is in a status in which no password can be changed.

use super::secret_database::{DATABASE_FACTS, secret_database};
use crate::{
    aws::commands::{Argument, Command},
    catalogue::{DatabaseStatus, Severity, StatusAdvice, database_status},
    checks::{
        Case, Check, Finding, Judgement,
        commands::{DatabaseOperation, on_database},
    },
};

pub(super) static CHECK: Check = Check {
    name: "database-available",
    question: "Is the database available?",
    codes: &["DB19"],
    facts: &DATABASE_FACTS,
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let database = secret_database(case)?;
    let of_cluster = database.cluster.and_then(|cluster| cluster.status.as_deref());
    let of_instance = database.instance.and_then(|one| one.db_instance_status.as_deref());
    let bad =
        [(of_cluster, true), (of_instance, false)].into_iter().find_map(|(status, cluster)| {
            let status = status?;
            Some((status, database_status(status)?, cluster))
        });
    let Some((status, row, cluster)) = bad else { return Ok(Vec::new()) };

    let of_instance = || database.instance?.db_instance_identifier.as_deref();
    let identifier = match cluster {
        true => database.identifier(),
        false => of_instance().or(database.identifier()),
    };
    let label = identifier.unwrap_or(database.label());
    let (source, field) = match cluster {
        true => ("DescribeDBClusters", "Status"),
        false => ("DescribeDBInstances", "DBInstanceStatus"),
    };
    let severity = match row.passing || database.assumed {
        true => Severity::Warning,
        false => Severity::Error,
    };
    let finding = Finding::new(
        "DB19",
        database.resource(),
        format!("{label} is {status}: no password can be changed in it now."),
    )
    .severity(severity)
    .fact(source, format!("{field} is {status}"))
    .fact(database.source(), &database.how);
    Ok(vec![with_advice(finding, row, cluster, identifier)])
}

fn with_advice(
    finding: Finding,
    row: &DatabaseStatus,
    cluster: bool,
    identifier: Option<&str>,
) -> Finding {
    let identifier = || Argument::or_placeholder(identifier, "DATABASE");
    let describe = on_database(DatabaseOperation::Describe, cluster, identifier()).option(
        "--query",
        match cluster {
            true => "DBClusters[0].[Status,KmsKeyId]",
            false => "DBInstances[0].[DBInstanceStatus,KmsKeyId]",
        },
    );
    let (summary, command) = match row.advice {
        StatusAdvice::Start => {
            ("Start the database.", on_database(DatabaseOperation::Start, cluster, identifier()))
        }
        StatusAdvice::Wait => (
            "Wait until it is available, then rotate again.",
            on_database(DatabaseOperation::Wait, cluster, identifier()),
        ),
        StatusAdvice::Storage => (
            "Give it more storage.",
            on_database(DatabaseOperation::Modify, false, identifier())
                .option("--allocated-storage", Argument::placeholder("GIBIBYTES"))
                .flag("--apply-immediately"),
        ),
        StatusAdvice::Key => ("Make its KMS key usable again, then start it.", describe.clone()),
        StatusAdvice::Repair => (
            "Repair or restore it; its events say what happened.",
            Command::aws("rds", "describe-events")
                .option("--source-type", if cluster { "db-cluster" } else { "db-instance" })
                .option("--source-identifier", identifier())
                .option("--duration", "10080"),
        ),
    };
    finding.fix(summary, [command]).confirm(describe)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::testing::{codes, judge, lacks},
    };

    fn bundle(status: &str) -> serde_json::Value {
        json!({"SecretShape": {"AWSCURRENT": {"Keys": ["dbInstanceIdentifier"],
                "Values": {"dbInstanceIdentifier": "orders"}}},
            "DBClusters": [], "DBInstances": [
                {"DBInstanceIdentifier": "orders", "DBInstanceStatus": status}]})
    }

    #[test]
    fn a_stopped_database_is_an_error_and_a_passing_status_a_warning() {
        let found = judge(&CHECK, bundle("stopped")).expect("findings");
        assert_eq!((found[0].code(), found[0].severity), ("DB19", Severity::Error));
        assert!(found[0].fixes[0].lines()[0].contains("start-db-instance"));
        let passing = judge(&CHECK, bundle("rebooting")).expect("findings");
        assert_eq!(passing[0].severity, Severity::Warning);
    }

    #[test]
    fn a_stopped_cluster_is_found_without_its_instances() {
        let cluster = json!({"DBInstances": [], "DBClusters": [
            {"DBClusterIdentifier": "shop", "Status": "stopped"}]});
        let found = judge(&CHECK, cluster).expect("findings");
        assert!(found[0].fixes[0].lines()[0].contains("start-db-cluster"));
    }

    #[test]
    fn a_database_that_answers_passes() {
        assert!(codes(&judge(&CHECK, bundle("available"))).is_empty());
        assert!(codes(&judge(&CHECK, bundle("backing-up"))).is_empty());
    }

    #[test]
    fn denied_instances_are_inconclusive() {
        let mut gap = bundle("stopped");
        gap.as_object_mut().expect("object").remove("DBInstances");
        gap["Gaps"] = json!([{"Fact": "DBInstances", "Reason": "AccessDenied"}]);
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::DBInstances));
    }
}
