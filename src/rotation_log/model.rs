//! What a rotation log says, once read.

use crate::evidence::{RotationStep, Time, TrailEvent};

/// A rotation log, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RotationLog {
    /// Attempts at a rotation, oldest first.
    pub attempts: Vec<Attempt>,
    /// Invocations, oldest first. Those that name another secret are left out
    /// and counted in `other_secrets`.
    pub invocations: Vec<Invocation>,
    /// ARN of the secret that is rotated, where one is asked for or a line names
    /// just one.
    pub secret: Option<String>,
    /// Region of the secrets that the lines name.
    pub region: Option<String>,
    /// CloudTrail events that stood among the lines.
    pub trail_events: Vec<TrailEvent>,
    /// Older invocations that were read and not kept.
    pub dropped: u64,
    /// Invocations of the same function for other secrets.
    pub other_secrets: u64,
    /// Lines read.
    pub lines: u64,
    /// Lines that belong to no invocation.
    pub stray_lines: Vec<Line>,
    /// Days of the template texts seen: the function was built from that
    /// revision or later. Newest first: text, day.
    pub template_texts: Vec<(String, Time)>,
    /// The templates that print every template text seen; empty where none was
    /// seen or no single template prints them all.
    pub templates: Vec<String>,
}

/// One attempt at a rotation: the invocations with one token.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attempt {
    /// ClientRequestToken, where a line names it.
    pub token: Option<String>,
    /// ARN of the secret, where a line names it.
    pub secret: Option<String>,
    /// Start of its first invocation.
    pub started_at: Option<Time>,
    /// Its invocations, as indexes into [`RotationLog::invocations`].
    pub runs: Vec<usize>,
    /// The step that failed last.
    pub failed_step: Option<RotationStep>,
    /// What became of it.
    pub outcome: AttemptOutcome,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// finishSecret is done.
    Succeeded,
    /// A step failed and nothing followed.
    Failed,
    /// The log ends in the middle of it.
    #[default]
    Open,
}

/// One invocation of the function.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Invocation {
    /// Request id.
    pub request_id: Option<String>,
    /// Log stream it was read from.
    pub stream: Option<String>,
    /// START, else the first line's time.
    pub started_at: Option<Time>,
    /// REPORT or the last line's time.
    pub ended_at: Option<Time>,
    /// Milliseconds, from REPORT.
    pub duration_ms: Option<f64>,
    /// Memory configured, MB.
    pub memory_mb: Option<u64>,
    /// Memory used, MB.
    pub max_memory_mb: Option<u64>,
    /// Milliseconds of initialisation; present on a cold start.
    pub init_ms: Option<f64>,
    /// Version of the function that ran, from START.
    pub version: Option<String>,
    /// Seconds after which Lambda killed it.
    pub timed_out_after: Option<f64>,
    /// The step, where a line or the place among its neighbours tells.
    pub step: Option<RotationStep>,
    /// ClientRequestToken, where a line names it.
    pub token: Option<String>,
    /// ARN of the secret that it says it rotates.
    pub secret: Option<String>,
    /// Neither its START nor its END or REPORT is shown: somebody cut it out.
    pub excerpt: bool,
    /// Lambda itself says that it returned, and did not fail.
    pub surely_returned: bool,
    /// What became of it.
    pub outcome: RunOutcome,
    /// The exception that ended it.
    pub error: Option<RaisedError>,
    /// Its lines without START, END and REPORT; redacted.
    pub lines: Vec<Line>,
    /// Lines in its middle that were read and not kept.
    pub dropped_lines: u64,
    /// Known texts among them.
    pub hits: Vec<Hit>,
}

/// What became of an invocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunOutcome {
    /// It returned.
    Returned,
    /// It raised an exception or could not start.
    Failed,
    /// Lambda killed it for time.
    TimedOut,
    /// The runtime died (out of memory, signal).
    Died,
    /// The log does not show its end.
    #[default]
    Open,
}

/// An exception as the log shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaisedError {
    /// Such as `KeyError` or `Runtime.ImportModuleError`.
    pub error_type: String,
    /// Its message.
    pub message: String,
}

/// One line, redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Option<Time>,
    /// Level.
    pub level: Option<Level>,
    /// The message without time, level and request id.
    pub text: String,
}

/// Level of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// DEBUG or TRACE.
    Debug,
    /// INFO.
    Info,
    /// WARN or WARNING.
    Warning,
    /// ERROR or worse.
    Error,
}

/// A known text that a line matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Index into [`Invocation::lines`].
    pub line: usize,
    /// The row of the table of texts.
    pub text: &'static crate::catalogue::LogText,
}

impl Invocation {
    /// True where it did not end well.
    pub fn failed(&self) -> bool {
        matches!(self.outcome, RunOutcome::Failed | RunOutcome::TimedOut | RunOutcome::Died)
    }

    /// Seconds that it ran, as REPORT or the timeout line tell.
    pub fn seconds(&self) -> Option<f64> {
        self.duration_ms.map(|ms| ms / 1000.0).or(self.timed_out_after)
    }
}

impl RotationLog {
    /// The newest attempt.
    pub fn last_attempt(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// The invocations of an attempt, oldest first.
    pub fn runs<'a>(
        &'a self,
        attempt: &'a Attempt,
    ) -> impl DoubleEndedIterator<Item = &'a Invocation> {
        attempt.runs.iter().map(|&index| &self.invocations[index])
    }

    /// The newest invocation that failed, of the newest attempt that failed.
    pub fn last_failure(&self) -> Option<&Invocation> {
        let attempt = self.attempts.iter().rev().find(|a| a.outcome == AttemptOutcome::Failed)?;
        self.runs(attempt).rev().find(|run| run.failed())
    }

    /// Whether the newest attempt failed.
    pub fn failing(&self) -> bool {
        self.last_attempt().is_some_and(|attempt| attempt.outcome == AttemptOutcome::Failed)
    }
}
