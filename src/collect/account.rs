//! IAM: the roles of the whole account with their policies, in pages of a thousand.

use std::collections::BTreeMap;

use aws_sdk_iam::types::{EntityType, ManagedPolicyDetail, RoleDetail};

use super::{
    call::Caller,
    convert::{document, list, time, word},
    failure::Failure,
    pages::pages,
    scene::Scene,
    session::Clients,
};
use crate::{
    aws::limits,
    evidence::{
        AttachedPermissionsBoundary, Fact, ManagedPolicy, Observed, PolicyDocument, Role,
        RolePolicy,
    },
};

const ACTION: &str = "iam:GetAccountAuthorizationDetails";

/// The roles of an account.
pub(super) struct Account {
    /// By ARN.
    roles: BTreeMap<String, RoleDetail>,
    /// By ARN: name, default version and its document.
    policies: BTreeMap<String, ManagedPolicy>,
}

/// One role of an account.
pub(super) struct KnownRole<'a> {
    role: &'a RoleDetail,
    account: &'a Account,
}

/// Reads every role and every managed policy.
///
/// # Errors
/// As the call: half a list would pass for a whole one.
pub(super) async fn roles(caller: &Caller, clients: &Clients) -> Result<Account, Failure> {
    let kinds = [EntityType::Role, EntityType::LocalManagedPolicy, EntityType::AwsManagedPolicy];
    let request = clients.iam.get_account_authorization_details().set_filter(Some(kinds.into()));
    let request = request.max_items(limits::IAM_ACCOUNT_PAGE_SIZE);
    let mut pages = pages!(caller, ACTION, "", usize::MAX, request, set_marker, marker);
    let mut account = Account { roles: BTreeMap::new(), policies: BTreeMap::new() };
    while let Some(page) = pages.next().await? {
        let roles = page.role_detail_list.unwrap_or_default().into_iter();
        account.roles.extend(roles.filter_map(|role| Some((role.arn.clone()?, role))));
        let policies = page.policies.unwrap_or_default().into_iter();
        account.policies.extend(policies.filter_map(|one| Some((one.arn.clone()?, managed(one)))));
    }
    Ok(account)
}

fn managed(policy: ManagedPolicyDetail) -> ManagedPolicy {
    let default = policy.default_version_id;
    let versions = policy.policy_version_list.unwrap_or_default().into_iter();
    let mut versions = versions.filter(|version| version.version_id == default);
    let text = versions.next().and_then(|version| version.document);
    ManagedPolicy {
        policy_name: policy.policy_name,
        policy_arn: policy.arn,
        default_version_id: default,
        policy_document: text.as_deref().map(document),
    }
}

impl Account {
    /// The role of that ARN, where all that it names is in the lists: only then is
    /// nothing left to ask.
    pub(super) fn role(&self, arn: &str) -> Option<KnownRole<'_>> {
        let role = self.roles.get(arn)?;
        let attached = role.attached_managed_policies.iter().flatten();
        let boundary = role.permissions_boundary.as_ref();
        let named = attached
            .filter_map(|policy| policy.policy_arn.as_ref())
            .chain(boundary.and_then(|boundary| boundary.permissions_boundary_arn.as_ref()));
        let known = |arn: &String| {
            self.policies.get(arn).is_some_and(|policy| policy.policy_document.is_some())
        };
        named.into_iter().all(known).then_some(KnownRole { role, account: self })
    }
}

impl KnownRole<'_> {
    /// Puts the role and its policies where the calls about one role put them.
    pub(super) fn put(&self, scene: &mut Scene) {
        let Self { role, account } = self;
        let boundary = role.permissions_boundary.as_ref();
        let wanted = |fact| scene.wanted.contains(&fact);
        let managed =
            |arn: &Option<String>| arn.as_ref().and_then(|arn| account.policies.get(arn)).cloned();
        let (of_role, inline) = (wanted(Fact::Role), wanted(Fact::RolePolicies));
        let (attached, bounded) =
            (wanted(Fact::AttachedPolicies), wanted(Fact::PermissionsBoundary));
        let evidence = &mut scene.evidence;
        if of_role {
            evidence.role = Observed::Known(Role {
                path: role.path.clone(),
                role_name: role.role_name.clone(),
                role_id: role.role_id.clone(),
                arn: role.arn.clone(),
                create_date: time(role.create_date),
                assume_role_policy_document: role
                    .assume_role_policy_document
                    .as_deref()
                    .map(document),
                permissions_boundary: boundary.map(|boundary| AttachedPermissionsBoundary {
                    permissions_boundary_type: word(boundary.permissions_boundary_type.clone()),
                    permissions_boundary_arn: boundary.permissions_boundary_arn.clone(),
                }),
            });
        }
        if inline {
            let read =
                |text: Option<String>| -> Option<PolicyDocument> { text.as_deref().map(document) };
            evidence.role_policies =
                Observed::Known(list(role.role_policy_list.clone(), |policy| RolePolicy {
                    policy_name: policy.policy_name,
                    policy_document: read(policy.policy_document),
                }));
        }
        if attached {
            let policies = role.attached_managed_policies.iter().flatten();
            evidence.attached_policies = Observed::Known(
                policies.filter_map(|policy| managed(&policy.policy_arn)).collect(),
            );
        }
        if bounded {
            let boundary = boundary.and_then(|one| managed(&one.permissions_boundary_arn));
            evidence.permissions_boundary = boundary.into();
        }
        evidence.settle();
    }
}
