//! A regex of a table, compiled when it is first needed: a run meets few of the
//! hundreds that the tables hold, and to compile them all would take longer than the
//! diagnosis.

use std::sync::OnceLock;

use regex::Regex;
use serde::{Deserialize, Deserializer};

/// A regex that a test has seen to compile.
#[derive(Debug)]
pub struct Pattern {
    source: String,
    /// What every match holds; none where nothing long enough is sure.
    literal: Option<String>,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    pub(super) fn new(source: String) -> Self {
        let literal = literal_of_regex(&source);
        Self { source, literal, compiled: OnceLock::new() }
    }

    /// The literal that every match holds.
    pub(super) fn literal(&self) -> Option<&str> {
        self.literal.as_deref()
    }

    /// The regex itself.
    ///
    /// # Panics
    /// Where it does not compile: every table's are compiled by a test.
    pub fn regex(&self) -> &Regex {
        self.compiled
            .get_or_init(|| Regex::new(&self.source).expect("a test compiles every pattern"))
    }

    /// Whether a text holds a match.
    pub fn is_match(&self, text: &str) -> bool {
        self.literal.as_deref().is_none_or(|literal| text.contains(literal))
            && self.regex().is_match(text)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// The longest literal that every match of a regex holds; none where it is too short
/// to sort anything out. Groups and classes count as no literal.
fn literal_of_regex(regex: &str) -> Option<String> {
    let (mut best, mut run) = (String::new(), String::new());
    let mut depth = 0;
    let mut characters = regex.chars();
    while let Some(character) = characters.next() {
        let literal = match character {
            '|' if depth == 0 => return None,
            '(' | '[' => {
                depth += 1;
                None
            }
            ')' | ']' => {
                depth -= 1;
                None
            }
            // What they follow may be absent.
            '?' | '*' | '{' => {
                run.pop();
                None
            }
            '\\' => characters.next().filter(|next| !next.is_alphanumeric()),
            '^' | '$' | '.' | '+' | '}' => None,
            other => Some(other),
        };
        match literal.filter(|_| depth == 0) {
            Some(literal) => run.push(literal),
            None => {
                if run.len() > best.len() {
                    best.clone_from(&run);
                }
                run.clear();
            }
        }
    }
    let best = if run.len() > best.len() { run } else { best };
    let same_case = !regex.contains("(?i") && !regex.contains("(?x");
    (same_case && best.trim().len() >= 4).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::{Pattern, literal_of_regex};

    #[test]
    fn the_literal_of_a_regex_is_in_every_match() {
        let literal = |regex: &str| literal_of_regex(regex);
        assert_eq!(
            literal(r"(?m)\(1045, [a']Access denied for ").as_deref(),
            Some("Access denied for ")
        );
        assert_eq!(literal(r"^START RequestId: \S+ V").as_deref(), Some("START RequestId: "));
        assert_eq!(literal("password (is|was) wrong").as_deref(), Some("password "));
        assert_eq!(literal("colou?r of money").as_deref(), Some("r of money"));
        assert_eq!(literal(r"port \d{4} closed").as_deref(), Some(" closed"));
        assert_eq!(literal("one thing|another thing"), None);
        assert_eq!(literal("(?i)no matter how it is written"), None);
        assert_eq!(literal("(?:all)(?:of)"), None);
        assert_eq!(literal("abc"), None, "too short to sort anything out");
    }

    #[test]
    fn a_pattern_matches_as_its_regex_does() {
        for (source, text, is) in [
            ("timed? out after [0-9]+", "it time out after 30 s", true),
            ("timed? out after [0-9]+", "it timed out after all", false),
            ("(?i)ACCESS denied", "Access Denied", true),
        ] {
            let pattern = Pattern::new(source.to_owned());
            assert_eq!(pattern.is_match(text), is, "{source} in {text}");
            assert_eq!(pattern.regex().is_match(text), is, "{source} in {text}");
        }
    }
}
