//! KMS: the keys that rotation depends on.

use super::{
    call::Caller,
    convert::{document, list, time, word, words},
    failure::Failure,
    pages::pages,
    scene::{PatchResult, Scene, patch},
    session::Clients,
    step::{Task, TaskBuilder, steps},
};
use crate::{
    aws::limits,
    evidence::{Fact, Grant, GrantConstraints, KeyMetadata, Observed},
};

steps! {
    2 "kms:DescribeKey" => KeyMetadata <- [Secret]:
        |tasks| tasks.each(tasks.not_asked(targets(tasks.scene)), metadata);
    2 "kms:GetKeyPolicy" => KeyPolicy <- [Secret]: |tasks| by_key_id(tasks, policy);
    2 "kms:ListGrants" => KeyGrants <- [Secret]: |tasks| by_key_id(tasks, grants);
    // The environment's key, and what could not be asked with an alias.
    3 "kms:DescribeKey" => KeyMetadata <- [Secret, Function]:
        |tasks| tasks.each(tasks.not_asked(targets(tasks.scene)), metadata);
    3 "kms:GetKeyPolicy" => KeyPolicy <- [Secret, Function]: |tasks| by_key_id(tasks, policy);
    3 "kms:ListGrants" => KeyGrants <- [Secret, Function]: |tasks| by_key_id(tasks, grants);
    // The superuser secret's key, where there is such a secret.
    4 "kms:DescribeKey" => KeyMetadata <- [Secret, Function]:
        |tasks| tasks.each(tasks.not_asked(targets(tasks.scene)), metadata);
    4 "kms:GetKeyPolicy" => KeyPolicy <- [Secret, Function]: |tasks| by_key_id(tasks, policy);
    4 "kms:ListGrants" => KeyGrants <- [Secret, Function]: |tasks| by_key_id(tasks, grants);
    5 "kms:GetKeyPolicy" => KeyPolicy <- [Secret, Function]: |tasks| by_key_id(tasks, policy);
    5 "kms:ListGrants" => KeyGrants <- [Secret, Function]: |tasks| by_key_id(tasks, grants);
}

/// Tasks about the keys that are not asked about yet and whose ids are known.
fn by_key_id<'a>(
    tasks: &TaskBuilder<'a, '_>,
    call: impl AsyncFn(&Caller, &Clients, &str, &str) -> PatchResult + Copy + 'a,
) -> Vec<Task<'a>> {
    let keys = tasks.not_asked(targets(tasks.scene)).into_iter();
    let with_ids = keys.filter_map(|key| Some((key_id(tasks.scene, &key)?, key)));
    let task = |(id, key): (String, String)| {
        tasks
            .one(key, async move |caller, clients, key: &str| call(caller, clients, key, &id).await)
    };
    with_ids.map(task).collect()
}

/// The facts beside the secret that [`targets`] reads.
pub(super) const NAMED_BY: [Fact; 2] = [Fact::Function, Fact::SuperuserSecret];

/// The keys that are named so far, each as the key of `Keys` in the evidence:
/// the key's ARN, or an alias's ARN where an alias was configured.
pub(super) fn targets(scene: &Scene) -> Vec<String> {
    let evidence = &scene.evidence;
    let secrets = [evidence.secret.known(), evidence.superuser_secret.known()];
    let function = evidence.function.known().and_then(|f| f.configuration.kms_key_arn.as_deref());
    let named = secrets
        .into_iter()
        .flatten()
        .filter_map(|secret| secret.kms_key_id.as_deref())
        .chain(function)
        .filter(|id| !id.is_empty());
    let mut arns: Vec<String> = named.filter_map(|id| arn(scene, id)).collect();
    arns.sort();
    arns.dedup();
    arns
}

/// A key id or alias as an ARN in the secret's region and account.
fn arn(scene: &Scene, id: &str) -> Option<String> {
    if id.starts_with("arn:") {
        return Some(id.to_owned());
    }
    let evidence = &scene.evidence;
    let place = format!(
        "arn:{}:kms:{}:{}",
        evidence.partition(),
        evidence.region()?,
        evidence.account_id()?
    );
    let kind = if id.starts_with("alias/") { "" } else { "key/" };
    Some(format!("{place}:{kind}{id}"))
}

/// What to pass where KMS takes no alias: `None` until DescribeKey answered.
fn key_id(scene: &Scene, target: &str) -> Option<String> {
    if !target.contains(":alias/") {
        return Some(target.to_owned());
    }
    let metadata = scene.evidence.keys.get(target)?.key_metadata.known()?;
    metadata.arn.clone().or_else(|| metadata.key_id.clone())
}

async fn metadata(caller: &Caller, clients: &Clients, target: &str) -> PatchResult {
    let request = clients.kms.describe_key().key_id(target);
    let answer = caller.call("kms:DescribeKey", target, request.send()).await?;
    let Some(key) = answer.key_metadata else { return Err(Failure::Absent) };
    let metadata = KeyMetadata {
        arn: key.arn,
        key_id: Some(key.key_id),
        key_state: word(key.key_state),
        key_spec: word(key.key_spec),
        key_usage: word(key.key_usage),
        key_manager: word(key.key_manager),
        deletion_date: time(key.deletion_date),
        enabled: Some(key.enabled),
    };
    let target = target.to_owned();
    patch(move |scene| {
        scene.evidence.keys.entry(target).or_default().key_metadata = Observed::Known(metadata);
    })
}

async fn policy(caller: &Caller, clients: &Clients, target: &str, id: &str) -> PatchResult {
    let request = clients.kms.get_key_policy().key_id(id).policy_name("default");
    let answer = caller.call("kms:GetKeyPolicy", target, request.send()).await?;
    let policy = answer.policy.as_deref().map(document);
    let target = target.to_owned();
    patch(move |scene| {
        scene.evidence.keys.entry(target).or_default().policy = policy.into();
    })
}

async fn grants(caller: &Caller, clients: &Clients, target: &str, id: &str) -> PatchResult {
    let request = clients.kms.list_grants().key_id(id);
    let mut pages = pages!(
        caller,
        "kms:ListGrants",
        target,
        limits::GRANT_PAGES,
        request,
        set_marker,
        next_marker
    );
    let mut grants = Vec::new();
    while let Some(page) = pages.next().await? {
        grants.extend(list(page.grants, |grant| Grant {
            grant_id: grant.grant_id,
            grantee_principal: grant.grantee_principal.or(grant.grantee_service_principal),
            retiring_principal: grant.retiring_principal.or(grant.retiring_service_principal),
            operations: words(grant.operations),
            constraints: grant.constraints.map(|constraints| GrantConstraints {
                encryption_context_subset: constraints
                    .encryption_context_subset
                    .map(|pairs| pairs.into_iter().collect()),
                encryption_context_equals: constraints
                    .encryption_context_equals
                    .map(|pairs| pairs.into_iter().collect()),
            }),
        }));
    }
    let cut = pages.cut();
    let target = target.to_owned();
    patch(move |scene| {
        scene.evidence.keys.entry(target.clone()).or_default().grants = Observed::Known(grants);
        if cut {
            scene.gap(
                Fact::KeyGrants,
                "kms:ListGrants",
                &target,
                crate::evidence::Reason::Truncated,
                &format!(
                    "only the first {most} pages of grants were read",
                    most = limits::GRANT_PAGES
                ),
            );
        }
    })
}
