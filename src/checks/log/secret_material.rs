//! Does the function write secret values into its log?

use super::{
    matching::{Arns, findings, hold},
    names::{self, Names},
    scene::{Quote, Scene, source},
};
use crate::{
    catalogue::{Place, log_modes},
    checks::{Case, Check, Judgement, ProofKind},
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "log-secret-material",
    question: "Does the rotation function keep secret values out of its log?",
    codes: &["SEC28"],
    facts: &[Fact::LogEvents, names::FACTS[0], names::FACTS[1]],
    judge,
};

/// Lines to quote; more of them prove nothing more.
const QUOTED: usize = 3;

fn judge(case: &Case<'_>) -> Judgement {
    let look = case.log();
    let log = look.or_not_applicable("the rotation function has no log")?;
    let of_runs = log.invocations.iter().flat_map(|run| {
        run.lines.iter().map(|line| Quote { text: line.text.clone(), source: source(run, line.at) })
    });
    let strays = log.stray_lines.iter().map(|line| Quote {
        text: line.text.clone(),
        source: line.at.map_or("log".to_owned(), |at| format!("log, {}", at.second())),
    });
    let mut matches = Vec::new();
    for quote in of_runs.chain(strays) {
        let scene = Scene::of_texts(Place::Lines, ProofKind::Log, vec![quote]);
        matches.extend(log_modes().iter().find_map(|row| hold(row, &scene, Arns::default())));
    }
    let lines = matches.len();
    matches.truncate(QUOTED);
    let scene = Scene::of_texts(Place::Lines, ProofKind::Log, Vec::new());
    let mut found = findings(&matches, &scene, &Names::of(case));
    for finding in &mut found {
        finding.confirm.clear();
        if lines > QUOTED {
            finding.summary.push_str(&format!(" {lines} lines do."));
        }
    }
    Ok(found)
}
