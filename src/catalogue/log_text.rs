//! Known log texts: the shape of their rows in the log table.

use serde::{Deserialize, Deserializer, de::Error};

use super::{LogMode, stack_reasons::StackReason};
use crate::evidence::{RotationStep, Time};

/// Who prints a text, the most telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// IAM or KMS refused.
    Access,
    /// botocore, or Secrets Manager's answer through it.
    Sdk,
    /// A database driver or a database.
    Driver,
    /// Lambda.
    Platform,
    /// Secrets Manager, CloudTrail or CloudFormation about the rotation.
    ControlPlane,
    /// A public rotation template.
    Template,
}

/// What a text does to the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// The step goes on.
    Progress,
    /// The step is done.
    StepDone,
    /// A login to the database worked.
    Login,
    /// Looks bad and is not, or says nothing.
    Benign,
    /// The invocation fails with this, or because of it.
    Failure,
    /// The platform's book-keeping.
    Platform,
}

/// One known text of a rotation template, the platform, the SDK or a driver.
#[derive(Debug, PartialEq, Eq)]
pub struct LogText {
    /// The text as the table has it: a format string, or a regex where `is_regex`.
    pub text: String,
    /// Whether `text` is a regex.
    pub is_regex: bool,
    /// Who prints it.
    pub origin: Origin,
    /// What it does to the story.
    pub effect: Effect,
    /// The step, where only one prints it.
    pub step: Option<RotationStep>,
    /// The steps, where several and not all may print it.
    pub steps: Vec<RotationStep>,
    /// The step that meets it first, where any may print it.
    pub earliest: Option<RotationStep>,
    /// What it proves, in the words of [`PROVES`].
    pub proves: Vec<String>,
    /// What it excludes at that moment, in the words of [`EXCLUDES`].
    pub excludes: Vec<String>,
    /// The code that it supports best; none where it names no cause.
    pub code: Option<String>,
    /// Further codes that end in the same text.
    pub candidates: Vec<String>,
    /// The secret that it names is a further one (superuser, keytab), not the rotated one.
    pub other_secret: bool,
    /// Public templates that print it, without `SecretsManager`.
    pub templates: Vec<String>,
    /// First day in the public repository.
    pub first_seen: Option<Time>,
    /// Last day there, of a retired text.
    pub last_seen: Option<Time>,
    /// The wording is recalled, not read in a source.
    pub unverified: bool,
    /// Where it was read.
    pub source: String,
    /// When.
    pub checked: Time,
}

/// The words of [`LogText::proves`].
pub const PROVES: &[&str] = &[
    "cold-start",
    "database-login",
    "database-reachable",
    "kms-usable",
    "labels-movable",
    "manual-invoke",
    "password-set",
    "rds-api-reachable",
    "retry",
    "rotation-done",
    "secret-readable",
    "secret-writable",
    "secretsmanager-reachable",
];

/// The words of [`LogText::excludes`].
pub const EXCLUDES: &[&str] = &[
    "database-credentials",
    "database-tls",
    "kms",
    "path-to-database",
    "path-to-rds-api",
    "path-to-secretsmanager",
    "role-permission-create",
    "role-permission-rds",
];

impl LogText {
    /// Whether that step may print it.
    pub fn may_come_from(&self, step: RotationStep) -> bool {
        self.step.is_none_or(|only| only == step)
            && (self.steps.is_empty() || self.steps.contains(&step))
    }

    /// Whether it proves that (a word of [`PROVES`]).
    pub fn proves(&self, word: &str) -> bool {
        self.proves.iter().any(|proof| proof == word)
    }

    /// Whether it excludes that (a word of [`EXCLUDES`]).
    pub fn excludes(&self, word: &str) -> bool {
        self.excludes.iter().any(|cause| cause == word)
    }
}

/// A row as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextRow {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    pub(super) regex: Option<String>,
    origin: Origin,
    effect: Effect,
    #[serde(default, deserialize_with = "step")]
    step: Option<RotationStep>,
    #[serde(default)]
    steps: Vec<String>,
    #[serde(default, deserialize_with = "step")]
    earliest: Option<RotationStep>,
    #[serde(default)]
    proves: Vec<String>,
    #[serde(default)]
    excludes: Vec<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    candidates: Vec<String>,
    #[serde(default)]
    other_secret: bool,
    #[serde(default)]
    templates: Vec<String>,
    #[serde(default)]
    first_seen: Option<Time>,
    #[serde(default)]
    last_seen: Option<Time>,
    #[serde(default)]
    unverified: bool,
    source: String,
    checked: Time,
    #[serde(default)]
    pub(super) cause: Vec<LogMode>,
    #[serde(default)]
    pub(super) stack_reason: Vec<StackReason>,
}

fn step<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RotationStep>, D::Error> {
    let name = String::deserialize(deserializer)?;
    RotationStep::named(&name).map(Some).ok_or_else(|| D::Error::custom(format!("no step {name}")))
}

impl From<TextRow> for LogText {
    fn from(row: TextRow) -> Self {
        Self {
            is_regex: row.regex.is_some(),
            text: row.regex.or(row.text).unwrap_or_default(),
            origin: row.origin,
            effect: row.effect,
            step: row.step,
            steps: row.steps.iter().filter_map(|name| RotationStep::named(name)).collect(),
            earliest: row.earliest,
            proves: row.proves,
            excludes: row.excludes,
            code: row.code,
            candidates: row.candidates,
            other_secret: row.other_secret,
            templates: row.templates,
            first_seen: row.first_seen,
            last_seen: row.last_seen,
            unverified: row.unverified,
            source: row.source,
            checked: row.checked,
        }
    }
}
