//! DB01: the function is older than SCRAM in its libpq, and the database asks
//! for SCRAM.

use super::{
    capability::{self, CapabilityQuestion},
    secret_database::DATABASE_FACTS,
};
use crate::{
    checks::{Case, Check, Judgement, function_age::AGE_FACTS},
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "function-speaks-scram",
    question: "Does the function speak SCRAM, if its PostgreSQL database asks for it?",
    codes: &["DB01"],
    facts: &FACTS,
    judge,
};

/// The facts of the function, its age, its database and the parameters.
pub(super) const FACTS: [Fact; 12] = {
    let [secret, shape, superuser, resources, instances, clusters] = DATABASE_FACTS;
    let [stack, group, events] = AGE_FACTS;
    [
        secret,
        shape,
        superuser,
        resources,
        instances,
        clusters,
        stack,
        group,
        events,
        Fact::Function,
        Fact::Package,
        Fact::DBParameters,
    ]
};

fn judge(case: &Case<'_>) -> Judgement {
    capability::judge(
        case,
        &CapabilityQuestion {
            capability: "scram",
            demand: Some("scram"),
            engines: &["postgres", "aurora-postgresql"],
            lacks: "speak SCRAM",
            code: |_| "DB01",
        },
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::testing::{codes, judge, lacks, not_applicable},
        evidence::Fact,
    };

    fn bundle(modified: &str, encryption: &str) -> Value {
        json!({
            "Secret": {"Name": "db", "RotationLambdaARN": "arn"},
            "Function": {"Configuration": {"FunctionName": "rotate", "LastModified": modified,
                "Description": "Conducts an AWS SecretsManager secret rotation for RDS PostgreSQL using single user rotation scheme"}},
            "Stack": null, "LogGroup": null, "DBClusters": [],
            "SecretShape": {"AWSCURRENT": {"Keys": ["engine", "dbInstanceIdentifier"],
                "Values": {"engine": "postgres", "dbInstanceIdentifier": "orders"}}},
            "DBInstances": [{"DBInstanceIdentifier": "orders", "Engine": "postgres", "EngineVersion": "14.9"}],
            "DBParameters": [{"ParameterName": "password_encryption", "ParameterValue": encryption}]
        })
    }

    #[test]
    fn an_old_function_and_a_database_that_asks_are_found() {
        let found = judge(&CHECK, bundle("2021-06-01", "scram-sha-256")).expect("findings");
        assert_eq!((found[0].code(), found[0].severity), ("DB01", Severity::Error));
        assert!(found[0].summary.contains("2021-12-30") && found[0].summary.contains("orders"));
        let mut renewed = bundle("2023-06-01", "scram-sha-256");
        renewed["Stack"] = json!({"CreationTime": "2020-06-01"});
        let found = judge(&CHECK, renewed).expect("findings");
        assert_eq!(found[0].severity, Severity::Warning);
    }

    #[test]
    fn a_recent_function_or_a_database_that_does_not_ask_passes() {
        let mut recent = bundle("2024-06-01", "scram-sha-256");
        recent["Stack"] = json!({"CreationTime": "2024-06-01"});
        assert!(codes(&judge(&CHECK, recent)).is_empty());
        assert!(codes(&judge(&CHECK, bundle("2021-06-01", "md5"))).is_empty());
    }

    #[test]
    fn without_a_database_it_is_a_note() {
        let mut none = bundle("2021-06-01", "md5");
        none["DBInstances"] = json!([]);
        assert_eq!(judge(&CHECK, none).expect("findings")[0].severity, Severity::Note);
    }

    #[test]
    fn other_templates_and_own_code_are_left_alone() {
        let mut other = bundle("2021-06-01", "scram-sha-256");
        other["Function"]["Configuration"]["Description"] = json!(
            "Conducts an AWS SecretsManager secret rotation for RDS MySQL using single user rotation scheme"
        );
        assert!(not_applicable(&judge(&CHECK, other.clone())));
        other["Function"]["Configuration"]["Description"] = json!("my own");
        assert!(lacks(&judge(&CHECK, other.clone()), Fact::Package), "its package would show it");
        other["Package"] = json!({"Archives": [{"Name": "code"}]});
        assert!(not_applicable(&judge(&CHECK, other)), "and it shows nothing of the kind");
    }

    #[test]
    fn no_package_needs_to_be_looked_into_for_a_database_that_does_not_ask() {
        let mut own = bundle("2021-06-01", "md5");
        own["Function"]["Configuration"]["Description"] = json!("my own");
        assert!(codes(&judge(&CHECK, own.clone())).is_empty());
        own["DBInstances"][0]["Engine"] = json!("mysql");
        assert!(codes(&judge(&CHECK, own.clone())).is_empty());
        own["DBParameters"] = json!(null);
        own["DBInstances"][0]["Engine"] = json!("postgres");
        assert!(lacks(&judge(&CHECK, own), Fact::Package), "14 asks by default");
    }

    #[test]
    fn what_was_denied_or_cannot_be_dated_is_inconclusive() {
        let undated = judge(&CHECK, bundle("2024-06-01", "scram-sha-256"));
        assert!(lacks(&undated, crate::evidence::Fact::Package));
        for fact in ["DBInstances", "DBParameters", "Function"] {
            let mut gap = bundle("2021-06-01", "scram-sha-256");
            gap.as_object_mut().expect("object").remove(fact);
            gap["Gaps"] = json!([{"Fact": fact, "Reason": "AccessDenied"}]);
            let fact = crate::evidence::Fact::named(fact).expect("fact");
            assert!(lacks(&judge(&CHECK, gap), fact));
        }
        for fact in
            ["Stack", "LogGroup", "LogEvents", "Secret", "SuperuserSecret", "StackResources"]
        {
            let mut gap = bundle("2021-06-01", "scram-sha-256");
            gap.as_object_mut().expect("object").remove(fact);
            gap["Gaps"] = json!([{"Fact": fact, "Reason": "AccessDenied"}]);
            assert_eq!(codes(&judge(&CHECK, gap)), ["DB01"], "{fact} only sharpens");
        }
    }
}
