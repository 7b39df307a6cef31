//! IAM: the function's role with its policies. A policy that is open stays in the lists
//! without its document: what it allows or denies is then not seen.

use serde_json::{Value as Json, json};

use super::{
    policy_text::{self, Reading},
    resolved::Resolved,
    world::{Made, World, compact},
};
use crate::{catalogue::managed_policy, evidence::Fact};

/// The role of a function, by its ARN.
pub(super) fn declare(world: &mut World<'_, '_>, arn: &str) {
    let roles = world.perhaps("AWS::IAM::Role");
    let own =
        roles.into_iter().find(|(one, _)| world.scope.attribute_id(one.resource, "Arn") == arn);
    match own {
        Some((role, Ok(()))) => one_role(world, &role, arn),
        Some((_, Err(why))) => outside(world, arn, &why),
        None => outside(world, arn, &format!("role {arn} is not in the template")),
    }
}

/// A role of which nothing is declared.
pub(super) fn outside(world: &mut World<'_, '_>, arn: &str, why: &str) {
    for fact in [Fact::Role, Fact::RolePolicies, Fact::AttachedPolicies, Fact::PermissionsBoundary]
    {
        world.draft.gap(fact, arn, why);
    }
}

fn one_role(world: &mut World<'_, '_>, role: &Made<'_, '_>, arn: &str) {
    let (properties, resource) = (&role.properties, role.resource);
    world.declare(arn, resource, resource.node.at);
    world.declare(&role.id, resource, resource.node.at);
    let trust = match policy_text::read(properties.get("AssumeRolePolicyDocument")) {
        Reading::Document(document) => Some(document),
        Reading::Nothing => None,
        Reading::Open(_) => None,
    };
    let boundary = properties.get("PermissionsBoundary").id();
    world.draft.put(
        "Role",
        compact(json!({"Path": properties.get("Path").known(), "RoleName": role.id, "Arn": arn,
        "AssumeRolePolicyDocument": trust,
        "PermissionsBoundary": boundary.as_ref().map(|boundary| {
            json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary})
        })})),
    );
    inline(world, role);
    attached(world, role);
    match boundary {
        None => world.draft.put("PermissionsBoundary", Json::Null),
        Some(arn) => {
            let found = managed(world, &arn, Fact::PermissionsBoundary);
            world.draft.put("PermissionsBoundary", found);
        }
    }
}

/// An inline policy as GetRolePolicy returns it.
fn inline_policy(name: &str, document: &Resolved) -> Json {
    match policy_text::read(document) {
        Reading::Document(document) => json!({"PolicyName": name, "PolicyDocument": document}),
        Reading::Nothing | Reading::Open(_) => json!({"PolicyName": name}),
    }
}

/// Whether a policy is put on the role: `None` where that is open.
fn names(list: &Resolved, role: &str) -> Option<bool> {
    match list.unknown() {
        Some(_) => None,
        None => Some(list.ids().iter().any(|id| id == role)),
    }
}

fn inline(world: &mut World<'_, '_>, role: &Made<'_, '_>) {
    world.draft.list("RolePolicies");
    let own = role.properties.get("Policies");
    match own.items() {
        Ok(items) => {
            for item in items {
                let name = item.get("PolicyName").id().unwrap_or_else(|| "a policy".to_owned());
                note_open(world, Fact::RolePolicies, &name, item);
                world.declare(&name, role.resource, item.at);
                world.declare_policy(&name, role.resource, item.get("PolicyDocument"));
                world.draft.push("RolePolicies", inline_policy(&name, item.get("PolicyDocument")));
            }
        }
        Err(unknown) => {
            world.open(Fact::RolePolicies, &role.id, &unknown);
            world.draft.push("RolePolicies", json!({"PolicyName": "Policies"}));
        }
    }
    for (kind, on) in [("AWS::IAM::Policy", "Roles"), ("AWS::IAM::RolePolicy", "RoleName")] {
        for (policy, open) in world.perhaps(kind) {
            let properties = &policy.properties;
            let put = match names(properties.get(on), &role.id) {
                Some(false) => continue,
                Some(true) => open,
                // A role of this template is not among those that a parameter names.
                None => continue,
            };
            let name = properties.get("PolicyName").id();
            let name = name.unwrap_or_else(|| policy.resource.name.to_owned());
            world.declare(&name, policy.resource, policy.resource.node.at);
            match put {
                Ok(()) => {
                    world.declare_policy(&name, policy.resource, properties.get("PolicyDocument"));
                    note_open(world, Fact::RolePolicies, &name, properties);
                    let found = inline_policy(&name, properties.get("PolicyDocument"));
                    world.draft.push("RolePolicies", found);
                }
                Err(why) => {
                    world.draft.gap(Fact::RolePolicies, &name, why);
                    world.draft.push("RolePolicies", json!({"PolicyName": name}));
                }
            }
        }
    }
    if let Some(why) = world.hidden.clone() {
        world.draft.gap(Fact::RolePolicies, "", why);
        world.draft.push("RolePolicies", json!({"PolicyName": "what the template does not show"}));
    }
}

fn note_open(world: &mut World<'_, '_>, fact: Fact, name: &str, policy: &Resolved) {
    if let Reading::Open(unknown) = policy_text::read(policy.get("PolicyDocument")) {
        world.open(fact, name, &unknown);
    }
}

fn attached(world: &mut World<'_, '_>, role: &Made<'_, '_>) {
    world.draft.list("AttachedPolicies");
    let mut arns = role.properties.get("ManagedPolicyArns").ids();
    for (policy, open) in world.perhaps("AWS::IAM::ManagedPolicy") {
        if names(policy.properties.get("Roles"), &role.id) != Some(true) {
            continue;
        }
        match open {
            Ok(()) if !arns.contains(&policy.id) => arns.push(policy.id.clone()),
            Ok(()) => {}
            Err(why) => {
                world.draft.gap(Fact::AttachedPolicies, &policy.id, why);
                world.draft.push("AttachedPolicies", json!({"PolicyArn": policy.id}));
            }
        }
    }
    for arn in arns {
        let found = managed(world, &arn, Fact::AttachedPolicies);
        world.draft.push("AttachedPolicies", found);
    }
}

/// A managed policy: of the template, or one of AWS's whose document is known.
pub(super) fn managed(world: &mut World<'_, '_>, arn: &str, fact: Fact) -> Json {
    let name = arn.rsplit('/').next().unwrap_or(arn).to_owned();
    if let Some(document) = managed_policy(arn) {
        return json!({"PolicyName": name, "PolicyArn": arn, "PolicyDocument": document});
    }
    let own = world.perhaps("AWS::IAM::ManagedPolicy").into_iter().find(|(one, _)| one.id == arn);
    let why = match own {
        Some((policy, Ok(()))) => {
            world.declare(arn, policy.resource, policy.resource.node.at);
            world.declare_policy(arn, policy.resource, policy.properties.get("PolicyDocument"));
            match policy_text::read(policy.properties.get("PolicyDocument")) {
                Reading::Document(document) => {
                    return json!({"PolicyName": name, "PolicyArn": arn,
                        "PolicyDocument": document});
                }
                Reading::Open(unknown) => unknown.why,
                Reading::Nothing => format!("{arn} has no document"),
            }
        }
        Some((_, Err(why))) => why,
        None => format!("the document of {arn} is not in the template"),
    };
    world.draft.gap(fact, arn, why);
    json!({"PolicyName": name, "PolicyArn": arn})
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::template::cloudformation::testing::{evidence, open_in};

    fn with(role: &str, more: &str) -> Value {
        evidence(&format!(
            "
  F: {{Type: 'AWS::Lambda::Function', Properties: {{Role: !GetAtt R.Arn}}}}
  R: {{Type: 'AWS::IAM::Role', Properties: {{{role}}}}}
{more}"
        ))
    }

    #[test]
    fn policies_in_and_beside_the_role_are_its_own() {
        let found = with(
            "Policies: [{PolicyName: a, PolicyDocument: {Version: 2012-10-17, Statement: []}}], ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole', !Ref M]",
            "  P: {Type: 'AWS::IAM::Policy', Properties: {PolicyName: b, Roles: [!Ref R], PolicyDocument: {Statement: []}}}
  O: {Type: 'AWS::IAM::Policy', Properties: {PolicyName: c, Roles: [other], PolicyDocument: {Statement: []}}}
  M: {Type: 'AWS::IAM::ManagedPolicy', Properties: {PolicyDocument: {Statement: []}}}
  M2: {Type: 'AWS::IAM::ManagedPolicy', Properties: {Roles: [!Ref R], PolicyDocument: {Statement: []}}}
",
        );
        let names: Vec<&Value> = found["RolePolicies"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|policy| &policy["PolicyName"])
            .collect();
        assert_eq!(names, ["a", "b"]);
        let attached = found["AttachedPolicies"].as_array().expect("policies");
        assert_eq!(attached.len(), 3);
        assert!(attached.iter().all(|policy| policy.get("PolicyDocument").is_some()), "{found}");
        assert_eq!(found["PermissionsBoundary"], Value::Null);
    }

    #[test]
    fn a_policy_that_is_open_stays_without_its_document() {
        let found = with(
            "ManagedPolicyArns: ['arn:aws:iam::1:policy/own'], Policies: [{PolicyName: a, PolicyDocument: !Ref Open}]",
            "  P: {Type: 'AWS::IAM::Policy', Condition: Unsure, Properties: {PolicyName: b, Roles: [!Ref R], PolicyDocument: {Statement: []}}}\n",
        );
        let policies = found["RolePolicies"].as_array().expect("policies");
        assert_eq!(policies.len(), 2);
        assert!(policies.iter().all(|policy| policy.get("PolicyDocument").is_none()), "{found}");
        assert_eq!(open_in(&found, "RolePolicies"), ["a", "b"]);
        assert_eq!(open_in(&found, "AttachedPolicies"), ["arn:aws:iam::1:policy/own"]);
    }
}
