//! How a diagnosis answers: the verdict about a secret, and how certain a cause is.

use serde::{Deserialize, Serialize};

/// The answer about one secret in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The last attempt failed, or AWSPENDING is stuck on a version.
    Failing,
    /// The last attempt failed, and what stopped it is fixed since.
    Recovering,
    /// Not failing, but an error or a warning stands.
    AtRisk,
    /// What was seen does not decide it.
    Unknown,
    /// Neither failing nor at risk.
    Healthy,
}

/// How sure a cause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// The facts prove it and it fits the symptom.
    Confirmed,
    /// The symptom usually has this cause.
    Likely,
    /// It fits the symptom, and other causes do too.
    Possible,
}
