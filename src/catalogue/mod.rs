//! The catalogue: one Markdown page per code, and the tables of facts (TOML):
//! dates, versions, texts. Data only; what follows from it is decided elsewhere.

mod certificates;
mod change_events;
mod database_defaults;
mod endpoints;
mod engine;
mod function_limits;
mod function_states;
mod key_state;
mod known_policies;
mod known_texts;
mod limits;
mod log_mode;
mod log_table;
mod log_text;
mod login_checks;
mod managed_service;
mod package_signs;
mod page;
mod pattern;
mod provenance;
mod python_modules;
mod runtimes;
mod stack_reasons;
mod vended_templates;

use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use self::{
    certificates::*,
    change_events::*,
    database_defaults::*,
    endpoints::*,
    engine::{Engine, Engines, engines},
    function_limits::*,
    function_states::*,
    key_state::{KeyState, key_states},
    known_policies::*,
    known_texts::known_texts,
    limits::{Limit, ScheduleLimits, SecretLimits, schedule_limits, secret_limits},
    log_mode::{About, LogMode, ModeFix, Place, Sample, TextBasis},
    log_table::{cause_codes, log_modes, log_texts, stack_reason_proves},
    log_text::{EXCLUDES, Effect, LogText, Origin, PROVES},
    login_checks::*,
    managed_service::{ManagedService, managed_services},
    package_signs::*,
    page::{Entry, PageError, PendingVersion, Standing, StopPoint},
    pattern::Pattern,
    provenance::{Provenance, Trust},
    python_modules::*,
    runtimes::*,
    vended_templates::*,
};

/// Reads the text of a table.
///
/// # Panics
/// Where it does not parse: every table is read by a test.
fn table<T: DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).expect("a test reads every table")
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Rotation fails, or will at the next attempt.
    Error,
    /// Rotation works now and will fail, or is weaker than it looks.
    Warning,
    /// Worth knowing.
    Note,
}

/// The areas, in the order of the catalogue.
pub const AREAS: &[&str] =
    &["NET", "TMO", "IAM", "KMS", "SEC", "DB", "RUN", "SCH", "MGD", "CFN", "APP"];

static PAGES: Dir = include_dir!("$CARGO_MANIFEST_DIR/src/catalogue/pages");

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let mut entries: Vec<Entry> =
        pages().map(|page| page.unwrap_or_else(|error| panic!("{error}"))).collect();
    let area = |entry: &Entry| AREAS.iter().position(|area| *area == entry.area);
    entries.sort_by_key(|entry| (area(entry), entry.number()));
    entries
});

/// Each page of the folder, in no order.
fn pages() -> impl Iterator<Item = Result<Entry, PageError>> {
    PAGES.files().map(|file| {
        let name = file.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
        Entry::parse(name, file.contents_utf8().unwrap_or_default())
    })
}

/// Every entry: by area in the order of [`AREAS`], then by number, then by the letters
/// behind it.
///
/// # Panics
/// Where a page is broken: a test reads them all.
pub fn entries() -> &'static [Entry] {
    &ENTRIES
}

/// The entry of a code (any case) or of a name.
pub fn entry(code_or_name: &str) -> Option<&'static Entry> {
    entries()
        .iter()
        .find(|entry| entry.code.eq_ignore_ascii_case(code_or_name) || entry.name == code_or_name)
}

/// Reads a page and rows of the log table as the catalogue does.
#[cfg(test)]
pub(crate) fn added(
    file: &str,
    page: &'static str,
    rows: &str,
) -> (Entry, &'static [LogText], &'static [LogMode]) {
    let entry = Entry::parse(file, page).unwrap_or_else(|error| panic!("{error}"));
    let mut table = log_table::LogTable::default();
    table.add(rows).unwrap_or_else(|error| panic!("{error}"));
    (entry, table.texts.leak(), table.causes.leak())
}

#[cfg(test)]
mod tests {
    use super::{AREAS, PageError, entries, pages};

    #[test]
    fn every_page_has_every_key() {
        let broken: Vec<PageError> = pages().filter_map(Result::err).collect();
        assert!(broken.is_empty(), "{broken:#?}");
    }

    #[test]
    fn codes_stand_by_area_and_number() {
        let codes: Vec<&str> = entries().iter().map(|entry| entry.code).collect();
        assert!(codes.starts_with(&["NET01", "NET02"]) && codes.ends_with(&["APP02"]), "{codes:?}");
        let at = |code| codes.iter().position(|one| *one == code);
        assert_eq!(at("NET10T"), at("NET10").map(|place| place + 1));
        assert!(entries().iter().all(|entry| AREAS.contains(&entry.area)));
    }
}
