//! Secrets Manager: DescribeSecret, ListSecretVersionIds and the shape of a
//! secret (never its value).

use std::collections::BTreeMap;

use super::value::single_values;
use super::{Tag, Time, shape::shapes};

shapes! {
    /// DescribeSecret.
    Secret {
        /// The ARN, with the six random characters at its end.
        arn as "ARN": Option<String>,
        /// The friendly name.
        name: Option<String>,
        /// What its owner wrote about it.
        description: Option<String>,
        /// Key id, key ARN or alias; missing means `aws/secretsmanager`.
        kms_key_id: Option<String>,
        /// False after CancelRotateSecret.
        rotation_enabled: Option<bool>,
        /// The rotation function, with the qualifier if it was given one.
        rotation_lambda_arn as "RotationLambdaARN": Option<String>,
        rotation_rules: Option<RotationRules>,
        /// End of the last successful rotation.
        last_rotated_date: Option<Time>,
        /// Last change of any kind.
        last_changed_date: Option<Time>,
        /// Last day on which a value was read (day precision).
        last_accessed_date: Option<Time>,
        /// When deletion was asked for.
        deleted_date: Option<Time>,
        /// When the secret will next rotate; may be in the past.
        next_rotation_date: Option<Time>,
        created_date: Option<Time>,
        tags: Vec<Tag>,
        /// Version id to staging labels.
        version_ids_to_stages: BTreeMap<String, Vec<String>>,
        /// The service that manages the secret, such as `rds`.
        owning_service: Option<String>,
        /// The region that holds the primary, where the secret is replicated.
        primary_region: Option<String>,
        replication_status: Vec<ReplicationStatus>,
    }

    /// RotationRules of DescribeSecret.
    RotationRules {
        /// Days between rotations, where no expression is set.
        automatically_after_days: Option<i64>,
        /// Length of the window, such as `3h`.
        duration: Option<String>,
        /// `cron(…)` or `rate(…)`.
        schedule_expression: Option<String>,
    }

    /// One replica of a secret.
    ReplicationStatus {
        region: Option<String>,
        kms_key_id: Option<String>,
        /// `InSync`, `Failed`, `InProgress`.
        status: Option<String>,
        /// Why it is so.
        status_message: Option<String>,
    }

    /// ListSecretVersionIds, deprecated versions included.
    SecretVersions {
        versions: Vec<SecretVersion>,
    }

    /// One version of a secret.
    SecretVersion {
        /// Its id: the ClientRequestToken of the call that made it.
        version_id: Option<String>,
        /// Its labels; none where it is deprecated.
        version_stages: Vec<String>,
        created_date: Option<Time>,
        /// Last day on which it was read.
        last_accessed_date: Option<Time>,
        /// The keys that encrypt it; empty where no value was ever stored.
        kms_key_ids: Vec<String>,
    }

    /// What one stage of the secret holds, without any secret value: the names
    /// of the keys, and the few values that name a place.
    StageShape {
        /// Every key of the JSON object, sorted.
        keys: Vec<String>,
        /// False where the value is not a JSON object.
        is_json: Option<bool>,
        /// Values of the keys that name a place (engine, host, port, dbname,
        /// username, masterarn, dbInstanceIdentifier, dbClusterIdentifier, ssl).
        values: BTreeMap<String, serde_json::Value>,
    }
}

impl SecretVersions {
    /// When a version was made, where the list says it.
    pub fn created(&self, version: &str) -> Option<Time> {
        let mut versions = self.versions.iter();
        versions.find(|one| one.version_id.as_deref() == Some(version))?.created_date
    }
}

impl Secret {
    /// The version that carries a staging label.
    pub fn version_with(&self, stage: &str) -> Option<&str> {
        self.version_ids_to_stages
            .iter()
            .find(|(_, stages)| stages.iter().any(|label| label == stage))
            .map(|(version, _)| version.as_str())
    }

    /// The version that is pending while another is current: a rotation that
    /// did not finish (RotateSecret API reference).
    pub fn stuck_pending(&self) -> Option<&str> {
        let pending = self.version_with("AWSPENDING")?;
        (self.version_with("AWSCURRENT") != Some(pending)).then_some(pending)
    }

    /// The name to show and to put into commands: the friendly name, else the ARN.
    pub fn label(&self) -> &str {
        self.name.as_deref().or(self.arn.as_deref()).unwrap_or("the secret")
    }
}

impl StageShape {
    /// A value as text, whatever JSON type it was stored as.
    pub fn text(&self, key: &str) -> Option<String> {
        match self.values.get(key)? {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Null => None,
            other => Some(other.to_string()),
        }
    }
}

single_values!(Secret, SecretVersions);
