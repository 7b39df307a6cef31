//! What people paste: one error without the log around it, in a sentence, an
//! answer of the CLI, a comment. Only where the input holds nothing that reads as
//! a log, and only where a text is one that a failure prints.

use std::sync::LazyLock;

use regex::Regex;

use super::{Hit, Invocation, Level, Line, RunOutcome, step_in_text};
use crate::catalogue::{Effect, LogMode, LogText, Origin, Pattern, Place, known_texts, log_modes};

/// What Lambda says, wherever it stands.
static TIMED_OUT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)task timed out after (\d+(?:\.\d+)?) seconds").expect("a constant pattern")
});

/// Whether a text is what a deployment printed: an event of CloudFormation, as CDK and
/// SAM show it too, or an error of Terraform. What it was refused is the deployer's
/// refusal, never the rotation function's.
pub(crate) fn is_of_a_deployment(text: &str) -> bool {
    static DEPLOYMENT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"_FAILED\s*\|?\s*(?:\|\s*)?AWS::\w+::\w+|\bEmbedded stack arn:|CreateChangeSet operation|in resource "aws_\w+"|\bError: (?:creating|updating|reading|error enabling)\b"#,
        )
        .expect("a constant pattern")
    });
    DEPLOYMENT.is_match(text)
}

/// The failure that lines outside of any invocation quote; none where they quote
/// none.
pub(super) fn quoted(lines: &[Line]) -> Option<Invocation> {
    if !tell_of_a_known_failure(lines) {
        return None;
    }
    let whole = joined(lines);
    let mut hits: Vec<Hit> = lines
        .iter()
        .enumerate()
        .flat_map(|(line, text)| {
            known_texts(&text.text).into_iter().map(move |text| Hit { line, text })
        })
        .collect();
    if !hits.iter().any(|hit| is_failure(hit.text)) {
        let wrapped = known_texts(&whole).into_iter().filter(|text| is_failure(text));
        hits.extend(wrapped.map(|text| Hit { line: 0, text }));
    }
    if is_of_a_deployment(&whole) {
        hits.retain(|hit| hit.text.origin == Origin::ControlPlane);
    }
    let timed_out_after = timed_out(lines)
        .or_else(|| TIMED_OUT.captures(&whole).and_then(|found| found[1].parse().ok()));
    let outcome = match timed_out_after {
        Some(_) => RunOutcome::TimedOut,
        None => RunOutcome::Failed,
    };
    Some(Invocation {
        timed_out_after,
        started_at: lines.iter().find_map(|line| line.at),
        step: step_in_text::step_of(&whole),
        excerpt: true,
        outcome,
        hits,
        lines: lines.to_vec(),
        ..Invocation::default()
    })
}

/// Seconds after which Lambda ended an invocation.
pub(super) fn timed_out(lines: &[Line]) -> Option<f64> {
    lines.iter().find_map(|line| TIMED_OUT.captures(&line.text)?[1].parse().ok())
}

/// Whether the lines hold a text that a rotation fails with.
pub(super) fn tell_of_a_known_failure(lines: &[Line]) -> bool {
    let whole = joined(lines);
    let texts: Vec<&str> =
        lines.iter().map(|line| line.text.as_str()).chain([whole.as_str()]).collect();
    if is_of_a_deployment(&whole) {
        let deploys = |row: &&LogMode| {
            let of_deployments = [Place::Stack, Place::Trail, Place::Deployment];
            row.places.iter().any(|place| of_deployments.contains(place))
        };
        return log_modes().iter().filter(deploys).any(|row| is_quoted(row, &texts));
    }
    log_modes().iter().any(|row| is_quoted(row, &texts))
        || known_texts(&whole).into_iter().any(is_failure)
}

/// Whether a text is printed by one failure only, and that has a code.
fn is_failure(text: &LogText) -> bool {
    text.effect == Effect::Failure && text.code.is_some()
}

/// Whether the lines from the first on that tells of an error hold a text that a
/// rotation fails with.
pub(super) fn complain_of_a_known_failure(lines: &[Line]) -> bool {
    static TRACE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?m)^\s+at \S+|^Caused by: |^Traceback|(?:^|\s)[\w.$]+(?:Exception|Error)\b: ")
            .expect("a constant pattern")
    });
    let is_error = |line: &&Line| line.level == Some(Level::Error) || TRACE.is_match(&line.text);
    let first = lines.iter().position(|line| is_error(&line));
    first.is_some_and(|first| tell_of_a_known_failure(&lines[first..]))
}

/// The lines as one: what is copied is often wrapped, and sometimes the string of a
/// JSON text.
pub(crate) fn joined(lines: &[Line]) -> String {
    let words = lines.iter().flat_map(|line| line.text.split_whitespace());
    words.collect::<Vec<_>>().join(" ").replace("\\\"", "\"").replace("\\n", " ")
}

fn is_quoted(row: &LogMode, texts: &[&str]) -> bool {
    let any = |pattern: &Pattern| texts.iter().any(|text| pattern.is_match(text));
    row.places.iter().any(|place| *place != Place::Lines)
        && !row.must.is_empty()
        && row.must.iter().all(any)
        && !row.must_not.iter().any(any)
}
