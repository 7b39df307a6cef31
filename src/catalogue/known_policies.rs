//! The table of policies whose documents are known: `known_policies.toml`.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::Provenance;

/// A policy that AWS manages.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct KnownPolicy {
    /// Path, such as `/service-role/`.
    pub path: String,
    /// Name.
    pub name: String,
    /// The document, as JSON text.
    document: String,
    /// Where the row comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// A statement of the role of a vended function.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct VendedStatement {
    /// What must be named for it to be there: `key`, `superuser`, `superuser_key`, or
    /// nothing.
    pub needs: String,
    /// The statement, as JSON text with names in braces.
    pub statement: String,
    /// Where the row comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

#[derive(Deserialize)]
struct Table {
    managed: Vec<KnownPolicy>,
    vended: Vec<VendedStatement>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| super::table(include_str!("known_policies.toml")));

/// The document of a policy that AWS manages, by its ARN
/// (`arn:aws:iam::aws:policy/service-role/NAME`) or its name.
pub fn managed_policy(arn_or_name: &str) -> Option<Value> {
    let row = TABLE.managed.iter().find(|row| match arn_or_name.split_once(":policy") {
        Some((_, path)) => {
            arn_or_name.contains("::aws:") && path == format!("{}{}", row.path, row.name)
        }
        None => arn_or_name.trim_start_matches("service-role/") == row.name,
    })?;
    serde_json::from_str(&row.document).ok()
}

/// What the role of a vended function may do.
pub fn vended_statements() -> &'static [VendedStatement] {
    &TABLE.vended
}

#[cfg(test)]
mod tests {
    use super::{super::provenance::assert_sound, TABLE, managed_policy};

    #[test]
    fn every_row_has_a_source_and_holds_a_document() {
        for row in &TABLE.managed {
            assert_sound(&row.provenance);
            assert!(managed_policy(&row.name).is_some(), "{}", row.name);
        }
        for row in &TABLE.vended {
            assert_sound(&row.provenance);
            serde_json::from_str::<serde_json::Value>(&row.statement).expect(&row.statement);
        }
    }

    #[test]
    fn a_policy_is_known_by_its_arn_of_aws_alone() {
        let own = "arn:aws:iam::123456789012:policy/service-role/AWSLambdaBasicExecutionRole";
        assert_eq!(managed_policy(own), None);
        let aws = "arn:aws-cn:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
        assert!(managed_policy(aws).is_some());
        assert_eq!(managed_policy("arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole"), None);
    }
}
