//! The registry of checks and how one is run. A check judges one question
//! about one secret; it lives in `<area>/<name>.rs`. Reasoning that two checks
//! share lives elsewhere (`rotation_log/`, `catalogue/`), and so do words and
//! colours (`report/`).

mod case;
mod change;
mod change_network;
mod commands;
mod finding;
mod function_age;
mod history;
mod log_modes;
mod reading;
mod registry;
#[cfg(test)]
mod testing;
mod vended_template;

mod app;
mod cfn;
mod db;
mod iam;
mod kms;
mod log;
mod mgd;
mod net;
mod run;
mod sch;
mod sec;
mod tmo;

use std::{
    collections::BTreeSet,
    fmt,
    ops::Deref,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::LazyLock,
};

pub use self::{
    case::Case,
    change::Change,
    change_network::NetworkChange,
    finding::{Basis, BlockedPath, Finding, Fix, PolicyStatement, Proof, ProofKind},
    reading::Reading,
    registry::{AREAS, Selection, UnknownName, checks},
};
pub(crate) use self::{
    db::database_of,
    history::{caller, step_reached},
    vended_template::engine_of,
};
use crate::{evidence::Fact, rotation_log::Invocation};

/// Where an invocation is quoted from: `log, 2026-11-21 03:12:04 UTC, request 0c1e5a1e`.
pub(crate) fn log_source(run: &Invocation) -> String {
    log_modes::source(run, None)
}

/// A check: one question about one secret.
#[derive(Debug)]
pub struct Check {
    /// Kebab-case name, unique.
    pub name: &'static str,
    /// The question, as a person would ask it.
    pub question: &'static str,
    /// The codes that it may report: a list, or those that the log table names.
    pub codes: &'static dyn Codes,
    /// The facts it reads; a test holds this against what it really reads.
    pub facts: &'static [Fact],
    /// The judgement.
    pub judge: fn(&Case<'_>) -> Judgement,
}

impl Check {
    /// Whether it judges what a log or an event said, not the state of things.
    pub fn judges_text(&self) -> bool {
        log::CHECKS.iter().any(|check| std::ptr::eq(*check, self))
    }
}

/// The codes of a check.
pub trait Codes: fmt::Debug + Sync {
    /// The codes, each once.
    fn list(&self) -> &[&'static str];
}

impl<const N: usize> Codes for [&'static str; N] {
    fn list(&self) -> &[&'static str] {
        self
    }
}

impl Codes for LazyLock<Vec<&'static str>> {
    fn list(&self) -> &[&'static str] {
        self
    }
}

impl Deref for dyn Codes {
    type Target = [&'static str];

    fn deref(&self) -> &Self::Target {
        self.list()
    }
}

/// What a check says: findings (none means passed), or why it cannot say.
pub type Judgement = Result<Vec<Finding>, Stop>;

/// Why a check cannot say anything.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// A fact is missing that would settle the question.
    Inconclusive(Vec<Missing>),
    /// The question does not arise, and why.
    NotApplicable(String),
}

impl Stop {
    /// The question does not arise.
    pub fn not_applicable(why: impl Into<String>) -> Self {
        Self::NotApplicable(why.into())
    }
}

/// A fact that a check needed and did not get.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The fact.
    pub fact: Fact,
    /// The IAM action that would settle it.
    pub action: String,
    /// The resource, where one is known.
    pub resource: String,
    /// Why it is missing.
    pub reason: String,
}

/// What became of one check.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Looked at everything, found nothing.
    Passed,
    /// Something is wrong.
    Findings(Vec<Finding>),
    /// Could not be decided.
    Inconclusive(Vec<Missing>),
    /// The question does not arise.
    NotApplicable(String),
    /// The check itself failed: a bug of ours, never the end of the run.
    Crashed(String),
}

/// A check with its outcome.
#[derive(Clone, Debug)]
pub struct CheckResult {
    /// The check.
    pub check: &'static Check,
    /// What became of it.
    pub outcome: Outcome,
}

/// Runs every selected check on one case, in the order of the registry.
pub fn run(case: &Case<'_>, selection: &Selection) -> Vec<CheckResult> {
    checks()
        .filter(|check| selection.includes(check))
        .map(|check| CheckResult { check, outcome: run_one(check, case) })
        .collect()
}

/// Runs the selected checks that read a fact.
pub fn run_those_of(case: &Case<'_>, selection: &Selection, fact: Fact) -> Vec<CheckResult> {
    checks()
        .filter(|check| check.facts.contains(&fact) && selection.includes(check))
        .map(|check| CheckResult { check, outcome: run_one(check, case) })
        .collect()
}

fn run_one(check: &'static Check, case: &Case<'_>) -> Outcome {
    match catch_unwind(AssertUnwindSafe(|| (check.judge)(case))) {
        Ok(Ok(findings)) if findings.is_empty() => Outcome::Passed,
        Ok(Ok(findings)) => Outcome::Findings(findings),
        Ok(Err(Stop::Inconclusive(missing))) => Outcome::Inconclusive(missing),
        Ok(Err(Stop::NotApplicable(why))) => Outcome::NotApplicable(why),
        Err(panic) => Outcome::Crashed(
            panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("it panicked")
                .to_owned(),
        ),
    }
}

/// The facts that the selected checks declare: what is collected, and what
/// `rotdoctor permissions` asks for. The secret's shape is read only on request.
pub fn facts(selection: &Selection, read_secret: bool) -> BTreeSet<Fact> {
    checks()
        .filter(|check| selection.includes(check))
        .flat_map(|check| check.facts)
        .copied()
        .chain(ALWAYS)
        .filter(|fact| read_secret || *fact != Fact::SecretShape)
        .collect()
}

/// What the diagnosis itself reads: the target and the timeline.
const ALWAYS: [Fact; 5] =
    [Fact::Secret, Fact::SecretVersions, Fact::Function, Fact::LogEvents, Fact::TrailEvents];
