//! IAM: the role that the function runs with, and its policies.

use serde_json::Value;

use super::{policy_documents::document, resource::Resource, world::World};
use crate::{
    evidence::{Fact, ManagedPolicy, Observed, PolicyDocument, Role},
    template::{
        Draft,
        aws::{Open, Setting, policies},
        draft::begin,
    },
};

const ROLE: &str = "aws_iam_role";
const POLICY: &str = "aws_iam_policy";
const INLINE: &str = "aws_iam_role_policy";
const ATTACHMENT: &str = "aws_iam_role_policy_attachment";

/// The function's role, by ARN or name.
pub(super) fn declare(world: &World<'_>, draft: &mut Draft, named: Setting<String>) {
    let named = match named {
        Setting::Known(named) => named,
        Setting::Absent => return,
        Setting::Open(open) => return policies::outside(draft, "", open),
    };
    let Some(role) = world.created(&[ROLE]).find(|one| world.is_called(one, &named)) else {
        return policies::outside(draft, &named, format!("{named} is not in the plan"));
    };
    let arn = world.own_id(role, "arn").unwrap_or(named);
    world.declare(draft, &arn, role);
    world.declare(draft, &world.name(role), role);
    one_role(world, draft, role, &arn);
    inline(world, draft, role, &arn);
    attached(world, draft, role, &arn);
}

fn one_role<'p>(world: &World<'p>, draft: &mut Draft, role: &'p Resource, arn: &str) {
    let mut found = Role {
        role_name: Some(world.name(role)),
        arn: Some(arn.to_owned()),
        path: role.known_text("path").filter(|path| path != "/"),
        role_id: role.known_text("unique_id"),
        ..Role::default()
    };
    match document(world, role, "assume_role_policy") {
        Setting::Known(trust) => found.assume_role_policy_document = Some(PolicyDocument(trust)),
        Setting::Open(open) => draft.gap(Fact::Role, arn, open),
        Setting::Absent => {}
    }
    let boundary = match world.arn_in(role, "permissions_boundary") {
        Setting::Known(boundary) => {
            Some(managed(world, draft, Fact::PermissionsBoundary, &boundary))
        }
        Setting::Absent => None,
        Setting::Open(open) => {
            let id = format!("${{{}.permissions_boundary}}", role.address);
            let fact = Fact::PermissionsBoundary;
            Some(policies::managed(draft, fact, &id, Some(Setting::Open(open))))
        }
    };
    policies::put_boundary(draft, &mut found, boundary);
    draft.evidence.role = Observed::Known(found);
}

/// Adds an inline policy; one that is removed is none.
fn add_inline<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    (source, path): (&'p Resource, &str),
    name: &str,
) {
    world.declare(draft, name, source);
    policies::add_inline(draft, name, document(world, source, path));
}

fn inline<'p>(world: &World<'p>, draft: &mut Draft, role: &'p Resource, arn: &str) {
    begin(&mut draft.evidence.role_policies);
    for policy in world.created(&[INLINE]) {
        match world.id(policy, "role") {
            Setting::Known(id) if world.is_called(role, &id) => {
                let name = policy.known_text("name").unwrap_or_else(|| policy.address.clone());
                add_inline(world, draft, (policy, "policy"), &name);
            }
            Setting::Open(open) => {
                policies::add_inline(draft, &policy.address, Setting::Open(open));
            }
            _ => {}
        }
    }
    match world.blocks(role, "inline_policy") {
        Setting::Known(count) => {
            for index in 0..count {
                let path = |part: &str| format!("inline_policy.~{index}.{part}");
                // One empty block says that there are to be none.
                let name = role.known_text(&path("name"));
                let policy = path("policy");
                if name.is_some() || role.text(&policy).is_open() {
                    let name = name.unwrap_or_else(|| format!("{}.inline_policy", role.address));
                    add_inline(world, draft, (role, &policy), &name);
                }
            }
        }
        Setting::Absent => {}
        Setting::Open(open) => policies::add_inline(draft, arn, Setting::Open(open)),
    }
}

fn attached<'p>(world: &World<'p>, draft: &mut Draft, role: &'p Resource, arn: &str) {
    let mut arns: Vec<String> = Vec::new();
    let mut open: Vec<(String, Open)> = Vec::new();
    for attachment in world.created(&[ATTACHMENT]) {
        match world.id(attachment, "role") {
            Setting::Known(id) if world.is_called(role, &id) => {
                match world.arn_in(attachment, "policy_arn") {
                    Setting::Known(policy) => {
                        // What a finding names is the policy, where the plan creates it.
                        if world.called(&[POLICY], &policy).is_none() {
                            world.declare(draft, &policy, attachment);
                        }
                        arns.push(policy);
                    }
                    Setting::Absent => {}
                    Setting::Open(reason) => open.push((attachment.address.clone(), reason)),
                }
            }
            Setting::Open(reason) => open.push((attachment.address.clone(), reason)),
            _ => {}
        }
    }
    for everyone in world.created(&["aws_iam_policy_attachment"]) {
        let roles = world.ids(everyone, "roles").known().unwrap_or_default();
        if roles.iter().any(|id| world.is_called(role, id)) {
            arns.extend(world.arn_in(everyone, "policy_arn").known());
        }
    }
    // Computed where no argument says it: then the attachments do.
    if !world.is_left_to_aws(role, "managed_policy_arns") {
        match world.arns_in(role, "managed_policy_arns") {
            Setting::Known(list) => arns.extend(list),
            Setting::Absent => {}
            Setting::Open(reason) => open.push((arn.to_owned(), reason)),
        }
    }
    arns.sort();
    arns.dedup();
    begin(&mut draft.evidence.attached_policies);
    for arn in arns {
        let policy = managed(world, draft, Fact::AttachedPolicies, &arn);
        begin(&mut draft.evidence.attached_policies).push(policy);
    }
    for (name, reason) in open {
        let document = Some(Setting::Open(reason));
        let policy = policies::managed(draft, Fact::AttachedPolicies, &name, document);
        begin(&mut draft.evidence.attached_policies).push(policy);
    }
}

/// A managed policy of the plan, or one of AWS's whose document is known.
fn managed(world: &World<'_>, draft: &mut Draft, fact: Fact, arn: &str) -> ManagedPolicy {
    let declared: Option<Setting<Value>> = match world.called(&[POLICY], arn) {
        Some(policy) => {
            world.declare(draft, arn, policy);
            Some(document(world, policy, "policy"))
        }
        None => None,
    };
    policies::managed(draft, fact, arn, declared)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::template::{
        Draft,
        aws::Setting,
        terraform::{
            testing::{evidence, gaps},
            world::World,
        },
    };

    fn declare(world: &World<'_>, draft: &mut Draft) {
        super::declare(world, draft, Setting::Known("r".to_owned()));
    }

    #[test]
    fn policies_of_every_kind_are_the_roles() {
        let document = r#"{"Statement": []}"#;
        let role: (&str, &[&str]) = ("role", &["aws_iam_role.r.name"]);
        let found = evidence(
            &[
                (
                    "aws_iam_role.r",
                    json!({"name": "r", "inline_policy": [{"name": "in", "policy": document}],
                    "managed_policy_arns": ["arn:aws:iam::aws:policy/Some"]}),
                    &[],
                ),
                ("aws_iam_role_policy.p", json!({"name": "own", "policy": document}), &[role]),
                ("aws_iam_policy.m", json!({"name": "m", "policy": document}), &[]),
                (
                    "aws_iam_role_policy_attachment.m",
                    json!({}),
                    &[role, ("policy_arn", &["aws_iam_policy.m.arn"])],
                ),
                ("aws_iam_role_policy.other", json!({"role": "other", "policy": document}), &[]),
            ],
            declare,
        );
        let inline = found.role_policies.known().expect("policies");
        let mut names: Vec<_> = inline.iter().filter_map(|p| p.policy_name.as_deref()).collect();
        names.sort();
        assert_eq!(names, ["in", "own"]);
        let attached = found.attached_policies.known().expect("policies");
        let read: Vec<bool> = attached.iter().map(|p| p.policy_document.is_some()).collect();
        assert_eq!(read, [true, false], "{attached:?}");
        assert_eq!(gaps(&found), [("AttachedPolicies", "arn:aws:iam::aws:policy/Some")]);
        assert!(!found.permissions_boundary.is_unseen(), "there is none");
    }

    #[test]
    fn a_role_outside_the_plan_is_a_gap_that_names_it() {
        let found = evidence(&[("aws_iam_role.other", json!({"name": "other"}), &[])], declare);
        assert_eq!(gaps(&found).len(), 4);
        assert!(gaps(&found).iter().all(|(_, id)| *id == "r"));
    }
}
