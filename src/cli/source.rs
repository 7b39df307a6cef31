//! Where evidence comes from: a bundle here, AWS with the feature `live`.

use std::path::Path;

use super::{Failure, files, options::ReportOptions};
use crate::{evidence::Evidence, seal::bundle};

/// Reads a bundle from a file, or from stdin where the file is `-`.
pub(super) fn read_bundle(path: &Path, options: &ReportOptions) -> Result<Evidence, Failure> {
    let fail = |what: &str| Failure::CannotExamine(format!("bundle {}: {what}", path.display()));
    let bytes = files::read(path).map_err(|error| fail(&error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        fail("not text. A bundle is one JSON object, as `rotdoctor capture` writes it")
    })?;
    let bundle = bundle::read(&text).map_err(|error| fail(&error.to_string()))?;
    for (key, nearest) in &bundle.unknown_keys {
        let hint =
            nearest.as_ref().map(|name| format!(" (did you mean {name}?)")).unwrap_or_default();
        options.note(&format!("note: bundle key {key} is not known and was not read{hint}"));
    }
    Ok(bundle.evidence)
}

/// What is said where AWS is asked for and this build cannot.
#[allow(dead_code)] // without `live` only
pub(super) fn without_live() -> Failure {
    Failure::Usage(
        "this rotdoctor was built without the feature `live` and cannot ask AWS: name a bundle with \
         --bundle FILE, or use a full build"
            .to_owned(),
    )
}
