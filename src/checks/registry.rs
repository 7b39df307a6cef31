//! The list of all checks, and which of them a run selects.

use std::fmt;

use super::Check;
use crate::catalogue;
pub use crate::catalogue::AREAS;

/// Every check, by folder: the areas, and `log` for what the log text alone decides.
static FOLDERS: &[&[&Check]] = &[
    super::net::CHECKS,
    super::tmo::CHECKS,
    super::iam::CHECKS,
    super::kms::CHECKS,
    super::sec::CHECKS,
    super::db::CHECKS,
    super::run::CHECKS,
    super::sch::CHECKS,
    super::mgd::CHECKS,
    super::cfn::CHECKS,
    super::app::CHECKS,
    super::log::CHECKS,
];

/// Every check, in the order in which they run and are listed.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    FOLDERS.iter().flat_map(|folder| folder.iter().copied())
}

/// Which checks a run includes.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    only: Vec<String>,
    skip: Vec<String>,
}

/// A name in `--check` or `--skip` that is neither a code, an area nor a check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct UnknownName {
    /// As it was written.
    pub name: String,
    /// The nearest name that exists.
    pub suggestion: Option<String>,
}

impl fmt::Display for UnknownName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.split(',').all(|name| canonical(name).is_some()) {
            return write!(formatter, "no check is left: all that --check names is skipped");
        }
        write!(formatter, "'{}' is neither a check, a code nor an area", self.name)?;
        match &self.suggestion {
            Some(near) => write!(formatter, "; did you mean '{near}'?"),
            None => write!(formatter, "; `rotdoctor checks` lists them"),
        }
    }
}

impl Selection {
    /// Only these names (all where the list is empty), without those.
    ///
    /// # Errors
    /// [`UnknownName`] where a name is not a check, a code, a code's name or an area.
    pub fn new(only: &[String], skip: &[String]) -> Result<Self, UnknownName> {
        let selection = Self { only: resolve(only)?, skip: resolve(skip)? };
        let asked = only.iter().chain(skip).find(|name| name.trim().is_empty());
        if let Some(name) = asked {
            return Err(UnknownName { name: name.clone(), suggestion: None });
        }
        if !checks().any(|check| selection.includes(check)) {
            let name = only.join(",");
            return Err(UnknownName { name, suggestion: None });
        }
        Ok(selection)
    }

    /// Whether the run includes this check: one of its codes is wanted.
    pub fn includes(&self, check: &Check) -> bool {
        check.codes.iter().any(|code| self.includes_code(check, code))
    }

    /// Whether a finding of this code is reported: a code that was skipped, or
    /// not among those asked for, is not, even where its check ran.
    pub fn includes_code(&self, check: &Check, code: &str) -> bool {
        let wanted = |name: &String| name == check.name || name == code || code_in_area(code, name);
        (self.only.is_empty() || self.only.iter().any(wanted)) && !self.skip.iter().any(wanted)
    }
}

fn code_in_area(code: &str, area: &str) -> bool {
    catalogue::entry(code).is_some_and(|entry| entry.area == area)
}

fn resolve(written: &[String]) -> Result<Vec<String>, UnknownName> {
    written
        .iter()
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| {
            canonical(name)
                .ok_or_else(|| UnknownName { name: name.to_owned(), suggestion: nearest(name) })
        })
        .collect()
}

fn canonical(name: &str) -> Option<String> {
    let upper = name.to_ascii_uppercase();
    if AREAS.contains(&upper.as_str()) {
        return Some(upper);
    }
    if let Some(entry) = catalogue::entry(name) {
        return Some(entry.code.to_owned());
    }
    checks().find(|check| check.name == name).map(|check| check.name.to_owned())
}

fn nearest(name: &str) -> Option<String> {
    let known = catalogue::entries()
        .iter()
        .flat_map(|entry| [entry.code, entry.name])
        .chain(checks().map(|check| check.name))
        .chain(AREAS.iter().copied());
    crate::evidence::nearest(name, known).map(str::to_owned)
}
