//! DB12: the function is older than the fix for the grants of Oracle clones.

use super::{
    capability::{self, CapabilityQuestion},
    function_speaks_scram::FACTS,
};
use crate::checks::{Case, Check, Judgement};

pub(super) static CHECK: Check = Check {
    name: "function-copies-oracle-grants",
    question: "Does the function copy several grants to an Oracle clone?",
    codes: &["DB12"],
    facts: &FACTS,
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    capability::judge(
        case,
        &CapabilityQuestion {
            capability: "oracle-several-grants",
            demand: None,
            engines: &["oracle"],
            lacks: "copy more than one grant to the clone",
            code: |_| "DB12",
        },
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::checks::testing::{codes, judge, not_applicable};

    fn bundle(before: Value, template: &str) -> Value {
        json!({"Secret": {"Name": "db", "RotationLambdaARN": "arn"}, "Stack": null,
            "LogGroup": null, "DBClusters": [],
            "Function": {"Configuration": {"FunctionName": "rotate"}},
            "DBInstances": [{"DBInstanceIdentifier": "orders", "Engine": "oracle-se2"}],
            "Package": {"Code": {"Path": "lambda_function.py", "Template": template,
                "Customised": false, "Before": before, "NotBefore": "2023-01-04"}}})
    }

    #[test]
    fn code_of_before_the_mending_is_found() {
        let template = "RDSOracleRotationMultiUser";
        assert_eq!(codes(&judge(&CHECK, bundle(json!("2023-09-25"), template))), ["DB12"]);
        let other = judge(&CHECK, bundle(json!("2023-09-25"), "RDSOracleRotationSingleUser"));
        assert!(not_applicable(&other));
    }

    #[test]
    fn code_of_since_then_passes() {
        let mut new = bundle(json!(null), "RDSOracleRotationMultiUser");
        new["Package"]["Code"]["NotBefore"] = json!("2023-09-25");
        assert!(codes(&judge(&CHECK, new)).is_empty());
    }
}
