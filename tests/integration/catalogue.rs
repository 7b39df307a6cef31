//! The catalogue holds what the design promises of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

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
fn every_page_on_disk_is_an_entry() {
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

/// The code outside of tests and comments of every Rust file below this folder, with the
/// path from the root.
fn code_below(folder: &Path, files: &mut Vec<(String, String)>) {
    for item in fs::read_dir(folder).expect("a folder") {
        let path = item.expect("an item").path();
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            code_below(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a file");
            let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let lines = before_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
            let name = path.strip_prefix(root()).expect("below the root").display().to_string();
            files.push((name, lines.collect::<Vec<_>>().join("\n")));
        }
    }
}

/// The codes that a file names.
fn codes_in(text: &str) -> BTreeSet<&'static str> {
    let words: BTreeSet<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    catalogue::entries()
        .iter()
        .map(|entry| entry.code)
        .filter(|code| words.contains(code))
        .collect()
}

/// Code outside of the catalogue and of the checks of the state that names a code, and why.
const NAMED: &[(&str, &str, &str)] = &[
    ("src/checks/log/trail_last_failure.rs", "IAM13", "the schedule decides its severity"),
    ("src/configuration/reading.rs", "IAM19", "the example of an error message"),
    ("src/configuration/reading.rs", "SCH03", "the example of an error message"),
    ("src/diagnosis/recovery.rs", "SEC09", "the page that a sentence points to"),
];

/// What is known of a code stands in its page, and which text names it in the log table.
/// Only a check of the state names the codes that it reports.
#[test]
fn only_checks_of_the_state_name_codes() {
    let mut files = Vec::new();
    code_below(&root().join("src"), &mut files);
    let is_check = |name: &str| {
        name.strip_prefix("src/checks/").is_some_and(|rest| {
            rest.split_once('/').is_some_and(|(folder, _)| !folder.starts_with("log"))
        })
    };
    let mut named: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (name, text) in files.iter().filter(|(name, _)| !is_check(name)) {
        named.extend(codes_in(text).into_iter().map(|code| (name.as_str(), code)));
    }
    assert_eq!(named, NAMED.iter().map(|(file, code, _)| (*file, *code)).collect());
    // So a code that only a text decides is in no Rust file.
    let in_rust: BTreeSet<&str> = files.iter().flat_map(|(_, text)| codes_in(text)).collect();
    let of_texts = catalogue::log_modes().iter().map(|row| row.code.as_str());
    let only_text = of_texts.filter(|code| !in_rust.contains(code)).collect::<BTreeSet<_>>();
    assert!(only_text.len() >= 10, "{only_text:?}");
}

#[test]
fn the_steps_for_adding_a_code_name_files_that_exist() {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).expect("CONTRIBUTING.md");
    let (_, section) = text.split_once("\n## Adding a code\n").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("a next section");
    let mut folders = BTreeSet::new();
    for word in section.split(|c: char| c.is_whitespace() || c == '`') {
        let word = word.trim_end_matches(['.', ',', ':']);
        if ["src/", "fixtures/", "docs/"].iter().any(|start| word.starts_with(start)) {
            // The made-up code has the names that any code has.
            let path = root().join(word.replace("RUN99", "DB11"));
            assert!(path.is_file(), "no {word}");
            folders.extend(word.rsplit_once('/').map(|(folder, _)| folder));
        }
    }
    let steps = ["docs", "fixtures/worlds/RUN99", "src/catalogue/log", "src/catalogue/pages"];
    assert!(steps.iter().all(|folder| folders.contains(folder)), "{folders:?}");
    assert!(catalogue::entry("RUN99").is_none());
}
