//! Answers of CloudWatch Logs that the SDK refuses because times in them have
//! fractions of a millisecond, as some endpoints print them. The log is what a
//! diagnosis rests on, so these are read all the same.

use serde::Deserialize;

use super::scene::Stream;

/// One page of events.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Milliseconds since 1970, and the text.
    pub(super) events: Vec<(i64, String)>,
    /// Where older events go on.
    pub(super) next_backward_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Streams {
    #[serde(default)]
    log_streams: Vec<LooseStream>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LooseStream {
    log_stream_name: String,
    last_event_timestamp: Option<f64>,
    last_ingestion_time: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Events {
    #[serde(default)]
    events: Vec<LooseEvent>,
    next_backward_token: Option<String>,
}

#[derive(Deserialize)]
struct LooseEvent {
    timestamp: f64,
    #[serde(default)]
    message: String,
}

/// The streams of a DescribeLogStreams answer.
pub(super) fn streams(body: &str) -> Option<Vec<Stream>> {
    let answer: Streams = serde_json::from_str(body).ok()?;
    let stream = |stream: LooseStream| Stream {
        last_event: stream.last_event_timestamp.or(stream.last_ingestion_time).map(|at| at as i64),
        name: stream.log_stream_name,
    };
    Some(answer.log_streams.into_iter().map(stream).collect())
}

/// The page of a GetLogEvents answer.
pub(super) fn page(body: &str) -> Option<Page> {
    let answer: Events = serde_json::from_str(body).ok()?;
    Some(Page {
        events: answer
            .events
            .into_iter()
            .map(|event| (event.timestamp as i64, event.message))
            .collect(),
        next_backward_token: answer.next_backward_token,
    })
}

#[cfg(test)]
mod tests {
    use super::{page, streams};

    #[test]
    fn times_with_fractions_are_read() {
        let found = streams(
            r#"{"logStreams":[{"logStreamName":"s","creationTime":1,"lastEventTimestamp":1795314853730.525}]}"#,
        )
        .expect("streams");
        assert_eq!((found[0].name.as_str(), found[0].last_event), ("s", Some(1_795_314_853_730)));
        let read = page(r#"{"events":[{"timestamp":2.5,"message":"m"}],"nextBackwardToken":"t"}"#)
            .expect("page");
        assert_eq!(
            (read.events, read.next_backward_token.as_deref()),
            (vec![(2, "m".to_owned())], Some("t"))
        );
        assert!(page("<html>").is_none());
    }
}
