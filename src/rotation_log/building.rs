//! One invocation in the making: takes records, keeps a bounded number of lines, and
//! ends as an [`Invocation`]. Which record is whose is decided in `reader`.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashSet, VecDeque},
    sync::LazyLock,
};

use regex::Regex;

use super::{
    Hit, Invocation, Level, Line, RunOutcome, excerpt,
    layout::{Kind, Record, Report, Status},
    step_in_text::{EVENT_STEP, FRAME_STEP, PREFIX_STEP, named_step, step_of_call},
};
use crate::{
    aws::arn::Arn,
    catalogue::{Effect, LogText, Origin, known_texts},
    evidence::{RotationStep, Time},
};

/// Lines kept from the start of an invocation, and from its end.
const FIRST_LINES: usize = 100;
const LAST_LINES: usize = 60;
/// Bytes kept of one line: of its start, and of its end, where a traceback names
/// the exception.
const LINE_HEAD: usize = 1536;
const LINE_TAIL: usize = 512;
/// Bytes of lines that wait unread: of a long log most invocations are dropped
/// before anybody asks what their lines say.
const WAITING_BYTES: usize = 64 * 1024;
/// Different secrets that one invocation is remembered to name.
const SECRETS: usize = 16;

static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?i)\b(?:version(?:id)?|ClientRequestToken)\b['"]?:?\s*['"]?"#,
        r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b",
    ))
    .expect("a constant pattern")
});
static SECRET_ARN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@!-]+")
        .expect("a constant pattern")
});

/// An invocation in the making.
#[derive(Debug, Default)]
pub(super) struct Building {
    invocation: Invocation,
    /// Lines that were not looked at yet.
    waiting: Vec<(Option<Time>, Option<Level>, String)>,
    waiting_bytes: usize,
    /// The last lines, once the first are full; with what they match.
    last: VecDeque<(Line, Vec<&'static LogText>)>,
    /// Texts seen, so that a dropped line never takes its text along.
    texts: HashSet<&'static str>,
    pub(super) started: bool,
    pub(super) ended: bool,
    /// Another invocation followed in the same log stream.
    pub(super) superseded: bool,
    pub(super) init_seen: bool,
    status: Option<Status>,
    died: bool,
    frame_step: Option<RotationStep>,
    prefix_step: Option<RotationStep>,
    row_step: Option<RotationStep>,
    call_step: Option<RotationStep>,
    /// Secrets that it says it rotates, and others that it mentions.
    subjects: BTreeSet<String>,
    mentions: BTreeSet<String>,
}

impl Building {
    pub(super) fn new(request_id: Option<String>, stream: Option<String>) -> Self {
        Self {
            invocation: Invocation { request_id, stream, ..Invocation::default() },
            ..Self::default()
        }
    }

    pub(super) fn request_id(&self) -> Option<&str> {
        self.invocation.request_id.as_deref()
    }

    pub(super) fn stream(&self) -> Option<&String> {
        self.invocation.stream.as_ref()
    }

    pub(super) fn has_error(&self) -> bool {
        self.invocation.error.is_some()
    }

    /// Whether a START that follows may be its own: nothing but the sandbox's start
    /// was seen of it.
    pub(super) fn awaits_start(&self) -> bool {
        let init_error = self
            .invocation
            .error
            .as_ref()
            .is_none_or(|error| self.init_seen || error.error_type.starts_with("Runtime."));
        !self.started && !self.ended && self.invocation.request_id.is_none() && init_error
    }

    /// Takes the request id that its START names.
    pub(super) fn adopt(&mut self, request_id: Option<String>) {
        self.invocation.request_id = request_id;
    }

    /// Takes a record in. `at` is the time that the source gives the event.
    pub(super) fn take(
        &mut self,
        record: Record,
        at: Option<Time>,
        redact: fn(&str) -> Cow<'_, str>,
    ) {
        let at = at.or(record.at);
        let run = &mut self.invocation;
        if at.is_some() {
            if matches!(record.kind, Kind::Start { .. }) || run.started_at.is_none() {
                run.started_at = at;
            }
            run.ended_at = run.ended_at.max(at);
        }
        match record.kind {
            Kind::Start { version } => {
                self.started = true;
                run.version = version.or(run.version.take());
                return;
            }
            Kind::End(report) | Kind::Report(report) => {
                self.ended = true;
                self.report(report, redact);
                return;
            }
            Kind::TimedOut(seconds) => run.timed_out_after = Some(seconds),
            Kind::Exited => self.died = true,
            Kind::InitStart => self.init_seen = true,
            Kind::Raised(error) => {
                run.error = Some(super::RaisedError {
                    error_type: cut(&redact(&error.error_type)),
                    message: cut(&redact(&error.message)),
                });
            }
            Kind::Message => {}
        }
        self.line(at, record.level, &record.text, redact);
    }

    fn report(&mut self, report: Report, redact: fn(&str) -> Cow<'_, str>) {
        let run = &mut self.invocation;
        run.duration_ms = report.duration_ms.or(run.duration_ms);
        run.memory_mb = report.memory_mb.or(run.memory_mb);
        run.max_memory_mb = report.max_memory_mb.or(run.max_memory_mb);
        run.init_ms = report.init_ms.or(run.init_ms);
        self.status = report.status.or(self.status);
        match report.error_type {
            Some(error_type) if error_type.eq_ignore_ascii_case("Sandbox.Timedout") => {
                self.status = Some(Status::Timeout);
            }
            Some(error_type) if error_type == "Runtime.ExitError" => self.died = true,
            Some(error_type) if run.error.is_none() => {
                run.error = Some(super::RaisedError {
                    error_type: cut(&redact(&error_type)),
                    message: String::new(),
                });
            }
            _ => {}
        }
    }

    fn line(
        &mut self,
        at: Option<Time>,
        level: Option<Level>,
        text: &str,
        redact: fn(&str) -> Cow<'_, str>,
    ) {
        if text.trim().is_empty() {
            return;
        }
        self.waiting_bytes += text.len();
        self.waiting.push((at, level, text.to_owned()));
        if self.waiting_bytes > WAITING_BYTES {
            self.settle(redact);
        }
    }

    /// Looks at the lines that wait.
    pub(super) fn settle(&mut self, redact: fn(&str) -> Cow<'_, str>) {
        self.waiting_bytes = 0;
        for (at, level, text) in std::mem::take(&mut self.waiting) {
            self.read_line(at, level, &text, redact);
        }
    }

    fn read_line(
        &mut self,
        at: Option<Time>,
        level: Option<Level>,
        text: &str,
        redact: fn(&str) -> Cow<'_, str>,
    ) {
        let texts = known_texts(text);
        self.learn(text, &texts);
        let line = Line { at, level, text: cut(&redact(text)) };
        if self.invocation.lines.len() < FIRST_LINES {
            self.keep(line, &texts);
            return;
        }
        self.last.push_back((line, texts));
        if self.last.len() > LAST_LINES
            && let Some((line, texts)) = self.last.pop_front()
        {
            if texts.iter().any(|text| !self.texts.contains(text.text.as_str())) {
                self.keep(line, &texts);
            } else {
                self.invocation.dropped_lines += 1;
            }
        }
    }

    fn keep(&mut self, line: Line, texts: &[&'static LogText]) {
        let index = self.invocation.lines.len();
        self.invocation.lines.push(line);
        for text in texts {
            self.texts.insert(&text.text);
            self.invocation.hits.push(Hit { line: index, text });
        }
    }

    /// Step, token and secrets, from one line.
    fn learn(&mut self, text: &str, texts: &[&'static LogText]) {
        let named = |pattern: &Regex| named_step(pattern, text);
        self.frame_step = self
            .frame_step
            .or_else(|| text.contains("_secret").then(|| named(&FRAME_STEP)).flatten());
        self.prefix_step = self
            .prefix_step
            .or_else(|| text.contains("Step").then(|| named(&EVENT_STEP)).flatten())
            // One exception: it carries a step's name, and any step may raise it.
            .or_else(|| {
                if texts.iter().any(|text| text.earliest.is_some()) {
                    return None;
                }
                named(&PREFIX_STEP)
            });
        self.row_step = self.row_step.or_else(|| texts.iter().find_map(|text| text.step));
        if texts.iter().any(|text| text.effect == Effect::Failure) || text.contains("(Access") {
            self.call_step = self.call_step.or_else(|| step_of_call(text));
        }
        if self.invocation.token.is_none() {
            self.invocation.token = TOKEN.captures(text).map(|found| found[1].to_ascii_lowercase());
        }
        if !text.contains(":secretsmanager:") {
            return;
        }
        let lower = text.to_ascii_lowercase();
        let template = texts.iter().find(|text| text.origin == Origin::Template);
        let refusal = texts.iter().any(|text| text.effect == Effect::Failure);
        let subject = match template {
            Some(text) => !text.other_secret,
            None if refusal => {
                // Only setSecret reads another secret, the superuser's.
                step_of_call(text).is_some() || reads_its_own_secret(text)
            }
            None => !["master", "superuser", "admin"].iter().any(|word| lower.contains(word)),
        };
        for arn in SECRET_ARN.find_iter(text) {
            let arn = arn.as_str().trim_end_matches('.').to_owned();
            let secrets = if subject { &mut self.subjects } else { &mut self.mentions };
            if secrets.len() < SECRETS {
                secrets.insert(arn);
            }
        }
    }

    /// Whether it says that it rotates other secrets than this one.
    pub(super) fn is_of_another(&self, secret_arn: &str) -> bool {
        !self.subjects.is_empty() && !self.subjects.iter().any(|arn| is_secret(arn, secret_arn))
    }

    /// The secrets that it says it rotates.
    pub(super) fn subjects(&self) -> impl Iterator<Item = &String> {
        self.subjects.iter()
    }

    /// Whether all that it names are secrets that other invocations rotate.
    pub(super) fn mentions_only(&self, others: &BTreeSet<String>, secret_arn: &str) -> bool {
        self.subjects.is_empty()
            && !self.mentions.is_empty()
            && !self.mentions.iter().any(|arn| is_secret(arn, secret_arn))
            && self.mentions.iter().all(|arn| others.contains(arn))
    }

    /// The region of the secrets that it names.
    pub(super) fn region(&self) -> Option<&str> {
        self.subjects.iter().chain(&self.mentions).find_map(|arn| Arn::region_of(arn))
    }

    /// True where nothing says that the function ran at all.
    pub(super) fn is_stray(&self) -> bool {
        !self.started
            && self.invocation.request_id.is_none()
            && self.invocation.error.is_none()
            && self.invocation.timed_out_after.is_none()
            && !self.died
            && !self
                .invocation
                .hits
                .iter()
                .any(|hit| !matches!(hit.text.effect, Effect::Platform | Effect::Benign))
    }

    /// Its lines, where it turns out to be none.
    pub(super) fn into_lines(self) -> Vec<Line> {
        self.invocation.lines
    }

    /// The invocation.
    pub(super) fn finish(mut self) -> Invocation {
        for (line, texts) in std::mem::take(&mut self.last) {
            self.keep(line, &texts);
        }
        let mut run = self.invocation;
        run.step = self.frame_step.or(self.prefix_step).or(self.row_step).or(self.call_step);
        run.secret = match self.subjects.len() {
            1 => self.subjects.pop_first(),
            _ => None,
        };
        run.excerpt = !self.started && !self.ended;
        run.surely_returned = self.status == Some(Status::Success);
        let done = run.hits.iter().any(|hit| hit.text.effect == Effect::StepDone);
        if run.excerpt && run.timed_out_after.is_none() {
            run.timed_out_after = excerpt::timed_out(&run.lines);
        }
        if self.status == Some(Status::Timeout) && run.timed_out_after.is_none() {
            run.timed_out_after = run.duration_ms.map(|ms| ms / 1000.0);
        }
        run.outcome = if run.timed_out_after.is_some() || self.status == Some(Status::Timeout) {
            RunOutcome::TimedOut
        } else if self.died {
            RunOutcome::Died
        } else if self.status == Some(Status::Success) {
            run.error = None;
            RunOutcome::Returned
        } else if run.error.is_some()
            || self.status == Some(Status::Error)
            || (!self.started && ends_in_failure(&run))
        {
            RunOutcome::Failed
        } else if self.ended || self.superseded || done {
            RunOutcome::Returned
        } else {
            RunOutcome::Open
        };
        run
    }
}

/// Whether a traceback comes from a function of the template that reads no secret but
/// the one that rotates.
fn reads_its_own_secret(text: &str) -> bool {
    static FRAME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"/var/task/\S+, line \d+, in (\w+)").expect("a constant pattern")
    });
    let mut frames: Vec<&str> = Vec::new();
    for found in FRAME.captures_iter(text) {
        frames.extend(found.get(1).map(|name| name.as_str()));
    }
    let own = |name: &&str| matches!(*name, "create_secret" | "test_secret" | "finish_secret");
    // The handler itself describes the secret that rotates, and reads no value.
    frames.iter().any(own) || (frames == ["lambda_handler"] && !text.contains("GetSecretValue"))
}

/// Whether two ARNs are one secret's; the second may be a partial one, without the
/// hyphen and the six characters at its end.
fn is_secret(arn: &str, wanted: &str) -> bool {
    arn == wanted || arn.len().checked_sub(7).and_then(|end| arn.get(..end)) == Some(wanted)
}

/// Whether the last text that tells an end is one of a failure.
fn ends_in_failure(run: &Invocation) -> bool {
    let telling = |hit: &&Hit| matches!(hit.text.effect, Effect::StepDone | Effect::Failure);
    let last = run.hits.iter().filter(telling).max_by_key(|hit| hit.line);
    last.is_some_and(|hit| hit.text.effect == Effect::Failure)
}

/// The start and the end of a text that is too long.
fn cut(text: &str) -> String {
    if text.len() <= LINE_HEAD + LINE_TAIL {
        return text.to_owned();
    }
    let head = text.floor_char_boundary(LINE_HEAD);
    let tail = text.ceil_char_boundary(text.len() - LINE_TAIL);
    format!("{} … {}", &text[..head], &text[tail..])
}
