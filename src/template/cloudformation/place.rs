//! Where a template would be deployed, as the settings or its own texts say.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;

use super::document::{Kind, Node};
use crate::template::{Settings, aws::Place};

/// As the settings say it, else as the template's own texts do. The notes say what
/// was assumed.
pub(super) fn place(root: &Node, settings: &Settings) -> (Place, Vec<String>) {
    let given = |own: &Option<String>, name: &str| {
        own.clone().or_else(|| settings.parameters.get(name).cloned())
    };
    let mut notes = Vec::new();
    let region = given(&settings.region, "AWS::Region").or_else(|| only(root, regions));
    let region = region.unwrap_or_else(|| {
        notes.push(format!(
            "no region was given and the template does not name one: {} was \
             assumed",
            Place::DEFAULT_REGION
        ));
        Place::DEFAULT_REGION.to_owned()
    });
    let account = given(&settings.account_id, "AWS::AccountId").unwrap_or_else(|| {
        // Policies name accounts, and which of them is one's own decides what they say.
        let found = all(root, accounts);
        match found.first().filter(|_| found.len() == 1) {
            Some(own) => {
                notes.push(format!(
                    "no account was given: {own}, the only one that the template names, was \
                     assumed"
                ));
                own.clone()
            }
            None => {
                if !found.is_empty() {
                    let listed: Vec<&str> = found.iter().map(String::as_str).collect();
                    notes.push(format!(
                        "no account was given, and the template names {}: none of them was \
                         taken for the stack's own",
                        listed.join(", ")
                    ));
                }
                Place::EXAMPLE_ACCOUNT.to_owned()
            }
        }
    });
    (Place { region, account }, notes)
}

/// What a text names.
type Named = fn(&str) -> Vec<String>;

/// The only thing of a kind that the texts of the resources name.
fn only(root: &Node, named: Named) -> Option<String> {
    let mut found = all(root, named);
    if found.len() == 1 { found.pop_first() } else { None }
}

fn all(root: &Node, named: Named) -> BTreeSet<String> {
    fn collect(node: &Node, named: Named, found: &mut BTreeSet<String>) {
        match &node.kind {
            Kind::Text(text) => found.extend(named(text)),
            Kind::List(list) => list.iter().for_each(|one| collect(one, named, found)),
            Kind::Map(entries) => entries.iter().for_each(|(_, one)| collect(one, named, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    if let Some(resources) = root.get("Resources") {
        collect(resources, named, &mut found);
    }
    found
}

/// Services whose ARNs name the stack's own region and account; certificates,
/// applications and layers are often others'.
macro_rules! own_services {
    () => {
        "(?:iam|secretsmanager|lambda|kms|rds|ec2|logs)"
    };
}

fn regions(text: &str) -> Vec<String> {
    static NAMED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?:com\.amazonaws\.|^)([a-z]{2}(?:-[a-z]+)+-[0-9])(?:\.[a-z]|[a-z]$)|:",
            own_services!(),
            r":([a-z]{2}(?:-[a-z]+)+-[0-9]):"
        ))
        .expect("a constant pattern")
    });
    let found = NAMED.captures_iter(text).filter_map(|found| found.get(1).or(found.get(2)));
    found.map(|region| region.as_str().to_owned()).collect()
}

fn accounts(text: &str) -> Vec<String> {
    static NAMED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(r"(?::", own_services!(), r":[a-z0-9-]*|^):([0-9]{12}):([a-z]*)"))
            .expect("a constant pattern")
    });
    let found = NAMED.captures_iter(text).filter(|found| &found[2] != "layer");
    found.map(|found| found[1].to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::place;
    use crate::template::{Settings, cloudformation::document};

    fn region(text: &str) -> (String, bool) {
        let root = document::read(text).expect(text).root;
        let (place, notes) = place(&root, &Settings::default());
        (place.region, notes.iter().any(|note| note.contains("region")))
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
    }

    #[test]
    fn the_account_is_the_only_one_that_is_named() {
        let account = |text: &str| {
            let root =
                document::read(&format!("Resources:\n  A: {{X: {text}}}\n")).expect(text).root;
            let (place, notes) = place(&root, &Settings::default());
            (place.account, notes.iter().any(|note| note.contains("account")))
        };
        let example = "123456789012".to_owned();
        assert_eq!(account("none"), (example.clone(), false));
        let own = "111122223333".to_owned();
        assert_eq!(account("'arn:aws:iam::111122223333:root'"), (own.clone(), true));
        assert_eq!(account("['arn:', ':iam::111122223333:root']"), (own, true), "in pieces");
        assert_eq!(
            account("'arn:aws:lambda:eu-west-1:580247275435:layer:L:1'"),
            (example.clone(), false)
        );
        let two = "['arn:aws:iam::111122223333:root', 'arn:aws:iam::444455556666:root']";
        assert_eq!(account(two), (example, true));
    }
}
