//! IAM: the execution role and the policies on it.

use super::{PolicyDocument, Time, shape::shapes};

shapes! {
    /// GetRole.
    Role {
        /// Path, such as `/service-role/`.
        path: Option<String>,
        /// Name.
        role_name: Option<String>,
        /// `AROA…`.
        role_id: Option<String>,
        /// ARN.
        arn: Option<String>,
        /// Creation.
        create_date: Option<Time>,
        /// Trust policy.
        assume_role_policy_document: Option<PolicyDocument>,
        /// Boundary, by ARN.
        permissions_boundary: Option<AttachedPermissionsBoundary>,
    }

    /// The boundary as the role names it.
    AttachedPermissionsBoundary {
        /// `Policy`.
        permissions_boundary_type: Option<String>,
        /// ARN of the managed policy.
        permissions_boundary_arn: Option<String>,
    }

    /// An inline policy (GetRolePolicy).
    RolePolicy {
        /// Name.
        policy_name: Option<String>,
        /// Document.
        policy_document: Option<PolicyDocument>,
    }

    /// An attached managed policy with the document of its default version.
    ManagedPolicy {
        /// Name.
        policy_name: Option<String>,
        /// ARN.
        policy_arn: Option<String>,
        /// Default version.
        default_version_id: Option<String>,
        /// Document of that version; missing where it could not be read.
        policy_document: Option<PolicyDocument>,
    }
}
