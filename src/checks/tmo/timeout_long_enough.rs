//! TMO01: the function's timeout is below what its template needs.

use crate::{
    catalogue::{Severity, function_limit},
    checks::{
        Basis, Case, Change, Check, Finding, Judgement, ProofKind, Stop,
        commands::{function_name, on_function, published, show_setting},
        run::function::{from_template, name_of, resource_of, rotation_function},
        vended_template::template,
    },
    evidence::{Fact, Function},
    rotation_log::{AttemptOutcome, Invocation, RotationLog},
};

pub(super) static CHECK: Check = Check {
    name: "timeout-long-enough",
    question: "Does the function's timeout leave its template the time that it needs?",
    codes: &["TMO01"],
    facts: &[Fact::Secret, Fact::Function, Fact::Stack, Fact::LogEvents],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    let Some(timeout) = function.configuration.timeout else {
        return Err(Stop::not_applicable("the configuration names no timeout"));
    };
    let log = case.log();
    let log = log.if_known();
    let cache = waits_for_a_cache(case, function);
    let (needed, wanted) = if cache {
        (function_limit("elasticache-timeout"), function_limit("elasticache-timeout"))
    } else {
        (function_limit("vended-timeout"), function_limit("roomy-timeout"))
    };
    if timeout >= needed {
        return Ok(Vec::new());
    }
    let name = name_of(function);
    let default = match timeout == function_limit("lambda-default-timeout") {
        true => ", Lambda's default",
        false => "",
    };
    let why = match cache {
        true => format!("the ElastiCache template waits for minutes and wants {needed} s"),
        false => format!("vended functions have {needed} s"),
    };
    let ran_out = log.and_then(|log| ran_out(log, timeout));
    let (basis, severity) = match ran_out {
        Some(_) => (Basis::State, Severity::Error),
        // Code of one's own that rotated within its time needs no more.
        None if !from_template(function, log) && log.is_some_and(has_sufficed) => {
            (Basis::Indication, Severity::Note)
        }
        None => (Basis::Indication, Severity::Warning),
    };
    let mut finding = Finding::new(
        "TMO01",
        resource_of(function),
        format!("{name} is ended after {timeout} s{default}; {why}."),
    )
    .severity(severity)
    .on(basis)
    .fact("GetFunction", format!("Timeout is {timeout}"));
    if let Some((run, seconds)) = ran_out {
        let id = run.request_id.as_deref().unwrap_or("of unknown id");
        finding = finding.proof(
            ProofKind::Log,
            format!("log, request {id}"),
            format!("Task timed out after {seconds:.2} seconds"),
        );
    }
    let finding = finding
        .fix(
            format!("Give the function {wanted} s."),
            [on_function(function_name(function), "update-function-configuration")
                .option("--timeout", wanted)],
        )
        .trying(Change::SetTimeout { seconds: wanted })
        .confirm(show_setting(case, function_name(function), "Timeout"));
    Ok(vec![published(case, finding)])
}

/// Whether the newest attempt came through.
fn has_sufficed(log: &RotationLog) -> bool {
    log.last_attempt().is_some_and(|attempt| attempt.outcome == AttemptOutcome::Succeeded)
}

/// The newest invocation that Lambda ended at about this timeout.
fn ran_out(log: &RotationLog, timeout: i64) -> Option<(&Invocation, f64)> {
    log.invocations.iter().rev().find_map(|run| {
        let seconds = run.timed_out_after?;
        ((seconds - timeout as f64).abs() < 1.0).then_some((run, seconds))
    })
}

/// Whether the function runs the ElastiCache template, which alone is bound to
/// a secret and a user by variables.
fn waits_for_a_cache(case: &Case<'_>, function: &Function) -> bool {
    let configuration = &function.configuration;
    let bound = configuration.variable("SECRET_ARN").is_some()
        && configuration.variable("USER_NAME").is_some();
    bound
        || template(case)
            .is_some_and(|template| template.name.to_lowercase().contains("elasticache"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::{
            Basis,
            testing::{codes, evidence, judge, judge_with_log, lacks},
        },
        rotation_log::{Invocation, RotationLog},
    };

    fn bundle(timeout: i64) -> serde_json::Value {
        json!({"Secret": {"RotationLambdaARN": "arn"},
            "Function": {"Configuration": {"FunctionName": "rotate", "Timeout": timeout}}})
    }

    fn timed_out(seconds: f64) -> RotationLog {
        let run = Invocation { timed_out_after: Some(seconds), ..Invocation::default() };
        RotationLog { invocations: vec![run], ..RotationLog::default() }
    }

    #[test]
    fn a_short_timeout_is_suspect_and_the_log_proves_it() {
        let found = judge(&CHECK, bundle(3)).expect("findings");
        assert_eq!((found[0].basis, found[0].severity), (Basis::Indication, Severity::Warning));
        assert!(found[0].summary.contains("default"));
        let proven = judge_with_log(&CHECK, bundle(3), timed_out(3.01)).expect("findings");
        assert_eq!((proven[0].basis, proven[0].severity), (Basis::State, Severity::Error));
        let before = judge_with_log(&CHECK, bundle(10), timed_out(3.01)).expect("findings");
        assert_eq!(before[0].basis, Basis::Indication);
    }

    #[test]
    fn a_short_timeout_that_has_sufficed_is_a_note_in_code_of_ones_own() {
        let mut log = crate::checks::testing::failed_log(
            "a-b-c-d-e",
            "2026-11-19T03:12:03Z",
            crate::evidence::RotationStep::FinishSecret,
        );
        assert_eq!(
            judge_with_log(&CHECK, bundle(10), log.clone()).expect("findings")[0].severity,
            Severity::Warning
        );
        log.attempts[0].outcome = crate::rotation_log::AttemptOutcome::Succeeded;
        let found = judge_with_log(&CHECK, bundle(10), log).expect("findings");
        assert_eq!(found[0].severity, Severity::Note);
    }

    #[test]
    fn the_timeout_of_vended_functions_is_fine_even_where_it_runs_out() {
        assert!(codes(&judge_with_log(&CHECK, bundle(30), timed_out(30.03))).is_empty());
    }

    #[test]
    fn the_cache_template_needs_more() {
        let mut cache = bundle(30);
        cache["Function"]["Configuration"]["Environment"] =
            json!({"Variables": {"SECRET_ARN": "arn", "USER_NAME": "app"}});
        let found = judge(&CHECK, cache.clone()).expect("findings");
        assert!(found[0].fixes[0].lines()[0].ends_with("--timeout 900"));
        cache["Function"]["Configuration"]["Timeout"] = json!(900);
        assert!(codes(&judge(&CHECK, cache)).is_empty());
    }

    #[test]
    fn the_fix_works() {
        let found = judge(&CHECK, bundle(3)).expect("findings");
        let mut fixed = evidence(bundle(3));
        found[0].fixes[0].change.as_ref().expect("change").apply(&mut fixed);
        let fixed = serde_json::to_value(&fixed).expect("bundle");
        assert!(codes(&judge(&CHECK, fixed)).is_empty());
    }

    #[test]
    fn a_denied_log_does_not_matter_and_a_denied_function_does() {
        let mut gap = bundle(3);
        gap["Gaps"] = json!([{"Fact": "LogEvents", "Reason": "AccessDenied"}]);
        assert_eq!(codes(&judge(&CHECK, gap)), ["TMO01"]);
        let gap = json!({"Gaps": [{"Fact": "Function", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::Function));
    }
}
