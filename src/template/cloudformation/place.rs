//! Where the template would be deployed: partition, region and account.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;

use super::document::{Kind, Node};
use crate::template::Settings;

/// Partition, region and account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) region: String,
    pub(super) account: String,
}

/// The account of AWS's own examples, where none is named.
const EXAMPLE_ACCOUNT: &str = "123456789012";
/// The region, where none is named.
const DEFAULT_REGION: &str = "us-east-1";

impl Place {
    /// As the settings say it, else as the template's own texts do. The note says what
    /// was assumed.
    pub(super) fn of(root: &Node, settings: &Settings) -> (Self, Option<String>) {
        let told = |own: &Option<String>, name: &str| {
            own.clone().or_else(|| settings.parameters.get(name).cloned())
        };
        let account = told(&settings.account_id, "AWS::AccountId")
            .unwrap_or_else(|| EXAMPLE_ACCOUNT.to_owned());
        let (region, note) = match told(&settings.region, "AWS::Region") {
            Some(region) => (region, None),
            None => match region_in(root) {
                Some(region) => (region, None),
                None => (
                    DEFAULT_REGION.to_owned(),
                    Some(format!(
                        "no region was given and the template names none: {DEFAULT_REGION} was \
                         assumed (--region sets it)"
                    )),
                ),
            },
        };
        (Self { region, account }, note)
    }

    pub(super) fn partition(&self) -> &'static str {
        match () {
            () if self.region.starts_with("cn-") => "aws-cn",
            () if self.region.starts_with("us-gov-") => "aws-us-gov",
            () => "aws",
        }
    }

    pub(super) fn url_suffix(&self) -> &'static str {
        if self.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
    }

    /// An ARN of a regional service.
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        let Self { region, account } = self;
        format!("arn:{}:{service}:{region}:{account}:{resource}", self.partition())
    }

    /// An ARN of IAM.
    pub(super) fn iam(&self, resource: &str) -> String {
        format!("arn:{}:iam::{}:{resource}", self.partition(), self.account)
    }
}

/// The only region that the template's texts name.
fn region_in(root: &Node) -> Option<String> {
    static NAMED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?:com\.amazonaws\.|^)([a-z]{2}(?:-[a-z]+)+-[0-9])(?:\.[a-z]|[a-z]$)|",
            // Certificates and applications are named in other regions.
            r"arn:aws[a-z-]*:(?:secretsmanager|lambda|kms|rds|ec2):([a-z]{2}(?:-[a-z]+)+-[0-9]):"
        ))
        .expect("a constant pattern")
    });
    fn collect(node: &Node, found: &mut BTreeSet<String>) {
        match &node.kind {
            Kind::Text(text) => {
                for captures in NAMED.captures_iter(text) {
                    let region = captures.get(1).or_else(|| captures.get(2));
                    found.extend(region.map(|region| region.as_str().to_owned()));
                }
            }
            Kind::List(list) => list.iter().for_each(|one| collect(one, found)),
            Kind::Map(entries) => entries.iter().for_each(|(_, one)| collect(one, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    collect(root.get("Resources")?, &mut found);
    if found.len() == 1 { found.pop_first() } else { None }
}

#[cfg(test)]
mod tests {
    use super::Place;
    use crate::template::{Settings, cloudformation::document};

    fn region(text: &str) -> (String, bool) {
        let root = document::read(text).expect(text).root;
        let (place, note) = Place::of(&root, &Settings::default());
        (place.region, note.is_some())
    }

    #[test]
    fn the_region_is_the_only_one_that_is_named() {
        let with = |text: &str| region(&format!("Resources:\n  A:\n    X: '{text}'\n"));
        assert_eq!(with("com.amazonaws.eu-west-1.s3"), ("eu-west-1".to_owned(), false));
        assert_eq!(with("eu-central-1b"), ("eu-central-1".to_owned(), false));
        assert_eq!(with("arn:aws-cn:kms:cn-north-1:1:key/k").0, "cn-north-1");
        assert_eq!(with("none"), ("us-east-1".to_owned(), true));
        let two = "Resources:\n  A: {X: eu-west-1a, Y: us-west-2a}\n";
        assert_eq!(region(two), ("us-east-1".to_owned(), true));
        let place = Place { region: "cn-north-1".into(), account: "1".into() };
        assert_eq!(place.arn("kms", "key/K"), "arn:aws-cn:kms:cn-north-1:1:key/K");
        assert_eq!(place.url_suffix(), "amazonaws.com.cn");
    }
}
