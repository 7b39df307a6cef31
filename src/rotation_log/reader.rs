//! Records → invocations, streaming: which record belongs to which invocation, and
//! how many are kept. Attempts are made of them in `attempts`.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use super::{
    RotationLog, attempts,
    building::Building,
    columns,
    event_order::{Event, EventOrder, Taken},
    excerpt,
    layout::{self, Kind},
    prefix, template_age,
};
use crate::evidence::{LogEvent, Time, TrailEvent};

/// Invocations that are kept: the newest.
pub const INVOCATIONS_KEPT: usize = 400;
/// Lines outside of any invocation that are kept: the first.
const STRAY_LINES: usize = 100;
/// Bytes of one event that are read; what follows is dropped.
pub(super) const EVENT_BYTES: usize = 16 * 1024;
/// Other secrets that are remembered.
const SECRETS: usize = 1000;
/// CloudTrail events that are kept: the first.
const TRAIL_EVENTS: usize = 1000;

/// How to read a log.
#[derive(Clone, Debug)]
pub struct Options {
    /// ARN of the secret: invocations that name another are left out.
    pub secret_arn: Option<String>,
    /// Takes secrets out of a line before it is kept.
    pub redact: fn(&str) -> Cow<'_, str>,
    /// The log may be another function's: without a word of a rotation, what fails
    /// in it is no attempt at one.
    pub any_function: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { secret_arn: None, redact: |text| Cow::Borrowed(text), any_function: false }
    }
}

/// Reads a log, event by event or line by line, in constant memory.
#[derive(Debug)]
pub struct Reader {
    options: Options,
    /// Kept invocations, by the order of their first record.
    building: BTreeMap<u64, Building>,
    next: u64,
    by_request: HashMap<String, u64>,
    by_stream: HashMap<Option<String>, u64>,
    last: Option<u64>,
    /// Kept invocations that are of other secrets.
    others_kept: u64,
    dropped: u64,
    other_secrets: u64,
    lines: u64,
    trail_events: Vec<TrailEvent>,
    /// Whether the newest event comes first.
    order: EventOrder,
    /// The event that the last lines made, which may go on.
    pending: Option<Pending>,
    /// The columns of a line that had nothing else: those of the event that follows.
    columns: (Option<Time>, Option<String>),
    /// Times follow the messages (the CLI's text).
    times_follow: bool,
    /// The lines are rows of a table.
    table: bool,
}

#[derive(Debug)]
struct Pending {
    at: Option<Time>,
    stream: Option<String>,
    prefixed: bool,
    text: String,
}

impl Reader {
    /// A reader of one log.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            building: BTreeMap::new(),
            next: 0,
            by_request: HashMap::new(),
            by_stream: HashMap::new(),
            last: None,
            others_kept: 0,
            dropped: 0,
            other_secrets: 0,
            lines: 0,
            trail_events: Vec::new(),
            order: EventOrder::default(),
            pending: None,
            columns: (None, None),
            times_follow: false,
            table: false,
        }
    }

    /// Takes one line of a text log: as Lambda writes it, with the prefix of `aws logs
    /// tail` and the like, or between the columns of the CLI's text and tables.
    pub fn push_line(&mut self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        self.lines += 1;
        let line = layout::plain(head(line));
        if columns::is_border(&line) {
            self.table = true;
            return;
        }
        if let Some(at) = columns::lone_time(&line) {
            self.times_follow = true;
            return self.end_row(at);
        }
        let (line, after) = match self.times_follow || self.table {
            true => columns::columns_after(&line, self.table),
            false => (line.as_ref(), None),
        };
        self.push_row(line);
        if let Some(at) = after {
            self.end_row(at);
        }
    }

    /// Takes a line without the columns after it.
    fn push_row(&mut self, line: &str) {
        // Mail and Markdown quote so.
        let line = line.strip_prefix("> ").unwrap_or(line);
        let prefixed = prefix::strip(line);
        let rest = prefixed.as_ref().map_or(line, |prefixed| prefixed.rest);
        if rest.trim().is_empty() {
            if let Some(prefixed) = prefixed {
                self.columns = (prefixed.at, prefixed.stream.map(str::to_owned));
            }
            return;
        }
        if columns::is_beside_events(line) {
            return;
        }
        self.times_follow |= line.starts_with("EVENTS\t");
        let rest = if layout::begins_record(rest.trim_start()) { rest.trim_start() } else { rest };
        let begins = layout::begins_record(rest);
        if !begins
            && let Some(pending) = &mut self.pending
            && ((pending.prefixed && prefixed.is_none())
                || layout::continues_record(&pending.text, rest))
        {
            if pending.text.len() + rest.len() < EVENT_BYTES {
                pending.text.push('\n');
                pending.text.push_str(rest);
            }
            return;
        }
        self.flush();
        let (at, stream) = std::mem::take(&mut self.columns);
        let prefix = prefixed.as_ref();
        self.pending = Some(Pending {
            at: prefix.and_then(|prefix| prefix.at).or(at),
            stream: prefix.and_then(|prefix| prefix.stream).map(str::to_owned).or(stream),
            prefixed: prefixed.is_some(),
            text: head(rest).to_owned(),
        });
    }

    /// The row of the event that the last lines made ends, with its time.
    fn end_row(&mut self, at: Time) {
        if let Some(pending) = &mut self.pending {
            pending.at = Some(at);
        }
        self.flush();
    }

    /// Takes one event of a log group.
    pub fn push_event(&mut self, event: &LogEvent) {
        self.lines += 1;
        self.flush();
        let at = (event.timestamp != 0).then(|| Time::from_millis(event.timestamp)).flatten();
        if !holds_several(&event.message) {
            return self.event(at, event.log_stream_name.clone(), &event.message);
        }
        // Somebody put a whole log into one event.
        for line in head(&event.message).lines() {
            self.push_line(line);
            if let Some(pending) = &mut self.pending {
                pending.at = pending.at.or(at);
                pending.stream = pending.stream.take().or_else(|| event.log_stream_name.clone());
            }
        }
        self.flush();
    }

    /// Takes a CloudTrail event that stands among the lines.
    pub fn push_trail_event(&mut self, event: TrailEvent) {
        self.lines += 1;
        if self.trail_events.len() < TRAIL_EVENTS {
            self.trail_events.push(event);
        }
    }

    /// The log, read.
    pub fn finish(mut self) -> RotationLog {
        self.flush();
        let held = std::mem::take(&mut self.order).into_events();
        held.into_iter().for_each(|event| self.place(event));
        let mut log = RotationLog {
            lines: self.lines,
            dropped: self.dropped,
            secret: self.options.secret_arn.clone(),
            trail_events: std::mem::take(&mut self.trail_events),
            ..RotationLog::default()
        };
        for building in self.building.values_mut() {
            building.settle(self.options.redact);
        }
        let others: BTreeSet<String> = match &self.options.secret_arn {
            Some(arn) => self
                .building
                .values()
                .filter(|building| building.is_of_another(arn))
                .flat_map(|building| building.subjects().cloned())
                .take(SECRETS)
                .collect(),
            None => BTreeSet::new(),
        };
        for building in std::mem::take(&mut self.building).into_values() {
            if log.region.is_none() {
                log.region = building.region().map(str::to_owned);
            }
            if self.options.secret_arn.as_ref().is_some_and(|arn| {
                building.is_of_another(arn) || building.mentions_only(&others, arn)
            }) {
                self.other_secrets += 1;
            } else if building.is_stray() {
                let room = STRAY_LINES.saturating_sub(log.stray_lines.len());
                log.stray_lines.extend(building.into_lines().into_iter().take(room));
            } else {
                log.invocations.push(building.finish());
            }
        }
        log.other_secrets = self.other_secrets;
        if log.invocations.is_empty()
            && log.other_secrets == 0
            && let Some(run) = excerpt::quoted(&log.stray_lines)
        {
            log.invocations.push(run);
            log.stray_lines.clear();
        }
        attempts::order(&mut log.invocations);
        let sure = !self.options.any_function;
        log.attempts = attempts::group(&mut log.invocations, log.dropped > 0, sure);
        (log.template_texts, log.templates) = template_age::of(&log.invocations);
        log
    }

    fn flush(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.event(pending.at, pending.stream, &pending.text);
        }
    }

    fn event(&mut self, at: Option<Time>, stream: Option<String>, text: &str) {
        let record = layout::read(head(text));
        if record.text.is_empty() && record.kind == Kind::Message {
            return;
        }
        let event = Event { at, stream, record };
        match self.order.take(event) {
            Taken::Held => {}
            Taken::One(event) => self.place(*event),
            Taken::All(events) => events.into_iter().for_each(|event| self.place(event)),
        }
    }

    /// Puts an event to the invocation that it belongs to.
    fn place(&mut self, event: Event) {
        let Event { at, stream, record } = event;
        let seq = self.owner(&record.kind, record.request_id.as_ref(), stream.as_ref());
        let redact = self.options.redact;
        if let Some(building) = self.building.get_mut(&seq) {
            // Only a line with an ARN tells whose invocation it is.
            let arn = self.options.secret_arn.as_deref();
            let arn = arn.filter(|_| record.text.contains(":secretsmanager:"));
            let before = arn.is_some_and(|arn| building.is_of_another(arn));
            building.take(record, at, redact);
            if let Some(arn) = arn {
                building.settle(redact);
                match (before, building.is_of_another(arn)) {
                    (false, true) => self.others_kept += 1,
                    (true, false) => self.others_kept -= 1,
                    _ => {}
                }
            }
        }
        self.last = Some(seq);
        self.make_room(seq);
    }

    /// The invocation that a record belongs to; a new one where there is none.
    fn owner(&mut self, kind: &Kind, id: Option<&String>, stream: Option<&String>) -> u64 {
        let starts = matches!(kind, Kind::Start { .. });
        let current = self.current(stream);
        if let Some(id) = id {
            // A second START with the same id is Lambda's retry of the same event.
            let known = self.by_request.get(id).copied().filter(|seq| {
                !(starts && self.building.get(seq).is_some_and(|known| known.started))
            });
            let seq = known.unwrap_or_else(|| {
                let waiting = current.filter(|seq| self.building[seq].awaits_start());
                if let Some(seq) = waiting
                    && let Some(building) = self.building.get_mut(&seq)
                {
                    building.adopt(Some(id.clone()));
                    return seq;
                }
                self.open(Some(id.clone()), stream.cloned())
            });
            self.by_request.insert(id.clone(), seq);
            if known.is_none() || !self.building[&seq].ended {
                self.switch(stream, seq);
            }
            return seq;
        }
        let reuse = current.filter(|seq| {
            let building = &self.building[seq];
            match kind {
                Kind::Start { .. } | Kind::InitStart => {
                    building.awaits_start() && !building.init_seen
                }
                // Outside of START and END, a second exception is another invocation's,
                // whose START the log does not show.
                Kind::Raised(_) => {
                    !building.ended
                        && (building.started || !building.has_error() || building.awaits_start())
                }
                _ => true,
            }
        });
        reuse.unwrap_or_else(|| {
            let seq = self.open(None, stream.cloned());
            self.switch(stream, seq);
            seq
        })
    }

    /// The invocation that the stream is in, or was last. Of a line without a stream:
    /// the most recent one.
    fn current(&self, stream: Option<&String>) -> Option<u64> {
        let of_stream = self.by_stream.get(&stream.cloned()).copied();
        let seq = if stream.is_some() { of_stream } else { of_stream.or(self.last) };
        seq.filter(|seq| self.building.contains_key(seq))
    }

    fn switch(&mut self, stream: Option<&String>, seq: u64) {
        let before = self.by_stream.insert(stream.cloned(), seq);
        if stream.is_some()
            && let Some(before) = before.filter(|before| *before != seq)
            && let Some(building) = self.building.get_mut(&before)
        {
            building.superseded = true;
        }
    }

    fn open(&mut self, id: Option<String>, stream: Option<String>) -> u64 {
        let seq = self.next;
        self.next += 1;
        self.building.insert(seq, Building::new(id, stream));
        seq
    }

    /// Drops the oldest invocation where there are too many: of other secrets first.
    fn make_room(&mut self, newest: u64) {
        if self.building.len() <= INVOCATIONS_KEPT {
            return;
        }
        let arn = self.options.secret_arn.as_ref().filter(|_| self.others_kept > 0);
        let other = arn.and_then(|arn| {
            self.building
                .iter()
                .find(|(seq, building)| {
                    **seq != newest && building.ended && building.is_of_another(arn)
                })
                .map(|(seq, _)| *seq)
        });
        match other {
            Some(_) => {
                self.other_secrets += 1;
                self.others_kept -= 1;
            }
            None => self.dropped += 1,
        }
        let Some(seq) = other.or_else(|| self.building.keys().next().copied()) else { return };
        let Some(building) = self.building.remove(&seq) else { return };
        if other.is_none() && arn.is_some_and(|arn| building.is_of_another(arn)) {
            self.others_kept -= 1;
        }
        if let Some(id) = building.request_id()
            && self.by_request.get(id) == Some(&seq)
        {
            self.by_request.remove(id);
        }
        let stream = building.stream().cloned();
        if self.by_stream.get(&stream) == Some(&seq) {
            self.by_stream.remove(&stream);
        }
        if self.by_stream.len() > 2 * INVOCATIONS_KEPT {
            self.by_stream.retain(|_, seq| self.building.contains_key(seq));
        }
        if self.by_request.len() > 2 * INVOCATIONS_KEPT {
            self.by_request.retain(|_, seq| self.building.contains_key(seq));
        }
    }
}

impl RotationLog {
    /// Reads the events of a bundle. With `secret_arn`, invocations that name
    /// another secret are left out.
    pub fn from_events(events: &[LogEvent], secret_arn: Option<&str>) -> Self {
        let mut sorted: Vec<&LogEvent> = events.iter().collect();
        sorted.sort_by_key(|event| event.timestamp);
        let mut reader = Reader::new(Options {
            secret_arn: secret_arn.map(str::to_owned),
            ..Options::default()
        });
        for event in sorted {
            reader.push_event(event);
        }
        reader.finish()
    }
}

/// Whether a later line of the text begins an event of its own.
fn holds_several(text: &str) -> bool {
    let mut lines = text.lines().skip(1).map(str::trim_start);
    !text.trim_start().starts_with('{') && lines.any(layout::begins_event)
}

pub(super) fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(EVENT_BYTES)]
}
