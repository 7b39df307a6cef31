//! IAM: the execution role and the policies on it.

use super::value::{items_of_no_vpc, single_values};
use super::{PolicyDocument, Time, shape::shapes};

shapes! {
    /// GetRole.
    Role {
        /// Path, such as `/service-role/`.
        path: Option<String>,
        role_name: Option<String>,
        /// `AROA…`.
        role_id: Option<String>,
        arn: Option<String>,
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
        policy_name: Option<String>,
        policy_document: Option<PolicyDocument>,
    }

    /// An attached managed policy with the document of its default version.
    ManagedPolicy {
        policy_name: Option<String>,
        policy_arn: Option<String>,
        default_version_id: Option<String>,
        /// Document of that version; missing where it could not be read.
        policy_document: Option<PolicyDocument>,
    }

    /// One request of a rotation as SimulatePrincipalPolicy decides it (an
    /// EvaluationResult): by the role's own policies, its boundary and what the
    /// organization allows. Policies of secrets, keys and endpoints have no say in it.
    SimulatedRequest {
        eval_action_name: Option<String>,
        /// ARN, or `*`.
        eval_resource_name: Option<String>,
        /// `allowed`, `explicitDeny` or `implicitDeny`.
        eval_decision: Option<String>,
        /// What decided.
        matched_statements: Vec<MatchedStatement>,
        /// Condition keys that the policies ask for and the simulation was not given.
        missing_context_values: Vec<String>,
        /// What the service control policies say; missing outside an organization.
        organizations_decision_detail: Option<OrganizationsDecisionDetail>,
        /// What the boundary says; missing where there is none.
        permissions_boundary_decision_detail: Option<PermissionsBoundaryDecisionDetail>,
    }

    /// A statement that a simulation matched.
    MatchedStatement {
        /// Name of the policy, as the simulator calls it.
        source_policy_id: Option<String>,
        /// Such as `IAM Policy`.
        source_policy_type: Option<String>,
    }

    /// What the service control policies say.
    OrganizationsDecisionDetail {
        /// Whether they let it through.
        allowed_by_organizations: bool,
    }

    /// What the boundary says.
    PermissionsBoundaryDecisionDetail {
        /// Whether it lets it through.
        allowed_by_permissions_boundary: bool,
    }
}

items_of_no_vpc!(ManagedPolicy, RolePolicy, SimulatedRequest);
single_values!(ManagedPolicy, Role);
