//! The use of a KMS key as Secrets Manager and Lambda ask for it in the role's name.
//!
//! Source: Secrets Manager User Guide, "Secret encryption and decryption in AWS Secrets
//! Manager"; KMS Developer Guide, "kms:ViaService".

use std::sync::Arc;

use serde_json::json;

use super::{
    context::Context,
    document::Policy,
    principal::Principal,
    request::{Layers, Part, Policies, Request, Unseen},
    rotation::unseen_key,
    surroundings::{Surroundings, part, read, unseen},
};
use crate::{
    aws::{arn::Arn, partitions},
    evidence::{Fact, Grant, Key, Secret},
};

/// The name of the key that AWS manages for Secrets Manager.
const MANAGED: &str = "alias/aws/secretsmanager";

/// A key and for whom it is used.
pub(super) struct KeyOf<'a> {
    arn: String,
    key: Option<&'a Key>,
    /// The service that asks, such as `secretsmanager`.
    service: &'static str,
    region: String,
    /// The secret that is encrypted with it.
    secret: Option<String>,
    managed: bool,
}

impl<'a> KeyOf<'a> {
    /// The key of a secret, by id, ARN or alias; none means `aws/secretsmanager`.
    pub(super) fn secret(around: &Surroundings<'a>, secret: &Secret, id: Option<&str>) -> Self {
        let of = secret.arn.as_deref().unwrap_or_default();
        let place = Arn::parse(of).unwrap_or(Arn {
            partition: partitions::COMMERCIAL,
            service: "",
            region: "",
            account: "",
            resource: "",
        });
        let named = |resource: &str| Arn { service: "kms", resource, ..place }.to_string();
        let id = id.unwrap_or(MANAGED);
        let seen = around.key(id);
        let managed = id.ends_with(MANAGED)
            || seen.as_ref().is_some_and(|(_, key)| {
                key.key_metadata.known().and_then(|m| m.key_manager.as_deref()) == Some("AWS")
            });
        let arn = match &seen {
            Some((arn, _)) => arn.clone(),
            None if id.starts_with("arn:") => id.to_owned(),
            None if id.starts_with("alias/") => named(id),
            None => named(&format!("key/{id}")),
        };
        Self {
            arn,
            key: seen.map(|(_, key)| key),
            service: "secretsmanager",
            region: place.region.to_owned(),
            secret: Some(of.to_owned()),
            managed,
        }
    }

    /// The key of the function's environment.
    pub(super) fn environment(around: &Surroundings<'a>, arn: &str) -> Self {
        let seen = around.key(arn);
        Self {
            arn: arn.to_owned(),
            key: seen.map(|(_, key)| key),
            service: "lambda",
            region: Arn::parse(arn).map(|arn| arn.region.to_owned()).unwrap_or_default(),
            secret: None,
            managed: false,
        }
    }

    /// A use of the key, with the layers that decide on it. The function's
    /// network is not that of this request, and the VPC's KMS endpoint is not used.
    pub(super) fn ask(
        &self,
        around: &Surroundings<'_>,
        principal: &Principal,
        action: &str,
    ) -> (Request, Layers) {
        let account = Arn::parse(&self.arn).map(|arn| arn.account.to_owned());
        let mut context = around.context(account.as_deref());
        context.set("aws:ViaAWSService", "true");
        context.set("kms:ViaService", format!("{}.{}.amazonaws.com", self.service, self.region));
        if let Some(caller) = principal.account() {
            context.set("kms:CallerAccount", caller);
        }
        self.add_encryption_context(&mut context);
        for unknown in [
            "aws:CalledVia",
            "aws:CalledViaFirst",
            "aws:CalledViaLast",
            "lambda:SourceFunctionArn",
            "kms:ResourceAliases",
            "kms:MultiRegion",
        ] {
            context.set_unknown(unknown);
        }
        let request = Request {
            principal: principal.clone(),
            action: action.to_owned(),
            resource: self.arn.clone(),
            resource_account: account,
            context,
        };
        (request, self.layers(around))
    }

    fn add_encryption_context(&self, context: &mut Context) {
        match &self.secret {
            Some(secret) => {
                context.set("kms:EncryptionContext:SecretARN", secret.as_str());
                context.set_present("kms:EncryptionContext:SecretVersionId");
                context.set_list("kms:EncryptionContextKeys", ["SecretARN", "SecretVersionId"]);
            }
            None => context.set_unknown_prefix("kms:EncryptionContext"),
        }
    }

    fn layers(&self, around: &Surroundings<'_>) -> Layers {
        let own = around.own_layers();
        let Some(key) = self.key else {
            let resource = if self.managed { self.managed_policy() } else { unseen_key(&self.arn) };
            let unseen = |fact| Part::Unseen(unseen(fact, &self.arn));
            let (grants, key_state) = match self.managed {
                true => (Part::Absent, Part::Absent),
                false => (Part::Unseen(self.missing(Fact::KeyGrants)), unseen(Fact::KeyMetadata)),
            };
            return Layers { resource, grants, key_state, ..own };
        };
        let resource = part(&key.policy, Fact::KeyPolicy, &self.arn, |policy| {
            read("the key policy", Some(policy)).map(|policy| vec![policy])
        });
        let resource = match resource {
            Part::Unseen(_) if self.managed => self.managed_policy(),
            other => other,
        };
        let grants: Part<Vec<Grant>> =
            part(&key.grants, Fact::KeyGrants, &self.arn, |grants| Some(grants.clone()));
        let grants = match grants {
            Part::Unseen(_) if self.managed => Part::Absent,
            other => other,
        };
        let key_state = part(&key.key_metadata, Fact::KeyMetadata, &self.arn, |metadata| {
            metadata.key_state.clone()
        });
        Layers { resource, grants, key_state, ..own }
    }

    fn missing(&self, fact: Fact) -> Unseen {
        unseen(fact, &self.arn)
    }

    /// The policy that AWS gives to `aws/secretsmanager`: everyone of the
    /// account, through Secrets Manager, and nobody else.
    fn managed_policy(&self) -> Part<Policies> {
        let account = Arn::parse(&self.arn).map(|arn| arn.account).unwrap_or_default();
        let via = format!("secretsmanager.{}.amazonaws.com", self.region);
        let document = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*",
                    "kms:CreateGrant", "kms:DescribeKey"],
                "Resource": "*",
                "Condition": {"StringEquals": {"kms:ViaService": via, "kms:CallerAccount": account}},
            }],
        });
        Part::Given(vec![Arc::new(Policy::new("the policy of aws/secretsmanager", document))])
    }
}
