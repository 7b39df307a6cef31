//! The table of log texts: `log/*.toml`, one file for each engine or other origin.
//!
//! A row (`[[text]]`) says all that one text means: what it proves and excludes, what it
//! does to the story, and in `[[text.cause]]` and `[[text.stack_reason]]` the causes that
//! it names. A cause that rests on several texts or on none has a row of its own
//! (`[[cause]]`, `[[stack_reason]]`). `log/README.md` explains the columns.

use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use serde::Deserialize;

use super::{LogMode, LogText, Pattern, entries, log_text::TextRow, stack_reasons::StackReason};

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
pub(super) static LOG_TABLE: LazyLock<LogTable> = LazyLock::new(|| {
    let mut table = LogTable::default();
    for name in FILES {
        let file = FOLDER.get_file(format!("{name}.toml")).and_then(|file| file.contents_utf8());
        let file = file.unwrap_or_else(|| panic!("no log/{name}.toml"));
        table.add(file).unwrap_or_else(|error| panic!("log/{name}.toml: {error}"));
    }
    table.sort();
    table
});

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{FILES, FOLDER, LogTable};

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
}
