//! Where the tests' files are, and the binary.

use std::path::{Path, PathBuf};

pub(crate) use crate::run::{Ran, rotdoctor};

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file in the tests' scratch folder.
pub(crate) fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
