//! CloudWatch Logs: the rotation function's newest lines, within a budget.

use aws_sdk_cloudwatchlogs::{
    operation::get_log_events::GetLogEventsOutput,
    types::{OrderBy, OutputLogEvent},
};

use super::{
    call::Caller,
    failure::{Failure, Kind},
    loose_json::{self, Page},
    scene::{PatchResult, Scene, Stream, extend, patch},
    session::Clients,
    step::steps,
};
use crate::{
    aws::limits,
    evidence::{Fact, LogEvent, LogGroup, Observed, Reason, Time},
    seal,
};

steps! {
    3 "logs:DescribeLogGroups" => LogGroup <- [Function]:
        |tasks| tasks.each(group_name(tasks.scene), group);
    3 "logs:DescribeLogStreams" => LogEvents <- [Function]: |tasks| {
        let since = tasks.scene.since;
        let task = |name| {
            tasks.one(name, async move |caller, clients, name: &str| {
                streams(caller, clients, name, since).await
            })
        };
        group_name(tasks.scene).into_iter().map(task).collect()
    };
    4 "logs:GetLogEvents" => LogEvents <- [LogEvents]: |tasks| {
        let Some(group) = group_name(tasks.scene) else { return Vec::new() };
        let since = tasks.scene.since;
        let task = |stream: &Stream| {
            let group = group.clone();
            tasks.one(stream.name.clone(), async move |caller, clients, stream: &str| {
                events(caller, clients, &group, stream, since).await
            })
        };
        tasks.scene.streams.iter().map(task).collect()
    };
}

const STREAMS: &str = "logs:DescribeLogStreams";
const EVENTS: &str = "logs:GetLogEvents";

/// The log group: as the function says, else as Lambda names it.
fn group_name(scene: &Scene) -> Option<String> {
    let configured = scene.evidence.function.known().and_then(|f| f.configuration.log_group());
    configured.or_else(|| Some(format!("/aws/lambda/{}", scene.function_name()?)))
}

async fn group(caller: &Caller, clients: &Clients, name: &str) -> PatchResult {
    let request = clients.logs.describe_log_groups().log_group_name_prefix(name);
    let answer = caller.call("logs:DescribeLogGroups", name, request.send()).await?;
    // A prefix: the exact name sorts first.
    let group = answer
        .log_groups
        .unwrap_or_default()
        .into_iter()
        .find(|group| group.log_group_name.as_deref() == Some(name))
        .map(|group| LogGroup {
            log_group_name: group.log_group_name,
            creation_time: group.creation_time,
            retention_in_days: group.retention_in_days.map(i64::from),
            stored_bytes: group.stored_bytes,
        });
    patch(move |scene| scene.evidence.log_group = group.into())
}

async fn streams(
    caller: &Caller,
    clients: &Clients,
    group: &str,
    since: Option<Time>,
) -> PatchResult {
    let limit = i32::try_from(limits::LOG_STREAMS + 1).unwrap_or(i32::MAX);
    let by = |order: OrderBy| {
        clients
            .logs
            .describe_log_streams()
            .log_group_name(group)
            .order_by(order)
            .descending(true)
            .limit(limit)
            .send()
    };
    let answer = match caller.call(STREAMS, group, by(OrderBy::LastEventTime)).await {
        // Some endpoints know no order by time; names begin with the date.
        Err(Failure::Refused { kind: Kind::Unsupported, .. }) => {
            caller.call(STREAMS, group, by(OrderBy::LogStreamName)).await
        }
        other => other,
    };
    let streams = match answer {
        Err(Failure::Unreadable(body)) => {
            loose_json::streams(&body).ok_or(Failure::Unreadable(body))?
        }
        answer => answer?
            .log_streams
            .unwrap_or_default()
            .into_iter()
            .filter_map(|stream| {
                let last_event = stream.last_event_timestamp.or(stream.last_ingestion_time);
                Some(Stream { name: stream.log_stream_name?, last_event })
            })
            .collect(),
    };
    let group = group.to_owned();
    patch(move |scene| {
        let (streams, left_out) = choose(streams, since);
        if left_out {
            let message = format!(
                "only the newest {most} log streams were read; older ones exist",
                most = limits::LOG_STREAMS
            );
            scene.gap(Fact::LogEvents, EVENTS, &group, Reason::Truncated, &message);
        }
        if streams.is_empty() {
            scene.evidence.log_events = Observed::Absent;
        }
        scene.streams = streams;
    })
}

/// The streams to read, and whether the budget left some out that matter.
fn choose(mut streams: Vec<Stream>, since: Option<Time>) -> (Vec<Stream>, bool) {
    if let Some(since) = since {
        // The time of the last event may lag by an hour (DescribeLogStreams API reference).
        let oldest = since.millis() - 3_600_000;
        streams.retain(|stream| stream.last_event.is_none_or(|last| last >= oldest));
    }
    let left_out = streams.len() > limits::LOG_STREAMS;
    streams.truncate(limits::LOG_STREAMS);
    (streams, left_out)
}

/// What may still be read of one stream.
#[derive(Debug)]
struct Budget {
    pages: usize,
    bytes: usize,
}

impl Budget {
    /// Takes a page's worth; false where the budget is used up.
    fn take(&mut self, bytes: usize) -> bool {
        self.pages = self.pages.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
        self.pages > 0 && self.bytes > 0
    }
}

/// The page of an answer.
fn page(answer: GetLogEventsOutput) -> Page {
    let events = answer.events.unwrap_or_default().into_iter();
    let event = |event: OutputLogEvent| {
        (event.timestamp.unwrap_or_default(), event.message.unwrap_or_default())
    };
    Page { events: events.map(event).collect(), next_backward_token: answer.next_backward_token }
}

/// Reads one stream from its end towards its beginning.
async fn events(
    caller: &Caller,
    clients: &Clients,
    group: &str,
    stream: &str,
    since: Option<Time>,
) -> PatchResult {
    let mut budget = Budget { pages: limits::LOG_STREAM_PAGES, bytes: limits::LOG_STREAM_BYTES };
    // Newest page first: within a page time runs forwards.
    let mut pages: Vec<Vec<LogEvent>> = Vec::new();
    let mut token: Option<String> = None;
    let mut cut = None;
    loop {
        let request = clients
            .logs
            .get_log_events()
            .log_group_name(group)
            .log_stream_name(stream)
            .start_from_head(false)
            .set_start_time(since.map(Time::millis))
            .set_next_token(token.clone());
        let page = match caller.call(EVENTS, stream, request.send()).await {
            Ok(answer) => page(answer),
            Err(Failure::Unreadable(body)) => {
                loose_json::page(&body).ok_or(Failure::Unreadable(body))?
            }
            Err(failure) if pages.is_empty() => return Err(failure),
            // What was read before stays.
            Err(failure) => {
                cut = Some((failure.reason(), failure.message().to_owned()));
                break;
            }
        };
        let mut bytes = 0;
        let sealed = page.events.into_iter().map(|(timestamp, message)| {
            bytes += message.len();
            LogEvent {
                timestamp,
                message: seal::log_line(&message).into_owned(),
                log_stream_name: Some(stream.to_owned()),
            }
        });
        pages.push(sealed.collect());
        // The same token again marks the end (GetLogEvents API reference).
        let next = page.next_backward_token;
        if next.is_none() || next == token {
            break;
        }
        token = next;
        if !budget.take(bytes) {
            cut = Some((
                Reason::Truncated,
                format!(
                    "only the end of the log stream was read ({} events)",
                    pages.iter().map(Vec::len).sum::<usize>()
                ),
            ));
            break;
        }
    }
    let stream = stream.to_owned();
    patch(move |scene| {
        let events = pages.into_iter().rev().flatten().collect();
        extend(&mut scene.evidence.log_events, events);
        if let Some((reason, message)) = cut {
            scene.gap(Fact::LogEvents, EVENTS, &stream, reason, &message);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Budget, Stream, choose};
    use crate::{aws::limits, evidence::Time};

    fn stream(last_event: i64) -> Stream {
        Stream { name: last_event.to_string(), last_event: Some(last_event) }
    }

    #[test]
    fn the_budget_ends_by_pages_and_by_bytes() {
        let mut budget = Budget { pages: 3, bytes: 100 };
        assert!(budget.take(10) && budget.take(10));
        assert!(!budget.take(10), "third page");
        assert!(!Budget { pages: 9, bytes: 100 }.take(100));
    }

    #[test]
    fn streams_are_chosen_by_time_and_number() {
        let hour = 3_600_000;
        let since = Time::from_millis(10 * hour).expect("time");
        let (kept, left_out) =
            choose(vec![stream(12 * hour), stream(9 * hour), stream(8 * hour)], Some(since));
        assert_eq!((kept.len(), left_out), (2, false), "an hour of lag is allowed for");
        let many: Vec<Stream> =
            (0..=limits::LOG_STREAMS).map(|index| stream(index as i64)).collect();
        let (kept, left_out) = choose(many, None);
        assert_eq!((kept.len(), left_out), (limits::LOG_STREAMS, true));
    }
}
