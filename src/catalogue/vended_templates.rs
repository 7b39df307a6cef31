//! The table of AWS's vended rotation functions: `vended_templates.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Provenance;
use crate::evidence::Time;

/// Something that vended functions can do since some day.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Capability {
    /// Name, such as `scram`.
    pub name: String,
    /// Parts of a template's name, one of which must occur; an empty one always does.
    pub templates: Vec<String>,
    /// Functions set up before that day cannot do it.
    pub since: Time,
    /// What it is, as the end of a sentence about the function.
    pub what: String,
    /// Where the row comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// A build in the Serverless Application Repository.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Release {
    /// Partition.
    pub partition: String,
    /// Part of the names of the applications that it counts for; empty for all others.
    pub applications: String,
    /// Semantic version.
    pub version: String,
    /// Runtime that it asks for.
    pub runtime: String,
    /// The aws-cdk-lib that pins it.
    pub cdk: String,
    /// A day before which it was not published, where one is known.
    pub not_before: Option<Time>,
    /// Whether nothing newer than its runtime is known to be vended.
    #[serde(default)]
    pub newest_runtime: bool,
    /// Where the row comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// A version of the CloudFormation transform for hosted rotation.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Transform {
    /// Name in the template.
    pub name: String,
    /// What to do about it.
    pub advice: String,
    /// Where the row comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// Something that only a vended function carries.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Mark {
    /// Where it is found.
    pub kind: MarkKind,
    /// Key of the tag, or start of the description.
    pub text: String,
    /// What the tag's value contains.
    pub contains: String,
    /// Where the row comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// Where a mark is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MarkKind {
    /// A tag of the function.
    Tag,
    /// The function's description.
    Description,
}

#[derive(Deserialize)]
struct Table {
    handler: String,
    capability: Vec<Capability>,
    release: Vec<Release>,
    transform: Vec<Transform>,
    mark: Vec<Mark>,
}

static TABLE: LazyLock<Table> =
    LazyLock::new(|| super::table(include_str!("vended_templates.toml")));

/// The handler of every vended function.
pub fn vended_handler() -> &'static str {
    &TABLE.handler
}

/// The day from which functions of a template can do something. Without a
/// template, the first row of that name holds.
pub fn capability(name: &str, template: Option<&str>) -> Option<&'static Capability> {
    TABLE.capability.iter().find(|row| {
        row.name == name
            && template.is_none_or(|template| {
                row.templates.iter().any(|part| template.contains(part.as_str()))
            })
    })
}

/// The known builds that count for an application in a partition, oldest first.
pub fn releases(partition: &str, application: &str) -> Vec<&'static Release> {
    let own_count = TABLE
        .release
        .iter()
        .any(|row| !row.applications.is_empty() && application.contains(row.applications.as_str()));
    TABLE
        .release
        .iter()
        .filter(|row| row.partition == partition)
        .filter(|row| {
            row.applications.is_empty() != own_count
                && application.contains(row.applications.as_str())
        })
        .collect()
}

/// The transforms, oldest first.
pub fn transforms() -> &'static [Transform] {
    &TABLE.transform
}

/// What only a vended function carries.
pub fn vended_marks() -> &'static [Mark] {
    &TABLE.mark
}

#[cfg(test)]
mod tests {
    use super::{super::provenance::assert_sound, TABLE, capability, releases};

    #[test]
    fn every_row_has_a_source() {
        TABLE.capability.iter().for_each(|row| assert_sound(&row.provenance));
        TABLE.release.iter().for_each(|row| assert_sound(&row.provenance));
        TABLE.transform.iter().for_each(|row| assert_sound(&row.provenance));
        TABLE.mark.iter().for_each(|row| assert_sound(&row.provenance));
    }

    #[test]
    fn a_capability_depends_on_the_template() {
        let since =
            |name, template| capability(name, template).map(|row| row.since.date()).expect("row");
        assert_eq!(since("tls", None), "2021-12-20");
        assert_eq!(
            since("scram", Some("SecretsManagerRDSPostgreSQLRotationSingleUser")),
            "2021-12-30"
        );
        assert!(capability("scram", Some("SecretsManagerRDSMySQLRotationSingleUser")).is_none());
        assert_eq!(since("aurora-engine-names", Some("RDSMySQLRotationSingleUser")), "2023-12-15");
        assert_eq!(since("aurora-engine-names", Some("RDSMySQLRotationMultiUser")), "2023-07-18");
    }

    #[test]
    fn db2_counts_its_builds_on_its_own() {
        let versions = |partition, application| -> Vec<&str> {
            releases(partition, application).iter().map(|row| row.version.as_str()).collect()
        };
        assert_eq!(versions("aws", "SecretsManagerRDSDb2RotationSingleUser"), ["1.1.271"]);
        assert!(versions("aws", "SecretsManagerRDSMySQLRotationMultiUser").contains(&"1.1.618"));
        assert!(versions("aws-us-gov", "SecretsManagerRDSDb2RotationSingleUser").is_empty());
        assert!(versions("aws-iso", "SecretsManagerRDSMySQLRotationMultiUser").is_empty());
    }
}
