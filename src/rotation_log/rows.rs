//! Log events on their way into their order: the rows of a table or the elements of a
//! list, oldest or newest first.

use super::{Reader, layout, reader};
use crate::evidence::{LogEvent, Time};

/// Events that are held at once to be put in their order: as many as Logs Insights gives.
const EVENTS: usize = 10_000;
/// Bytes of their messages that are held at once.
const BYTES: usize = 32 << 20;

/// The names of the fields that are read, in all spellings.
pub(super) const MESSAGE: [&str; 2] = ["message", "@message"];
pub(super) const TIMESTAMP: [&str; 2] = ["timestamp", "@timestamp"];
pub(super) const STREAM: [&str; 4] = ["logStreamName", "@logStream", "logStream", "@logStreamName"];

/// Events in the order in which they were read.
#[derive(Default)]
pub(super) struct Rows {
    events: Vec<LogEvent>,
    bytes: usize,
}

impl Rows {
    /// Takes a row by the names of its fields; one without a message is none.
    pub(super) fn push_row<'a>(
        &mut self,
        reader: &mut Reader,
        field: impl Fn(&str) -> Option<&'a str>,
    ) {
        let first = |names: &[&str]| names.iter().find_map(|name| field(name));
        let Some(message) = first(&MESSAGE) else { return };
        let event = LogEvent {
            timestamp: first(&TIMESTAMP).and_then(time).map_or(0, Time::millis),
            message: reader::head(message).to_owned(),
            log_stream_name: first(&STREAM).map(str::to_owned),
        };
        self.push(event, reader);
    }

    /// Takes an event. Hands over what is held where that has become too much.
    pub(super) fn push(&mut self, event: LogEvent, reader: &mut Reader) {
        self.bytes += event.message.len();
        self.events.push(event);
        if self.events.len() >= EVENTS || self.bytes > BYTES {
            self.hand_over(reader);
        }
    }

    /// The events that are held.
    #[cfg(test)]
    pub(super) fn into_events(self) -> Vec<LogEvent> {
        self.events
    }

    /// Hands the events over, oldest first.
    pub(super) fn hand_over(&mut self, reader: &mut Reader) {
        if newest_first(&self.events) {
            self.events.reverse();
        }
        // One without a time keeps its place.
        if self.events.iter().all(|event| event.timestamp != 0) {
            self.events.sort_by_key(|event| event.timestamp);
        }
        self.bytes = 0;
        for event in self.events.drain(..) {
            reader.push_event(&event);
        }
    }
}

/// A time in milliseconds or in words.
pub(super) fn time(text: &str) -> Option<Time> {
    match text.parse::<i64>() {
        Ok(millis) => Time::from_millis(millis),
        Err(_) => layout::time(text.trim()),
    }
}

/// Whether the events stand newest first: by their times, else where an invocation's
/// END stands before its START.
fn newest_first(events: &[LogEvent]) -> bool {
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return false };
    if first.timestamp != last.timestamp {
        return first.timestamp > last.timestamp;
    }
    let place = |mark: &str| events.iter().position(|event| event.message.starts_with(mark));
    let id = |event: &LogEvent| event.message.split_whitespace().nth(2).map(str::to_owned);
    let Some(end) = place("END RequestId: ") else { return false };
    let Some(id) = id(&events[end]) else { return false };
    place(&format!("START RequestId: {id}")).is_some_and(|start| start > end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(timestamp: i64, message: &str) -> LogEvent {
        LogEvent { timestamp, message: message.to_owned(), log_stream_name: None }
    }

    #[test]
    fn the_order_is_told_by_times_or_by_an_end_before_its_start() {
        assert!(newest_first(&[event(2, "b"), event(1, "a")]));
        assert!(!newest_first(&[event(1, "a"), event(2, "b")]));
        assert!(!newest_first(&[event(0, "a"), event(0, "b")]));
        let (start, end) = (event(0, "START RequestId: x"), event(0, "END RequestId: x"));
        assert!(newest_first(&[end.clone(), start.clone()]));
        assert!(!newest_first(&[start, end]));
    }
}
