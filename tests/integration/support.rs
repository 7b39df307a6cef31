//! Where the tests' files are, the binary, and a report without it.

use std::path::{Path, PathBuf};

use rotdoctor::{bundle, checks::Selection, examine, report::v1::Mode};
use serde_json::Value;

pub(crate) use crate::run::{Ran, rotdoctor};

/// The report of a bundle, as the JSON format has it.
#[track_caller]
pub(crate) fn report_of(bundle: &Value) -> Value {
    let read = bundle::read(&bundle.to_string()).expect("a bundle");
    let report = examine(&read.evidence, Mode::Bundle, &Selection::default());
    serde_json::to_value(report).expect("JSON")
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file in the tests' scratch folder.
pub(crate) fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
