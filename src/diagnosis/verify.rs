//! Tries a fix: applies its change to a copy of the evidence, runs the checks
//! again, and says whether the finding is gone and what still blocks.

use super::fit;
use crate::{
    catalogue::Severity,
    checks::{self, Basis, Case, Finding, Selection},
    evidence::Evidence,
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
/// cannot be tried and is not verified.
pub fn try_fixes(evidence: &Evidence, selection: &Selection, finding: &Finding) -> Vec<TriedFix> {
    finding
        .fixes
        .iter()
        .map(|fix| {
            let Some(change) = &fix.change else { return TriedFix::default() };
            let mut changed = evidence.clone();
            change.apply(&mut changed);
            let case = Case::new(&changed);
            let after = checks::run(&case, selection);
            let standing: Vec<&Finding> = after
                .iter()
                .filter_map(|result| match &result.outcome {
                    checks::Outcome::Findings(findings) => Some(findings),
                    _ => None,
                })
                .flatten()
                // What the log said before the fix says nothing about after it.
                .filter(|found| !found.basis.is_by_log())
                .collect();
            let verified = !standing
                .iter()
                .any(|found| found.code() == finding.code() && found.resource == finding.resource);
            let mut remaining: Vec<String> = standing
                .iter()
                .filter(|found| found.basis == Basis::State && found.severity == Severity::Error)
                .filter(|found| found.code() != finding.code() || !verified)
                .filter(|found| !fit::CONSEQUENCES.contains(&found.code()))
                .map(|found| found.code().to_owned())
                .collect();
            remaining.sort();
            remaining.dedup();
            TriedFix { verified, remaining }
        })
        .collect()
}
