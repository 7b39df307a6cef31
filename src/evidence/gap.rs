//! What could not be seen, and why.

use serde::{Deserialize, Serialize};

use super::Fact;

/// Why a fact could not be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Reason {
    /// The caller lacks the action.
    AccessDenied,
    /// The service kept refusing for load.
    Throttled,
    /// No answer within the time allowed, or the run's deadline passed.
    Timeout,
    /// The service, region or endpoint does not offer the operation.
    Unsupported,
    /// A limit of pages, bytes or time ended the reading; what was
    /// seen of it stands in the evidence.
    Truncated,
    /// A template or a plan leaves it open, or it lies outside of it.
    NotDeclared,
}

impl Reason {
    /// The reason as a person reads it.
    pub fn words(self) -> &'static str {
        match self {
            Self::AccessDenied => "access denied",
            Self::Throttled => "throttled",
            Self::Timeout => "timed out",
            Self::Unsupported => "not supported here",
            Self::Truncated => "read only in part",
            Self::NotDeclared => "not declared",
        }
    }
}

/// One fact that could not be seen (or not whole), for one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct Gap {
    /// The fact's name, see [`super::Fact`].
    pub fact: String,
    /// The IAM action that was refused or failed, such as `kms:GetKeyPolicy`.
    #[serde(default)]
    pub action: String,
    /// The ARN, id or name that was asked about; empty where it was a list.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// Why.
    pub reason: Reason,
    /// What the service said, without secrets.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

impl Gap {
    /// Whether it may be about this resource: it names it, or none.
    pub fn may_be_about(&self, resource: &str) -> bool {
        self.resource.is_empty() || self.resource == resource
    }

    /// Whether the thing cannot be there either: the operation does not exist, and the
    /// fact's row says that absence is then safe.
    pub fn means_absent(&self) -> bool {
        self.reason == Reason::Unsupported
            && Fact::named(&self.fact).is_some_and(|fact| fact.row().absence_is_safe)
    }

    /// Why, as a person reads it. What a file leaves open is named with the place that
    /// does: there is no action to be granted that would say more.
    pub fn words(&self) -> String {
        match self.reason {
            Reason::NotDeclared if !self.message.is_empty() => {
                format!("{}: {}", self.reason.words(), self.message)
            }
            reason => reason.words().to_owned(),
        }
    }
}
