//! `rotdoctor checks`.

use clap::ValueEnum;

use super::{Failure, output};
use crate::{catalogue, checks, report::json};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Format of the list.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    output: Format,
}

/// A list is no report: it has fewer formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For the documentation.
    Markdown,
}

impl Args {
    pub(super) fn run(self) -> Result<u8, Failure> {
        match self.output {
            Format::Text => output::print(&text()),
            Format::Json => output::print(&json::render(&value())),
            Format::Markdown => output::print(&markdown()),
        }?;
        Ok(0)
    }
}

fn text() -> String {
    let mut out = String::new();
    for check in checks::checks() {
        out.push_str(&format!("{}  {}\n", check.name, check.question));
        for entry in check.codes.iter().filter_map(|code| catalogue::entry(code)) {
            out.push_str(&format!("    {:<7}{}\n", entry.code, entry.title));
        }
    }
    let covered: Vec<&str> =
        checks::checks().flat_map(|check| check.codes.iter()).copied().collect();
    let without: Vec<&str> = catalogue::entries()
        .iter()
        .map(|entry| entry.code)
        .filter(|code| !covered.contains(code))
        .collect();
    if !without.is_empty() {
        out.push_str(&format!(
            "\nCodes with a page that no check of this version reports: {}\n",
            without.join(" ")
        ));
    }
    out
}

/// An index of the codes: `docs/codes.md` is this.
fn markdown() -> String {
    let mut out = String::from(
        "# Codes\n\n`rotdoctor explain CODE` prints the page of a code: what it means, what proves \
         it, how to fix it and how to confirm that.\n\n\
         | Code | Name | Severity | What | Checks |\n| --- | --- | --- | --- | --- |\n",
    );
    for entry in catalogue::entries() {
        let checks = checks::checks().filter(|check| check.codes.contains(&entry.code));
        let checks: Vec<&str> = checks.map(|check| check.name).collect();
        let severity = format!("{:?}", entry.severity).to_lowercase();
        out.push_str(&format!(
            "| [{0}](../src/catalogue/pages/{0}.md) | {1} | {severity} | {2} | {3} |\n",
            entry.code,
            entry.name,
            entry.title,
            checks.join(", ")
        ));
    }
    out
}

fn value() -> serde_json::Value {
    let checks: Vec<_> = checks::checks()
        .map(|check| {
            let facts: Vec<&str> = check.facts.iter().map(|fact| fact.name()).collect();
            serde_json::json!({
                "name": check.name, "question": check.question, "codes": check.codes.list(), "facts": facts,
            })
        })
        .collect();
    let codes: Vec<_> = catalogue::entries()
        .iter()
        .map(|entry| {
            serde_json::json!({
                "code": entry.code, "name": entry.name, "area": entry.area,
                "severity": entry.severity, "title": entry.title,
            })
        })
        .collect();
    serde_json::json!({ "checks": checks, "codes": codes })
}
