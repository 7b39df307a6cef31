//! One failure with its texts and its circumstances, which rows are matched against.

use std::collections::BTreeSet;

use crate::{
    catalogue::Place,
    checks::{Case, ProofKind},
    evidence::{Function, RotationStep, Time},
    rotation_log::{Attempt, Invocation, RotationLog, is_of_a_deployment, joined},
};

/// A text with the place it is quoted from.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::checks) struct QuotedText {
    /// The text.
    pub(in crate::checks) text: String,
    /// Where it comes from, for the reader.
    pub(in crate::checks) source: String,
}

/// A failure that rows are matched against.
#[derive(Clone, Debug)]
pub(in crate::checks) struct FailureRecord {
    pub(in crate::checks) place: Place,
    /// Cut out of where it stood: it may be from any place.
    pub(in crate::checks) excerpt: bool,
    pub(in crate::checks) kind: ProofKind,
    pub(in crate::checks) quotes: Vec<QuotedText>,
    /// Texts of the same attempt up to and with this failure.
    pub(in crate::checks) so_far: Vec<String>,
    pub(in crate::checks) step: Option<RotationStep>,
    pub(in crate::checks) seconds: Option<f64>,
    pub(in crate::checks) timed_out: bool,
    pub(in crate::checks) cold_start: bool,
    pub(in crate::checks) memory_full: bool,
    /// INFO lines are dropped before they reach the log.
    pub(in crate::checks) info_hidden: bool,
    pub(in crate::checks) templates: Vec<String>,
    /// Day of the newest template text: the function is at least that new.
    pub(in crate::checks) built: Option<Time>,
    pub(in crate::checks) token: Option<String>,
    /// Where the invocation as a whole is quoted from.
    pub(in crate::checks) source: String,
}

impl FailureRecord {
    /// A failure of which only texts are known.
    pub(in crate::checks) fn of_texts(
        place: Place,
        kind: ProofKind,
        quotes: Vec<QuotedText>,
    ) -> Self {
        let source = quotes.first().map(|quote| quote.source.clone()).unwrap_or_default();
        Self {
            place,
            excerpt: false,
            kind,
            so_far: quotes.iter().map(|quote| quote.text.clone()).collect(),
            quotes,
            step: None,
            seconds: None,
            timed_out: false,
            cold_start: false,
            memory_full: false,
            info_hidden: false,
            templates: Vec::new(),
            built: None,
            token: None,
            source,
        }
    }

    /// A failed invocation of an attempt.
    pub(in crate::checks) fn of_run(
        case: &Case<'_>,
        log: &RotationLog,
        attempt: &Attempt,
        index: usize,
    ) -> Self {
        let run = &log.invocations[index];
        // What a deployment was refused is not the function's refusal.
        let deployment = run.excerpt && is_of_a_deployment(&joined(&run.lines));
        let is_last_failed = attempt.runs.iter().rfind(|&&i| log.invocations[i].failed());
        let so_far = attempt
            .runs
            .iter()
            .filter(|&&other| other <= index)
            .flat_map(|&other| texts(&log.invocations[other]))
            .collect();
        Self {
            step: run.step.or_else(|| {
                attempt.failed_step.filter(|_| is_last_failed.is_some_and(|&i| i == index))
            }),
            seconds: run.seconds(),
            timed_out: run.timed_out_after.is_some(),
            cold_start: run.init_ms.is_some(),
            memory_full: run.memory_mb.is_some_and(|all| run.max_memory_mb >= Some(all)),
            info_hidden: case.function().if_known().is_some_and(hides_info_lines),
            templates: log.templates.clone(),
            built: log.template_texts.iter().map(|(_, day)| *day).max(),
            token: run.token.clone().or_else(|| attempt.token.clone()),
            source: source(run, None),
            excerpt: run.excerpt && !deployment,
            so_far,
            ..Self::of_texts(
                if deployment { Place::Deployment } else { Place::Failure },
                ProofKind::Log,
                quotes(run),
            )
        }
    }

    /// The same failure with its lines joined to one more text: where it was copied,
    /// they may be wrapped.
    pub(in crate::checks) fn wrapped(mut self, run: &Invocation) -> Self {
        self.quotes.push(QuotedText { text: joined(&run.lines), source: self.source.clone() });
        self
    }

    /// Whether the texts name this step as the one that failed.
    pub(in crate::checks) fn in_step(mut self, step: Option<RotationStep>) -> Self {
        self.step = step;
        self
    }
}

/// `log, 2026-11-21 03:12:04 UTC, request 0c1e5a1e`.
pub(in crate::checks) fn source(run: &Invocation, at: Option<Time>) -> String {
    let mut words = vec!["log".to_owned()];
    words.extend(at.or(run.started_at).map(Time::second));
    words.extend(run.request_id.as_deref().map(|id| {
        let short: String = id.chars().take(8).collect();
        format!("request {short}")
    }));
    words.join(", ")
}

/// The lines of an invocation, and its outcome in the words of the log.
fn quotes(run: &Invocation) -> Vec<QuotedText> {
    let mut seen = BTreeSet::new();
    let lines = run
        .lines
        .iter()
        .map(|line| QuotedText { text: line.text.clone(), source: source(run, line.at) });
    let outcome = outcome_texts(run)
        .map(|text| QuotedText { text, source: source(run, run.ended_at.or(run.started_at)) });
    let wrapped =
        run.excerpt.then(|| QuotedText { text: joined(&run.lines), source: source(run, None) });
    lines.chain(outcome).chain(wrapped).filter(|quote| seen.insert(quote.text.clone())).collect()
}

fn texts(run: &Invocation) -> impl Iterator<Item = String> {
    run.lines.iter().map(|line| line.text.clone()).chain(outcome_texts(run))
}

fn outcome_texts(run: &Invocation) -> impl Iterator<Item = String> {
    let error = run.error.as_ref().map(|error| format!("{}: {}", error.error_type, error.message));
    let timeout =
        run.timed_out_after.map(|seconds| format!("Task timed out after {seconds:.2} seconds"));
    error.into_iter().chain(timeout)
}

fn hides_info_lines(function: &Function) -> bool {
    function.configuration.logging_config.as_ref().is_some_and(|logging| {
        // The level only counts with the JSON format (Lambda's logging controls).
        logging.log_format.as_deref() == Some("JSON")
            && matches!(logging.application_log_level.as_deref(), Some("WARN" | "ERROR" | "FATAL"))
    })
}
