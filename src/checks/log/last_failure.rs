//! Does the newest failed attempt's log name its cause?

use super::{
    matching::{Arns, explain, findings},
    names::{self, Names},
    scene::Scene,
};
use crate::{
    checks::{Case, Check, Finding, Judgement, Stop},
    evidence::Fact,
    rotation_log::AttemptOutcome,
};

pub(super) static CHECK: Check = Check {
    name: "log-last-failure",
    question: "Does the log of the newest failed attempt name its cause?",
    codes: CODES,
    facts: &[Fact::LogEvents, names::FACTS[0], names::FACTS[1]],
    judge,
};

/// The codes of the rows that are held against failed invocations; a test
/// holds this list against the table.
static CODES: &[&str] = &[];

fn judge(case: &Case<'_>) -> Judgement {
    let look = case.log();
    let log = look.or_not_applicable("the rotation function has no log")?;
    let Some(newest) = log.last_attempt() else {
        return Err(Stop::not_applicable("the log shows no attempt at a rotation"));
    };
    if newest.outcome == AttemptOutcome::Succeeded {
        return Ok(Vec::new());
    }
    let names = Names::of(case);
    let arns = Arns::of(case);
    // What only shows that something failed before, and when.
    let mut consequence: Option<(Vec<Finding>, String)> = None;
    let since_success =
        log.attempts.iter().rev().take_while(|a| a.outcome != AttemptOutcome::Succeeded);
    for attempt in since_success.filter(|attempt| attempt.outcome == AttemptOutcome::Failed) {
        for &index in attempt.runs.iter().rev().filter(|&&i| log.invocations[i].failed()) {
            let scene = Scene::of_run(case, log, attempt, index);
            let matches = explain(&scene, arns);
            let found = findings(&matches, &scene, &names);
            if matches.is_empty() {
                // An error of the function's own is the cause, whatever failed
                // before it; behind a consequence the search goes on.
                if consequence.is_none() {
                    return Ok(Vec::new());
                }
            } else if matches.iter().all(|found| found.row.consequence) {
                consequence.get_or_insert((found, scene.source));
            } else {
                return Ok(match consequence {
                    Some((later, source)) => found
                        .into_iter()
                        .map(|finding| behind(finding, &later, &source))
                        .chain(later.clone())
                        .collect(),
                    None => found,
                });
            }
        }
    }
    Ok(consequence.map(|(found, _)| found).unwrap_or_default())
}

/// Says that the newest failure only follows from this one.
fn behind(mut finding: Finding, later: &[Finding], source: &str) -> Finding {
    let codes: Vec<&str> = later.iter().map(Finding::code).collect();
    finding.summary.push_str(&format!(
        " This is from an earlier failure; the newest one ({source}) only shows what follows from it ({}).",
        codes.join(", ")
    ));
    finding
}
