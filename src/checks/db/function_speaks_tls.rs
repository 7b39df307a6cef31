//! DB02, DB13: the function is older than TLS in the templates, and the database
//! asks for TLS.

use super::{
    capability::{self, CapabilityQuestion},
    function_speaks_scram::FACTS,
};
use crate::checks::{Case, Check, Judgement};

pub(super) static CHECK: Check = Check {
    name: "function-speaks-tls",
    question: "Does the function connect over TLS, if its database asks for it?",
    codes: &["DB02", "DB13"],
    facts: &FACTS,
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    capability::judge(
        case,
        &CapabilityQuestion {
            capability: "tls",
            demand: Some("tls"),
            engines: &[],
            lacks: "connect over TLS",
            code: |engine| if engine.starts_with("sqlserver") { "DB13" } else { "DB02" },
        },
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::checks::testing::{codes, judge, lacks};

    fn bundle(engine: &str, modified: &str, parameter: &str, value: &str) -> Value {
        json!({
            "Secret": {"Name": "db", "RotationLambdaARN": "arn"},
            "Function": {"Configuration": {"FunctionName": "rotate", "LastModified": modified,
                "Description": "Conducts an AWS SecretsManager secret rotation for RDS using single user rotation scheme"}},
            "Stack": null, "LogGroup": null, "DBClusters": [],
            "DBInstances": [{"DBInstanceIdentifier": "orders", "Engine": engine, "EngineVersion": "8.0.35"}],
            "DBParameters": [{"ParameterName": parameter, "ParameterValue": value}]
        })
    }

    #[test]
    fn each_engine_asks_by_its_own_parameter() {
        let mysql = bundle("mysql", "2021-06-01", "require_secure_transport", "ON");
        assert_eq!(codes(&judge(&CHECK, mysql)), ["DB02"]);
        let sqlserver = bundle("sqlserver-ex", "2021-06-01", "rds.force_ssl", "1");
        assert_eq!(codes(&judge(&CHECK, sqlserver)), ["DB13"]);
        let foreign = bundle("mysql", "2021-06-01", "rds.force_ssl", "1");
        assert!(codes(&judge(&CHECK, foreign)).is_empty());
    }

    #[test]
    fn an_assumed_database_is_said_to_be_one() {
        let only = bundle("mysql", "2021-06-01", "require_secure_transport", "ON");
        let found = judge(&CHECK, only).expect("findings");
        assert!(found[0].proofs.iter().any(|proof| proof.text.contains("only database")));
        assert_eq!(found[0].severity, crate::catalogue::Severity::Warning);
    }

    #[test]
    fn plain_connections_and_recent_functions_pass() {
        let off = bundle("mysql", "2021-06-01", "require_secure_transport", "OFF");
        assert!(codes(&judge(&CHECK, off)).is_empty());
        let mut recent = bundle("mysql", "2022-06-01", "require_secure_transport", "ON");
        recent["Stack"] = json!({"CreationTime": "2022-05-01"});
        assert!(codes(&judge(&CHECK, recent)).is_empty());
    }

    #[test]
    fn denied_parameters_are_inconclusive() {
        let mut gap = bundle("mysql", "2021-06-01", "require_secure_transport", "ON");
        gap.as_object_mut().expect("object").remove("DBParameters");
        gap["Gaps"] = json!([{"Fact": "DBParameters", "Reason": "AccessDenied"}]);
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::DBParameters));
    }
}
