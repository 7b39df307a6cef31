//! KMS keys: what KMS fills in for a key that is created.

use serde_json::json;

use super::Place;
use crate::evidence::{Fact, KeyMetadata, PolicyDocument};

/// The facts about a key.
pub(crate) const FACTS: [Fact; 3] = [Fact::KeyMetadata, Fact::KeyPolicy, Fact::KeyGrants];

/// A customer managed key in a state such as `Enabled`.
pub(crate) fn metadata(
    arn: &str,
    state: Option<&str>,
    spec: Option<String>,
    usage: Option<String>,
) -> KeyMetadata {
    KeyMetadata {
        arn: Some(arn.to_owned()),
        key_id: arn.rsplit('/').next().map(str::to_owned),
        key_manager: Some("CUSTOMER".to_owned()),
        key_state: state.map(str::to_owned),
        enabled: state.map(|state| state == "Enabled"),
        key_spec: Some(spec.unwrap_or_else(|| "SYMMETRIC_DEFAULT".to_owned())),
        key_usage: Some(usage.unwrap_or_else(|| "ENCRYPT_DECRYPT".to_owned())),
        ..KeyMetadata::default()
    }
}

/// The state of a key that is switched on or off; on, where nothing is said.
pub(crate) fn state(enabled: Option<bool>) -> &'static str {
    if enabled.unwrap_or(true) { "Enabled" } else { "Disabled" }
}

/// The policy that KMS gives to a key without one of its own (KMS Developer Guide,
/// "Default key policy").
pub(crate) fn default_policy(place: &Place) -> PolicyDocument {
    PolicyDocument(json!({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [{
        "Sid": "Enable IAM User Permissions", "Effect": "Allow",
        "Principal": {"AWS": place.iam("root")}, "Action": "kms:*", "Resource": "*"}]}))
}
