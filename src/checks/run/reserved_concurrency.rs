//! RUN16: reserved concurrency throttles rotation.

use super::function::{name_of, resource_of, rotation_function};
use crate::{
    catalogue::{Severity, function_limit},
    checks::{
        Case, Change, Check, Finding, Judgement,
        commands::{function_name, on_function},
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "reserved-concurrency",
    question: "Does reserved concurrency leave room for rotation?",
    codes: &["RUN16"],
    facts: &[Fact::Secret, Fact::Function],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    let reserved =
        function.concurrency.as_ref().and_then(|known| known.reserved_concurrent_executions);
    let wanted = function_limit("reserved-concurrency");
    let Some(reserved) = reserved.filter(|reserved| *reserved < wanted) else {
        return Ok(Vec::new());
    };
    let name = name_of(function);
    let (severity, what) = if reserved == 0 {
        (Severity::Error, "is throttled to a stop: no invocation runs".to_owned())
    } else {
        (
            Severity::Warning,
            format!(
                "may be throttled: rotation wants at least {wanted} reserved invocations, or none \
                 reserved"
            ),
        )
    };
    Ok(vec![
        Finding::new("RUN16", resource_of(function), format!("{name} {what}."))
            .severity(severity)
            .fact("GetFunction", format!("ReservedConcurrentExecutions is {reserved}"))
            .fix(
                "Lift the reservation.",
                [on_function(function_name(function), "delete-function-concurrency")],
            )
            .trying(Change::RemoveReservedConcurrency)
            .confirm(on_function(function_name(function), "get-function-concurrency")),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::testing::{codes, evidence, judge, lacks},
    };

    fn bundle(reserved: i64) -> serde_json::Value {
        json!({"Secret": {"RotationLambdaARN": "arn"}, "Function": {
            "Configuration": {"FunctionName": "rotate"},
            "Concurrency": {"ReservedConcurrentExecutions": reserved}}})
    }

    #[test]
    fn no_room_is_an_error_and_little_room_a_warning() {
        let severity = |reserved| judge(&CHECK, bundle(reserved)).expect("findings")[0].severity;
        assert_eq!(severity(0), Severity::Error);
        assert_eq!((severity(1), severity(9)), (Severity::Warning, Severity::Warning));
    }

    #[test]
    fn ten_or_none_reserved_is_fine() {
        assert!(codes(&judge(&CHECK, bundle(10))).is_empty());
        let none = json!({"Function": {"Configuration": {"FunctionName": "rotate"}}});
        assert!(codes(&judge(&CHECK, none)).is_empty());
    }

    #[test]
    fn the_fix_works() {
        let found = judge(&CHECK, bundle(0)).expect("findings");
        let mut fixed = evidence(bundle(0));
        found[0].fixes[0].change.as_ref().expect("change").apply(&mut fixed);
        let fixed = serde_json::to_value(&fixed).expect("bundle");
        assert!(codes(&judge(&CHECK, fixed)).is_empty());
    }

    #[test]
    fn a_denied_function_is_inconclusive() {
        let gap = json!({"Secret": {"RotationLambdaARN": "arn"},
            "Gaps": [{"Fact": "Function", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::Function));
    }
}
