//! CloudWatch Logs: the rotation function's log group and its events.

use serde::{Deserialize, Serialize};

use super::value::{items_of_no_vpc, single_values};

/// DescribeLogGroups (which spells its keys in camelCase).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct LogGroup {
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_group_name: Option<String>,
    /// Creation, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_time: Option<i64>,
    /// Days that events are kept; missing means for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_in_days: Option<i64>,
    /// Bytes stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored_bytes: Option<i64>,
}

/// One event (GetLogEvents), redacted.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct LogEvent {
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// Text.
    pub message: String,
    /// Stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_stream_name: Option<String>,
}

items_of_no_vpc!(LogEvent);
single_values!(LogGroup);
