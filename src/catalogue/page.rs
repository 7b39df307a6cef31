//! A page of the catalogue: its header and its text.

use super::Severity;

/// A failure mode: the header and the text of its page.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Permanent code, such as `NET03`.
    pub code: &'static str,
    /// Kebab-case name of the fault.
    pub name: &'static str,
    /// Area: the letters of the code.
    pub area: &'static str,
    /// Severity of a finding, unless a check knows better.
    pub severity: Severity,
    /// One line.
    pub title: &'static str,
    /// The page below its header, Markdown.
    pub text: &'static str,
}

impl Entry {
    /// Parses a page. The pages are compiled in and a test reads them all, so a
    /// broken header is a bug that never ships.
    ///
    /// # Panics
    /// Where the header is broken.
    pub(super) fn parse(page: &'static str) -> Self {
        let rest = page.strip_prefix("---\n").expect("a page starts with its header");
        let (header, text) = rest.split_once("\n---\n").expect("a header ends with ---");
        let field = |name: &str| -> &'static str {
            header
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                .unwrap_or_else(|| panic!("no {name} in the header: {header}"))
                .trim()
        };
        let severity = match field("severity") {
            "error" => Severity::Error,
            "warning" => Severity::Warning,
            "note" => Severity::Note,
            other => panic!("severity {other}"),
        };
        Self {
            code: field("code"),
            name: field("name"),
            area: field("area"),
            severity,
            title: field("title"),
            text: text.trim_start(),
        }
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
