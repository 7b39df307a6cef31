//! RUN05: the function's runtime is deprecated.

use super::function::{name_of, resource_of, rotation_function};
use crate::{
    aws::commands::Argument,
    catalogue::{self, Severity, function_limit, stack_reason_proves},
    checks::{
        Basis, Case, Check, Finding, Judgement, ProofKind, Stop,
        commands::{
            function_name, on_function, published, show_setting, show_template, update_stack,
        },
    },
    evidence::{Fact, Function, StackEvent, Time},
};

pub(super) static CHECK: Check = Check {
    name: "runtime-supported",
    question: "Is the function's runtime still supported?",
    codes: &["RUN05"],
    facts: &[Fact::Secret, Fact::Function, Fact::StackEvents],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    let Some(name) = function.configuration.runtime.as_deref() else {
        return Err(Stop::not_applicable(match function.configuration.package_type.as_deref() {
            Some("Zip") => "AWS chooses the runtime of the function that it vends",
            _ => "the function is a container image without a runtime",
        }));
    };
    let Some(runtime) = catalogue::runtime(name) else {
        return Err(Stop::not_applicable(format!("no life cycle is known for {name}")));
    };
    let ahead = runtime.deprecated.seconds_since(case.now());
    let notice = function_limit("runtime-deprecation-notice") as f64 * 86_400.0;
    if ahead > notice {
        return Ok(Vec::new());
    }
    let (state, severity) = match ahead > 0.0 {
        true => ("will be deprecated on", Severity::Note),
        false if is_refused(case, function, runtime) => ("is deprecated since", Severity::Error),
        false => ("is deprecated since", Severity::Warning),
    };
    let mut finding = Finding::new(
        "RUN05",
        resource_of(function),
        format!(
            "{name} of {} {state} {}{}.",
            name_of(function),
            runtime.deprecated.date(),
            blocks(runtime, case.now())
        ),
    )
    .severity(severity)
    .on(Basis::Indication)
    .fact("GetFunction", format!("Runtime is {name}"))
    .proof(
        ProofKind::Date,
        &runtime.provenance.source,
        format!("{name} {state} {}", runtime.deprecated.date()),
    );
    // What was refused is a new deployment; the function there is runs on.
    if let Some(event) = refused(case, function) {
        finding = finding.proof(
            ProofKind::Stack,
            "DescribeStackEvents",
            event.resource_status_reason.clone().unwrap_or_default(),
        );
    }
    let stack = function.tags.get("aws:cloudformation:stack-name");
    let finding = with_new_runtime(case, finding, function, stack);
    // A stack that creates an alias moves it itself.
    Ok(vec![if stack.is_none() { published(case, finding) } else { finding }])
}

/// Whether Lambda refuses to create the function, which is not there yet.
fn is_refused(case: &Case<'_>, function: &Function, runtime: &catalogue::Runtime) -> bool {
    case.is_declared()
        && function.configuration.last_modified.is_none()
        && runtime.create_blocked.is_some_and(|day| day <= case.now())
}

/// What Lambda refuses, now or from a known day on.
fn blocks(runtime: &catalogue::Runtime, now: Time) -> String {
    let part = |day: Option<Time>, what: &str| {
        day.map(|day| {
            if day <= now {
                format!("; Lambda refuses to {what} functions with it since {}", day.date())
            } else {
                format!("; Lambda will refuse to {what} functions with it from {}", day.date())
            }
        })
        .unwrap_or_default()
    };
    part(runtime.create_blocked, "create") + &part(runtime.update_blocked, "update")
}

/// The newest stack event that shows that Lambda refused the runtime.
fn refused<'c>(case: &'c Case<'_>, function: &Function) -> Option<&'c StackEvent> {
    case.stack_events()
        .if_known()?
        .iter()
        .filter(|event| {
            event.physical_resource_id.as_deref() == Some(name_of(function))
                || event.physical_resource_id.is_none()
        })
        .filter(|event| {
            stack_reason_proves(
                "RUN05",
                event.resource_type.as_deref().unwrap_or_default(),
                event.resource_status_reason.as_deref().unwrap_or_default(),
            )
        })
        .max_by_key(|event| event.timestamp)
}

fn with_new_runtime(
    case: &Case<'_>,
    finding: Finding,
    function: &Function,
    stack: Option<&String>,
) -> Finding {
    let name = || function_name(function);
    let finding = match stack {
        Some(stack) => finding.fix(
            "Renew the function with its stack: code and runtime have to change together (a new \
             runtime on old code fails with ImportModuleError).",
            [show_template(stack), update_stack(stack)],
        ),
        None => finding.fix(
            "Build the package again for a supported runtime and deploy code and runtime together.",
            [
                on_function(name(), "update-function-code")
                    .option("--zip-file", Argument::binary_file("function.zip")),
                on_function(name(), "update-function-configuration")
                    .option("--runtime", Argument::placeholder("RUNTIME_OF_THE_PACKAGE")),
            ],
        ),
    };
    finding.confirm(match stack {
        // A stack that creates a version names it itself.
        Some(_) => on_function(name(), "get-function-configuration").option("--query", "Runtime"),
        None => show_setting(case, name(), "Runtime"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::{
            Basis,
            testing::{codes, judge, lacks, not_applicable},
        },
    };

    fn bundle(runtime: &str) -> serde_json::Value {
        json!({"Secret": {"RotationLambdaARN": "arn:aws:lambda:eu-west-1:123456789012:function:rotate"},
            "Function": {"Configuration": {"FunctionName": "rotate", "Runtime": runtime}}})
    }

    #[test]
    fn a_deprecated_runtime_is_a_warning_with_its_days() {
        let found = judge(&CHECK, bundle("python3.9")).expect("findings");
        assert_eq!((found[0].code(), found[0].severity), ("RUN05", Severity::Warning));
        assert!(found[0].summary.contains("2025-12-15") && found[0].summary.contains("2027-03-03"));
    }

    #[test]
    fn the_day_of_the_evidence_counts() {
        let mut before = bundle("python3.10");
        let severity =
            |bundle| judge(&CHECK, bundle).expect("findings").first().map(|f| f.severity);
        before["CapturedAt"] = json!("2026-10-30T23:00:00Z");
        assert_eq!(severity(before.clone()), Some(Severity::Note));
        before["CapturedAt"] = json!("2026-05-04T00:00:00Z");
        assert_eq!(severity(before.clone()), Some(Severity::Note));
        before["CapturedAt"] = json!("2026-05-03T00:00:00Z");
        assert_eq!(severity(before), None, "too far ahead to be worth a word");
        assert_eq!(severity(bundle("python3.10")), Some(Severity::Warning));
    }

    #[test]
    fn a_refused_update_stays_a_warning_since_the_function_runs_on() {
        let mut refused = bundle("python3.7");
        refused["StackEvents"] = json!([{"ResourceType": "AWS::Lambda::Function",
            "PhysicalResourceId": "rotate", "ResourceStatus": "UPDATE_FAILED",
            "ResourceStatusReason": "The runtime parameter of python3.7 is no longer supported for creating or updating AWS Lambda functions."}]);
        let found = judge(&CHECK, refused).expect("findings");
        assert_eq!((found[0].severity, found[0].basis), (Severity::Warning, Basis::Indication));
        assert_eq!(found[0].proofs.len(), 3);
    }

    #[test]
    fn supported_and_foreign_runtimes_are_left_alone() {
        assert!(codes(&judge(&CHECK, bundle("python3.12"))).is_empty());
        assert!(not_applicable(&judge(&CHECK, bundle("java17"))));
        assert!(codes(&judge(&CHECK, bundle("nodejs24.x"))).is_empty());
    }

    #[test]
    fn denied_stack_events_do_not_matter_but_a_denied_function_does() {
        let mut gap = bundle("python3.9");
        gap["Gaps"] = json!([{"Fact": "StackEvents", "Reason": "AccessDenied"}]);
        assert_eq!(codes(&judge(&CHECK, gap)), ["RUN05"]);
        let gap = json!({"Secret": {"RotationLambdaARN": "arn"},
            "Gaps": [{"Fact": "Function", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::Function));
    }
}
