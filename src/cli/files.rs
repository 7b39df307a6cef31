//! Files that the command line names: their bytes, and settings in them.

use std::{fmt, path::Path};

use super::Failure;

/// The bytes of a file, or of stdin where the file is `-`.
pub(super) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    }
}

/// Reads and parses a text file that says how to run; `named` is what an error calls it.
pub(super) fn read_settings<T, E: fmt::Display>(
    named: &str,
    path: &Path,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, Failure> {
    let wrong = |what: String| Failure::Usage(format!("{named}: {what}"));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    parse(&text).map_err(|error| wrong(error.to_string()))
}
