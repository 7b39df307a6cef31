//! IAM: the execution role, its policies and its boundary.

use super::{
    call::Caller,
    convert::{document, time, word},
    failure::Failure,
    pages::pages,
    scene::{PatchResult, Scene, patch},
    session::Clients,
    step::{Task, TaskBuilder, steps},
};
use crate::{
    aws::limits,
    evidence::{
        AttachedPermissionsBoundary, Fact, ManagedPolicy, Observed, Reason, Role, RolePolicy,
    },
};

steps! {
    3 "iam:GetRole" => Role <- [Function]: |tasks| tasks.each(tasks.scene.role_name(), role);
    3 "iam:ListRolePolicies" => RolePolicies <- [Function]:
        |tasks| tasks.each(tasks.scene.role_name(), inline_names);
    3 "iam:ListAttachedRolePolicies" => AttachedPolicies <- [Function]:
        |tasks| tasks.each(tasks.scene.role_name(), attached);
    4 "iam:GetRolePolicy" => RolePolicies <- [RolePolicies]: |tasks| {
        let Some(role) = tasks.scene.role_name() else { return Vec::new() };
        let task = |name| {
            let role = role.clone();
            tasks.one(name, async move |caller, clients, name: &str| {
                inline(caller, clients, &role, name).await
            })
        };
        inline_policies(tasks.scene).into_iter().map(task).collect()
    };
    4 "iam:GetPolicy" => AttachedPolicies <- [AttachedPolicies]:
        |tasks| tasks.each(attached_arns(tasks.scene), attached_policy);
    4 "iam:GetPolicy" => PermissionsBoundary <- [Role]:
        |tasks| tasks.each(boundary_arn(tasks.scene), boundary_policy);
    5 "iam:GetPolicyVersion" => AttachedPolicies <- [AttachedPolicies]:
        |tasks| default_versions(tasks, Fact::AttachedPolicies);
    5 "iam:GetPolicyVersion" => PermissionsBoundary <- [PermissionsBoundary]:
        |tasks| default_versions(tasks, Fact::PermissionsBoundary);
}

/// Tasks about the default versions of the policies.
fn default_versions<'a>(tasks: &TaskBuilder<'a, '_>, fact: Fact) -> Vec<Task<'a>> {
    let task = |(arn, id): (String, String)| {
        tasks.one(arn, async move |caller, clients, arn: &str| {
            version(caller, clients, fact, arn, &id).await
        })
    };
    versions(tasks.scene, fact).into_iter().map(task).collect()
}

pub(super) async fn role(caller: &Caller, clients: &Clients, name: &str) -> PatchResult {
    let request = clients.iam.get_role().role_name(name);
    let answer = caller.call("iam:GetRole", name, request.send()).await?;
    let role = answer.role.map(|role| Role {
        path: Some(role.path),
        role_name: Some(role.role_name),
        role_id: Some(role.role_id),
        arn: Some(role.arn),
        create_date: time(Some(role.create_date)),
        assume_role_policy_document: role.assume_role_policy_document.as_deref().map(document),
        permissions_boundary: role.permissions_boundary.map(|boundary| {
            AttachedPermissionsBoundary {
                permissions_boundary_type: word(boundary.permissions_boundary_type),
                permissions_boundary_arn: boundary.permissions_boundary_arn,
            }
        }),
    });
    patch(move |scene| {
        if role.as_ref().is_some_and(|role| role.permissions_boundary.is_none())
            && scene.wanted.contains(&Fact::PermissionsBoundary)
        {
            scene.evidence.permissions_boundary = Observed::Absent;
        }
        scene.evidence.role = role.into();
    })
}

async fn inline_names(caller: &Caller, clients: &Clients, role: &str) -> PatchResult {
    let request = clients.iam.list_role_policies().role_name(role);
    let action = "iam:ListRolePolicies";
    let mut pages = pages!(caller, action, role, limits::POLICY_PAGES, request, set_marker, marker);
    let mut policies = Vec::new();
    while let Some(page) = pages.next().await? {
        policies.extend(
            page.policy_names
                .into_iter()
                .map(|name| RolePolicy { policy_name: Some(name), policy_document: None }),
        );
    }
    let cut = pages.cut();
    let role = role.to_owned();
    patch(move |scene| {
        scene.evidence.role_policies = Observed::Known(policies);
        if cut {
            let message = format!("only the first {} pages were read", limits::POLICY_PAGES);
            scene.gap(Fact::RolePolicies, action, &role, Reason::Truncated, &message);
        }
    })
}

async fn attached(caller: &Caller, clients: &Clients, role: &str) -> PatchResult {
    let request = clients.iam.list_attached_role_policies().role_name(role);
    let action = "iam:ListAttachedRolePolicies";
    let mut pages = pages!(caller, action, role, limits::POLICY_PAGES, request, set_marker, marker);
    let mut policies = Vec::new();
    while let Some(page) = pages.next().await? {
        policies.extend(page.attached_policies.unwrap_or_default().into_iter().map(|policy| {
            ManagedPolicy {
                policy_name: policy.policy_name,
                policy_arn: policy.policy_arn,
                ..ManagedPolicy::default()
            }
        }));
    }
    let cut = pages.cut();
    let role = role.to_owned();
    patch(move |scene| {
        scene.evidence.attached_policies = Observed::Known(policies);
        if cut {
            let message = format!("only the first {} pages were read", limits::POLICY_PAGES);
            scene.gap(Fact::AttachedPolicies, action, &role, Reason::Truncated, &message);
        }
    })
}

/// The inline policies whose documents are still to be read.
fn inline_policies(scene: &Scene) -> Vec<String> {
    scene
        .evidence
        .role_policies
        .known()
        .into_iter()
        .flatten()
        .filter_map(|policy| policy.policy_name.clone())
        .collect()
}

async fn inline(caller: &Caller, clients: &Clients, role: &str, name: &str) -> PatchResult {
    let request = clients.iam.get_role_policy().role_name(role).policy_name(name);
    let answer = caller.call("iam:GetRolePolicy", name, request.send()).await?;
    let read = document(&answer.policy_document);
    let name = name.to_owned();
    patch(move |scene| {
        let policies = scene.evidence.role_policies.known_mut().into_iter().flatten();
        for policy in policies.filter(|policy| policy.policy_name.as_deref() == Some(&name)) {
            policy.policy_document = Some(read.clone());
        }
    })
}

/// The ARNs of the attached policies.
fn attached_arns(scene: &Scene) -> Vec<String> {
    let policies = scene.evidence.attached_policies.known().into_iter().flatten();
    policies.filter_map(|policy| policy.policy_arn.clone()).collect()
}

/// The ARN of the role's boundary.
fn boundary_arn(scene: &Scene) -> Option<String> {
    scene.evidence.role.known()?.permissions_boundary.as_ref()?.permissions_boundary_arn.clone()
}

async fn attached_policy(caller: &Caller, clients: &Clients, arn: &str) -> PatchResult {
    managed(caller, clients, Fact::AttachedPolicies, arn).await
}

async fn boundary_policy(caller: &Caller, clients: &Clients, arn: &str) -> PatchResult {
    managed(caller, clients, Fact::PermissionsBoundary, arn).await
}

/// GetPolicy, which names the default version; a boundary and an attached
/// policy are read the same way.
async fn managed(caller: &Caller, clients: &Clients, fact: Fact, arn: &str) -> PatchResult {
    let request = clients.iam.get_policy().policy_arn(arn);
    let answer = caller.call("iam:GetPolicy", arn, request.send()).await?;
    let Some(policy) = answer.policy else { return Err(Failure::Absent) };
    let arn = arn.to_owned();
    patch(move |scene| {
        if fact == Fact::PermissionsBoundary {
            scene.evidence.permissions_boundary = Observed::Known(ManagedPolicy {
                policy_name: policy.policy_name.clone(),
                policy_arn: Some(arn.clone()),
                ..ManagedPolicy::default()
            });
        }
        for known in of(scene, fact, &arn) {
            known.default_version_id.clone_from(&policy.default_version_id);
        }
    })
}

/// The policies whose default version is known: ARN and version.
fn versions(scene: &Scene, fact: Fact) -> Vec<(String, String)> {
    let pair = |policy: &ManagedPolicy| {
        Some((policy.policy_arn.clone()?, policy.default_version_id.clone()?))
    };
    if fact == Fact::PermissionsBoundary {
        scene.evidence.permissions_boundary.known().and_then(pair).into_iter().collect()
    } else {
        scene.evidence.attached_policies.known().into_iter().flatten().filter_map(pair).collect()
    }
}

async fn version(
    caller: &Caller,
    clients: &Clients,
    fact: Fact,
    arn: &str,
    version: &str,
) -> PatchResult {
    let request = clients.iam.get_policy_version().policy_arn(arn).version_id(version);
    let answer = caller.call("iam:GetPolicyVersion", arn, request.send()).await?;
    let read = answer.policy_version.and_then(|version| version.document).as_deref().map(document);
    let arn = arn.to_owned();
    patch(move |scene| {
        for policy in of(scene, fact, &arn) {
            policy.policy_document.clone_from(&read);
        }
    })
}

fn of<'a>(
    scene: &'a mut Scene,
    fact: Fact,
    arn: &'a str,
) -> impl Iterator<Item = &'a mut ManagedPolicy> {
    let (boundary, attached) = if fact == Fact::PermissionsBoundary {
        (scene.evidence.permissions_boundary.known_mut(), None)
    } else {
        (None, scene.evidence.attached_policies.known_mut())
    };
    boundary
        .into_iter()
        .chain(attached.into_iter().flatten())
        .filter(move |policy| policy.policy_arn.as_deref() == Some(arn))
}
