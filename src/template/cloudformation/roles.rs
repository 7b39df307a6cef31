//! IAM: the function's role with its policies.

use serde_json::Value as Json;

use super::{
    policy_documents,
    scope::Resource,
    value::Resolved,
    world::{Created, World},
};
use crate::{
    evidence::{Fact, ManagedPolicy, Observed, PolicyDocument, Role},
    template::{
        aws::{Setting, policies},
        draft::begin,
    },
};

/// The role of a function, by its ARN.
pub(super) fn declare(world: &mut World<'_, '_>, arn: &str) {
    let all = world.perhaps("AWS::IAM::Role");
    let own = all.into_iter().find(|(one, _)| world.scope.attribute_id(one.resource, "Arn") == arn);
    match own {
        Some((role, Ok(()))) => one_role(world, &role, arn),
        Some((_, Err(open))) => policies::outside(&mut world.draft, arn, open),
        None => {
            policies::outside(&mut world.draft, arn, format!("the role {arn} is not declared"));
        }
    }
}

fn one_role(world: &mut World<'_, '_>, created: &Created<'_, '_>, arn: &str) {
    let (properties, resource) = (&created.properties, created.resource);
    world.declare_whole(arn, resource);
    world.declare_whole(&created.id, resource);
    let trust = policy_documents::read(properties.get("AssumeRolePolicyDocument"));
    let mut role = Role {
        path: properties.get("Path").known(),
        role_name: Some(created.id.clone()),
        arn: Some(arn.to_owned()),
        assume_role_policy_document: trust.known().map(PolicyDocument),
        ..Role::default()
    };
    inline(world, created);
    attached(world, created);
    put_boundary(world, &mut role, properties.get("PermissionsBoundary").id());
    world.draft.evidence.role = Observed::Known(role);
}

/// Puts the boundary with this ARN.
pub(super) fn put_boundary(world: &mut World<'_, '_>, role: &mut Role, arn: Option<String>) {
    let boundary = arn.map(|arn| managed(world, Fact::PermissionsBoundary, &arn));
    policies::put_boundary(&mut world.draft, role, boundary);
}

/// Whether a policy is put on the role. A role of this template is not among those that a
/// parameter names.
fn names(list: &Resolved, role: &str) -> bool {
    list.open().is_none() && list.ids().iter().any(|id| id == role)
}

fn inline(world: &mut World<'_, '_>, role: &Created<'_, '_>) {
    begin(&mut world.draft.evidence.role_policies);
    match role.properties.get("Policies").items() {
        Ok(items) => {
            for item in items {
                let name = item.get("PolicyName").id().unwrap_or_else(|| "a policy".to_owned());
                world.declare(&name, role.resource, item.at);
                add_inline(world, &name, role.resource, item.get("PolicyDocument"));
            }
        }
        Err(open) => policies::add_inline(&mut world.draft, &role.id, Setting::Open(open)),
    }
    for (kind, on) in [("AWS::IAM::Policy", "Roles"), ("AWS::IAM::RolePolicy", "RoleName")] {
        for (policy, open) in world.perhaps(kind) {
            if !names(policy.properties.get(on), &role.id) {
                continue;
            }
            let name = policy.properties.get("PolicyName").id();
            let name = name.unwrap_or_else(|| policy.resource.name.to_owned());
            world.declare_whole(&name, policy.resource);
            match open {
                Ok(()) => {
                    let document = policy.properties.get("PolicyDocument");
                    add_inline(world, &name, policy.resource, document);
                }
                Err(open) => policies::add_inline(&mut world.draft, &name, Setting::Open(open)),
            }
        }
    }
    if let Some(reason) = world.hidden.clone() {
        let open = Setting::Open(reason.into());
        policies::add_inline(&mut world.draft, "what the template does not show", open);
    }
}

fn add_inline(world: &mut World<'_, '_>, name: &str, on: &Resource<'_>, document: &Resolved) {
    world.declare_policy(name, on, document);
    policies::add_inline(&mut world.draft, name, policy_documents::read(document));
}

fn attached(world: &mut World<'_, '_>, role: &Created<'_, '_>) {
    begin(&mut world.draft.evidence.attached_policies);
    let mut arns = role.properties.get("ManagedPolicyArns").ids();
    for (policy, open) in world.perhaps("AWS::IAM::ManagedPolicy") {
        if !names(policy.properties.get("Roles"), &role.id) {
            continue;
        }
        match open {
            Ok(()) if !arns.contains(&policy.id) => arns.push(policy.id.clone()),
            Ok(()) => {}
            Err(open) => attach(world, &policy.id, Some(Setting::Open(open))),
        }
    }
    for arn in arns {
        let declared = declared(world, &arn);
        attach(world, &arn, declared);
    }
}

/// Attaches a managed policy by ARN or name.
pub(super) fn attach(world: &mut World<'_, '_>, arn: &str, declared: Option<Setting<Json>>) {
    let fact = Fact::AttachedPolicies;
    let policy = policies::managed(&mut world.draft, fact, arn, declared);
    begin(&mut world.draft.evidence.attached_policies).push(policy);
}

fn managed(world: &mut World<'_, '_>, fact: Fact, arn: &str) -> ManagedPolicy {
    let declared = declared(world, arn);
    policies::managed(&mut world.draft, fact, arn, declared)
}

/// The document of a managed policy, where the template declares it.
pub(super) fn declared(world: &mut World<'_, '_>, arn: &str) -> Option<Setting<Json>> {
    let all = world.perhaps("AWS::IAM::ManagedPolicy");
    let (policy, open) = all.into_iter().find(|(one, _)| one.id == arn)?;
    if let Err(open) = open {
        return Some(Setting::Open(open));
    }
    let document = policy.properties.get("PolicyDocument");
    world.declare_whole(arn, policy.resource);
    world.declare_policy(arn, policy.resource, document);
    Some(policy_documents::read(document))
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
