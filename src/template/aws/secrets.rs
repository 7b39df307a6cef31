//! Secrets: their ARNs before they are there, their first version, the secrets that RDS
//! and Redshift keep for master users, and what an attachment adds to a value.

use std::collections::BTreeMap;

use super::Place;
use crate::evidence::{Secret, StageShape, Tag};

/// What ends a secret's ARN in place of the six characters that AWS draws.
const SUFFIX: &str = "-xxxxxx";
/// The id of the version that deploying creates.
const FIRST_VERSION: &str = "declared";

/// The ARN of a secret that is not there yet: a policy that names it without the end does
/// not match.
pub(crate) fn arn(place: &Place, name: &str) -> String {
    place.arn("secretsmanager", &format!("secret:{name}{SUFFIX}"))
}

/// The ARN of a secret that is named by ARN or by name.
pub(crate) fn arn_of(place: &Place, named: &str) -> String {
    match named.starts_with("arn:") {
        true => named.to_owned(),
        false => place.arn("secretsmanager", &format!("secret:{named}")),
    }
}

/// The labels of a secret that is created with a value.
pub(crate) fn first_version() -> BTreeMap<String, Vec<String>> {
    BTreeMap::from([(FIRST_VERSION.to_owned(), vec!["AWSCURRENT".to_owned()])])
}

/// What a database is to the secret of its master user.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    /// The database's name in the file.
    pub(crate) name: String,
    /// Its ARN, where one can be told.
    pub(crate) arn: Option<String>,
    pub(crate) is_cluster: bool,
    pub(crate) is_redshift: bool,
}

/// The ARN of the secret that RDS or Redshift keeps for a master user (RDS User Guide,
/// "Password management": its name begins with `rds!`).
pub(crate) fn managed_arn(place: &Place, owner: &Owner) -> String {
    let kind = match (owner.is_redshift, owner.is_cluster) {
        (true, _) => "redshift!",
        (_, true) => "rds!cluster-",
        _ => "rds!db-",
    };
    arn(place, &format!("{kind}{}", owner.name))
}

/// The secret that RDS or Redshift keeps for a master user.
pub(crate) fn managed(arn: &str, owner: &Owner, key: Option<String>) -> Secret {
    let name = arn.rsplit_once(":secret:").map_or(arn, |(_, name)| name);
    let name = name.rsplit_once('-').map_or(name, |(name, _)| name);
    let tag = if owner.is_cluster { "DBCluster" } else { "DBInstance" };
    let tag = owner
        .arn
        .clone()
        .filter(|_| !owner.is_redshift)
        .map(|arn| Tag { key: Some(format!("aws:rds:primary{tag}Arn")), value: Some(arn) });
    Secret {
        arn: Some(arn.to_owned()),
        name: Some(name.to_owned()),
        owning_service: Some(if owner.is_redshift { "redshift" } else { "rds" }.to_owned()),
        kms_key_id: key,
        version_ids_to_stages: first_version(),
        tags: tag.into_iter().collect(),
        ..Secret::default()
    }
}

/// Adds to a value the keys that an attachment to a database adds, and those of their
/// values that are known (CloudFormation reference, SecretTargetAttachment: it adds the
/// database's connection information to the secret).
pub(crate) fn attach(
    shape: &mut StageShape,
    is_cluster: bool,
    known: BTreeMap<&'static str, serde_json::Value>,
) {
    // Secrets Manager adds keys to a JSON object and leaves any other value as it is.
    if shape.is_json == Some(false) {
        return;
    }
    let identifier = if is_cluster { "dbClusterIdentifier" } else { "dbInstanceIdentifier" };
    shape.is_json = Some(true);
    for key in ["engine", "host", "port", identifier] {
        shape.keys.push(key.to_owned());
        // What stood there before is replaced.
        shape.values.remove(key);
    }
    for (key, value) in known {
        shape.keys.push(key.to_owned());
        shape.values.insert(key.to_owned(), value);
    }
    shape.keys.sort();
    shape.keys.dedup();
}
