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
    limits::{Limit, ScheduleLimits, SecretLimits, schedule_limits, secret_limits},
    log_mode::{About, LogMode, ModeFix, Place, Sample, TextBasis, log_modes},
    log_text::{EXCLUDES, Effect, LogText, Origin, PROVES, known_texts, log_texts},
    login_checks::*,
    managed_service::{ManagedService, managed_services},
    package_signs::*,
    page::Entry,
    pattern::Pattern,
    provenance::{Provenance, Trust},
    python_modules::*,
    runtimes::*,
    stack_reasons::*,
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

macro_rules! codes {
    ($($code:literal)*) => {
        /// Every code, by area and number.
        const CODES: &[&str] = &[$( $code ),*];
    };
}

codes! {
    "NET01" "NET02" "NET03" "NET04" "NET05" "NET06" "NET07" "NET08" "NET09" "NET10"
    "NET10T" "NET11" "NET12" "NET13" "NET14" "NET15" "NET17"
    "TMO01"
    "IAM01" "IAM02" "IAM03" "IAM04" "IAM05" "IAM06" "IAM07" "IAM08" "IAM09" "IAM10"
    "IAM11" "IAM12" "IAM13" "IAM14" "IAM15" "IAM16" "IAM17" "IAM18" "IAM19" "IAM20"
    "IAM21"
    "KMS01" "KMS02" "KMS03"
    "SEC01" "SEC02" "SEC03" "SEC04" "SEC05" "SEC06" "SEC07" "SEC08" "SEC09" "SEC10"
    "SEC11" "SEC12" "SEC13" "SEC14" "SEC15" "SEC16" "SEC17" "SEC18" "SEC19" "SEC20"
    "SEC21" "SEC22" "SEC23" "SEC24" "SEC25" "SEC26" "SEC27" "SEC28" "SEC29"
    "DB01" "DB02" "DB03" "DB04" "DB05" "DB06" "DB07" "DB08" "DB09" "DB10"
    "DB11" "DB12" "DB13" "DB14" "DB15" "DB16" "DB17" "DB18" "DB19" "DB20"
    "DB21" "DB22"
    "RUN01" "RUN02" "RUN03" "RUN04" "RUN05" "RUN06" "RUN07" "RUN08" "RUN09" "RUN10"
    "RUN11" "RUN12" "RUN13" "RUN14" "RUN15" "RUN16" "RUN17"
    "SCH01" "SCH02" "SCH03" "SCH04" "SCH05"
    "MGD01" "MGD02" "MGD03" "MGD04" "MGD05"
    "CFN01" "CFN03" "CFN04" "CFN05" "CFN08" "CFN09"
    "APP02"
}

static PAGES: Dir = include_dir!("$CARGO_MANIFEST_DIR/src/catalogue/pages");

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let page = |code: &&str| {
        let page = PAGES.get_file(format!("{code}.md")).and_then(|file| file.contents_utf8());
        Entry::parse(page.unwrap_or_else(|| panic!("{code} has no page")))
    };
    CODES.iter().map(page).collect()
});

/// Every entry, by area and number.
pub fn entries() -> &'static [Entry] {
    &ENTRIES
}

/// The entry of a code (any case) or of a name.
pub fn entry(code_or_name: &str) -> Option<&'static Entry> {
    entries()
        .iter()
        .find(|entry| entry.code.eq_ignore_ascii_case(code_or_name) || entry.name == code_or_name)
}
