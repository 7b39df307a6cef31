//! The reports of an audit.

use serde::{Deserialize, Serialize};

use super::{Report, Tool};

/// The reports of an audit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditReport {
    /// `"1"`.
    pub schema_version: String,
    /// What wrote it.
    pub tool: Tool,
    /// Counts by verdict.
    pub summary: AuditSummary,
    /// One report a secret, worst first.
    pub reports: Vec<Report>,
    /// Secrets that could not be examined.
    pub not_examined: Vec<NotExamined>,
    /// What was left out or ignored, in words: waivers that cover nothing, and the like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Counts of an audit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditSummary {
    /// Secrets asked for.
    pub secrets: usize,
    /// Failing.
    pub failing: usize,
    /// Recovering: the last attempt failed, and what stopped it is fixed since.
    #[serde(default)]
    pub recovering: usize,
    /// At risk.
    pub at_risk: usize,
    /// Unknown.
    pub unknown: usize,
    /// Healthy.
    pub healthy: usize,
    /// Not examined.
    pub not_examined: usize,
}

/// A secret that could not be examined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NotExamined {
    /// As it was asked for.
    pub target: String,
    /// Why.
    pub reason: String,
}
