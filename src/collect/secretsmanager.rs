//! Secrets Manager: the secret, its versions and policy, and — only where it
//! was asked for — the shape of its value, which is all that is kept of it.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::{
    operation::describe_secret::DescribeSecretOutput, types::SecretListEntry,
};

use super::{
    call::Caller,
    convert::{document, list, time, word},
    failure::{Failure, Kind},
    pages::pages,
    scene::{PatchResult, Scene, patch},
    session::Clients,
    step::steps,
};
use crate::{
    aws::limits,
    evidence::{
        Fact, Observed, Reason, ReplicationStatus, RotationRules, Secret, SecretVersion,
        SecretVersions, StageShape, Tag,
    },
    seal,
};

steps! {
    // The first wave makes this call itself: without the secret there is nothing to examine.
    1 "secretsmanager:DescribeSecret" => Secret <- []: |_| Vec::new();
    1 "secretsmanager:ListSecretVersionIds" => SecretVersions <- []:
        |tasks| vec![tasks.one(tasks.scene.secret_id.clone(), versions)];
    1 "secretsmanager:GetResourcePolicy" => SecretPolicy <- []:
        |tasks| vec![tasks.one(tasks.scene.secret_id.clone(), policy)];
    2 "secretsmanager:GetSecretValue" => SecretShape <- [Secret]: |tasks| {
        let stages = stages(tasks.scene);
        if !tasks.scene.read_secret || stages.is_empty() {
            return Vec::new();
        }
        vec![tasks.one(tasks.scene.secret_id.clone(), async move |caller, clients, id: &str| {
            shapes(caller, clients, id, stages).await
        })]
    };
    3 "secretsmanager:DescribeSecret" => SuperuserSecret <- [SecretShape]:
        |tasks| tasks.each(superuser_arn(tasks.scene), superuser);
}

const DESCRIBE: &str = "secretsmanager:DescribeSecret";
const GET_VALUE: &str = "secretsmanager:GetSecretValue";
/// The stages that rotation moves.
const STAGES: &[&str] = &["AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"];

pub(super) async fn describe(
    caller: &Caller,
    clients: &Clients,
    id: &str,
) -> Result<Secret, Failure> {
    let request = clients.secretsmanager.describe_secret().secret_id(id);
    Ok(secret(caller.call(DESCRIBE, id, request.send()).await?))
}

fn secret(answer: DescribeSecretOutput) -> Secret {
    let mut secret = Secret {
        arn: answer.arn,
        name: answer.name,
        description: answer.description,
        kms_key_id: answer.kms_key_id,
        rotation_enabled: answer.rotation_enabled,
        rotation_lambda_arn: answer.rotation_lambda_arn.filter(|arn| !arn.is_empty()),
        rotation_rules: answer.rotation_rules.map(|rules| RotationRules {
            automatically_after_days: rules.automatically_after_days,
            duration: rules.duration,
            schedule_expression: rules.schedule_expression,
        }),
        last_rotated_date: time(answer.last_rotated_date),
        last_changed_date: time(answer.last_changed_date),
        last_accessed_date: time(answer.last_accessed_date),
        deleted_date: time(answer.deleted_date),
        next_rotation_date: time(answer.next_rotation_date),
        created_date: time(answer.created_date),
        tags: list(answer.tags, |tag| Tag { key: tag.key, value: tag.value }),
        version_ids_to_stages: answer
            .version_ids_to_stages
            .unwrap_or_default()
            .into_iter()
            .collect(),
        owning_service: answer.owning_service,
        primary_region: answer.primary_region,
        replication_status: list(answer.replication_status, |replica| ReplicationStatus {
            region: replica.region,
            kms_key_id: replica.kms_key_id,
            status: word(replica.status),
            status_message: replica.status_message,
        }),
    };
    seal::seal_secret(&mut secret);
    secret
}

/// A secret as a list has it: all that DescribeSecret says but for its replicas.
pub(super) fn listed(entry: SecretListEntry) -> Secret {
    let mut answer = DescribeSecretOutput::builder().build();
    answer.arn = entry.arn;
    answer.name = entry.name;
    answer.description = entry.description;
    answer.kms_key_id = entry.kms_key_id;
    answer.rotation_enabled = entry.rotation_enabled;
    answer.rotation_lambda_arn = entry.rotation_lambda_arn;
    answer.rotation_rules = entry.rotation_rules;
    answer.last_rotated_date = entry.last_rotated_date;
    answer.last_changed_date = entry.last_changed_date;
    answer.last_accessed_date = entry.last_accessed_date;
    answer.deleted_date = entry.deleted_date;
    answer.next_rotation_date = entry.next_rotation_date;
    answer.created_date = entry.created_date;
    answer.tags = entry.tags;
    answer.version_ids_to_stages = entry.secret_versions_to_stages;
    answer.owning_service = entry.owning_service;
    answer.primary_region = entry.primary_region;
    secret(answer)
}

async fn versions(caller: &Caller, clients: &Clients, id: &str) -> PatchResult {
    let request = clients.secretsmanager.list_secret_version_ids().secret_id(id);
    let request = request.include_deprecated(true);
    let action = "secretsmanager:ListSecretVersionIds";
    let mut pages =
        pages!(caller, action, id, limits::VERSION_PAGES, request, set_next_token, next_token);
    let mut versions = Vec::new();
    while let Some(page) = pages.next().await? {
        versions.extend(list(page.versions, |version| SecretVersion {
            version_id: version.version_id,
            version_stages: version.version_stages.unwrap_or_default(),
            created_date: time(version.created_date),
            last_accessed_date: time(version.last_accessed_date),
            kms_key_ids: version.kms_key_ids.unwrap_or_default(),
        }));
    }
    let cut = pages.cut();
    let id = id.to_owned();
    patch(move |scene| {
        scene.evidence.secret_versions = Observed::Known(SecretVersions { versions });
        if cut {
            let message = format!(
                "only the first {most} pages of versions were read",
                most = limits::VERSION_PAGES
            );
            scene.gap(Fact::SecretVersions, action, &id, Reason::Truncated, &message);
        }
    })
}

async fn policy(caller: &Caller, clients: &Clients, id: &str) -> PatchResult {
    let request = clients.secretsmanager.get_resource_policy().secret_id(id);
    let answer = caller.call("secretsmanager:GetResourcePolicy", id, request.send()).await?;
    let policy = answer.resource_policy.filter(|text| !text.trim().is_empty());
    patch(move |scene| {
        scene.evidence.secret_policy = policy.as_deref().map(document).into();
    })
}

/// The stages of this secret whose values can be looked at.
fn stages(scene: &Scene) -> Vec<&'static str> {
    let Some(secret) = scene.evidence.secret.known() else { return Vec::new() };
    STAGES.iter().copied().filter(|stage| secret.version_with(stage).is_some()).collect()
}

/// The shapes of all stages. The value is dropped in `shape_of`, right after it
/// arrived.
async fn shapes(
    caller: &Caller,
    clients: &Clients,
    id: &str,
    stages: Vec<&'static str>,
) -> PatchResult {
    let calls =
        stages.into_iter().map(async |stage| (stage, shape_of(caller, clients, id, stage).await));
    let answers = futures_util::future::join_all(calls).await;
    let id = id.to_owned();
    patch(move |scene| {
        let mut shapes = BTreeMap::new();
        for (stage, answer) in answers {
            match answer {
                Ok(shape) => {
                    shapes.insert(stage.to_owned(), shape);
                }
                // A label without a value: it moved between two calls.
                Err(Failure::Absent) => {}
                Err(failure) => scene.failed(Fact::SecretShape, GET_VALUE, &id, &failure),
            }
        }
        if !shapes.is_empty() || scene.evidence.gap(Fact::SecretShape, None).is_none() {
            scene.evidence.secret_shape = Observed::Known(shapes);
        }
    })
}

async fn shape_of(
    caller: &Caller,
    clients: &Clients,
    id: &str,
    stage: &str,
) -> Result<StageShape, Failure> {
    let request = clients.secretsmanager.get_secret_value().secret_id(id).version_stage(stage);
    let answer = caller.call(GET_VALUE, id, request.send()).await.map_err(through_the_key)?;
    let shape = match (answer.secret_string, answer.secret_binary) {
        (Some(text), _) => seal::shape(&text),
        (None, Some(bytes)) => seal::shape(&String::from_utf8_lossy(bytes.as_ref())),
        (None, None) => StageShape { is_json: Some(false), ..StageShape::default() },
    };
    Ok(shape)
}

/// A value may be refused because of its key, not of the secret.
fn through_the_key(failure: Failure) -> Failure {
    match failure {
        Failure::Refused { kind: Kind::Denied, message, .. }
            if message.contains("KMS") || message.contains("kms:") =>
        {
            Failure::Refused { kind: Kind::Denied, action: Some("kms:Decrypt".to_owned()), message }
        }
        other => other,
    }
}

/// The superuser secret that the shape names.
fn superuser_arn(scene: &Scene) -> Option<String> {
    let shapes = scene.evidence.secret_shape.known()?;
    STAGES
        .iter()
        .filter_map(|stage| shapes.get(*stage)?.text("masterarn"))
        .find(|arn| !arn.is_empty())
}

async fn superuser(caller: &Caller, clients: &Clients, arn: &str) -> PatchResult {
    let secret = describe(caller, clients, arn).await?;
    patch(move |scene| scene.evidence.superuser_secret = Observed::Known(secret))
}
