//! Matches the causes of the log table against one failure, and builds findings
//! from those that match.

use std::collections::BTreeMap;

use super::{
    failure_record::{FailureRecord, QuotedText},
    known_ids::KnownIds,
};
use crate::{
    aws::{arn::Arn, commands::Command},
    catalogue::{LogMode, Pattern, Place, TextBasis, log_modes},
    checks::{Basis, Case, Finding},
    evidence::RotationStep,
};

/// Bytes of a line beyond which only what matched is quoted.
const LONG_LINE: usize = 1000;

/// A row that matches a failure.
pub(in crate::checks) struct MatchedRow {
    /// The row.
    pub(in crate::checks) row: &'static LogMode,
    quotes: Vec<QuotedText>,
    captures: BTreeMap<String, String>,
}

/// The ARNs that some rows compare.
#[derive(Clone, Copy, Default)]
pub(in crate::checks) struct ComparedArns<'a> {
    /// The secret that rotates.
    pub(in crate::checks) secret: Option<&'a str>,
    /// Its function.
    pub(in crate::checks) function: Option<&'a str>,
}

impl<'a> ComparedArns<'a> {
    /// Those of the case.
    pub(in crate::checks) fn of(case: &'a Case<'_>) -> Self {
        let secret = case.secret().if_known();
        Self {
            secret: secret.and_then(|secret| secret.arn.as_deref()),
            function: secret.and_then(|secret| secret.rotation_lambda_arn.as_deref()),
        }
    }
}

/// The rows that explain the failure, best first. Where a line decides,
/// candidates are left out, but for those that stand beside it.
pub(in crate::checks) fn explain(
    record: &FailureRecord,
    arns: ComparedArns<'_>,
) -> Vec<MatchedRow> {
    let mut matches: Vec<MatchedRow> =
        log_modes().iter().filter_map(|row| match_row(row, record, arns)).collect();
    matches.sort_by_key(|found| (found.row.basis, found.row.rank));
    let decided: Vec<&str> = matches
        .iter()
        .filter(|found| found.row.basis == TextBasis::Line)
        .map(|found| found.row.code.as_str())
        .collect();
    if !decided.is_empty() {
        matches.retain(|found| {
            found.row.basis == TextBasis::Line
                || found.row.beside.iter().any(|code| decided.contains(&code.as_str()))
        });
    }
    matches
}

/// Matches one row against the failure.
pub(in crate::checks) fn match_row(
    row: &'static LogMode,
    record: &FailureRecord,
    arns: ComparedArns<'_>,
) -> Option<MatchedRow> {
    let place_fits = row.places.contains(&record.place)
        || record.place == Place::Deployment && row.places.contains(&Place::Stack)
        || record.excerpt && row.places.iter().any(|place| *place != Place::Lines);
    if !place_fits || !circumstances_fit(row, record) {
        return None;
    }
    let any = |pattern: &Pattern| record.quotes.iter().any(|quote| pattern.is_match(&quote.text));
    let so_far = |pattern: &Pattern| record.so_far.iter().any(|text| pattern.is_match(text));
    // What fails most often comes first: few patterns are ever compiled.
    if !row.must.iter().all(any)
        || row.must_not.iter().any(any)
        || row.not_earlier.iter().any(so_far)
        || !row.earlier.iter().all(so_far)
    {
        return None;
    }
    let mut found = MatchedRow { row, quotes: Vec::new(), captures: BTreeMap::new() };
    for pattern in &row.must {
        let quote = record.quotes.iter().find(|quote| pattern.is_match(&quote.text))?;
        found.take(pattern, quote, record.place);
    }
    if row.must.is_empty()
        && let Some(quote) = record.quotes.last()
    {
        found.quotes.push(quote.clone());
    }
    let alike =
        |names: &[String; 2]| found.captures.get(&names[0]) == found.captures.get(&names[1]);
    if row.same.as_ref().is_some_and(|names| !alike(names))
        || row.differ.as_ref().is_some_and(alike)
    {
        return None;
    }
    let accounts = (arns.secret.and_then(Arn::account_of), arns.function.and_then(Arn::account_of));
    let fits = |wanted: Option<bool>, is: bool| wanted.is_none_or(|wanted| wanted == is);
    let crosses = matches!(accounts, (Some(a), Some(b)) if a != b);
    (fits(row.other_secret, found.names_other_secret(record, arns))
        && fits(row.cross_account, crosses))
    .then_some(found)
}

fn circumstances_fit(row: &LogMode, record: &FailureRecord) -> bool {
    let step_fits = row.steps.is_empty()
        || record.step.map_or(row.or_no_step, |step| {
            row.steps.iter().any(|name| RotationStep::named(name) == Some(step))
        });
    let bounded = row.min_s.is_some() || row.max_s.is_some();
    let seconds_fit = !bounded
        || record.seconds.map_or(row.or_no_duration, |seconds| {
            row.min_s.is_none_or(|min| seconds >= min) && row.max_s.is_none_or(|max| seconds < max)
        });
    let template_fits = row.templates.is_empty()
        || record.templates.is_empty()
        || record.templates.iter().any(|name| row.templates.iter().any(|word| name.contains(word)));
    let age_fits = match (row.built_before, record.built) {
        (Some(before), Some(built)) => built < before,
        _ => true,
    };
    let fits = |wanted: Option<bool>, is: bool| wanted.is_none_or(|wanted| wanted == is);
    step_fits
        && seconds_fit
        && template_fits
        && age_fits
        && fits(row.timed_out, record.timed_out)
        && fits(row.cold_start, record.cold_start)
        && fits(row.memory_full, record.memory_full)
        && !(row.needs_info_lines && record.info_hidden)
}

impl MatchedRow {
    fn take(&mut self, pattern: &Pattern, quote: &QuotedText, place: Place) {
        let pattern = pattern.regex();
        let Some(captures) = pattern.captures(&quote.text) else { return };
        for name in pattern.capture_names().flatten() {
            if let Some(value) = captures.name(name) {
                self.captures.insert(name.to_owned(), value.as_str().to_owned());
            }
        }
        let whole = captures.get(0).map_or(0..0, |whole| whole.range());
        // Of a traceback, the line that counts.
        let start = quote.text[..whole.start].rfind('\n').map_or(0, |newline| newline + 1);
        let line = quote.text[start..].lines().next().unwrap_or_default().trim();
        // The rest of a line that holds a secret must not be repeated, that of a
        // whole page need not be.
        let text = match place == Place::Lines || line.len() > LONG_LINE {
            true => quote.text[whole].to_owned(),
            false => line.to_owned(),
        };
        let quote = QuotedText { text, source: quote.source.clone() };
        if !self.quotes.contains(&quote) {
            self.quotes.push(quote);
        }
    }

    /// Whether the ARN in the text is another secret than the one that rotates.
    /// Where the ARNs do not decide, the step does: createSecret has read the
    /// rotated secret, so a read that is refused in setSecret is of another.
    fn names_other_secret(&self, record: &FailureRecord, arns: ComparedArns<'_>) -> bool {
        match (self.captures.get("resource"), arns.secret) {
            (Some(named), Some(own)) if named.contains(":secret:") => {
                let bare = own.len().checked_sub(7).and_then(|end| own.get(..end));
                named != own && bare.is_none_or(|bare| named != bare)
            }
            _ => record.step == Some(RotationStep::SetSecret),
        }
    }
}

/// Findings of the matches: one for each code, in their order.
pub(in crate::checks) fn findings(
    matches: &[MatchedRow],
    record: &FailureRecord,
    names: &KnownIds,
) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for found in matches {
        let said = findings.iter().position(|finding| finding.code() == found.row.code);
        if let Some(index) = said {
            let finding = findings.remove(index);
            findings.insert(index, with_quotes(finding, found, record));
        } else {
            findings.push(finding(found, record, names));
        }
    }
    findings
}

fn finding(found: &MatchedRow, record: &FailureRecord, names: &KnownIds) -> Finding {
    let row = found.row;
    let mut names = names.clone();
    for (name, value) in &found.captures {
        names.set(name, Some(value));
    }
    names.set_if_new("version", record.token.as_deref());
    names.set("step", Some(record.step.map_or("a step", RotationStep::name)));
    let seconds = record.seconds.map(|seconds| format!("{seconds:.1}"));
    names.set_if_new("seconds", Some(seconds.as_deref().unwrap_or("an unknown number of")));

    let basis = match row.basis {
        TextBasis::Line => Basis::Line,
        TextBasis::Candidate => Basis::Candidate,
    };
    let mut finding =
        Finding::new(&row.code, names.resource(row.about), names.sentence(&row.summary)).on(basis);
    finding = with_quotes(finding, found, record);
    if let Some(seconds) = record.seconds.filter(|_| row.min_s.is_some() || row.max_s.is_some()) {
        finding = finding.proof(record.kind, &record.source, format!("ran {seconds:.2} seconds"));
    }
    finding = finding.fact("what this text proves", names.sentence(&row.why));
    for fix in &row.fixes {
        let commands = fix.commands.iter().map(|command| names.command(command));
        finding = finding.fix(names.sentence(&fix.summary), commands);
    }
    finding.confirm(
        Command::aws("secretsmanager", "rotate-secret").option("--secret-id", names.secret()),
    )
}

fn with_quotes(mut finding: Finding, found: &MatchedRow, record: &FailureRecord) -> Finding {
    for quote in &found.quotes {
        let known = finding.proofs.iter().any(|proof| proof.text == quote.text);
        if !known {
            finding = finding.proof(record.kind, &quote.source, &quote.text);
        }
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalogue::{self, Sample, log_modes},
        checks::{Case, ProofKind, log_modes::test_logs},
    };

    /// Whether the row matches the sample, in any of its places.
    fn matches(row: &'static LogMode, sample: &Sample) -> bool {
        let (evidence, log) = test_logs::of_sample(sample);
        let case = Case::new(&evidence);
        let arns = ComparedArns::of(&case);
        row.places.iter().any(|&place| {
            let record = if place == Place::Failure {
                let attempt = &log.attempts[0];
                FailureRecord::of_run(&case, &log, attempt, *attempt.runs.last().expect("a run"))
            } else {
                let quote =
                    |text: &String| QuotedText { text: text.clone(), source: String::new() };
                FailureRecord::of_texts(
                    place,
                    ProofKind::Log,
                    sample.lines.iter().map(quote).collect(),
                )
            };
            match_row(row, &record, arns).is_some()
        })
    }

    /// The code blocks of a section of CONTRIBUTING.md in these languages.
    fn blocks(section: &str, languages: [&str; 2]) -> [String; 2] {
        let text = include_str!("../../../CONTRIBUTING.md");
        let start = text.find(&format!("\n## {section}\n")).expect("the section");
        languages.map(|language| {
            let (_, rest) =
                text[start..].split_once(&format!("```{language}\n")).expect("the block");
            let (block, _) = rest.split_once("```").expect("its end");
            let lines = block.lines().map(|line| line.strip_prefix("   ").unwrap_or(line));
            lines.map(|line| format!("{line}\n")).collect()
        })
    }

    #[test]
    fn the_steps_for_adding_a_code_make_a_line_name_it() {
        let [page, rows] = blocks("Adding a code", ["markdown", "toml"]);
        let (entry, texts, causes) =
            catalogue::added("RUN99.md", page.trim_end().to_owned().leak(), &rows);
        assert!(entry.section("Fix").is_some() && entry.can_stop(None));
        let [text] = texts else { panic!("not one row: {texts:?}") };
        let [cause] = causes else { panic!("not one cause: {causes:?}") };
        assert_eq!((text.code.as_deref(), cause.code.as_str()), (Some(entry.code), entry.code));
        assert!(cause.examples.iter().all(|sample| matches(cause, sample)), "{cause:?}");
        assert!(!cause.counters.iter().any(|sample| matches(cause, sample)), "{cause:?}");
        assert!(!cause.examples.is_empty() && !cause.counters.is_empty());
    }

    #[test]
    fn every_example_matches_and_no_counter_does() {
        let mut wrong = Vec::new();
        for row in log_modes() {
            for sample in &row.examples {
                if !matches(row, sample) {
                    wrong.push(format!("{} ({}) misses {sample:?}", row.code, row.summary));
                }
            }
            for sample in &row.counters {
                if matches(row, sample) {
                    wrong.push(format!("{} ({}) takes {sample:?}", row.code, row.summary));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn every_placeholder_is_known_or_captured() {
        const KNOWN: [&str; 11] = [
            "secret",
            "secret_arn",
            "region",
            "account",
            "partition",
            "function",
            "role",
            "key",
            "version",
            "step",
            "seconds",
        ];
        let placeholder = regex::Regex::new(r"\{([a-z_]+)\}").expect("a pattern");
        for row in log_modes() {
            let texts = [&row.summary, &row.why]
                .into_iter()
                .chain(row.fixes.iter().map(|fix| &fix.summary));
            let commands = row.fixes.iter().flat_map(|fix| &fix.commands);
            let in_commands =
                commands.flat_map(|command| command.holes().map(move |hole| (hole, hole)));
            let in_texts = texts.flat_map(|text| {
                placeholder
                    .captures_iter(text)
                    .filter_map(move |found| Some((found.get(1)?.as_str(), text.as_str())))
            });
            for (name, text) in in_texts.chain(in_commands) {
                let captured =
                    row.must.iter().any(|p| p.regex().capture_names().flatten().any(|n| n == name));
                assert!(captured || KNOWN.contains(&name), "{}: {{{name}}} in {text}", row.code);
            }
        }
    }
}
