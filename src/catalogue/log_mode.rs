//! Causes that a text decides or suggests: the `cause` rows of the log table. Data and
//! its shape only; what a row is matched against is decided in `checks/log`.

use serde::Deserialize;

use super::pattern::Pattern;
use crate::{aws::commands::CommandTemplate, evidence::Time};

/// One row: a mode, the texts that mean it, and what to say and do about it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogMode {
    /// Code of the catalogue.
    pub code: String,
    /// How much the text decides.
    pub basis: TextBasis,
    /// Order among the rows that match, lowest first; of one rank, by code.
    #[serde(default = "middle")]
    pub rank: u32,
    /// Which texts the row is held against.
    #[serde(default = "failures")]
    pub places: Vec<Place>,
    /// Each must match a text of the same failure.
    #[serde(default)]
    pub must: Vec<Pattern>,
    /// None may match a text of the same failure.
    #[serde(default)]
    pub must_not: Vec<Pattern>,
    /// Each must match a text of the same attempt, up to this failure.
    #[serde(default)]
    pub earlier: Vec<Pattern>,
    /// None may match a text of the same attempt, up to this failure.
    #[serde(default)]
    pub not_earlier: Vec<Pattern>,
    /// Two named groups of the patterns that must have taken the same text.
    pub same: Option<[String; 2]>,
    /// Two named groups of the patterns that must have taken different texts.
    pub differ: Option<[String; 2]>,
    /// The steps in which it can happen; empty means any.
    #[serde(default)]
    pub steps: Vec<String>,
    /// With `steps`: also where the step is not known.
    #[serde(default)]
    pub or_no_step: bool,
    /// The invocation ran at least so many seconds.
    pub min_s: Option<f64>,
    /// The invocation ran less than so many seconds.
    pub max_s: Option<f64>,
    /// With `min_s` or `max_s`: also where no duration is known.
    #[serde(default)]
    pub or_no_duration: bool,
    /// Whether Lambda killed the invocation for time.
    pub timed_out: Option<bool>,
    /// Whether the invocation initialised a new environment.
    pub cold_start: Option<bool>,
    /// Whether REPORT shows that all memory was used.
    pub memory_full: Option<bool>,
    /// Whether the resource that the text names is another secret than the one
    /// that rotates (`false` also where that is unknown).
    pub other_secret: Option<bool>,
    /// Whether secret and function are in different accounts, both known.
    pub cross_account: Option<bool>,
    /// The row rests on lines that are missing, so it says nothing where the
    /// function's log level drops INFO lines.
    #[serde(default)]
    pub needs_info_lines: bool,
    /// Left out where a text shows that the function was built on that day or later.
    pub built_before: Option<Time>,
    /// Words in the names of the templates that can print it; empty means any.
    #[serde(default)]
    pub templates: Vec<String>,
    /// A candidate is left out where a line decides, unless it decides for one
    /// of these codes.
    #[serde(default)]
    pub beside: Vec<String>,
    /// The text only shows that something failed before.
    #[serde(default)]
    pub consequence: bool,
    /// What the finding is about.
    #[serde(default)]
    pub about: About,
    /// One or two sentences; `{name}` stands for a named group or a known id.
    pub summary: String,
    /// What the text proves, and what it does not.
    pub why: String,
    /// What fixes it.
    #[serde(default)]
    pub fixes: Vec<ModeFix>,
    /// Where the text and its meaning are known from.
    pub source: String,
    /// The day on which that was checked.
    pub checked: Time,
    /// Failures that must match.
    #[serde(default)]
    pub examples: Vec<Sample>,
    /// Failures that must not.
    #[serde(default)]
    pub counters: Vec<Sample>,
}

/// How much a text decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextBasis {
    /// Only this fault prints it.
    Line,
    /// This fault and others print it.
    Candidate,
}

/// Which texts a row is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// The lines and the outcome of a failed invocation.
    Failure,
    /// Every single line of the log.
    Lines,
    /// Name, error code and message of a CloudTrail event.
    Trail,
    /// The reason of a failed stack event.
    Stack,
    /// What a deployment printed, pasted as a log. Rows of stack events are matched too.
    Deployment,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum About {
    /// The secret.
    #[default]
    Secret,
    /// The rotation function.
    Function,
    /// Its execution role.
    Role,
    /// The secret's KMS key.
    Key,
}

/// A fix in words and commands, with placeholders.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModeFix {
    /// One sentence or two.
    pub summary: String,
    /// Commands.
    #[serde(default)]
    pub commands: Vec<CommandTemplate>,
}

/// A failure to hold a row against in a test: its lines, and where it matters
/// the rest of its circumstances.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sample {
    /// Its lines.
    pub lines: Vec<String>,
    /// Lines of the attempt before it.
    pub earlier: Vec<String>,
    /// The step.
    pub step: Option<String>,
    /// Seconds that it ran.
    pub seconds: Option<f64>,
    /// Seconds after which Lambda killed it.
    pub timed_out: Option<f64>,
    /// Milliseconds of initialisation.
    pub init_ms: Option<f64>,
    /// Whether it used all its memory.
    pub memory_full: bool,
    /// Day of the newest template text in the log.
    pub built: Option<Time>,
    /// Templates that print the log's texts.
    pub templates: Vec<String>,
    /// ARN of the secret that rotates.
    pub secret: Option<String>,
    /// ARN of the rotation function.
    pub function: Option<String>,
    /// Lowest level of the lines that the function logs.
    pub log_level: Option<String>,
}

fn middle() -> u32 {
    50
}

fn failures() -> Vec<Place> {
    vec![Place::Failure]
}
