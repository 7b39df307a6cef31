//! Oldest first or newest first: the order of a log's events, told by its first
//! invocation. A log that stands newest first is held and turned round.

use super::layout::{Kind, Record};
use crate::evidence::Time;

/// Events among which the first START is waited for.
const UNDECIDED: usize = 500;
/// Bytes of events, newest first, that are held to be turned round.
const HELD_BYTES: usize = 64 << 20;

/// One event, read.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) at: Option<Time>,
    pub(super) stream: Option<String>,
    pub(super) record: Record,
}

/// The order of the events, and those that are held until it is known or turned round.
#[derive(Debug)]
pub(super) enum EventOrder {
    /// No invocation was seen from its START to its END.
    Unknown(Vec<Event>),
    /// Oldest first.
    Forward,
    /// Newest first, with the bytes that are held.
    Backward(Vec<Event>, usize),
}

/// What to do with events.
pub(super) enum Taken {
    /// Nothing yet.
    Held,
    /// This one is next.
    One(Box<Event>),
    /// These are next, oldest first.
    All(Vec<Event>),
}

impl Default for EventOrder {
    fn default() -> Self {
        Self::Unknown(Vec::new())
    }
}

impl EventOrder {
    /// Takes the next event as it was read.
    pub(super) fn take(&mut self, event: Event) -> Taken {
        match self {
            Self::Forward => Taken::One(Box::new(event)),
            Self::Unknown(held) => {
                let starts = matches!(event.record.kind, Kind::Start { .. });
                let id = event.record.request_id.as_ref();
                let ended = starts
                    && id.is_some()
                    && held.iter().any(|before| {
                        matches!(before.record.kind, Kind::End(_) | Kind::Report(_))
                            && before.record.request_id.as_ref() == id
                    });
                held.push(event);
                if ended {
                    let held = std::mem::take(held);
                    let bytes = held.iter().map(|event| event.record.text.len()).sum();
                    *self = Self::Backward(held, bytes);
                } else if starts || held.len() > UNDECIDED {
                    let held = std::mem::take(held);
                    *self = Self::Forward;
                    return Taken::All(held);
                }
                Taken::Held
            }
            Self::Backward(held, bytes) => {
                *bytes += event.record.text.len();
                held.push(event);
                if *bytes <= HELD_BYTES {
                    return Taken::Held;
                }
                // The older part of a very long log comes later; its invocations are
                // put in order by their times.
                *bytes = 0;
                Taken::All(turned(std::mem::take(held)))
            }
        }
    }

    /// What is held at the end, oldest first.
    pub(super) fn into_events(self) -> Vec<Event> {
        match self {
            Self::Unknown(held) => held,
            Self::Forward => Vec::new(),
            Self::Backward(held, _) => turned(held),
        }
    }
}

fn turned(mut events: Vec<Event>) -> Vec<Event> {
    events.reverse();
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotation_log::layout;

    fn order(lines: &[&str]) -> Vec<String> {
        let mut order = EventOrder::default();
        let mut out = Vec::new();
        for line in lines {
            let event = Event { at: None, stream: None, record: layout::read(line) };
            match order.take(event) {
                Taken::Held => {}
                Taken::One(event) => out.push(*event),
                Taken::All(events) => out.extend(events),
            }
        }
        out.extend(order.into_events());
        out.into_iter().map(|event| event.record.text).collect()
    }

    const LINES: [&str; 5] =
        ["START RequestId: a", "work", "END RequestId: a", "START RequestId: b", "more"];

    #[test]
    fn an_end_before_its_start_turns_the_log_round() {
        assert_eq!(order(&LINES), LINES);
        let backward: Vec<&str> = LINES.iter().rev().copied().collect();
        // The newest invocation has no END yet.
        assert_eq!(order(&backward[2..]), LINES[..3]);
        assert_eq!(order(&["END RequestId: a", "START RequestId: b"]).len(), 2);
        assert_eq!(order(&["a", "b"]), ["a", "b"]);
    }

    #[test]
    fn an_order_that_is_never_told_is_left_as_it_is() {
        let many: Vec<String> = (0..2 * UNDECIDED).map(|number| format!("line {number}")).collect();
        assert_eq!(order(&many.iter().map(String::as_str).collect::<Vec<_>>()), many);
    }
}
