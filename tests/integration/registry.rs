//! The registry is complete, unique, and honest about what each check reads.

use std::collections::BTreeSet;

use rotdoctor::{
    catalogue,
    checks::{self, Selection},
    evidence::Fact,
};

use crate::support::root;

#[test]
fn names_are_unique_and_every_code_has_a_page() {
    let mut names = BTreeSet::new();
    for check in checks::checks() {
        assert!(names.insert(check.name), "{} stands twice", check.name);
        assert!(
            check.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{}",
            check.name
        );
        assert!(check.question.ends_with('?'), "{}: {}", check.name, check.question);
        assert!(!check.codes.is_empty() && !check.facts.is_empty(), "{}", check.name);
        for code in check.codes.iter() {
            assert!(catalogue::entry(code).is_some(), "{}: {code} has no page", check.name);
        }
    }
}

#[test]
fn every_check_file_is_registered_and_named_as_its_check() {
    let registered: BTreeSet<String> =
        checks::checks().map(|check| check.name.replace('-', "_")).collect();
    let mut files = 0;
    for area in std::fs::read_dir(root().join("src/checks")).expect("checks") {
        let area = area.expect("area").path();
        if !area.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&area).expect("area") {
            let path = file.expect("file").path();
            // Tests of an area that fill several files.
            if path.is_dir() {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("source");
            if text.contains("static CHECK: Check") {
                files += 1;
                let name = text
                    .split("name: \"")
                    .nth(1)
                    .and_then(|rest| rest.split('"').next())
                    .unwrap_or_else(|| panic!("{} names no check", path.display()));
                let stem = name.replace('-', "_");
                assert!(registered.contains(&stem), "{} is not registered", path.display());
                assert!(
                    path.file_stem().is_some_and(|file| file == stem.as_str()),
                    "{} is not named as its check, {name}",
                    path.display()
                );
            }
        }
    }
    assert_eq!(files, registered.len(), "one file, one check");
}

#[test]
fn the_shape_of_a_secret_is_asked_for_only_on_request() {
    let without = checks::facts(&Selection::default(), false);
    assert!(!without.contains(&Fact::SecretShape));
    let actions: Vec<&str> = without.iter().flat_map(|fact| fact.actions()).copied().collect();
    assert!(!actions.contains(&"secretsmanager:GetSecretValue"), "{actions:?}");
    assert!(checks::facts(&Selection::default(), true).contains(&Fact::SecretShape));
}

#[test]
fn a_misspelt_check_is_an_error_with_a_suggestion_and_never_runs_everything() {
    let error = Selection::new(&["SEC77".to_owned()], &[]).expect_err("no such code");
    assert_eq!(error.name, "SEC77");
    assert!(error.suggestion.is_some());
    let only = Selection::new(&["sec07".to_owned()], &[]).expect("a code in lower case");
    let selected: Vec<&str> =
        checks::checks().filter(|check| only.includes(check)).map(|c| c.name).collect();
    assert!(!selected.is_empty());
    assert!(selected.len() < checks::checks().count());
}
