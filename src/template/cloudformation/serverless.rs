//! SAM: functions with their global settings and their policies, and applications of the
//! Serverless Application Repository that rotate secrets.
//!
//! Source: AWS SAM Developer Guide, "Globals section", "AWS::Serverless::Function"; the
//! parameters of the applications as aws-cdk's secret-rotation.ts passes them.

use serde_json::{Value as Json, json};

use super::{
    functions::comma_list,
    hosted::{Vended, trust},
    policy_text::{self, Reading},
    resolved::{Resolved, Unknown, Value},
    roles,
    world::{Made, World},
};
use crate::{
    catalogue::{managed_policy, vended_statements},
    evidence::Fact,
};

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

/// The role that SAM makes for a function.
pub(super) fn role(world: &mut World<'_, '_>, function: &Made<'_, '_>, arn: &str) {
    let properties = &function.properties;
    let name = arn.rsplit('/').next().unwrap_or(arn).to_owned();
    world.declare(arn, function.resource, function.resource.node.at);
    let boundary = properties.get("PermissionsBoundary").id();
    let boundary =
        boundary.map(|arn| (arn.clone(), roles::managed(world, &arn, Fact::PermissionsBoundary)));
    let named = boundary.as_ref().map(
        |(arn, _)| json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}),
    );
    let mut role = json!({"RoleName": name, "Arn": arn});
    role["AssumeRolePolicyDocument"] =
        match policy_text::read(properties.get("AssumeRolePolicyDocument")) {
            Reading::Document(document) => document,
            _ => trust(),
        };
    if let Some(named) = named {
        role["PermissionsBoundary"] = named;
    }
    world.draft.put("Role", role);
    world.draft.put("PermissionsBoundary", boundary.map_or(Json::Null, |(_, found)| found));
    world.draft.list("RolePolicies");
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
        Err(unknown) => {
            world.open(Fact::RolePolicies, &name, &unknown);
            world.draft.push("RolePolicies", json!({"PolicyName": "Policies"}));
        }
    }
}

fn attach(world: &mut World<'_, '_>, name: &str) {
    let partition = world.scope.place.partition();
    let arn = format!("arn:{partition}:iam::aws:policy/service-role/{name}");
    let found = roles::managed(world, &arn, Fact::AttachedPolicies);
    world.draft.push("AttachedPolicies", found);
}

/// One entry of `Policies`: a managed policy by name or ARN, a document, or one of SAM's
/// policy templates.
fn one_policy(world: &mut World<'_, '_>, item: &Resolved, name: &str, function: &str) {
    if let Ok(Some(text)) = item.text() {
        let found = match managed_policy(&text) {
            Some(document) => {
                json!({"PolicyName": text, "PolicyArn": text, "PolicyDocument": document})
            }
            None => roles::managed(world, &text, Fact::AttachedPolicies),
        };
        return world.draft.push("AttachedPolicies", found);
    }
    let document = match item.members() {
        [(template, parameters)] if template != "Statement" => {
            template_statements(template, parameters, function)
                .map(policy_text::document)
                .ok_or_else(|| format!("policy template {template} is not known"))
        }
        _ if item.get("Statement").is_nothing() => Err("a policy is not understood".to_owned()),
        _ => match policy_text::read(&versioned(item)) {
            Reading::Document(document) => Ok(document),
            Reading::Open(unknown) => Err(unknown.why),
            Reading::Nothing => return,
        },
    };
    match document {
        Ok(document) => {
            let found = json!({"PolicyName": name, "PolicyDocument": document});
            world.draft.push("RolePolicies", found);
        }
        Err(why) => {
            world.draft.gap(Fact::RolePolicies, name, why);
            world.draft.push("RolePolicies", json!({"PolicyName": name}));
        }
    }
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
fn template_statements(name: &str, parameters: &Resolved, function: &str) -> Option<Vec<Json>> {
    let told = |name: &str| parameters.get(name).known();
    match name {
        "AWSSecretsManagerRotationPolicy" => {
            let rows = vended_statements().iter().filter(|row| row.needs.is_empty()).take(2);
            // `Resource` of the first covers all secrets of the account.
            let mut parts = function.split(':').skip(1);
            let (partition, region) = (parts.next()?, parts.nth(1)?);
            let account = parts.next()?;
            Some(
                rows.filter_map(|row| {
                    let filled = row
                        .statement
                        .replace("{partition}", partition)
                        .replace("{region}", region)
                        .replace("{account}", account)
                        .replace("{function}", function);
                    serde_json::from_str(&filled).ok()
                })
                .collect(),
            )
        }
        "AWSSecretsManagerGetSecretValuePolicy" => Some(vec![json!({"Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue"], "Resource": told("SecretArn")?})]),
        "VPCAccessPolicy" => {
            let row =
                vended_statements().iter().find(|row| row.statement.contains("ec2:Create"))?;
            Some(vec![serde_json::from_str(&row.statement).ok()?])
        }
        "KMSDecryptPolicy" => {
            let place = function.replace(":lambda:", ":kms:");
            let (start, _) = place.split_once(":function:")?;
            Some(vec![json!({"Effect": "Allow", "Action": "kms:Decrypt",
                "Resource": format!("{start}:key/{}", told("KeyId")?)})])
        }
        _ => None,
    }
}

/// The function of an application that rotates secrets.
pub(super) fn application<'s, 't>(
    application: &Made<'s, 't>,
    arn: &str,
) -> Result<Vended<'s, 't>, Unknown> {
    let location = application.properties.get("Location");
    let id = location.get("ApplicationId").id();
    let id = id.or_else(|| location.id()).unwrap_or_default();
    // The CDK picks the partition's application out of a mapping.
    let template = id.rsplit('/').next().filter(|name| name.starts_with("SecretsManager"));
    let Some(template) = template else {
        let why = format!("what the application {id} makes is not known");
        return Err(Unknown::named(application.resource.name, why));
    };
    let parameters = application.properties.get("Parameters");
    let endpoint = parameters.get("endpoint").text()?;
    Ok(Vended {
        resource: application.resource,
        arn: arn.to_owned(),
        name: arn.rsplit(':').next().unwrap_or(arn).to_owned(),
        template: Some(template.to_owned()),
        version: location.get("SemanticVersion").known(),
        runtime: None,
        endpoint,
        subnets: comma_list(parameters.get("vpcSubnetIds")),
        groups: comma_list(parameters.get("vpcSecurityGroupIds")),
        key: parameters.get("kmsKeyArn").clone(),
        superuser: either(parameters, "superuserSecretArn", "masterSecretArn"),
        superuser_key: either(parameters, "superuserSecretKmsKeyArn", "masterSecretKmsKeyArn"),
        exclude: parameters.get("excludeCharacters").known(),
    })
}

fn either(parameters: &Resolved, new: &str, old: &str) -> Resolved {
    match parameters.get(new) {
        told if told.is_nothing() => parameters.get(old).clone(),
        told => told.clone(),
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
