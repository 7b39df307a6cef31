//! RUN09: the function runs out of memory.

use super::function::{name_of, resource_of};
use crate::{
    aws::commands::Argument,
    catalogue::Severity,
    checks::{
        Basis, Case, Check, Finding, Judgement, ProofKind,
        commands::{function_name, on_function, published, show_setting},
    },
    evidence::Fact,
    rotation_log::{Invocation, RunOutcome},
};

pub(super) static CHECK: Check = Check {
    name: "enough-memory",
    question: "Does the function get by with its memory?",
    codes: &["RUN09"],
    facts: &[Fact::LogEvents, Fact::Function, Fact::Secret],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let log_reading = case.log();
    let log = log_reading.or_not_applicable("the function has not logged anything")?;
    let function = case.function().if_known();
    let size = function.and_then(|function| function.configuration.memory_size);
    let killed = log.invocations.iter().rev().find(|run| {
        full(run) && run.failed() && has_this_size(run, size)
            || run.outcome == RunOutcome::Died && has_this_size(run, size)
    });
    let tight = || log.invocations.iter().rev().find(|run| full(run) && has_this_size(run, size));
    let Some(run) = killed.or_else(tight) else { return Ok(Vec::new()) };

    let name = function.map_or("FUNCTION", name_of);
    let id = run.request_id.as_deref().unwrap_or("of unknown id");
    let limit = run.memory_mb.map_or_else(|| "its memory".to_owned(), |mb| format!("{mb} MB"));
    let (summary, basis, severity) = if full(run) && run.failed() {
        (format!("{name} used all of {limit} and was ended."), Basis::Line, Severity::Error)
    } else if run.outcome == RunOutcome::Died {
        (
            format!(
                "The runtime of {name} died within {limit}: usually out of memory, otherwise a \
                 native library that does not fit the runtime."
            ),
            Basis::Candidate,
            Severity::Error,
        )
    } else {
        (
            format!("{name} used all of {limit} and still finished; a little more will end it."),
            Basis::Indication,
            Severity::Warning,
        )
    };
    let argument = || function.map_or_else(|| Argument::placeholder("FUNCTION"), function_name);
    let wanted = run.memory_mb.unwrap_or(128).max(128) * 2;
    let resource = function.map_or_else(|| name.to_owned(), resource_of);
    let mut finding = Finding::new("RUN09", resource, summary)
        .severity(if log.failing() { severity } else { Severity::Warning })
        .on(basis)
        .proof(ProofKind::Log, format!("log, request {id}"), proof(run));
    if let Some(size) = size {
        finding = finding.fact("GetFunction", format!("MemorySize is {size}"));
    }
    let finding = finding
        .fix(
            format!("Give the function {wanted} MB."),
            [on_function(argument(), "update-function-configuration")
                .option("--memory-size", wanted)],
        )
        .confirm(show_setting(case, argument(), "MemorySize"));
    Ok(vec![published(case, finding)])
}

/// Whether REPORT shows as much memory used as there was.
fn full(run: &Invocation) -> bool {
    matches!((run.memory_mb, run.max_memory_mb), (Some(size), Some(used)) if used >= size)
}

/// Whether the invocation ran with the memory that the function has now, as far
/// as that is known: one with less is history.
fn has_this_size(run: &Invocation, size: Option<i64>) -> bool {
    match (run.memory_mb, size) {
        (Some(then), Some(now)) => i64::try_from(then).is_ok_and(|then| then >= now),
        _ => true,
    }
}

fn proof(run: &Invocation) -> String {
    let died = run.lines.iter().rev().find(|line| line.text.contains("Runtime exited"));
    match (run.memory_mb, run.max_memory_mb, died) {
        (_, _, Some(line)) => line.text.clone(),
        (Some(size), Some(used), None) => {
            format!("Memory Size: {size} MB, Max Memory Used: {used} MB")
        }
        _ => "the runtime died".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::{
        checks::{
            Basis,
            testing::{codes, judge, judge_with_log, lacks},
        },
        rotation_log::{Invocation, RotationLog, RunOutcome},
    };

    fn log(memory: u64, used: u64, outcome: RunOutcome) -> RotationLog {
        let run = Invocation {
            memory_mb: Some(memory),
            max_memory_mb: Some(used),
            outcome,
            ..Invocation::default()
        };
        RotationLog { invocations: vec![run], ..RotationLog::default() }
    }

    fn bundle(size: u64) -> serde_json::Value {
        json!({"Function": {"Configuration": {"FunctionName": "rotate", "MemorySize": size}}})
    }

    #[test]
    fn full_memory_and_a_dead_runtime_are_found() {
        let found = judge_with_log(&CHECK, bundle(128), log(128, 128, RunOutcome::Died));
        assert_eq!(found.expect("findings")[0].basis, Basis::Line);
        let died = judge_with_log(&CHECK, bundle(128), log(128, 90, RunOutcome::Died));
        assert_eq!(died.expect("findings")[0].basis, Basis::Candidate);
        let tight = judge_with_log(&CHECK, bundle(128), log(128, 128, RunOutcome::Returned));
        assert_eq!(tight.expect("findings")[0].basis, Basis::Indication);
    }

    #[test]
    fn enough_memory_now_is_enough() {
        let fine = judge_with_log(&CHECK, bundle(128), log(128, 70, RunOutcome::Returned));
        assert!(codes(&fine).is_empty());
        let raised = judge_with_log(&CHECK, bundle(256), log(128, 128, RunOutcome::Died));
        assert!(codes(&raised).is_empty());
    }

    #[test]
    fn a_log_that_was_not_seen_is_inconclusive_and_a_denied_function_does_not_matter() {
        let gap = json!({"Gaps": [{"Fact": "LogEvents", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::LogEvents));
        let gap = json!({"Gaps": [{"Fact": "Function", "Reason": "AccessDenied"}]});
        let found = judge_with_log(&CHECK, gap, log(128, 128, RunOutcome::Died));
        assert_eq!(codes(&found), ["RUN09"]);
    }
}
