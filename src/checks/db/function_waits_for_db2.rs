//! DB17: the function does not wait until Db2 has taken the new password.

use super::{
    capability::{self, CapabilityQuestion},
    function_speaks_scram::FACTS,
};
use crate::checks::{Case, Check, Judgement};

pub(super) static CHECK: Check = Check {
    name: "function-waits-for-db2",
    question: "Does the function wait until Db2 has taken the new password?",
    codes: &["DB17"],
    facts: &FACTS,
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    capability::judge(
        case,
        &CapabilityQuestion {
            capability: "db2-waits-for-the-password",
            demand: None,
            engines: &["db2"],
            lacks: "wait for the new password",
            code: |_| "DB17",
        },
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::checks::testing::{codes, judge};

    fn bundle(list: &str) -> Value {
        json!({"Secret": {"Name": "db", "RotationLambdaARN": "arn"}, "Stack": null,
            "LogGroup": null, "DBClusters": [],
            "Function": {"Configuration": {"FunctionName": "rotate"}},
            "DBInstances": [{"DBInstanceIdentifier": "orders", "Engine": "db2-se"}],
            "Package": {"Code": {"Path": "lambda_function.py",
                "Template": "RDSDb2RotationSingleUser", list: ["db2-waits-for-the-password"]}}})
    }

    #[test]
    fn code_that_does_not_wait_is_found() {
        assert_eq!(codes(&judge(&CHECK, bundle("Cannot"))), ["DB17"]);
        assert!(codes(&judge(&CHECK, bundle("Can"))).is_empty());
    }
}
