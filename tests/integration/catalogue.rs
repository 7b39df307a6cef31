//! The catalogue holds what the design promises of it.

use std::collections::{BTreeMap, BTreeSet};

use rotdoctor::{
    catalogue::{self, TextBasis},
    checks::AREAS,
};

use crate::support::root;

const HEADINGS: [&str; 6] = [
    "What it means",
    "Why rotation breaks",
    "Evidence used",
    "Fix",
    "Confirm the fix",
    "References",
];

#[test]
fn every_page_on_disk_is_in_the_list_and_has_the_code_of_its_file() {
    let mut on_disk = BTreeSet::new();
    for file in std::fs::read_dir(root().join("src/catalogue/pages")).expect("pages") {
        let name = file.expect("page").file_name().into_string().expect("UTF-8 name");
        on_disk.insert(name.strip_suffix(".md").expect("a page is Markdown").to_owned());
    }
    let listed: BTreeSet<String> =
        catalogue::entries().iter().map(|entry| entry.code.to_owned()).collect();
    assert_eq!(on_disk, listed);
    assert_eq!(listed.len(), catalogue::entries().len(), "a code stands twice");
    assert!(listed.len() >= 125);
}

#[test]
fn every_page_has_every_heading_in_order_and_none_is_empty() {
    for entry in catalogue::entries() {
        let found: Vec<&str> =
            entry.text.lines().filter_map(|line| line.strip_prefix("## ")).map(str::trim).collect();
        assert_eq!(found, HEADINGS, "{}", entry.code);
        for heading in HEADINGS {
            let section =
                entry.section(heading).unwrap_or_else(|| panic!("{} {heading}", entry.code));
            assert!(section.len() > 10, "{} {heading} is empty", entry.code);
        }
        assert!(entry.section("Fix").is_some_and(|fix| !fix.contains("\n## ")), "{}", entry.code);
    }
}

#[test]
fn names_are_unique_kebab_case_and_titles_fit_a_line() {
    let mut names = BTreeMap::new();
    for entry in catalogue::entries() {
        assert!(names.insert(entry.name, entry.code).is_none(), "{} stands twice", entry.name);
        let kebab =
            entry.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        assert!(
            kebab && !entry.name.starts_with('-') && !entry.name.contains("--"),
            "{}",
            entry.name
        );
        assert!(!entry.name.starts_with("unnamed"), "{}", entry.code);
        assert!(entry.title.chars().count() <= 76 && entry.title != entry.code, "{}", entry.code);
        assert!(
            AREAS.contains(&entry.area) && entry.code.starts_with(entry.area),
            "{}",
            entry.code
        );
    }
}

#[test]
fn codes_are_found_in_any_case_and_by_name() {
    let entry = catalogue::entry("net03").expect("NET03");
    assert_eq!(entry.name, "endpoint-security-group-blocks-function");
    assert_eq!(catalogue::entry(entry.name).map(|e| e.code), Some("NET03"));
    assert_eq!(catalogue::entry("NET99"), None);
}

#[test]
fn what_a_text_only_suggests_has_a_question_that_decides() {
    let suggested = catalogue::log_modes().iter().filter(|row| row.basis == TextBasis::Candidate);
    let codes: BTreeSet<&str> = suggested.map(|row| row.code.as_str()).collect();
    assert!(codes.len() > 30, "{codes:?}");
    for code in codes {
        let question = catalogue::entry(code).and_then(catalogue::Entry::deciding_question);
        assert!(question.is_some_and(|question| question.contains('?')), "{code}");
    }
}
