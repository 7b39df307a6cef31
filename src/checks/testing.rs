//! How the tests of checks judge: one check on one bundle, with the facts that
//! it reads held against those that it declares.

use super::{Case, Check, Judgement, Stop};
use crate::{evidence::Evidence, rotation_log::RotationLog};

/// Judges a bundle. `CapturedAt` is added where the bundle has none.
pub(crate) fn judge(check: &Check, bundle: serde_json::Value) -> Judgement {
    let evidence = evidence(bundle);
    judge_case(check, &Case::new(&evidence))
}

/// Judges a bundle beside a log that was read elsewhere.
pub(crate) fn judge_with_log(
    check: &Check,
    bundle: serde_json::Value,
    log: RotationLog,
) -> Judgement {
    let evidence = evidence(bundle);
    judge_case(check, &Case::with_log(&evidence, log))
}

/// Reads a bundle as the program does.
pub(crate) fn evidence(mut bundle: serde_json::Value) -> Evidence {
    if let Some(object) = bundle.as_object_mut() {
        object.entry("CapturedAt").or_insert_with(|| "2026-11-21T12:00:00Z".into());
    }
    let mut evidence: Evidence = serde_json::from_value(bundle).expect("a bundle");
    evidence.settle();
    evidence
}

/// The codes that a judgement reports.
///
/// # Panics
/// Where it is not one of findings.
pub(crate) fn codes(judgement: &Judgement) -> Vec<&'static str> {
    judgement.as_ref().expect("findings").iter().map(|finding| finding.code()).collect()
}

/// The facts that a judgement misses; empty where it misses none.
pub(crate) fn missing(judgement: &Judgement) -> Vec<&'static str> {
    match judgement {
        Err(Stop::Inconclusive(missing)) => missing.iter().map(|one| one.fact.name()).collect(),
        _ => Vec::new(),
    }
}

/// Whether the question did not arise.
pub(crate) fn not_applicable(judgement: &Judgement) -> bool {
    matches!(judgement, Err(Stop::NotApplicable(_)))
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
