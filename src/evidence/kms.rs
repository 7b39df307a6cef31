//! KMS: the keys that rotation depends on.

use serde::{Deserialize, Serialize};

use super::value::{items_of_no_vpc, single_values};
use super::{Observed, PolicyDocument, Time, shape::shapes};

shapes! {
    /// KeyMetadata of DescribeKey.
    KeyMetadata {
        arn: Option<String>,
        key_id: Option<String>,
        /// `Enabled`, `Disabled`, `PendingDeletion`, `PendingImport`, `Unavailable`, …
        key_state: Option<String>,
        /// `SYMMETRIC_DEFAULT` or an asymmetric kind.
        key_spec: Option<String>,
        /// `ENCRYPT_DECRYPT`, …
        key_usage: Option<String>,
        /// `CUSTOMER` or `AWS`.
        key_manager: Option<String>,
        /// When it will be deleted.
        deletion_date: Option<Time>,
        /// Whether it is usable.
        enabled: Option<bool>,
    }

    /// A grant (ListGrants).
    Grant {
        grant_id: Option<String>,
        /// Who may use it.
        grantee_principal: Option<String>,
        /// Who may retire it.
        retiring_principal: Option<String>,
        /// What it allows, such as `Decrypt`.
        operations: Vec<String>,
        /// On which encryption context.
        constraints: Option<GrantConstraints>,
    }

    /// Constraints of a grant.
    GrantConstraints {
        /// The context must contain these pairs.
        encryption_context_subset: Option<std::collections::BTreeMap<String, String>>,
        /// The context must be exactly these pairs.
        encryption_context_equals: Option<std::collections::BTreeMap<String, String>>,
    }
}

/// What was seen of one key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase", default)]
pub struct Key {
    /// DescribeKey.
    #[serde(skip_serializing_if = "Observed::is_unseen")]
    pub key_metadata: Observed<KeyMetadata>,
    /// GetKeyPolicy, `default`.
    #[serde(skip_serializing_if = "Observed::is_unseen")]
    pub policy: Observed<PolicyDocument>,
    /// ListGrants.
    #[serde(skip_serializing_if = "Observed::is_unseen")]
    pub grants: Observed<Vec<Grant>>,
}

items_of_no_vpc!(Grant);
single_values!(KeyMetadata);
