//! The requests of a rotation that are about a secret: the five calls on the
//! secret itself, those on the superuser's, and the use of their keys.
//!
//! Sources: Secrets Manager User Guide, "Permissions for rotation" and "Secret
//! encryption and decryption".

use super::{
    context::Context,
    principal::Principal,
    request::{Layer, Layers, Part, Policies, Request},
    rotation::{Builder, Need, Purpose},
    rotation_key::KeyOf,
    surroundings::{part, read},
};
use crate::{
    aws::arn::Arn,
    evidence::{Fact, Secret},
};

impl<'a> Builder<'a> {
    pub(super) fn secret_known(&self) -> Option<&'a Secret> {
        self.around.evidence.secret.known()
    }

    /// A request to Secrets Manager about a secret.
    fn ask_secret(
        &self,
        principal: &Principal,
        action: &str,
        secret: &Secret,
        stage: Option<&str>,
    ) -> Request {
        let arn = secret.arn.clone().unwrap_or_default();
        let account = Arn::parse(&arn).map(|arn| arn.account.to_owned());
        let mut context = self.around.context(account.as_deref());
        self.around.add_network(&mut context);
        context.set("secretsmanager:SecretId", arn.as_str());
        match secret.rotation_lambda_arn.as_deref() {
            Some(function) => {
                context.set("secretsmanager:resource/AllowRotationLambdaArn", function)
            }
            None => context.remove("secretsmanager:resource/AllowRotationLambdaArn"),
        }
        if let Some(region) = &secret.primary_region {
            context.set("secretsmanager:SecretPrimaryRegion", region.as_str());
        }
        context.set_unknown("secretsmanager:resource/Type");
        add_tags(&mut context, secret);
        if let Some(stage) = stage {
            context.set("secretsmanager:VersionStage", stage);
            if action.ends_with("GetSecretValue") {
                // Templates send the id with some reads and not with others.
                context.set_unknown("secretsmanager:VersionId");
            }
        }
        Request {
            principal: principal.clone(),
            action: format!("secretsmanager:{action}"),
            resource: arn,
            resource_account: account,
            context,
        }
    }

    fn secret_layers(&self, resource: Part<Policies>) -> Layers {
        Layers { resource, endpoint: self.around.endpoint_policy(), ..self.around.own_layers() }
    }

    pub(super) fn secret(&mut self, principal: &Principal) {
        let evidence = self.around.evidence;
        let Some(secret) = self.secret_known().filter(|secret| secret.arn.is_some()) else {
            return;
        };
        let arn = secret.arn.clone().unwrap_or_default();
        let policy = part(&evidence.secret_policy, Fact::SecretPolicy, &arn, |policy| {
            read("the secret's resource policy", Some(policy)).map(|policy| vec![policy])
        });
        let layers = self.secret_layers(policy);
        let calls = [
            (Purpose::DescribeSecret, Need::Always, "DescribeSecret", None),
            (get("AWSCURRENT"), Need::Always, "GetSecretValue", Some("AWSCURRENT")),
            (get("AWSPENDING"), Need::Always, "GetSecretValue", Some("AWSPENDING")),
            (get("AWSPREVIOUS"), Need::Sometimes, "GetSecretValue", Some("AWSPREVIOUS")),
            (Purpose::PutSecretValue, Need::Always, "PutSecretValue", None),
            (
                Purpose::UpdateSecretVersionStage,
                Need::Always,
                "UpdateSecretVersionStage",
                Some("AWSCURRENT"),
            ),
        ];
        for (purpose, need, action, stage) in calls {
            let request = self.ask_secret(principal, action, secret, stage);
            self.push(purpose, need, request, layers.clone());
        }
        // It has no resource: no tags, no secret, and no resource policy applies.
        let mut context = self.around.context(None);
        self.around.add_network(&mut context);
        let request = Request {
            principal: principal.clone(),
            action: "secretsmanager:GetRandomPassword".to_owned(),
            resource: "*".to_owned(),
            resource_account: None,
            context,
        };
        let layers = self.secret_layers(Part::Absent);
        self.push(Purpose::GetRandomPassword, Need::Always, request, layers);
        self.secret_keys(principal, secret);
    }

    fn secret_keys(&mut self, principal: &Principal, secret: &Secret) {
        let key = KeyOf::secret(&self.around, secret, secret.kms_key_id.as_deref());
        for (purpose, action) in [
            (Purpose::DecryptSecret, "kms:Decrypt"),
            (Purpose::EncryptSecret, "kms:GenerateDataKey"),
        ] {
            let (request, layers) = key.ask(&self.around, principal, action);
            self.push(purpose, Need::Always, request, layers);
        }
        for earlier in self.earlier_keys(secret) {
            let key = KeyOf::secret(&self.around, secret, Some(&earlier));
            let (request, layers) = key.ask(&self.around, principal, "kms:Decrypt");
            self.push(Purpose::DecryptEarlierVersion, Need::Always, request, layers);
        }
    }

    /// Keys of AWSCURRENT that are not the secret's key any more.
    fn earlier_keys(&self, secret: &Secret) -> Vec<String> {
        let Some(versions) = self.around.evidence.secret_versions.known() else {
            return Vec::new();
        };
        let now = secret.kms_key_id.as_deref();
        let same = |key: &str| {
            now.is_some_and(|now| {
                key == now
                    || key.ends_with(&format!("/{now}"))
                    || now.ends_with(&format!("/{key}"))
                    || self.around.key(now).is_some_and(|(arn, _)| arn == key)
            })
        };
        let current = versions
            .versions
            .iter()
            .filter(|version| version.version_stages.iter().any(|stage| stage == "AWSCURRENT"));
        let mut keys: Vec<String> = current
            .flat_map(|version| version.kms_key_ids.iter())
            // `DefaultEncryptionKey` is aws/secretsmanager, which needs nothing.
            .filter(|key| *key != "DefaultEncryptionKey" && !key.contains("alias/") && !same(key))
            .cloned()
            .collect();
        keys.dedup();
        keys
    }

    pub(super) fn superuser(&mut self, principal: &Principal) {
        let Some(secret) = self.around.evidence.superuser_secret.known() else { return };
        if secret.arn.is_none() {
            return;
        }
        // The evidence holds no resource policy of this secret.
        let layers = self.secret_layers(Part::Absent);
        let managed = secret.owning_service.is_some();
        let describe = if managed { Need::Always } else { Need::Sometimes };
        let request = self.ask_secret(principal, "DescribeSecret", secret, None);
        self.push(Purpose::DescribeSuperuserSecret, describe, request, layers.clone());
        let request = self.ask_secret(principal, "GetSecretValue", secret, Some("AWSCURRENT"));
        self.push(Purpose::GetSuperuserSecret, Need::Always, request, layers);
        for request in self.requests.iter_mut().rev().take(2) {
            request.assumed_empty.push(Layer::Resource);
        }
        let key = KeyOf::secret(&self.around, secret, secret.kms_key_id.as_deref());
        let (request, layers) = key.ask(&self.around, principal, "kms:Decrypt");
        self.push(Purpose::DecryptSuperuserSecret, Need::Always, request, layers);
    }
}

fn get(stage: &str) -> Purpose {
    Purpose::GetSecretValue(stage.to_owned())
}

/// A secret's tags under both of their names.
fn add_tags(context: &mut Context, secret: &Secret) {
    for tag in &secret.tags {
        let (Some(key), Some(value)) = (&tag.key, &tag.value) else { continue };
        context.set(&format!("aws:ResourceTag/{key}"), value.as_str());
        context.set(&format!("secretsmanager:ResourceTag/{key}"), value.as_str());
    }
    context.known_prefix("aws:ResourceTag/");
}
