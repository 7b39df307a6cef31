//! An error that no code explains: what the log shows of it, and the codes whose texts
//! are most like it.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;

use super::{Cause, Timeline};
use crate::{
    catalogue::{self, LogMode, Place, entry, log_modes},
    checks::Case,
    evidence::RotationStep,
    rotation_log::{Invocation, Level, Line, RaisedError, RotationLog},
};

/// Codes that are named as near.
const NEAREST: usize = 3;
/// How alike two texts must be: the share of their words that both have.
const ALIKE: f64 = 0.3;
/// Words of a text that are compared.
const WORDS: usize = 60;

/// An error that nothing explains.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unexplained {
    /// The step that failed, where it is known.
    pub failed_step: Option<RotationStep>,
    /// The exception's type, where the log names one.
    pub error_type: Option<String>,
    /// The error's message, or the line that tells of it.
    pub message: String,
    /// The place in the function's code that raised it.
    pub frame: Option<String>,
    /// When it was seen.
    pub source: String,
    /// Codes whose texts are most like it, with what would decide for each.
    pub nearest: Vec<(&'static str, Vec<String>)>,
}

/// The error that ended the last attempt, or that stands in a text without any attempt;
/// none where a cause explains it or no error is to be seen.
pub(super) fn unexplained(
    case: &Case<'_>,
    timeline: &Timeline,
    causes: &[Cause],
) -> Option<Unexplained> {
    if !causes.is_empty() {
        return None;
    }
    let look = case.log();
    let log = look.if_known()?;
    let failed = timeline.failing.then(|| log.last_failure()).flatten();
    let mut found = match failed {
        Some(run) => of_run(run),
        None if log.attempts.is_empty() => of_text(log)?,
        None => return None,
    };
    found.failed_step = failed
        .and_then(|run| run.step)
        .or_else(|| timeline.last_failure().and_then(|attempt| attempt.failed_step));
    let text = match &found.error_type {
        Some(kind) => format!("{kind}: {}", found.message),
        None => found.message.clone(),
    };
    found.nearest = nearest(&text, found.failed_step);
    Some(found)
}

fn of_run(run: &Invocation) -> Unexplained {
    let (error_type, message) = match (&run.error, run.timed_out_after) {
        (Some(RaisedError { error_type, message }), _) => {
            (Some(error_type.clone()), message.clone())
        }
        (None, Some(seconds)) => (None, format!("Task timed out after {seconds:.2} seconds")),
        (None, None) => (None, error_line(&run.lines).map(first_line).unwrap_or_default()),
    };
    Unexplained {
        error_type,
        message,
        frame: run.lines.iter().rev().find_map(|line| frame(&line.text)),
        source: crate::checks::log_source(run),
        ..Unexplained::default()
    }
}

/// The error that lines outside of any rotation tell of.
fn of_text(log: &RotationLog) -> Option<Unexplained> {
    let of_runs = log.invocations.iter().rev().find(|run| run.failed() || run.error.is_some());
    if let Some(run) = of_runs {
        return Some(of_run(run));
    }
    let line = error_line(&log.stray_lines)?;
    let (error_type, message) = split(&first_line(line));
    Some(Unexplained {
        error_type,
        message,
        frame: log.stray_lines.iter().rev().find_map(|line| frame(&line.text)),
        source: "log".to_owned(),
        ..Unexplained::default()
    })
}

/// The last line that tells of an error.
fn error_line(lines: &[Line]) -> Option<&Line> {
    static ERROR: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)\w(?:error|exception)\b|\b(?:error|fatal|panic|denied|not authorized|unauthorized|refused|rejected|timed out|could not|cannot|can't|unable to|fail(?:ed|ure)?|invalid|missing|not (?:found|allowed|exist))\b",
        )
        .expect("a constant pattern")
    });
    let last = lines.iter().rev().find(|line| line.level == Some(Level::Error));
    last.or_else(|| lines.iter().rev().find(|line| ERROR.is_match(&line.text)))
}

fn first_line(line: &Line) -> String {
    line.text.lines().next().unwrap_or_default().trim().to_owned()
}

/// `Type: message`, where a text begins so.
fn split(text: &str) -> (Option<String>, String) {
    static TYPED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^((?:\w+\.)*[A-Z]\w*(?:Error|Exception|Failure|Fault)):\s*(.*)$")
            .expect("a constant pattern")
    });
    match TYPED.captures(text) {
        Some(found) => (Some(found[1].to_owned()), found[2].to_owned()),
        None => (None, text.to_owned()),
    }
}

/// The innermost frame of the function's own code in a traceback, with its source line;
/// else the innermost of all.
fn frame(text: &str) -> Option<String> {
    static PYTHON: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?m)File "([^"]+)",? [Ll]ine (\d+)(?:, in (\S+))?(?:\n\s+(\S.*))?"#)
            .expect("a constant pattern")
    });
    static OTHER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?m)^\s+at (\S.*)$").expect("a constant pattern"));
    let frames: Vec<_> = PYTHON.captures_iter(text).collect();
    let own = frames.iter().rev().find(|found| found[1].starts_with("/var/task/"));
    if let Some(found) = own.or(frames.last()) {
        let mut words = format!("{} line {}", &found[1], &found[2]);
        if let Some(name) = found.get(3) {
            words.push_str(&format!(", in {}", name.as_str()));
        }
        if let Some(source) = found.get(4) {
            words.push_str(&format!(": {}", source.as_str().trim()));
        }
        return Some(words);
    }
    // Node.js and Java put the innermost frame first.
    let own = OTHER.captures_iter(text).find(|found| found[1].contains("/var/task/"));
    own.or_else(|| OTHER.captures_iter(text).next()).map(|found| found[1].to_owned())
}

/// The codes whose texts share most words with this one.
fn nearest(text: &str, step: Option<RotationStep>) -> Vec<(&'static str, Vec<String>)> {
    let wanted = words(text);
    if wanted.len() < 2 {
        return Vec::new();
    }
    let mut scored: Vec<(f64, &'static LogMode)> = log_modes()
        .iter()
        .filter(|row| row.places.iter().any(|place| *place != Place::Lines))
        .filter(|row| {
            let can = |step: RotationStep| row.steps.iter().any(|name| name == step.name());
            row.steps.is_empty() || step.is_none_or(can)
        })
        .filter_map(|row| {
            let lines = row.examples.iter().flat_map(|example| &example.lines);
            let best = lines.map(|line| likeness(&wanted, &words(line))).fold(0.0, f64::max);
            (best >= ALIKE).then_some((best, row))
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut near: Vec<(&'static str, Vec<String>)> = Vec::new();
    for (_, row) in scored {
        let Some(page) = entry(&row.code) else { continue };
        if near.len() < NEAREST && !near.iter().any(|(code, _)| *code == page.code) {
            near.push((page.code, decides(page)));
        }
    }
    near
}

/// What would decide whether a code is the cause.
fn decides(page: &catalogue::Entry) -> Vec<String> {
    page.deciding_question().into_iter().collect()
}

/// The words of a text that carry its meaning: no names, numbers or ids.
fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| word.len() > 2 && !word.chars().any(|c| c.is_ascii_digit()))
        .take(WORDS)
        .map(str::to_lowercase)
        .collect()
}

fn likeness(a: &BTreeSet<String>, b: &BTreeSet<String>) -> f64 {
    let both = a.intersection(b).count() as f64;
    let all = a.union(b).count() as f64;
    if all == 0.0 { 0.0 } else { both / all }
}

#[cfg(test)]
mod tests {
    use super::{frame, nearest, split};

    #[test]
    fn the_frame_is_the_functions_own() {
        let python = "ValueError: x\nTraceback (most recent call last):\n  File \"/var/task/lambda_function.py\", line 76, in lambda_handler\n    create_secret(client, arn, token)\n  File \"/var/task/lambda_function.py\", line 115, in create_secret\n    service.describe(UserId=user)\n  File \"/var/runtime/botocore/client.py\", line 606, in _api_call\n    return self._make_api_call(operation_name, kwargs)";
        assert_eq!(
            frame(python).as_deref(),
            Some(
                "/var/task/lambda_function.py line 115, in create_secret: service.describe(UserId=user)"
            )
        );
        let node = "Error: x\n    at inner (/var/runtime/a.mjs:1:2)\n    at step (/var/task/index.mjs:10:3)\n    at Runtime.handler (/var/task/index.mjs:3:1)";
        assert_eq!(frame(node).as_deref(), Some("step (/var/task/index.mjs:10:3)"));
        assert_eq!(frame("nothing raised"), None);
    }

    #[test]
    fn a_text_like_those_of_a_code_names_it() {
        let near = nearest("FATAL: password authentication was refused for user app", None);
        assert!(near.iter().any(|(code, _)| *code == "SEC09"), "{near:?}");
        assert!(nearest("ZeroDivisionError: division by zero", None).is_empty());
        let (kind, message) = split("botocore.exceptions.ClientError: no luck");
        assert_eq!(
            (kind.as_deref(), message.as_str()),
            (Some("botocore.exceptions.ClientError"), "no luck")
        );
    }
}
