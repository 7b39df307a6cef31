//! What the tests of checks share: a bundle in, a judgement out.

use serde_json::{Value, json};

use super::{Case, Check, Finding, Judgement, Stop};
use crate::{
    evidence::{Evidence, Fact},
    rotation_log::{Attempt, AttemptOutcome, Invocation, RotationLog, RunOutcome, Step},
};

/// What a check says about a bundle. Fails the test where the check reads a
/// fact that it does not declare.
pub(crate) fn judge(check: &Check, bundle: Value) -> Judgement {
    let evidence = evidence(bundle);
    judge_case(check, &Case::new(&evidence))
}

/// The same with a log that was read already.
pub(crate) fn judge_with_log(check: &Check, bundle: Value, log: RotationLog) -> Judgement {
    let evidence = evidence(bundle);
    judge_case(check, &Case::with_log(&evidence, log))
}

fn judge_case(check: &Check, case: &Case<'_>) -> Judgement {
    let judgement = (check.judge)(case);
    for fact in case.reads() {
        assert!(check.facts.contains(&fact), "{} reads {fact:?} undeclared", check.name);
    }
    for finding in judgement.iter().flatten() {
        assert!(check.codes.contains(&finding.code()), "{} reports {}", check.name, finding.code());
        assert!(!finding.proofs.is_empty(), "{} proves nothing", finding.code());
    }
    judgement
}

/// A bundle as evidence, captured on 2026-11-21 unless it says otherwise.
pub(crate) fn evidence(mut bundle: Value) -> Evidence {
    if bundle.get("CapturedAt").is_none() {
        bundle["CapturedAt"] = json!("2026-11-21T12:00:00Z");
    }
    let mut evidence: Evidence = serde_json::from_value(bundle).expect("a bundle");
    evidence.settle();
    evidence
}

/// The codes of the findings; fails the test where the check could not say.
pub(crate) fn codes(judgement: &Judgement) -> Vec<&'static str> {
    judgement.as_ref().expect("findings").iter().map(Finding::code).collect()
}

/// Whether the check says that this fact would settle the question.
pub(crate) fn lacks(judgement: &Judgement, fact: Fact) -> bool {
    matches!(judgement, Err(Stop::Inconclusive(missing)) if missing.iter().any(|m| m.fact == fact))
}

/// Whether the check says that the question does not arise.
pub(crate) fn not_applicable(judgement: &Judgement) -> bool {
    matches!(judgement, Err(Stop::NotApplicable(_)))
}

/// A gap for a fact that was refused.
pub(crate) fn denied(fact: Fact) -> Value {
    json!([{ "Fact": fact.name(), "Action": fact.actions()[0], "Reason": "AccessDenied" }])
}

/// A log of one attempt that failed in a step.
pub(crate) fn failed_log(token: &str, started_at: &str, step: Step) -> RotationLog {
    let started_at = crate::evidence::Time::parse(started_at);
    RotationLog {
        attempts: vec![Attempt {
            token: Some(token.to_owned()),
            started_at,
            runs: vec![0],
            failed_step: Some(step),
            outcome: AttemptOutcome::Failed,
        }],
        invocations: vec![Invocation {
            token: Some(token.to_owned()),
            started_at,
            step: Some(step),
            outcome: RunOutcome::Failed,
            ..Invocation::default()
        }],
        ..RotationLog::default()
    }
}
