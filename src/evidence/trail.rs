//! CloudTrail: LookupEvents.

use serde_json::Value;

use super::{Time, shape::shapes};

shapes! {
    /// One event.
    TrailEvent {
        /// Id.
        event_id: Option<String>,
        /// Such as `RotationFailed`.
        event_name: Option<String>,
        /// When.
        event_time: Option<Time>,
        /// Such as `secretsmanager.amazonaws.com`.
        event_source: Option<String>,
        /// Who.
        username: Option<String>,
        /// What it touched.
        resources: Vec<TrailResource>,
        /// The whole event, as a JSON string.
        cloud_trail_event: Option<String>,
    }

    /// A resource of an event.
    TrailResource {
        /// Such as `AWS::SecretsManager::Secret`.
        resource_type: Option<String>,
        /// Name or ARN.
        resource_name: Option<String>,
    }
}

impl TrailEvent {
    /// The whole event, parsed; `None` where it is missing or no JSON.
    pub fn detail(&self) -> Option<Value> {
        serde_json::from_str(self.cloud_trail_event.as_deref()?).ok()
    }

    /// `errorMessage` of the event.
    pub fn error_message(&self) -> Option<String> {
        Some(self.detail()?.get("errorMessage")?.as_str()?.to_owned())
    }

    /// The ClientRequestToken, which ends the `requestID` of a rotation's
    /// events: `Rotation-<secret ARN>-<token>` (CloudTrail page of the
    /// Secrets Manager guide).
    pub fn rotation_token(&self) -> Option<String> {
        let detail = self.detail()?;
        let id = detail.get("requestID")?.as_str()?;
        let start = id.len().checked_sub(36)?;
        let token = id.get(start..)?;
        (token.matches('-').count() == 4).then(|| token.to_owned())
    }
}
