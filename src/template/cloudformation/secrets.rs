//! Secrets Manager: secrets, what of their values is declared, attachments to databases
//! and resource policies. Values are never taken up.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::{
    databases,
    policy_text::{self, Reading},
    resolved::{Resolved, is_opaque},
    scope::{Presence, Resource, Scope},
    world::{World, compact},
};
use crate::{
    catalogue::engines,
    evidence::{Fact, StageShape},
    seal,
};

/// The secret with this ARN or name, where the template makes it.
pub(super) fn find<'s, 't>(scope: &'s Scope<'t>, id: &str) -> Option<&'s Resource<'t>> {
    let named = |one: &&Resource<'t>| {
        scope.id_of(one) == id || scope.property(one, "Name").known().as_deref() == Some(id)
    };
    scope.resources().iter().filter(|one| one.kind == "AWS::SecretsManager::Secret").find(named)
}

/// DescribeSecret of a secret of the template, without its rotation.
pub(super) fn described(world: &mut World<'_, '_>, resource: &Resource<'_>) -> Json {
    let properties = world.scope.properties(resource);
    let arn = world.scope.id_of(resource);
    world.declare(&arn, resource, resource.node.at);
    let name = properties.get("Name").id().unwrap_or_else(|| resource.name.to_owned());
    world.declare(&name, resource, resource.node.at);
    world.declare(resource.name, resource, resource.node.at);
    let replicas: Vec<Json> = properties
        .get("ReplicaRegions")
        .items()
        .unwrap_or_default()
        .into_iter()
        .map(|replica| {
            compact(json!({"Region": replica.get("Region").known(), "Status": "InSync",
                "KmsKeyId": replica.get("KmsKeyId").id()}))
        })
        .collect();
    let valued = ["SecretString", "GenerateSecretString"];
    let valued = valued.iter().any(|name| !properties.get(name).is_nothing());
    // A secret is made with its first version.
    let stages = if valued { json!({"declared": ["AWSCURRENT"]}) } else { json!({}) };
    compact(json!({"ARN": arn, "Name": name, "Description": properties.get("Description").known(),
        "KmsKeyId": properties.get("KmsKeyId").id(), "Tags": World::tags(properties.get("Tags")),
        "VersionIdsToStages": stages, "ReplicationStatus": replicas}))
}

/// Secret policy and the shape of the value.
pub(super) fn surroundings(world: &mut World<'_, '_>, resource: &Resource<'_>) {
    let arn = world.scope.id_of(resource);
    resource_policy(world, &arn);
    match shape(world, resource) {
        Ok(shape) => world.draft.put("SecretShape", json!({"AWSCURRENT": shape})),
        Err(why) => world.draft.gap(Fact::SecretShape, &arn, why),
    }
}

fn resource_policy(world: &mut World<'_, '_>, arn: &str) {
    let all = world.perhaps("AWS::SecretsManager::ResourcePolicy");
    let own = all.into_iter().find(|(one, _)| {
        let of = one.properties.get("SecretId").id();
        of.is_some_and(|of| {
            of == arn || find(world.scope, &of).is_some_and(|r| world.scope.id_of(r) == arn)
        })
    });
    let why = match own {
        None if world.hidden.is_none() => {
            return world.draft.put("SecretPolicy", Json::Null);
        }
        None => world.hidden.clone().unwrap_or_default(),
        Some((_, Err(why))) => why,
        Some((policy, Ok(()))) => {
            let document = policy.properties.get("ResourcePolicy");
            world.declare_policy("the secret's resource policy", policy.resource, document);
            match policy_text::read(document) {
                Reading::Document(document) => return world.draft.put("SecretPolicy", document),
                Reading::Nothing => return world.draft.put("SecretPolicy", Json::Null),
                Reading::Open(unknown) => unknown.why,
            }
        }
    };
    world.draft.gap(Fact::SecretPolicy, arn, why);
}

/// What the secret's value will have: keys, and of the values those that name a place.
fn shape(world: &World<'_, '_>, resource: &Resource<'_>) -> Result<Json, String> {
    let scope = world.scope;
    let mut shape = own_shape(scope, resource)?;
    let arn = scope.id_of(resource);
    for (attachment, open) in world.perhaps("AWS::SecretsManager::SecretTargetAttachment") {
        if attachment.properties.get("SecretId").id().as_deref() != Some(&arn) {
            continue;
        }
        open?;
        let target = attachment.properties.get("TargetId").id().unwrap_or_default();
        attach(scope, &mut shape, &target);
    }
    let keys: BTreeSet<String> = shape.keys.drain(..).collect();
    Ok(json!({"Keys": keys, "IsJson": shape.is_json, "Values": shape.values}))
}

/// What the secret itself declares of its value.
fn own_shape(scope: &Scope<'_>, resource: &Resource<'_>) -> Result<StageShape, String> {
    let generated = scope.property(resource, "GenerateSecretString");
    if let Some(unknown) = generated.unknown() {
        return Err(unknown.why.clone());
    }
    if !generated.is_nothing() {
        let template = generated.get("SecretStringTemplate");
        let key = generated.get("GenerateStringKey").text().map_err(|open| open.why)?;
        let text = match template.text() {
            Ok(None) => return Ok(StageShape { is_json: Some(false), ..StageShape::default() }),
            Ok(Some(text)) => text,
            Err(unknown) => unknown.token,
        };
        let mut shape = without_open(seal::shape(&text));
        if shape.is_json == Some(false) {
            return Err("the template of the value cannot be read".to_owned());
        }
        shape.keys.extend(key);
        return Ok(shape);
    }
    match scope.property(resource, "SecretString").text() {
        Ok(Some(text)) => Ok(seal::shape(&text)),
        Ok(None) => Err("the secret's value is not declared".to_owned()),
        // The keys are known where only values are open, as the CDK writes them.
        Err(unknown) => {
            let shape = without_open(seal::shape(&unknown.token));
            if shape.is_json == Some(true) { Ok(shape) } else { Err(unknown.why) }
        }
    }
}

/// Values that are open are not known, their keys are.
fn without_open(mut shape: StageShape) -> StageShape {
    let open = |value: &Json| {
        value.as_str().is_some_and(|text| is_opaque(text) || text.contains("{{resolve:"))
    };
    shape.values.retain(|_, value| !open(value));
    shape
}

/// What an attachment adds to the value.
///
/// Source: CloudFormation reference, SecretTargetAttachment: it adds the database's
/// connection information to the secret.
fn attach(scope: &Scope<'_>, shape: &mut StageShape, target: &str) {
    let mut values: BTreeMap<&str, Json> = BTreeMap::new();
    let own = scope.resources().iter().find(|one| {
        let database = databases::KINDS.iter().any(|(kind, _)| *kind == one.kind)
            || one.kind == "AWS::Redshift::Cluster";
        database && scope.id_of(one) == target && scope.presence(one) == Presence::Made
    });
    let cluster = match own {
        Some(resource) => {
            let host = Resolved { at: resource.node.at, value: scope.endpoint(resource) };
            values.extend(host.known().map(|host| ("host", json!(host))));
            if let Ok(Some(port)) = databases::port(scope, resource) {
                values.insert("port", json!(port));
            }
            if let Ok(Some(engine)) = databases::engine(scope, resource) {
                values.insert("engine", json!(engine_of_secret(&engine)));
            }
            for name in ["DBName", "DatabaseName"] {
                values.extend(scope.property(resource, name).known().map(|n| ("dbname", json!(n))));
            }
            let cluster = resource.kind.ends_with("Cluster");
            let key = if cluster { "dbClusterIdentifier" } else { "dbInstanceIdentifier" };
            values.insert(key, json!(target));
            cluster
        }
        None => false,
    };
    shape.is_json = Some(true);
    let identifier = if cluster { "dbClusterIdentifier" } else { "dbInstanceIdentifier" };
    let added = ["engine", "host", "port", identifier];
    shape.keys.extend(added.iter().map(|key| (*key).to_owned()));
    if values.contains_key("dbname") {
        shape.keys.push("dbname".to_owned());
    }
    let values: Map<String, Json> = values.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    shape.values.extend(values);
}

/// An engine as a secret names it: without the edition, and Aurora by what it speaks.
fn engine_of_secret(engine: &str) -> String {
    let spoken = match engine {
        "docdb" => "mongo",
        _ => engine.trim_start_matches("aurora-"),
    };
    let rows = engines().all();
    let row = rows.iter().find(|row| spoken.starts_with(row.name.as_str()));
    row.map_or(spoken, |row| row.name.as_str()).to_owned()
}

/// The superuser's secret: the one that the value names, else the one that the
/// function's template is given.
pub(super) fn superuser(world: &mut World<'_, '_>, given: Option<String>) {
    let shape = world.draft.get("SecretShape").and_then(|shape| shape.get("AWSCURRENT"));
    let named = shape.and_then(|shape| shape["Values"]["masterarn"].as_str()).map(str::to_owned);
    let keyed = shape.is_some_and(|shape| {
        shape["Keys"].as_array().into_iter().flatten().any(|key| key == "masterarn")
    });
    let unseen = shape.is_none();
    let Some(arn) = named.or(given) else {
        if keyed || unseen {
            world.draft.gap(Fact::SuperuserSecret, "", "the secret's masterarn is not told");
        } else {
            world.draft.put("SuperuserSecret", Json::Null);
        }
        return;
    };
    let scope = world.scope;
    let managed = scope.resources().iter().find_map(|one| {
        let secret = databases::master_secret(scope, one)?;
        (secret["SecretArn"] == *arn).then_some((one, secret))
    });
    if let Some((resource, secret)) = managed {
        world.declare(&arn, resource, resource.node.at);
        let name = arn.rsplit(':').next().unwrap_or_default();
        world.draft.put(
            "SuperuserSecret",
            compact(json!({"ARN": arn, "Name": name.trim_end_matches("-xxxxxx"),
                "OwningService": "rds", "KmsKeyId": secret["KmsKeyId"],
                "VersionIdsToStages": {"declared": ["AWSCURRENT"]}})),
        );
        return;
    }
    match find(scope, &arn) {
        Some(resource) if scope.presence(resource) == Presence::Made => {
            let found = described(world, resource);
            world.draft.put("SuperuserSecret", found);
        }
        _ => {
            let why = format!("the superuser's secret {arn} is not in the template");
            world.draft.gap(Fact::SuperuserSecret, &arn, why);
        }
    }
}

/// Whether the shape names a database of the template, or none at all.
pub(super) fn names_database(shape: Option<&Json>) -> bool {
    let Some(shape) = shape else { return false };
    let values = &shape["AWSCURRENT"]["Values"];
    ["host", "dbInstanceIdentifier", "dbClusterIdentifier"]
        .iter()
        .any(|key| values[*key].as_str().is_some_and(|value| !is_opaque(value)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::template::{Settings, cloudformation};

    fn shape(properties: &str) -> Value {
        let text = format!(
            "
Parameters: {{Open: {{Type: String}}, Password: {{Type: String, NoEcho: true, Default: hunter2}}}}
Resources:
  S: {{Type: 'AWS::SecretsManager::Secret', Properties: {{Name: s, {properties}}}}}
  Sched: {{Type: 'AWS::SecretsManager::RotationSchedule', Properties: {{SecretId: !Ref S, RotationLambdaARN: x}}}}
"
        );
        let mut read = cloudformation::read(&text, &Settings::default()).expect("a template");
        let evidence = serde_json::to_value(read.rotations.remove(0).evidence).expect("a bundle");
        let whole = evidence.to_string();
        assert!(!whole.contains("hunter2"), "{whole}");
        evidence["SecretShape"]["AWSCURRENT"].clone()
    }

    #[test]
    fn of_a_value_the_keys_and_the_places_are_taken() {
        let generated = shape(
            "GenerateSecretString: {SecretStringTemplate: !Sub '{\"username\": \"u\", \"host\": \"${Open}\"}', GenerateStringKey: password}",
        );
        assert_eq!(generated["Keys"], json!(["host", "password", "username"]));
        assert_eq!(generated["Values"], json!({"username": "u"}), "what is open is not known");
        let written = shape(
            "SecretString: !Sub '{\"engine\": \"mysql\", \"password\": \"${Password}\", \"port\": 3306}'",
        );
        assert_eq!(written["Keys"], json!(["engine", "password", "port"]));
        assert_eq!(written["Values"], json!({"engine": "mysql", "port": 3306}));
        let plain = shape("SecretString: '{\"password\": \"hunter2\"}'");
        assert_eq!(plain["Keys"], json!(["password"]));
        assert_eq!(shape("SecretString: !Ref Password"), Value::Null);
        assert_eq!(shape("Description: none"), Value::Null);
        assert_eq!(shape("GenerateSecretString: {}")["IsJson"], false);
    }
}
