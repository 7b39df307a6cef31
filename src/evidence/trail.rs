//! CloudTrail: LookupEvents.

use serde_json::Value;

use super::value::items_of_no_vpc;
use super::{Secret, Time, shape::shapes};

shapes! {
    TrailEvent {
        event_id: Option<String>,
        /// Such as `RotationFailed`.
        event_name: Option<String>,
        event_time: Option<Time>,
        /// Such as `secretsmanager.amazonaws.com`.
        event_source: Option<String>,
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

/// Bytes of a ClientRequestToken and the hyphen before it.
const TOKEN_END: usize = 37;

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

    /// Whether it is about this secret, as far as it says: an event that names no
    /// secret (a database's, a role's) may be about any, and so may one where
    /// nothing of the secret is known. A name may be an ARN, a partial ARN
    /// (without the hyphen and the six characters at its end) or a plain name.
    pub fn may_concern(&self, secret: &Secret) -> bool {
        let named = self.secrets();
        named.is_empty()
            || (secret.arn.is_none() && secret.name.is_none())
            || named.iter().any(|id| is_named(secret, id))
    }

    /// What it calls the secrets that it names. The events of a rotation name
    /// theirs inside the event alone (`additionalEventData`, `requestID`).
    pub(crate) fn secrets(&self) -> Vec<String> {
        let detail = self.detail();
        let text = |pointer: &str| detail.as_ref()?.pointer(pointer)?.as_str().map(str::to_owned);
        let resources = self
            .resources
            .iter()
            .filter(|thing| thing.resource_type.as_deref() == Some("AWS::SecretsManager::Secret"))
            .filter_map(|thing| thing.resource_name.clone());
        let of_rotation = text("/requestID").and_then(|id| {
            let rest = id.strip_prefix("Rotation-")?;
            let (arn, token) = rest.split_at_checked(rest.len().checked_sub(TOKEN_END)?)?;
            (token.starts_with('-') && !arn.is_empty()).then(|| arn.to_owned())
        });
        resources
            .chain(text("/requestParameters/secretId"))
            .chain(text("/additionalEventData/SecretId"))
            .chain(of_rotation)
            .collect()
    }
}

/// Whether an id is this secret's ARN, partial ARN or name.
fn is_named(secret: &Secret, id: &str) -> bool {
    let arn = secret.arn.as_deref();
    let bare = arn.and_then(|arn| arn.get(..arn.len().checked_sub(7)?));
    let name = || bare?.split_once(":secret:").map(|(_, name)| name);
    arn == Some(id) || bare == Some(id) || secret.name.as_deref().or_else(name) == Some(id)
}

items_of_no_vpc!(TrailEvent);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Secret, TrailEvent};

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/app-AbCdEf";

    fn event(detail: serde_json::Value) -> TrailEvent {
        TrailEvent { cloud_trail_event: Some(detail.to_string()), ..TrailEvent::default() }
    }

    fn concerns(id: &str) -> bool {
        let secret = Secret { arn: Some(ARN.to_owned()), ..Secret::default() };
        let by = |pointer: &str| {
            let mut detail = json!({"additionalEventData": {}, "requestParameters": {}});
            *detail.pointer_mut(pointer).expect("an object") =
                json!({"SecretId": id, "secretId": id});
            event(detail).may_concern(&secret)
        };
        let by_data = by("/additionalEventData");
        assert_eq!(by_data, by("/requestParameters"), "{id}");
        let resource = json!({"Resources": [{"ResourceType": "AWS::SecretsManager::Secret",
                                             "ResourceName": id}]});
        let resource: TrailEvent = serde_json::from_value(resource).expect("an event");
        assert_eq!(by_data, resource.may_concern(&secret), "{id}");
        let token = "11111111-2222-4333-8444-555555555555";
        let rotation = event(json!({"requestID": format!("Rotation-{id}-{token}")}));
        assert_eq!(by_data, rotation.may_concern(&secret), "{id}");
        by_data
    }

    #[test]
    fn an_event_names_its_secret_by_arn_partial_arn_or_name() {
        assert!(concerns(ARN));
        assert!(concerns(ARN.strip_suffix("-AbCdEf").expect("a suffix")));
        assert!(concerns("prod/app"));
    }

    #[test]
    fn another_secret_of_a_similar_name_is_another() {
        for other in ["prod/ap", "prod/app-2", "prod"] {
            assert!(!concerns(other), "{other}");
            assert!(!concerns(&ARN.replace("prod/app", other)), "{other}");
        }
        // Deleted and created again: the same name, other characters at the end.
        assert!(!concerns(&ARN.replace("AbCdEf", "GhIjKl")));
        assert!(!concerns(ARN.strip_suffix("p-AbCdEf").expect("a suffix")));
    }

    #[test]
    fn an_event_without_a_secret_may_concern_any() {
        let secret = Secret { arn: Some(ARN.to_owned()), ..Secret::default() };
        let role = event(json!({"requestParameters": {"roleName": "rotation"}}));
        assert!(role.may_concern(&secret) && TrailEvent::default().may_concern(&secret));
        let named = event(json!({"requestParameters": {"secretId": "other"}}));
        assert!(named.may_concern(&Secret::default()) && !named.may_concern(&secret));
    }

    #[test]
    fn a_short_request_id_is_no_rotations() {
        for id in ["Rotation-", "Rotation-x", "", "5a9b1c84-22f6-4e0b-8a55-9f3f5f0f7c22"] {
            assert_eq!(event(json!({"requestID": id})).secrets(), Vec::<String>::new(), "{id}");
        }
    }
}
