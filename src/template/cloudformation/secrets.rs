//! Secrets Manager: secrets, what of their values is declared, attachments to databases
//! and resource policies. Values are never kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::{
    databases, policy_documents,
    scope::{Resource, Scope},
    value::{Resolved, is_opaque},
    world::{World, tags},
};
use crate::{
    evidence::{Fact, Observed, PolicyDocument, ReplicationStatus, Secret, StageShape},
    seal,
    template::aws::{Open, Setting, databases as engines, secrets},
};

/// The kind of a secret.
pub(super) const SECRET: &str = "AWS::SecretsManager::Secret";
/// The kind of what adds the connection of a database to a secret.
pub(super) const ATTACHMENT: &str = "AWS::SecretsManager::SecretTargetAttachment";
/// The properties that give a secret its first value.
const VALUES: [&str; 2] = ["SecretString", "GenerateSecretString"];

/// The secret with this ARN or name, where the template makes it.
pub(super) fn find<'s, 't>(scope: &'s Scope<'t>, id: &str) -> Option<&'s Resource<'t>> {
    let named = |one: &&Resource<'t>| {
        scope.id_of(one) == id || scope.property(one, "Name").known().as_deref() == Some(id)
    };
    scope.resources().iter().filter(|one| one.kind == SECRET).find(named)
}

/// DescribeSecret of a secret of the template, without its rotation.
pub(super) fn described(world: &mut World<'_, '_>, resource: &Resource<'_>) -> Secret {
    let properties = world.scope.properties(resource);
    let arn = world.scope.id_of(resource);
    world.declare_whole(&arn, resource);
    let name = properties.get("Name").id().unwrap_or_else(|| resource.name.to_owned());
    world.declare_whole(&name, resource);
    world.declare_whole(resource.name, resource);
    let replicas = properties.get("ReplicaRegions").items().unwrap_or_default();
    let replica = |replica: &Resolved| ReplicationStatus {
        region: replica.get("Region").known(),
        status: Some("InSync".to_owned()),
        kms_key_id: replica.get("KmsKeyId").id(),
        ..ReplicationStatus::default()
    };
    // A secret without a value has no version either.
    let has_value = VALUES.iter().any(|name| !properties.get(name).is_nothing());
    Secret {
        arn: Some(arn),
        name: Some(name),
        description: properties.get("Description").known(),
        kms_key_id: properties.get("KmsKeyId").id(),
        tags: tags(properties.get("Tags")),
        version_ids_to_stages: if has_value { secrets::first_version() } else { BTreeMap::new() },
        replication_status: replicas.into_iter().map(replica).collect(),
        ..Secret::default()
    }
}

/// Secret policy and the shape of the value.
pub(super) fn surroundings(world: &mut World<'_, '_>, resource: &Resource<'_>) {
    let arn = world.scope.id_of(resource);
    resource_policy(world, &arn);
    if VALUES.iter().all(|name| world.scope.property(resource, name).is_nothing()) {
        world.draft.evidence.secret_versions = Observed::Absent;
    }
    match shape(world, resource) {
        Setting::Known(shape) => put_shape(world, shape),
        Setting::Absent => world.draft.evidence.secret_shape = Observed::Absent,
        Setting::Open(open) => world.draft.gap(Fact::SecretShape, &arn, open),
    }
}

fn put_shape(world: &mut World<'_, '_>, shape: StageShape) {
    let stage = "AWSCURRENT".to_owned();
    world.draft.evidence.secret_shape = Observed::Known(BTreeMap::from([(stage, shape)]));
}

fn resource_policy(world: &mut World<'_, '_>, arn: &str) {
    let all = world.perhaps("AWS::SecretsManager::ResourcePolicy");
    let own = all.into_iter().find(|(one, _)| {
        let of = one.properties.get("SecretId").id();
        of.is_some_and(|of| {
            of == arn || find(world.scope, &of).is_some_and(|r| world.scope.id_of(r) == arn)
        })
    });
    let document = match (own, &world.hidden) {
        (None, None) => Setting::Absent,
        (None, Some(reason)) => Setting::Open(reason.clone().into()),
        (Some((_, Err(open))), _) => Setting::Open(open),
        (Some((policy, Ok(()))), _) => {
            let document = policy.properties.get("ResourcePolicy");
            world.declare_policy("the secret's resource policy", policy.resource, document);
            policy_documents::read(document)
        }
    };
    match document {
        Setting::Known(document) => {
            world.draft.evidence.secret_policy = Observed::Known(PolicyDocument(document));
        }
        Setting::Absent => world.draft.evidence.secret_policy = Observed::Absent,
        Setting::Open(open) => world.draft.gap(Fact::SecretPolicy, arn, open),
    }
}

/// What the secret's value will have: keys, and of the values those that name a place.
/// Absent where nothing gives the secret a value.
fn shape(world: &World<'_, '_>, resource: &Resource<'_>) -> Setting<StageShape> {
    let scope = world.scope;
    let arn = scope.id_of(resource);
    let mut shape = own_shape(scope, resource);
    for (attachment, open) in world.perhaps(ATTACHMENT) {
        if attachment.properties.get("SecretId").id().as_deref() != Some(&arn) {
            continue;
        }
        if let Err(open) = open {
            return Setting::Open(open);
        }
        shape = shape.map(|mut shape| {
            attach(scope, &mut shape, &attachment.properties);
            shape
        });
    }
    shape.map(|mut shape| {
        let keys: BTreeSet<String> = shape.keys.drain(..).collect();
        shape.keys = keys.into_iter().collect();
        shape
    })
}

/// What the secret itself declares of its value.
fn own_shape(scope: &Scope<'_>, resource: &Resource<'_>) -> Setting<StageShape> {
    let generated = scope.property(resource, "GenerateSecretString");
    if let Some(open) = generated.open() {
        return Setting::Open(open.clone());
    }
    if !generated.is_nothing() {
        return generated_shape(&generated);
    }
    match scope.property(resource, "SecretString").text() {
        // The keys are known where only values are open, as the CDK writes them.
        Setting::Open(open) => match without_open(seal::shape(&open.token)) {
            shape if shape.is_json == Some(true) => Setting::Known(shape),
            _ => Setting::Open(open),
        },
        setting => setting.map(|text| seal::shape(&text)),
    }
}

/// The keys that a secret's own properties give its value.
pub(super) fn own_keys(scope: &Scope<'_>, resource: &Resource<'_>) -> Vec<String> {
    own_shape(scope, resource).known().map(|shape| shape.keys).unwrap_or_default()
}

/// The value that GetRandomPassword and a template for the rest give.
fn generated_shape(generated: &Resolved) -> Setting<StageShape> {
    let key = match generated.get("GenerateStringKey").text() {
        Setting::Open(open) => return Setting::Open(open),
        setting => setting.known(),
    };
    let text = match generated.get("SecretStringTemplate").text() {
        // A password and nothing else.
        Setting::Absent => {
            let plain = StageShape { is_json: Some(false), ..StageShape::default() };
            return Setting::Known(plain);
        }
        Setting::Known(text) => Ok(text),
        Setting::Open(open) => Err(open),
    };
    let mut shape = match &text {
        Ok(text) => without_open(seal::shape(text)),
        Err(open) => without_open(seal::shape(&open.token)),
    };
    if shape.is_json == Some(false) {
        return match text {
            // Secrets Manager refuses it; what would be in it is no value of a rotation.
            Ok(_) => Setting::Known(shape),
            Err(open) => Setting::Open(open),
        };
    }
    shape.keys.extend(key);
    Setting::Known(shape)
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
fn attach(scope: &Scope<'_>, shape: &mut StageShape, attachment: &Resolved) {
    let target = attachment.get("TargetId").id().unwrap_or_default();
    let is_cluster =
        attachment.get("TargetType").known().is_some_and(|kind| kind.ends_with("Cluster"));
    let mut values: BTreeMap<&'static str, Json> = BTreeMap::new();
    let own = databases::called(scope, &target);
    let is_cluster = own.map_or(is_cluster, |resource| resource.kind.ends_with("Cluster"));
    if let Some(resource) = own {
        let host = Resolved { at: resource.node.at, value: scope.endpoint(resource) };
        values.extend(host.known().map(|host| ("host", json!(host))));
        let port = databases::port(scope, resource).known();
        values.extend(port.map(|port| ("port", json!(port))));
        let engine = databases::engine(scope, resource).known();
        values.extend(engine.map(|name| ("engine", json!(engines::engine_in_secret(&name)))));
        for name in ["DBName", "DatabaseName"] {
            values.extend(scope.property(resource, name).known().map(|n| ("dbname", json!(n))));
        }
        let key = if is_cluster { "dbClusterIdentifier" } else { "dbInstanceIdentifier" };
        values.insert(key, json!(scope.id_of(resource)));
    }
    secrets::attach(shape, is_cluster, values);
}

/// Whether the value names a database, or may not name any.
pub(super) fn names_database(shape: &Observed<BTreeMap<String, StageShape>>) -> bool {
    let Some(shape) = shape.known().and_then(|shapes| shapes.get("AWSCURRENT")) else {
        return false;
    };
    ["host", "dbInstanceIdentifier", "dbClusterIdentifier"].iter().any(|key| {
        shape.values.get(*key).and_then(Json::as_str).is_some_and(|value| !is_opaque(value))
    })
}

/// An error for what is not a secret of the template.
pub(super) fn outside(id: &str) -> Open {
    format!("the secret {id} is not declared").into()
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
