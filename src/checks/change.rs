//! The typed changes that fixes amount to, and how each alters the evidence.
//! A fix is tried by applying its change to a copy and running the checks again.

use super::NetworkChange;
use crate::{evidence::Evidence, policy::Replacement};

/// A change to the evidence that a fix amounts to.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The key becomes usable again.
    EnableKey {
        /// Its ARN or id, as the evidence names it.
        key: String,
    },
    /// The function gets a longer timeout.
    SetTimeout {
        /// Seconds.
        seconds: i64,
    },
    /// AWSPENDING is removed from a version.
    RemovePendingLabel,
    /// Reserved concurrency is lifted.
    RemoveReservedConcurrency,
    /// A rotation variable of the function is set.
    SetVariable {
        /// Name.
        name: String,
        /// Value.
        value: String,
    },
    /// The function's handler is set.
    SetHandler {
        /// Handler.
        handler: String,
    },
    /// The schedule is replaced.
    SetSchedule {
        /// Expression.
        expression: String,
        /// Window.
        duration: Option<String>,
    },
    /// The secret is taken back from deletion.
    RestoreSecret,
    /// Something on a path through the network changes.
    Network(Vec<NetworkChange>),
    /// Policy documents are put in the place of others.
    ReplacePolicies {
        /// Each with its document.
        policies: Vec<Replacement>,
    },
}

impl Change {
    /// Applies the change to a copy of the evidence.
    pub fn apply(&self, evidence: &mut Evidence) {
        match self {
            Self::EnableKey { key } => {
                for (arn, seen) in &mut evidence.keys {
                    let Some(metadata) = seen.key_metadata.known_mut() else { continue };
                    if arn == key
                        || metadata.key_id.as_deref() == Some(key)
                        || metadata.arn.as_deref() == Some(key)
                    {
                        metadata.key_state = Some("Enabled".to_owned());
                        metadata.enabled = Some(true);
                        metadata.deletion_date = None;
                    }
                }
            }
            Self::RemovePendingLabel => {
                let Some(secret) = evidence.secret.known_mut() else { return };
                for stages in secret.version_ids_to_stages.values_mut() {
                    stages.retain(|stage| stage != "AWSPENDING");
                }
                secret.version_ids_to_stages.retain(|_, stages| !stages.is_empty());
                if let Some(versions) = evidence.secret_versions.known_mut() {
                    for version in &mut versions.versions {
                        version.version_stages.retain(|stage| stage != "AWSPENDING");
                    }
                }
            }
            Self::RestoreSecret => {
                if let Some(secret) = evidence.secret.known_mut() {
                    secret.deleted_date = None;
                }
            }
            Self::Network(changes) => {
                for change in changes {
                    change.apply(evidence);
                }
            }
            Self::SetSchedule { expression, duration } => {
                if let Some(rules) =
                    evidence.secret.known_mut().and_then(|s| s.rotation_rules.as_mut())
                {
                    rules.schedule_expression = Some(expression.clone());
                    rules.automatically_after_days = None;
                    rules.duration.clone_from(duration);
                }
            }
            Self::ReplacePolicies { policies } => {
                policies.iter().for_each(|policy| policy.apply(evidence));
            }
            Self::SetTimeout { .. }
            | Self::RemoveReservedConcurrency
            | Self::SetVariable { .. }
            | Self::SetHandler { .. } => self.apply_to_function(evidence),
        }
    }

    fn apply_to_function(&self, evidence: &mut Evidence) {
        let Some(function) = evidence.function.known_mut() else { return };
        match self {
            Self::SetTimeout { seconds } => function.configuration.timeout = Some(*seconds),
            Self::RemoveReservedConcurrency => function.concurrency = None,
            Self::SetHandler { handler } => function.configuration.handler = Some(handler.clone()),
            Self::SetVariable { name, value } => {
                let environment = function.configuration.environment.get_or_insert_default();
                environment.variables.insert(name.clone(), value.clone());
            }
            _ => {}
        }
    }
}
