//! A page of the catalogue: its header, which is all that is known of a code and is not
//! reasoning, and its text.
//!
//! The header is TOML between two lines `+++`. Its keys are the fields of [`Entry`].

use serde::{Deserialize, Deserializer};

use super::Severity;
use crate::evidence::RotationStep;

/// A text that lives as long as the program.
type Text = &'static str;

/// A failure mode: the header and the text of its page.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Permanent code, such as `NET03`.
    #[serde(deserialize_with = "text")]
    pub code: Text,
    /// Kebab-case name of the fault.
    #[serde(deserialize_with = "text")]
    pub name: Text,
    /// Area: the letters of the code.
    #[serde(deserialize_with = "text")]
    pub area: Text,
    /// Severity of a finding, unless a check knows better.
    pub severity: Severity,
    /// One line.
    #[serde(deserialize_with = "text")]
    pub title: Text,
    /// Where the fault can stop a rotation: `invoke` and names of steps. Empty where it
    /// never does by itself.
    pub stops: Vec<StopPoint>,
    /// Which of several faults has to be fixed first, lowest first. 1: there is no
    /// secret to rotate; 2: somebody else rotates it; 3: rotation is off; 4: no function
    /// runs; 5: nothing can invoke the function; 6, the default: all the rest.
    #[serde(default = "last_gate")]
    pub gate: u8,
    /// It follows from a failed attempt, and is no root cause while another fault is
    /// known.
    #[serde(default)]
    pub consequence: bool,
    /// It is true of a function or its log whether rotation works or not, and is not why
    /// an attempt failed.
    pub standing: Option<Standing>,
    /// Codes of log texts that this fault, proven by state, accounts for: the line is
    /// then its symptom.
    #[serde(default, deserialize_with = "texts")]
    pub explains: Vec<Text>,
    /// It makes a database refuse a login at once. The templates print one text for all
    /// such faults, so where the state proves one, the text says nothing of the others.
    #[serde(default)]
    pub refuses_login: bool,
    /// It can appear while a rotation runs, or affects one step more than another: an
    /// earlier step that succeeded says nothing against it.
    #[serde(default)]
    pub midway: bool,
    /// It may affect the new password only, since the old one was stored before it
    /// applied.
    #[serde(default)]
    pub new_passwords_only: bool,
    /// It keeps Secrets Manager from invoking the function at all.
    #[serde(default)]
    pub prevents_invocation: bool,
    /// No fault of its own where an error of one of these codes stands on the same
    /// resource.
    #[serde(default, deserialize_with = "texts")]
    pub moot_beside: Vec<Text>,
    /// The checks of the state see all that this fault is about: where they find nothing
    /// wrong, it is not there. A password that differs, in comparison, no check sees.
    #[serde(default)]
    pub state_decides: bool,
    /// Properties of a template or a plan that the fault is about, the most telling first:
    /// a finding points at the first that is declared.
    #[serde(default, deserialize_with = "texts")]
    pub properties: Vec<Text>,
    /// The code under which checks of the state report the same fault.
    #[serde(default, deserialize_with = "optional_text")]
    pub same_fault_as: Option<Text>,
    /// What it says of the version that AWSPENDING is on.
    pub pending_version: Option<PendingVersion>,
    /// The logins have to be tried before the secret is rotated again.
    #[serde(default)]
    pub try_logins_first: bool,
    /// The page below its header, Markdown.
    #[serde(skip)]
    pub text: Text,
}

/// A point at which a rotation can stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum StopPoint {
    /// Before the function runs.
    Invoke,
    /// In a step.
    In(RotationStep),
}

impl TryFrom<String> for StopPoint {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        match RotationStep::named(&name) {
            Some(step) => Ok(Self::In(step)),
            None if name == "invoke" => Ok(Self::Invoke),
            None => Err(format!("{name} is neither `invoke` nor a step")),
        }
    }
}

/// When a standing fact is still the cause of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Never.
    Always,
    /// Where the failed run itself names it.
    UnlessTheRunNamesIt,
}

/// What a fault says of the version that AWSPENDING is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PendingVersion {
    /// The fault is in the version, so a new attempt with it fails again: its value is a
    /// copy of a wrong one, Secrets Manager refuses the version, or the password in use
    /// is in a third version.
    Faulty,
    /// It is faulty because it has no value.
    Empty,
}

/// What is wrong with a page.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {reason}")]
pub struct PageError {
    /// The name of its file.
    pub file: String,
    /// What is wrong.
    pub reason: String,
}

impl Entry {
    /// Reads the page in the file of that name, such as `NET03.md`.
    ///
    /// # Errors
    /// [`PageError`] where the header is broken, lacks a key or has an unknown one, or
    /// is that of another file.
    pub(super) fn parse(file: &str, page: &'static str) -> Result<Self, PageError> {
        let wrong = |reason: String| PageError { file: file.to_owned(), reason };
        let rest = page
            .strip_prefix("+++\n")
            .ok_or_else(|| wrong("a page starts with a line +++".to_owned()))?;
        let (header, text) = rest
            .split_once("\n+++\n")
            .ok_or_else(|| wrong("a header ends with a line +++".to_owned()))?;
        let entry: Self =
            toml::from_str(header).map_err(|error| wrong(error.message().to_owned()))?;
        if file != format!("{}.md", entry.code) {
            return Err(wrong(format!("the header is that of {}", entry.code)));
        }
        if entry.number().is_none() {
            return Err(wrong(format!("{} is not an area and a number", entry.code)));
        }
        Ok(Self { text: text.trim_start(), ..entry })
    }

    /// The number of the code in its area, and the letters behind it.
    pub(super) fn number(&self) -> Option<(u32, &'static str)> {
        let rest = self.code.strip_prefix(self.area)?;
        let number = rest.trim_end_matches(|letter: char| letter.is_ascii_uppercase());
        Some((number.parse().ok()?, &rest[number.len()..]))
    }

    /// Whether the fault can have stopped a rotation at this point; where that is not
    /// known, whether it can stop one at all.
    pub fn can_stop(&self, at: Option<StopPoint>) -> bool {
        at.map_or(!self.stops.is_empty(), |point| self.stops.contains(&point))
    }

    /// Whether the fault, proven by state, accounts for what a log line of that other
    /// code complains about.
    pub fn explains(&self, symptom: &Self) -> bool {
        self.explains.contains(&symptom.code)
    }

    /// The text under a heading such as `Fix`, without the heading.
    pub fn section(&self, heading: &str) -> Option<&'static str> {
        let mut sections = self.text.split("\n## ");
        let first = sections.next()?.trim_start_matches("## ");
        std::iter::once(first)
            .chain(sections)
            .find_map(|section| section.strip_prefix(heading)?.strip_prefix('\n'))
            .map(str::trim)
    }

    /// The question that decides whether this is the cause, where facts that AWS
    /// shows may leave it open: in one line, as a sentence.
    pub fn deciding_question(&self) -> Option<String> {
        let (_, rest) = self.section("Evidence used")?.split_once("- Question that decides")?;
        let (_, rest) = rest.split_once(": ")?;
        let end = rest.find("\n- ").unwrap_or(rest.len());
        let words: Vec<&str> = rest[..end].split_whitespace().collect();
        let question = words.join(" ");
        let mut letters = question.chars();
        let first = letters.next()?.to_uppercase();
        Some(first.chain(letters).collect())
    }
}

fn last_gate() -> u8 {
    6
}

/// A text of a header. The catalogue is read once and lives as long as the program, so
/// what it holds is never freed.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
    String::deserialize(deserializer).map(|text| &*text.leak())
}

fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    text(deserializer).map(Some)
}

fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Text>, D::Error> {
    let texts: Vec<String> = Vec::deserialize(deserializer)?;
    Ok(texts.into_iter().map(|text| &*text.leak()).collect())
}

#[cfg(test)]
mod tests {
    use super::{Entry, PendingVersion, StopPoint};
    use crate::{
        catalogue::{self, entry},
        evidence::RotationStep,
    };

    const PAGE: &str = "+++\ncode = \"SEC99\"\nname = \"a-fault\"\narea = \"SEC\"\nseverity = \"error\"\n\
        title = \"A fault\"\nstops = [\"invoke\", \"setSecret\"]\n+++\n\n## What it means\nA fault.\n";

    fn reason(page: String) -> String {
        Entry::parse("SEC99.md", page.leak()).expect_err("a broken page").to_string()
    }

    #[test]
    fn a_page_has_a_row_and_a_text() {
        let entry = Entry::parse("SEC99.md", PAGE).expect("a page");
        assert_eq!(entry.stops, [StopPoint::Invoke, StopPoint::In(RotationStep::SetSecret)]);
        assert_eq!((entry.gate, entry.consequence), (6, false));
        assert_eq!(entry.section("What it means"), Some("A fault."));
    }

    #[test]
    fn an_error_names_the_file_and_the_key() {
        for key in ["code", "name", "area", "severity", "title", "stops"] {
            let lines = PAGE.lines().filter(|line| !line.starts_with(&format!("{key} = ")));
            let reason = reason(lines.map(|line| format!("{line}\n")).collect());
            assert!(reason.starts_with("SEC99.md: ") && reason.contains(key), "{reason}");
        }
        let unknown = reason(PAGE.replace("stops", "gates = 1\nstops"));
        assert!(unknown.contains("SEC99.md") && unknown.contains("gates"), "{unknown}");
        assert!(reason(PAGE.replace("invoke", "Invoke")).contains("Invoke"));
        assert!(reason(PAGE.replace("SEC99", "SEC98")).contains("SEC98"));
        assert!(reason(PAGE.replace("area = \"SEC\"", "area = \"NET\"")).contains("SEC99"));
    }

    #[test]
    fn a_row_names_codes_that_exist_and_never_its_own() {
        for entry in catalogue::entries() {
            let others =
                entry.explains.iter().chain(&entry.moot_beside).chain(&entry.same_fault_as);
            for other in others {
                assert!(
                    catalogue::entry(other).is_some_and(|it| it.code == *other),
                    "{}",
                    entry.code
                );
                assert_ne!(*other, entry.code, "{} names itself", entry.code);
            }
            assert!((1..=6).contains(&entry.gate), "{}", entry.code);
            assert!(!entry.consequence || entry.standing.is_none(), "{}", entry.code);
            assert!(entry.standing.is_none() || entry.stops.is_empty(), "{}", entry.code);
        }
        let empty = |entry: &&Entry| entry.pending_version == Some(PendingVersion::Empty);
        assert_eq!(catalogue::entries().iter().filter(empty).count(), 1);
    }

    fn of(code: &str) -> &'static Entry {
        entry(code).expect("a code")
    }

    #[test]
    fn refusals_with_one_text_stand_in_for_each_other() {
        for proven in ["IAM04", "IAM05", "IAM06", "IAM07", "IAM18", "KMS01"] {
            for told in ["IAM04", "IAM06", "IAM18"] {
                assert!(proven == told || of(proven).explains(of(told)), "{proven} {told}");
            }
        }
        assert!(of("IAM10").explains(of("IAM01")) && !of("IAM01").explains(of("IAM10")));
        assert!(!of("IAM04").explains(of("KMS01")));
    }

    #[test]
    fn a_warning_about_the_log_stops_no_rotation() {
        assert!(!of("IAM14").can_stop(None) && of("IAM01").can_stop(None));
    }
}
