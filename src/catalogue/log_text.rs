//! Known log texts: the rows of the log table, and which of them a line matches.

use std::sync::LazyLock;

use regex::{Regex, RegexSet};
use serde::{Deserialize, Deserializer, de::Error};

use super::{LogMode, log_table::LOG_TABLE, pattern::Pattern, stack_reasons::StackReason};
use crate::evidence::{RotationStep, Time};

/// Who prints a text. The order is that of [`matches`]: the most telling first.
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

/// Every row.
pub fn log_texts() -> &'static [LogText] {
    &LOG_TABLE.texts
}

/// The rows that a message matches, at most one of each origin, the most telling
/// first. Matches line by line: a text never reaches over a line break.
pub fn known_texts(message: &str) -> Vec<&'static LogText> {
    let mut best: Vec<(Origin, usize, &'static Matcher, &'static LogText)> = Vec::new();
    for index in MATCHERS.needles.matches(message) {
        let pattern = &MATCHERS.matchers[index];
        let text = &log_texts()[pattern.row];
        let position = best.iter().position(|(origin, ..)| *origin == text.origin);
        // Rows come in the table's order, so a later one wins by its literal text only.
        if position.is_some_and(|at| pattern.weight <= best[at].2.weight)
            || !pattern.matches(message)
        {
            continue;
        }
        let entry = (text.origin, index, pattern, text);
        match position {
            Some(at) => best[at] = entry,
            None => best.push(entry),
        }
    }
    best.sort_by_key(|(origin, index, ..)| (*origin, *index));
    best.into_iter().map(|(.., text)| text).collect()
}

/// A row's matcher.
struct Matcher {
    row: usize,
    /// Bytes of literal text; 0 for a regex row, where the order decides.
    weight: usize,
    /// The full regex; none where `needles` has it in full.
    pattern: Option<Pattern>,
}

impl Matcher {
    fn matches(&self, message: &str) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(message))
    }
}

struct Matchers {
    matchers: Vec<Matcher>,
    /// Per pattern: its longest literal, or the regex that has none. One pass over a
    /// line sorts out nearly every row.
    needles: RegexSet,
}

static MATCHERS: LazyLock<Matchers> = LazyLock::new(|| {
    let mut needles = Vec::new();
    let mut matchers = Vec::new();
    for (row, text) in log_texts().iter().enumerate() {
        if text.is_regex {
            let pattern = Pattern::new(format!("(?m){}", text.text));
            let needle = pattern.literal().map(regex::escape);
            let pattern = needle.is_some().then_some(pattern);
            needles.push(needle.unwrap_or_else(|| format!("(?m){}", text.text)));
            matchers.push(Matcher { row, weight: 0, pattern });
            continue;
        }
        let literals = literals(&text.text);
        // A text that is a value and nothing else can be printed by anything.
        let Some(longest) = literals.iter().max_by_key(|literal| literal.trim().len()) else {
            continue;
        };
        if longest.trim().is_empty() {
            continue;
        }
        needles.push(literal_pattern(longest.trim()));
        matchers.push(Matcher {
            row,
            weight: literals.iter().map(|literal| literal.len()).sum(),
            pattern: Some(Pattern::new(format_pattern(&text.text))),
        });
    }
    let needles = RegexSet::new(&needles).expect("the table is tested to compile");
    Matchers { matchers, needles }
});

/// A value in a format string: `%s`, `%d`, an f-string's `{…}`, and the extractor's
/// `<expression>` (with an underscore; `<action>-<type>` is literal text).
static VALUE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"%[sd]|\{[^}]*\}| ?<[^<>]*_[^<>]*>").expect("a constant pattern"));

fn literals(format: &str) -> Vec<&str> {
    VALUE.split(format).filter(|literal| !literal.is_empty()).collect()
}

/// The literal as a regex; a `\n` of the source text may be any white space.
fn literal_pattern(literal: &str) -> String {
    let lines: Vec<&str> = literal.split("\\n").collect();
    let last = lines.len() - 1;
    let part = |(index, line): (usize, &&str)| {
        let line = if index > 0 { line.trim_start() } else { line };
        regex::escape(if index < last { line.trim_end() } else { line })
    };
    lines.iter().enumerate().map(part).collect::<Vec<_>>().join(r"\s+")
}

/// The regex of a format string: open at the front, since runtimes and loggers put
/// their own text there; closed at the end up to the quote and bracket that Python's
/// `repr` adds, since some texts are the beginning of others.
fn format_pattern(format: &str) -> String {
    let mut pattern = String::from("(?m)");
    let mut at = 0;
    for value in VALUE.find_iter(format) {
        pattern.push_str(&literal_pattern(&format[at..value.start()]));
        pattern.push_str(if value.as_str().contains('<') { ".*" } else { ".*?" });
        at = value.end();
    }
    pattern.push_str(&literal_pattern(format[at..].trim_end()));
    pattern.push_str(r#"['")\]]*\s*$"#);
    pattern
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{EXCLUDES, Effect, MATCHERS, Origin, PROVES, known_texts, log_texts};
    use crate::catalogue;

    fn codes(message: &str) -> Vec<&'static str> {
        known_texts(message).iter().filter_map(|text| text.code.as_deref()).collect()
    }

    #[test]
    fn every_row_is_whole_and_names_codes_and_words_that_exist() {
        let mut seen = BTreeSet::new();
        for text in log_texts() {
            assert!(!text.text.is_empty() && !text.source.is_empty(), "{text:?}");
            assert!(seen.insert(&text.text), "twice: {}", text.text);
            for code in text.code.iter().chain(&text.candidates) {
                assert!(catalogue::entry(code).is_some(), "{code} in {}", text.text);
            }
            assert!(text.proves.iter().all(|word| PROVES.contains(&word.as_str())), "{text:?}");
            assert!(text.excludes.iter().all(|word| EXCLUDES.contains(&word.as_str())), "{text:?}");
            assert_eq!(text.is_regex, text.origin != Origin::Template, "{text:?}");
            assert_eq!(text.templates.is_empty(), text.is_regex, "{text:?}");
            assert_eq!(text.first_seen.is_none(), text.is_regex, "{text:?}");
            assert!(text.code.is_none() || text.effect == Effect::Failure, "{text:?}");
        }
        for word in PROVES {
            assert!(log_texts().iter().any(|text| text.proves(word)), "unused: {word}");
        }
        for word in EXCLUDES {
            assert!(log_texts().iter().any(|text| text.excludes(word)), "unused: {word}");
        }
    }

    #[test]
    fn every_pattern_compiles() {
        for matcher in &MATCHERS.matchers {
            match &matcher.pattern {
                // It would take the whole set off the fast path wherever a letter
                // is not ASCII.
                None => assert!(!log_texts()[matcher.row].text.contains(r"\b")),
                Some(pattern) => assert!(!pattern.regex().as_str().is_empty()),
            }
        }
        let in_full = MATCHERS.matchers.iter().filter(|matcher| matcher.pattern.is_none()).count();
        assert!(in_full < 15, "{in_full} rows have no literal");
    }

    #[test]
    fn one_row_only_has_no_text_to_match() {
        let without: Vec<_> = (0..log_texts().len())
            .filter(|row| !MATCHERS.matchers.iter().any(|pattern| pattern.row == *row))
            .map(|row| log_texts()[row].text.as_str())
            .collect();
        assert_eq!(without, ["<full_error_message>"]);
    }

    #[test]
    fn the_longer_of_two_texts_wins() {
        let hit = |message| known_texts(message)[0].text.as_str();
        assert_eq!(
            hit("setSecret: Unable to log into database using credentials in master secret arn:x"),
            "setSecret: Unable to log into database using credentials in master secret %s"
        );
        assert_eq!(
            hit("Secret arn:x is not enabled for rotation"),
            "Secret %s is not enabled for rotation"
        );
        assert_eq!(
            hit("Secret arn:x is not enabled for rotation."),
            "Secret %s is not enabled for rotation."
        );
        assert_eq!(
            hit(
                "Unable to clone user, username length with _clone appended would exceed 63 characters"
            ),
            "Unable to clone user, username length with _clone appended would exceed 63 characters"
        );
        assert_eq!(
            hit(
                "Unable to clone user, username length with _clone appended would exceed 32 characters"
            ),
            "Unable to clone user, username length with _clone appended would exceed %s characters"
        );
    }

    #[test]
    fn the_refusal_counts_before_the_line_that_wraps_it() {
        let wrapped = "setSecret: Encountered API error while fetching connection parameters from \
             DescribeDBInstances RDS API: An error occurred (AccessDenied) when calling the \
             DescribeDBInstances operation: User: arn:aws:sts::1:assumed-role/r/f is not \
             authorized to perform: rds:DescribeDBInstances";
        assert_eq!(codes(wrapped), ["IAM12", "IAM12"]);
        let silent = "setSecret: Encountered API error while fetching connection parameters from \
             DescribeDBInstances RDS API: Connect timeout on endpoint URL: \
             \"https://rds.eu-west-1.amazonaws.com/\"";
        assert_eq!(codes(silent), ["NET14", "IAM12"]);
    }

    #[test]
    fn tells_the_policy_from_the_tail_of_the_refusal() {
        let denied = |operation: &str, tail: &str| {
            codes(&format!(
                "ClientError: An error occurred (AccessDeniedException) when calling the \
                 {operation} operation: {tail}"
            ))
        };
        let who = "User: arn:aws:sts::1:assumed-role/r/f is not authorized to perform: \
             secretsmanager:GetSecretValue on resource: arn:x ";
        let cases = [
            ("because no identity-based policy allows the action", "IAM01"),
            ("because no VPC endpoint policy allows the action", "NET08"),
            ("with an explicit deny in a VPC endpoint policy", "NET08"),
            ("with an explicit deny in a resource-based policy", "IAM10"),
            ("because no permissions boundary allows the action", "IAM11"),
            ("with an explicit deny in a service control policy", "IAM11"),
            ("", "IAM01"),
        ];
        for (tail, code) in cases {
            assert_eq!(denied("GetSecretValue", &format!("{who}{tail}")), [code], "{tail}");
        }
        assert_eq!(denied("GetSecretValue", "Access to KMS is not allowed"), ["IAM04"]);
        assert_eq!(denied("PutSecretValue", "Access to KMS is not allowed"), ["IAM05"]);
    }

    #[test]
    fn a_missing_module_tells_a_wrong_build_from_a_missing_package() {
        let import = |module: &str| {
            codes(&format!(
                "Runtime.ImportModuleError: Unable to import module 'lambda_function': \
                 No module named '{module}'\nTraceback (most recent call last):"
            ))
        };
        assert_eq!(import("_pg"), ["RUN01"]);
        assert_eq!(import("pymssql._pymssql"), ["RUN01"]);
        assert_eq!(import("pg"), ["RUN02"]);
        assert_eq!(import("pymysql"), ["RUN02"]);
        assert_eq!(import("house_rules"), Vec::<&str>::new());
    }

    #[test]
    fn knows_nothing_of_other_text() {
        for text in ["", "hello", "Loading function", "  File \"/var/task/x.py\", line 3, in f"] {
            assert!(known_texts(text).is_empty(), "{text}");
        }
    }
}
