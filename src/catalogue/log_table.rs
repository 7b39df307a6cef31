//! The table of log texts: `log/*.toml`, one file for each engine or other origin.
//!
//! A row (`[[text]]`) says all that one text means: what it proves and excludes, what it
//! does to the story, and in `[[text.cause]]` and `[[text.stack_reason]]` the causes that
//! it names. A cause that rests on several texts or on none has a row of its own
//! (`[[cause]]`, `[[stack_reason]]`). `log/README.md` explains the columns.

use std::{collections::BTreeSet, sync::LazyLock};

use include_dir::{Dir, include_dir};
use serde::Deserialize;

use super::{
    entries,
    log_mode::{LogMode, Place},
    log_text::{LogText, TextRow},
    pattern::Pattern,
    stack_reasons::StackReason,
};

/// The files. Their order is that of the rows, which decides where two regex rows of one
/// origin match a line.
const FILES: [&str; 18] = [
    "access",
    "sdk",
    "runtimes",
    "secretsmanager",
    "postgres",
    "mysql",
    "database",
    "sqlserver",
    "oracle",
    "mongodb",
    "redshift",
    "db2",
    "influxdb",
    "elasticache",
    "active_directory",
    "platform",
    "control_plane",
    "template_common",
];

static FOLDER: Dir = include_dir!("$CARGO_MANIFEST_DIR/src/catalogue/log");

/// All rows, by kind.
#[derive(Default)]
pub(super) struct LogTable {
    /// What each text means by itself.
    pub(super) texts: Vec<LogText>,
    /// What names a cause, and under which circumstances.
    pub(super) causes: Vec<LogMode>,
    /// What the reason of a failed stack event proves.
    pub(super) stack_reasons: Vec<StackReason>,
}

/// One file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    text: Vec<TextRow>,
    #[serde(default)]
    cause: Vec<LogMode>,
    #[serde(default)]
    stack_reason: Vec<StackReason>,
}

impl LogTable {
    /// Adds the rows of one file.
    ///
    /// # Errors
    /// What is wrong in the text of the file.
    pub(super) fn add(&mut self, file: &str) -> Result<(), toml::de::Error> {
        let file: File = toml::from_str(file)?;
        for mut row in file.text {
            // A cause without a pattern of its own takes the text's.
            for mut cause in std::mem::take(&mut row.cause) {
                cause
                    .must
                    .extend(row.regex.clone().filter(|_| cause.must.is_empty()).map(Pattern::new));
                self.causes.push(cause);
            }
            self.stack_reasons.append(&mut row.stack_reason);
            self.texts.push(LogText::from(row));
        }
        self.causes.extend(file.cause);
        self.stack_reasons.extend(file.stack_reason);
        Ok(())
    }

    /// Orders the causes by code, as the catalogue does: that decides between two of one
    /// rank.
    pub(super) fn sort(&mut self) {
        let place = |code: &str| entries().iter().position(|entry| entry.code == code);
        self.causes.sort_by_cached_key(|cause| place(&cause.code));
    }
}

/// The table as it is built in.
static LOG_TABLE: LazyLock<LogTable> = LazyLock::new(|| {
    let mut table = LogTable::default();
    for name in FILES {
        let file = FOLDER.get_file(format!("{name}.toml")).and_then(|file| file.contents_utf8());
        let file = file.unwrap_or_else(|| panic!("no log/{name}.toml"));
        table.add(file).unwrap_or_else(|error| panic!("log/{name}.toml: {error}"));
    }
    table.sort();
    table
});

/// Every text.
pub fn log_texts() -> &'static [LogText] {
    &LOG_TABLE.texts
}

/// Every cause that a text names, in the order of the catalogue's codes.
pub fn log_modes() -> &'static [LogMode] {
    &LOG_TABLE.causes
}

/// The codes of the causes that are matched against one of these places, in the order of
/// the alphabet.
pub fn cause_codes(places: &[Place]) -> Vec<&'static str> {
    let rows = log_modes().iter();
    let named = rows.filter(|row| row.places.iter().any(|place| places.contains(place)));
    let codes: BTreeSet<&str> = named.map(|row| row.code.as_str()).collect();
    codes.into_iter().collect()
}

/// Whether the reason of a failed event of a resource of that type proves `code`.
pub fn stack_reason_proves(code: &str, resource_type: &str, reason: &str) -> bool {
    let reason = reason.to_lowercase();
    LOG_TABLE.stack_reasons.iter().any(|row| {
        row.code == code
            && (row.resource_types.is_empty()
                || row.resource_types.iter().any(|known| known == resource_type))
            && row.texts.iter().all(|text| reason.contains(text.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        catalogue::{self, EXCLUDES, Effect, Origin, PROVES, entry, provenance::assert_sound},
        evidence::RotationStep,
    };

    #[test]
    fn every_file_of_the_folder_is_read() {
        let in_folder: BTreeSet<&str> = FOLDER
            .files()
            .filter_map(|file| file.path().file_name()?.to_str()?.strip_suffix(".toml"))
            .collect();
        assert_eq!(in_folder, FILES.into_iter().collect());
    }

    #[test]
    fn a_column_that_does_not_exist_is_an_error() {
        let row = "[[text]]\nregex = 'x'\norigin = \"sdk\"\neffect = \"failure\"\nsource = 's'\n\
                   checked = \"2026-11-21\"\n";
        assert!(LogTable::default().add(row).is_ok());
        assert!(LogTable::default().add(&format!("{row}proofs = []\n")).is_err());
        assert!(LogTable::default().add("[[mode]]\ncode = \"SEC01\"\n").is_err());
    }

    #[test]
    fn every_text_is_whole_and_names_codes_and_words_that_exist() {
        let mut seen = BTreeSet::new();
        for text in log_texts() {
            assert!(!text.text.is_empty() && !text.source.is_empty(), "{text:?}");
            assert!(seen.insert(&text.text), "twice: {}", text.text);
            for code in text.code.iter().chain(&text.candidates) {
                assert!(catalogue::entry(code).is_some(), "{code} in {}", text.text);
            }
            assert!(text.proves.iter().all(|word| PROVES.contains(&word.as_str())), "{text:?}");
            assert!(text.excludes.iter().all(|word| EXCLUDES.contains(&word.as_str())), "{text:?}");
            assert_eq!(text.is_regex, text.origin != Origin::Template, "{text:?}");
            assert_eq!(text.templates.is_empty(), text.is_regex, "{text:?}");
            assert_eq!(text.first_seen.is_none(), text.is_regex, "{text:?}");
            assert!(text.code.is_none() || text.effect == Effect::Failure, "{text:?}");
        }
        for word in PROVES {
            assert!(log_texts().iter().any(|text| text.proves(word)), "unused: {word}");
        }
        for word in EXCLUDES {
            assert!(log_texts().iter().any(|text| text.excludes(word)), "unused: {word}");
        }
    }

    #[test]
    fn every_cause_is_whole() {
        for row in log_modes() {
            let what = format!("{}: {}", row.code, row.summary);
            assert!(entry(&row.code).is_some_and(|entry| entry.code == row.code), "{what}");
            assert!(!row.summary.is_empty() && !row.why.is_empty(), "{what}");
            assert!(!row.source.is_empty(), "{what}");
            assert!(
                !row.must.is_empty() || row.timed_out == Some(true),
                "{what}: matches anything"
            );
            for pattern in [&row.must, &row.must_not, &row.earlier, &row.not_earlier] {
                assert!(pattern.iter().all(|one| !one.regex().as_str().is_empty()), "{what}");
            }
            assert!(!row.examples.is_empty(), "{what}: no example");
            assert!(!row.counters.is_empty(), "{what}: no counter-example");
            assert!(row.steps.iter().all(|step| RotationStep::named(step).is_some()), "{what}");
            assert!(
                row.beside.iter().all(|code| log_modes().iter().any(|other| other.code == *code)),
                "{what}: stands beside a code that no row has"
            );
        }
    }

    #[test]
    fn no_fix_deletes_a_version() {
        for row in log_modes() {
            for command in row.fixes.iter().flat_map(|fix| &fix.commands) {
                let command = command.unfilled().plain();
                assert!(
                    !command.contains("delete-secret") && !command.contains("--force"),
                    "{}: {command}",
                    row.code
                );
            }
        }
    }

    #[test]
    fn texts_are_matched_whatever_their_case() {
        for row in &LOG_TABLE.stack_reasons {
            assert_sound(&row.provenance);
            assert!(row.texts.iter().all(|text| *text == text.to_lowercase()), "{}", row.code);
        }
        let schedule = "AWS::SecretsManager::RotationSchedule";
        let reason = "A previous rotation isn't complete. That rotation will be reattempted.";
        assert!(stack_reason_proves("CFN05", schedule, reason));
        assert!(!stack_reason_proves("CFN05", "AWS::Lambda::Function", reason));
        assert!(!stack_reason_proves("CFN01", schedule, reason));
    }
}
