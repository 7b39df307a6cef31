//! The smallest set of fixes that makes rotation work, where several faults stand in a
//! row: each was tried on the evidence, and all of them together.

use super::verify::{blockers, checks_after, newly_undecided};
use crate::checks::{Case, Change, CheckResult, Finding, Fix, Selection};

/// Fixes that belong together, in the order in which they are to be applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The fixes, each with its finding.
    pub steps: Vec<(Finding, Fix)>,
    /// Codes of errors that stand after all of them, and have no fix to try.
    pub remaining: Vec<String>,
}

/// More faults in a row than this are not put into one plan.
const STEPS: usize = 8;

/// The plan for a first cause that is not all; `None` where one fix is enough or none
/// can be tried.
pub fn plan(
    case: &Case<'_>,
    results: &[CheckResult],
    selection: &Selection,
    first: &Finding,
) -> Option<Plan> {
    let mut steps: Vec<(Finding, Fix)> = Vec::new();
    let mut given_up: Vec<(&str, String)> = Vec::new();
    let mut next = Some(first.clone());
    // What the checks say with the steps so far.
    let mut after = Vec::new();
    while let Some(finding) = next.take() {
        match tried(case, results, selection, &steps, &finding) {
            Some((fix, then)) => {
                steps.push((finding, fix));
                after = then;
            }
            None if steps.is_empty() => return None,
            None => given_up.push((finding.code(), finding.resource.clone())),
        }
        if steps.len() == STEPS {
            break;
        }
        // A fix is worked out on what the ones before it leave: of one policy, each
        // holds what the last one added, so they are applied in this order.
        let mut standing: Vec<&Finding> = blockers(&after).collect();
        standing.sort_by_key(|finding| finding.entry.gate);
        let known = |one: &&&Finding| !given_up.contains(&(one.code(), one.resource.clone()));
        next = standing.iter().find(known).map(|finding| Finding::clone(finding));
    }
    // What a later fix made needless goes, the last found first.
    let stands = |after: &[CheckResult]| {
        let mut codes: Vec<String> = blockers(after).map(|one| one.code().to_owned()).collect();
        codes.sort();
        codes.dedup();
        codes
    };
    let remaining = stands(&after);
    for index in (1..steps.len()).rev() {
        let mut fewer = steps.clone();
        fewer.remove(index);
        if stands(&checks_after(case, &changes(&fewer), selection)) == remaining {
            steps = fewer;
        }
    }
    (steps.len() > 1).then_some(Plan { steps, remaining })
}

/// The first fix of a finding after which, with the steps so far, it is gone.
fn tried(
    case: &Case<'_>,
    results: &[CheckResult],
    selection: &Selection,
    steps: &[(Finding, Fix)],
    finding: &Finding,
) -> Option<(Fix, Vec<CheckResult>)> {
    finding.fixes.iter().filter(|fix| fix.change.is_some()).find_map(|fix| {
        let mut all = changes(steps);
        all.extend(fix.change.as_ref());
        let after = checks_after(case, &all, selection);
        let is_same =
            |other: &&Finding| other.code() == finding.code() && other.resource == finding.resource;
        let undecided = newly_undecided(results, &after, finding.code());
        (!undecided && !blockers(&after).any(|other| is_same(&other))).then(|| (fix.clone(), after))
    })
}

fn changes(steps: &[(Finding, Fix)]) -> Vec<&Change> {
    steps.iter().filter_map(|(_, fix)| fix.change.as_ref()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{checks, diagnosis::diagnose, evidence::Evidence};

    fn of(bundle: serde_json::Value) -> Option<(Vec<&'static str>, Vec<String>)> {
        let mut evidence: Evidence = serde_json::from_value(bundle).expect("a bundle");
        evidence.settle();
        let (case, selection) = (Case::new(&evidence), Selection::default());
        let results = checks::run(&case, &selection);
        let told = diagnose(&case, &results, &selection);
        let plan = plan(&case, &results, &selection, &told.causes.first()?.finding)?;
        Some((plan.steps.iter().map(|(finding, _)| finding.code()).collect(), plan.remaining))
    }

    fn world(key_state: &str, deleted: bool) -> serde_json::Value {
        let mut bundle = json!({"CapturedAt": "2026-11-21T00:00:00Z",
            "Secret": {"Name": "app", "RotationEnabled": true, "KmsKeyId": "k",
                "RotationRules": {"ScheduleExpression": "rate(30 days)"},
                "VersionIdsToStages": {"c": ["AWSCURRENT"]}},
            "Keys": {"k": {"KeyMetadata": {"KeyId": "k", "KeyState": key_state,
                "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "KeyManager": "CUSTOMER"}}}});
        if deleted {
            bundle["Secret"]["DeletedDate"] = json!("2026-11-20T00:00:00Z");
        }
        bundle
    }

    #[test]
    fn faults_in_a_row_are_fixed_in_the_order_of_their_gates() {
        let (codes, remaining) = of(world("Disabled", true)).expect("a plan");
        assert_eq!(codes, ["SEC19", "KMS01"]);
        assert_eq!(remaining, Vec::<String>::new());
    }

    #[test]
    fn one_fault_needs_no_plan() {
        assert_eq!(of(world("Disabled", false)), None);
        assert_eq!(of(world("Enabled", true)), None);
    }
}
