//! Tries a fix: applies its change to a copy of the evidence, runs the checks
//! again, and says whether the finding is gone and what still blocks.

use crate::{
    catalogue::Severity,
    checks::{self, Basis, Case, Change, CheckResult, Finding, Selection},
};

/// What came of trying a fix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TriedFix {
    /// The finding was gone afterwards.
    pub verified: bool,
    /// Codes of errors that still stand.
    pub remaining: Vec<String>,
}

/// Tries every fix of a finding, in their order. A fix without a typed change
/// cannot be tried and is not verified. `results` are those of the case as it is.
pub fn try_fixes(
    case: &Case<'_>,
    results: &[CheckResult],
    selection: &Selection,
    finding: &Finding,
) -> Vec<TriedFix> {
    finding
        .fixes
        .iter()
        .map(|fix| {
            let Some(change) = &fix.change else { return TriedFix::default() };
            let after = checks_after(case, &[change], selection);
            // What the log said before the fix says nothing about after it.
            let all: Vec<&Finding> =
                findings(&after).filter(|found| !found.basis.is_by_log()).collect();
            let stands = all
                .iter()
                .any(|found| found.code() == finding.code() && found.resource == finding.resource);
            // Where a check has become inconclusive, nothing is proven.
            let verified = !stands && !newly_undecided(results, &after, finding.code());
            let standing = all.into_iter().filter(|found| found.basis == Basis::State);
            let mut remaining: Vec<String> = standing
                .filter(|found| found.severity == Severity::Error)
                .filter(|found| found.code() != finding.code() || !verified)
                .filter(|found| !found.entry.consequence)
                .map(|found| found.code().to_owned())
                .collect();
            remaining.sort();
            remaining.dedup();
            TriedFix { verified, remaining }
        })
        .collect()
}

/// What the checks say of the evidence with these changes, in their order.
pub(super) fn checks_after(
    case: &Case<'_>,
    changes: &[&Change],
    selection: &Selection,
) -> Vec<CheckResult> {
    let mut changed = case.evidence().clone();
    changes.iter().for_each(|change| change.apply(&mut changed));
    // No change touches the log: it is not read a second time.
    let tried = match case.log().if_known() {
        Some(log) => Case::with_log(&changed, log.clone()),
        None => Case::new(&changed),
    };
    checks::run(&tried, selection)
}

fn findings(results: &[CheckResult]) -> impl Iterator<Item = &Finding> {
    let found = results.iter().filter_map(|result| match &result.outcome {
        checks::Outcome::Findings(findings) => Some(findings),
        _ => None,
    });
    found.flatten()
}

/// What stops a rotation by the state of things.
pub(super) fn blockers(results: &[CheckResult]) -> impl Iterator<Item = &Finding> {
    findings(results).filter(|found| {
        found.severity == Severity::Error
            && matches!(found.basis, Basis::State | Basis::StateAndLine)
            && !found.entry.consequence
            && !found.entry.stops.is_empty()
    })
}

/// Whether a check on this code has become inconclusive.
pub(super) fn newly_undecided(before: &[CheckResult], after: &[CheckResult], code: &str) -> bool {
    let known: Vec<&str> = undecided(before, code).collect();
    undecided(after, code).any(|name| !known.contains(&name))
}

/// The inconclusive checks on a code.
fn undecided<'r>(results: &'r [CheckResult], code: &'r str) -> impl Iterator<Item = &'static str> {
    results
        .iter()
        .filter(move |result| result.check.codes.contains(&code))
        .filter(|result| matches!(result.outcome, checks::Outcome::Inconclusive(_)))
        .map(|result| result.check.name)
}
