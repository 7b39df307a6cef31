//! What a team has settled for its pipeline: `rotdoctor.toml` (checks, severities,
//! waivers) and a baseline of what is known already. Text comes in, reports are changed;
//! no file is read here and nothing is judged.

mod baseline;
mod gate;
mod reading;
mod waiver;

use std::collections::BTreeMap;

pub use self::{
    baseline::{Baseline, BaselineError},
    gate::Gate,
    reading::ConfigurationError,
    waiver::Waiver,
};
use crate::catalogue::Severity;

/// The name of the file that an audit looks for where it runs.
pub const FILE: &str = "rotdoctor.toml";

/// A configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// Only these checks, codes or areas; all where it is empty.
    pub check: Vec<String>,
    /// All but these.
    pub skip: Vec<String>,
    /// The lowest severity that fails a run: `error`, `warning`, `never`.
    pub fail_on: Option<String>,
    /// What open questions make of the exit code: `fail`, `allow`.
    pub open: Option<String>,
    /// By code, the severity that counts here instead of the catalogue's.
    pub severity: BTreeMap<String, Severity>,
    /// What is accepted until a day.
    pub waivers: Vec<Waiver>,
}
