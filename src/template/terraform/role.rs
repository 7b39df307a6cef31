//! IAM: the role that the function runs with, and its policies.

use serde_json::{Map, Value, json};

use super::{
    function::Role,
    plan::Resource,
    policy_document::{Document, document},
    value::Seen,
    world::World,
};
use crate::{evidence::Fact, template::Draft};

const ROLE: &str = "aws_iam_role";
const POLICY: &str = "aws_iam_policy";
const INLINE: &str = "aws_iam_role_policy";
const ATTACHMENT: &str = "aws_iam_role_policy_attachment";

/// The facts about the role.
const FACTS: [Fact; 4] =
    [Fact::Role, Fact::RolePolicies, Fact::AttachedPolicies, Fact::PermissionsBoundary];

/// Puts the function's role.
pub(super) fn put<'p>(world: &World<'p>, draft: &mut Draft, role: Role) {
    let named = match role {
        Seen::Known(named) => named,
        Seen::Absent => return,
        Seen::Open(why) => {
            for fact in FACTS {
                draft.gap(fact, "", why.clone());
            }
            return;
        }
    };
    let found = world.made(&[ROLE]).find(|one| world.is_called(one, &named));
    let Some(role) = found else {
        for fact in FACTS {
            draft.gap(fact, &named, format!("{named} lies outside the plan"));
        }
        return;
    };
    let arn = world.own_id(role, "arn").unwrap_or(named);
    world.declare(draft, &arn, role);
    world.declare(draft, &world.name(role), role);
    put_role(world, draft, role, &arn);
    put_inline(world, draft, role, &arn);
    put_attached(world, draft, role, &arn);
}

fn put_role<'p>(world: &World<'p>, draft: &mut Draft, role: &'p Resource, arn: &str) {
    let mut found = Map::new();
    found.insert("RoleName".to_owned(), json!(world.name(role)));
    found.insert("Arn".to_owned(), json!(arn));
    if let Some(id) = role.known_text("unique_id") {
        found.insert("RoleId".to_owned(), json!(id));
    }
    match document(world, role, "assume_role_policy") {
        Document::Known(trust) => {
            found.insert("AssumeRolePolicyDocument".to_owned(), trust);
        }
        Document::Open(why) => draft.gap(Fact::Role, arn, why),
        Document::Absent => {}
    }
    match world.arn_in(role, "permissions_boundary") {
        Seen::Known(boundary) => {
            found.insert(
                "PermissionsBoundary".to_owned(),
                json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}),
            );
            let managed = managed(world, draft, Fact::PermissionsBoundary, &boundary);
            if managed.get("PolicyDocument").is_some() {
                draft.put("PermissionsBoundary", managed);
            }
        }
        Seen::Absent => draft.put("PermissionsBoundary", Value::Null),
        Seen::Open(why) => {
            let id = format!("${{{}.permissions_boundary}}", role.address);
            found.insert(
                "PermissionsBoundary".to_owned(),
                json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": id}),
            );
            draft.gap(Fact::PermissionsBoundary, &id, why);
        }
    }
    draft.put("Role", Value::Object(found));
}

/// An inline policy; without a document where that cannot be told.
fn inline<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    (source, path): (&'p Resource, &str),
    name: &str,
) -> Value {
    world.declare(draft, name, source);
    match document(world, source, path) {
        Document::Known(document) => json!({"PolicyName": name, "PolicyDocument": document}),
        Document::Absent => Value::Null,
        Document::Open(why) => {
            draft.gap(Fact::RolePolicies, name, why);
            json!({"PolicyName": name})
        }
    }
}

fn put_inline<'p>(world: &World<'p>, draft: &mut Draft, role: &'p Resource, arn: &str) {
    draft.list("RolePolicies");
    for policy in world.made(&[INLINE]) {
        match world.id(policy, "role") {
            Seen::Known(id) if world.is_called(role, &id) => {
                let name = policy.known_text("name").unwrap_or_else(|| policy.address.clone());
                let item = inline(world, draft, (policy, "policy"), &name);
                push(draft, item);
            }
            Seen::Open(why) => unknown_inline(draft, &policy.address, why),
            _ => {}
        }
    }
    match world.blocks(role, "inline_policy") {
        Seen::Known(count) => {
            for index in 0..count {
                let path = |part: &str| format!("inline_policy.~{index}.{part}");
                // One empty block says that there are to be none.
                let name = role.known_text(&path("name"));
                let policy = path("policy");
                if name.is_some() || role.text(&policy).is_open() {
                    let name = name.unwrap_or_else(|| format!("{}.inline_policy", role.address));
                    let item = inline(world, draft, (role, &policy), &name);
                    push(draft, item);
                }
            }
        }
        Seen::Absent => {}
        Seen::Open(why) => unknown_inline(draft, arn, why),
    }
}

fn push(draft: &mut Draft, item: Value) {
    if !item.is_null() {
        draft.push("RolePolicies", item);
    }
}

fn unknown_inline(draft: &mut Draft, name: &str, why: String) {
    draft.push("RolePolicies", json!({"PolicyName": name}));
    draft.gap(Fact::RolePolicies, name, why);
}

fn put_attached<'p>(world: &World<'p>, draft: &mut Draft, role: &'p Resource, arn: &str) {
    let mut arns: Vec<String> = Vec::new();
    let mut open: Vec<(String, String)> = Vec::new();
    for attachment in world.made(&[ATTACHMENT]) {
        match world.id(attachment, "role") {
            Seen::Known(id) if world.is_called(role, &id) => {
                match world.arn_in(attachment, "policy_arn") {
                    Seen::Known(policy) => {
                        // What a finding names is the policy, where the plan makes it.
                        if world.called(&[POLICY], &policy).is_none() {
                            world.declare(draft, &policy, attachment);
                        }
                        arns.push(policy);
                    }
                    Seen::Absent => {}
                    Seen::Open(why) => open.push((attachment.address.clone(), why)),
                }
            }
            Seen::Open(why) => open.push((attachment.address.clone(), why)),
            _ => {}
        }
    }
    for everyone in world.made(&["aws_iam_policy_attachment"]) {
        let roles = world.ids(everyone, "roles").known().unwrap_or_default();
        if roles.iter().any(|id| world.is_called(role, id))
            && let Seen::Known(policy) = world.arn_in(everyone, "policy_arn")
        {
            arns.push(policy);
        }
    }
    // Computed where no argument says it: then the attachments do.
    if !world.is_left_to_aws(role, "managed_policy_arns") {
        match world.arns_in(role, "managed_policy_arns") {
            Seen::Known(list) => arns.extend(list),
            Seen::Absent => {}
            Seen::Open(why) => open.push((arn.to_owned(), why)),
        }
    }
    arns.sort();
    arns.dedup();
    draft.list("AttachedPolicies");
    for arn in arns {
        let item = managed(world, draft, Fact::AttachedPolicies, &arn);
        draft.push("AttachedPolicies", item);
    }
    for (name, why) in open {
        draft.push("AttachedPolicies", json!({"PolicyName": name}));
        draft.gap(Fact::AttachedPolicies, &name, why);
    }
}

/// A managed policy; without a document where the plan does not hold it.
fn managed(world: &World<'_>, draft: &mut Draft, fact: Fact, arn: &str) -> Value {
    let name = arn.rsplit('/').next().unwrap_or(arn);
    let mut found = json!({"PolicyName": name, "PolicyArn": arn});
    let Some(policy) = world.called(&[POLICY], arn) else {
        draft.gap(fact, arn, format!("the document of {arn} is not in the plan"));
        return found;
    };
    world.declare(draft, arn, policy);
    match document(world, policy, "policy") {
        Document::Known(document) => found["PolicyDocument"] = document,
        Document::Absent => {
            draft.gap(fact, arn, format!("{} does not show its document", policy.address));
        }
        Document::Open(why) => draft.gap(fact, arn, why),
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::template::{
        Draft,
        terraform::{
            testing::{evidence, gaps},
            value::Seen,
            world::World,
        },
    };

    fn put(world: &World<'_>, draft: &mut Draft) {
        super::put(world, draft, Seen::Known("r".to_owned()));
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
            put,
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
        let found = evidence(&[("aws_iam_role.other", json!({"name": "other"}), &[])], put);
        assert_eq!(gaps(&found).len(), 4);
        assert!(gaps(&found).iter().all(|(_, id)| *id == "r"));
    }
}
