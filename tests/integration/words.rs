//! The words that people read: one word for one thing, and the terms of AWS and of
//! networking. Reads the pages, the tables of the catalogue, the documentation, and the
//! source up to its tests: texts of reports and of `--help` are literals and comments there.

use std::path::{Path, PathBuf};

use regex::Regex;

use crate::support::root;

/// A pattern without an honest use, what it finds, and what is said instead.
const WORDS: &[(&str, &str, &str)] = &[
    (r"\bmend(s|ed|ing)?\b", "how to mend it", "fix, repair"),
    (r"\banew\b", "made anew", "again, create"),
    (r"\bmade? off\b|\b(take|takes|taken) off\b", "take off the label", "delete, remove"),
    (r"\btakes? the label\b", "take the label off that version", "remove the label"),
    (
        r"\blabels? (lie|lies) on\b|\bAWS[A-Z]+ lies on\b",
        "AWSPENDING lies on it",
        "is on version X",
    ),
    (r"\blies on\b", "a label lies on it", "is on"),
    (
        r"\bways? to (Secrets|the database|the [Ii]nternet|that API|it\b)",
        "no way to the internet",
        "path, route",
    ),
    (r"\bcom(e|es|ing) nearest\b", "this statement comes nearest", "is the closest match"),
    (r"\b(has|have|had) a say\b", "policies that have a say", "applies, decides"),
    (r"\bstands? underneath\b", "what stands underneath", "existing resources"),
    (r"\b(not|never|was|were|been|nobody is) told\b", "is on was not told", "not visible, unknown"),
    (r"\btold to use\b", "the URL it was told to use", "configured"),
    (r"\bnot seen to\b", "RDS is not seen to manage it", "not visible, unknown"),
    (r"\bcut off by a budget\b", "cut off by a budget", "could not be read"),
    (r"seen as \{", "seen as {caller}", "caller identity"),
    (
        r"\b(caller|parser|check|module|format|intrinsics|ids|references)s?'s? (own )?business\b",
        "is the caller's business",
        "say which module does it",
    ),
];

/// Keys of the tables that quote other people's texts.
const QUOTES: &[&str] = &["examples", "counters", "lines", "regex", "source"];

#[test]
fn what_people_read_is_in_the_words_of_the_house() {
    let words: Vec<(Regex, &str)> =
        WORDS.iter().map(|(pattern, _, say)| (read_pattern(pattern), *say)).collect();
    let mut found = Vec::new();
    let mut texts = 0;
    for path in files() {
        let text = std::fs::read_to_string(&path).expect("a text");
        let name = path.strip_prefix(root()).expect("in the repository").display();
        for text in read_by_people(&path, &text) {
            texts += 1;
            for (pattern, say) in &words {
                for hit in pattern.find_iter(&text) {
                    let before = text[..hit.start()].chars().rev().take(30).collect::<Vec<_>>();
                    let before: String = before.into_iter().rev().collect();
                    found.push(format!("{name}: …{before}{} (say: {say})", hit.as_str()));
                }
            }
        }
    }
    assert!(texts > 1_000, "only {texts} texts were read");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn each_word_is_found_where_it_stands() {
    for (pattern, example, _) in WORDS {
        assert!(read_pattern(pattern).is_match(example), "{pattern}: {example}");
    }
}

#[test]
fn wrapped_lines_are_read_as_one() {
    let source = "/// A label lies\n/// on it.\nlet x = \"a way \\\n     to that API\";\n\
                  #[cfg(test)]\nmod tests { \"mend\" }";
    let texts = read_by_people(Path::new("x.rs"), source);
    assert_eq!(texts, ["A label lies on it. let x = \"a way to that API\"; "]);
    let table = "[[text]]\nsource = 'mend'\n[[text.cause]]\nfixes = [{ summary = 'Fix it.' }]";
    assert_eq!(read_by_people(Path::new("x.toml"), table), ["Fix it."]);
}

fn read_pattern(pattern: &str) -> Regex {
    Regex::new(&format!("(?i){pattern}")).expect("a pattern")
}

/// What people read in a file: each text by itself, without line breaks.
fn read_by_people(path: &Path, text: &str) -> Vec<String> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => {
            let mut texts = Vec::new();
            let table: toml::Table = text.parse().expect("TOML");
            collect(&toml::Value::Table(table), &mut texts);
            texts
        }
        Some("rs") => {
            let end = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
            let wrap = Regex::new(r"\s*\\?\s*\n\s*").expect("a pattern");
            let comment = Regex::new(r"(?m)^\s*//[/!]?[ \t]*").expect("a pattern");
            let plain = comment.replace_all(&text[..end], "");
            vec![wrap.replace_all(&plain, " ").into_owned()]
        }
        _ => text.split("\n\n").map(|it| it.replace('\n', " ")).collect(),
    }
}

/// All texts of a table, but those that quote.
fn collect(value: &toml::Value, texts: &mut Vec<String>) {
    match value {
        toml::Value::String(text) => texts.push(text.replace('\n', " ")),
        toml::Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        toml::Value::Table(table) => {
            let ours = table.iter().filter(|(key, _)| !QUOTES.contains(&key.as_str()));
            ours.for_each(|(_, value)| collect(value, texts));
        }
        _ => {}
    }
}

/// The files that people read, or whose texts they do.
fn files() -> Vec<PathBuf> {
    let mut files = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    let mut folders = vec![root().join("src"), root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            let is = |name: &str| path.file_stem().is_some_and(|stem| stem == name);
            if is("tests") || is("testing") {
                continue;
            }
            match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("rs" | "toml" | "md") => files.push(path),
                _ => {}
            }
        }
    }
    files
}
