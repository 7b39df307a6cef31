//! SAM: functions with their global settings, their roles and their policies.
//!
//! Source: AWS SAM Developer Guide, "Globals section", "AWS::Serverless::Function".

use serde_json::{Value as Json, json};

use super::{
    policy_documents, roles,
    value::{Resolved, Value},
    world::{Created, World},
};
use crate::{
    catalogue::{VendedStatement, managed_policy, vended_statements},
    evidence::{Observed, PolicyDocument, Role},
    template::{
        aws::{Place, Setting, policies, vended},
        draft::begin,
    },
};

/// The kind of a function of SAM.
pub(super) const FUNCTION: &str = "AWS::Serverless::Function";

/// The function's properties over those that `Globals` has for all.
pub(super) fn with_globals(world: &World<'_, '_>, own: Resolved) -> Resolved {
    let globals = world.scope.root.get("Globals").and_then(|globals| globals.get("Function"));
    let Some(globals) = globals else { return own };
    merged(world.scope.resolve(globals), own)
}

/// Maps are merged, lists are joined, and what is the function's own wins.
fn merged(global: Resolved, own: Resolved) -> Resolved {
    match (global.value, own.value) {
        (global, Value::Nothing) => Resolved { at: own.at, value: global },
        (Value::Map(global), Value::Map(mut entries)) => {
            for (key, value) in global {
                match entries.iter().position(|(name, _)| *name == key) {
                    Some(at) => {
                        let (name, own) = entries.swap_remove(at);
                        entries.push((name, merged(value, own)));
                    }
                    None => entries.push((key, value)),
                }
            }
            Resolved { at: own.at, value: Value::Map(entries) }
        }
        (Value::List(mut global), Value::List(own_list)) => {
            global.extend(own_list);
            Resolved { at: own.at, value: Value::List(global) }
        }
        (_, value) => Resolved { at: own.at, value },
    }
}

/// Declares the role that SAM makes for a function.
pub(super) fn declare_role(world: &mut World<'_, '_>, function: &Created<'_, '_>, arn: &str) {
    let properties = &function.properties;
    let name = arn.rsplit('/').next().unwrap_or(arn).to_owned();
    world.declare_whole(arn, function.resource);
    let trust = policy_documents::read(properties.get("AssumeRolePolicyDocument"));
    let mut role = Role {
        role_name: Some(name.clone()),
        arn: Some(arn.to_owned()),
        assume_role_policy_document: trust
            .known()
            .map(PolicyDocument)
            .or_else(|| Some(policies::trust())),
        ..Role::default()
    };
    roles::put_boundary(world, &mut role, properties.get("PermissionsBoundary").id());
    world.draft.evidence.role = Observed::Known(role);
    begin(&mut world.draft.evidence.role_policies);
    attach(world, "AWSLambdaBasicExecutionRole");
    if !properties.get("VpcConfig").is_nothing() {
        attach(world, "AWSLambdaVPCAccessExecutionRole");
    }
    match properties.get("Policies").items() {
        Ok(items) => {
            let arn = world.scope.attribute_id(function.resource, "Arn");
            for (at, item) in items.into_iter().enumerate() {
                one_policy(world, item, &format!("{name}Policy{at}"), &arn);
            }
        }
        Err(open) => policies::add_inline(&mut world.draft, &name, Setting::Open(open)),
    }
}

fn attach(world: &mut World<'_, '_>, name: &str) {
    let partition = world.scope.place.partition();
    let arn = format!("arn:{partition}:iam::aws:policy/service-role/{name}");
    roles::attach(world, &arn, None);
}

/// One entry of `Policies`: a managed policy by name or ARN, a document, or one of SAM's
/// policy templates.
fn one_policy(world: &mut World<'_, '_>, item: &Resolved, name: &str, function: &str) {
    if let Setting::Known(text) = item.text() {
        let declared = match managed_policy(&text) {
            Some(_) => None,
            None => roles::declared(world, &text),
        };
        return roles::attach(world, &text, declared);
    }
    let document = match item.members() {
        [(template, parameters)] if template != "Statement" => {
            match template_statements(template, parameters, function, &world.scope.place) {
                Some(statements) => Setting::Known(vended::document(statements)),
                None => {
                    Setting::Open(format!("the policy template {template} is not known").into())
                }
            }
        }
        _ if item.get("Statement").is_nothing() => {
            Setting::Open("a policy is not understood".into())
        }
        _ => policy_documents::read(&versioned(item)),
    };
    policies::add_inline(&mut world.draft, name, document);
}

/// SAM writes the version into a document that has none.
fn versioned(item: &Resolved) -> Resolved {
    let mut item = item.clone();
    if item.get("Version").is_nothing()
        && let Value::Map(entries) = &mut item.value
    {
        let version = Resolved { at: item.at, value: Value::Text("2012-10-17".to_owned()) };
        entries.push(("Version".to_owned(), version));
    }
    item
}

/// The statements of the policy templates that concern rotation.
fn template_statements(
    name: &str,
    parameters: &Resolved,
    function: &str,
    place: &Place,
) -> Option<Vec<Json>> {
    let text = |name: &str| parameters.get(name).known();
    match name {
        "AWSSecretsManagerRotationPolicy" => {
            let rows = vended_statements().iter().filter(|row| row.needs.is_empty()).take(2);
            // `Resource` of the first covers all secrets of the account.
            let statement = |row: &VendedStatement| {
                serde_json::from_str(&vended::filled(&row.statement, place, function)).ok()
            };
            Some(rows.filter_map(statement).collect())
        }
        "AWSSecretsManagerGetSecretValuePolicy" => Some(vec![json!({"Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue"], "Resource": text("SecretArn")?})]),
        "VPCAccessPolicy" => {
            let row =
                vended_statements().iter().find(|row| row.statement.contains("ec2:Create"))?;
            Some(vec![serde_json::from_str(&row.statement).ok()?])
        }
        "KMSDecryptPolicy" => Some(vec![json!({"Effect": "Allow", "Action": "kms:Decrypt",
                "Resource": place.arn("kms", &format!("key/{}", text("KeyId")?))})]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::template::cloudformation::testing::only;

    #[test]
    fn globals_and_policy_templates_are_applied() {
        let declared = only(
            "
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Timeout: 30, Environment: {Variables: {PASSWORD_LENGTH: '20'}}}
Resources:
  S: {Type: 'AWS::SecretsManager::Secret'}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Environment: {Variables: {EXCLUDE_CHARACTERS: x}}
      Policies:
        - AWSLambdaENIManagementAccess
        - AWSSecretsManagerRotationPolicy: {FunctionName: !Ref F}
        - Statement: [{Effect: Allow, Action: 'a:b', Resource: '*'}]
        - S3ReadPolicy: {BucketName: b}
  Sched: {Type: 'AWS::SecretsManager::RotationSchedule', Properties: {SecretId: !Ref S, RotationLambdaARN: !GetAtt F.Arn}}
",
        );
        let found = serde_json::to_value(declared.evidence).expect("a bundle");
        let configuration = &found["Function"]["Configuration"];
        assert_eq!(configuration["Timeout"], 30);
        let variables = configuration["Environment"]["Variables"].as_object().expect("variables");
        assert_eq!(variables.len(), 2);
        assert_eq!(found["Role"]["RoleName"], "FRole");
        assert_eq!(found["AttachedPolicies"].as_array().map(Vec::len), Some(2));
        let policies = found["RolePolicies"].as_array().expect("policies");
        let documents: Vec<bool> =
            policies.iter().map(|policy| policy.get("PolicyDocument").is_some()).collect();
        assert_eq!(documents, [true, true, false], "{policies:?}");
        assert!(policies[0].to_string().contains("function:F"), "{}", policies[0]);
    }
}
