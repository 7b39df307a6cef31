//! Does the function write secret values into its log?

use std::sync::LazyLock;

use super::traceback_source_lines::SourceLines;
use crate::{
    catalogue::{Place, Severity, cause_codes, log_modes},
    checks::{
        Case, Check, Judgement, ProofKind,
        log_modes::{
            self, ComparedArns, FailureRecord, KnownIds, QuotedText, findings, match_row, source,
        },
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "log-secret-material",
    question: "Does the rotation function keep secret values out of its log?",
    codes: &CODES,
    facts: &[Fact::LogEvents, log_modes::FACTS[0], log_modes::FACTS[1]],
    judge,
};

/// The codes of the causes that are matched against single lines.
static CODES: LazyLock<Vec<&'static str>> = LazyLock::new(|| cause_codes(&[Place::Lines]));

/// Lines to quote; more of them prove nothing more.
const QUOTED: usize = 3;

fn judge(case: &Case<'_>) -> Judgement {
    let reading = case.log();
    let log = reading.or_not_applicable("the rotation function has no log")?;
    let of_runs = log.invocations.iter().flat_map(|run| {
        let mut source_lines = SourceLines::default();
        run.lines.iter().map(move |line| QuotedText {
            text: source_lines.remove(&line.text),
            source: source(run, line.at),
        })
    });
    let mut source_lines = SourceLines::default();
    let strays = log.stray_lines.iter().map(|line| QuotedText {
        text: source_lines.remove(&line.text),
        source: line.at.map_or("log".to_owned(), |at| format!("log, {}", at.second())),
    });
    let mut matches = Vec::new();
    for quote in of_runs.chain(strays) {
        let record = FailureRecord::of_texts(Place::Lines, ProofKind::Log, vec![quote]);
        matches.extend(
            log_modes().iter().find_map(|row| match_row(row, &record, ComparedArns::default())),
        );
    }
    let lines = matches.len();
    matches.truncate(QUOTED);
    let record = FailureRecord::of_texts(Place::Lines, ProofKind::Log, Vec::new());
    let mut found = findings(&matches, &record, &KnownIds::of(case));
    for finding in &mut found {
        // Rotation works all the same.
        finding.severity = Severity::Warning;
        finding.confirm.clear();
        if lines > QUOTED {
            finding.summary.push_str(&format!(" {lines} lines do."));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checks::{Basis, log_modes::test_logs},
        evidence::{Observed, RotationStep},
    };

    #[test]
    fn a_printed_value_is_quoted_by_its_name_only() {
        let evidence = test_logs::evidence();
        let run = test_logs::returned(
            RotationStep::CreateSecret,
            &["{'Name': 'a', 'SecretString': '(redacted)', 'more': 'left-over-value'}"],
        );
        let case = Case::with_log(&evidence, test_logs::log(vec![vec![run]]));
        let found = judge(&case).expect("a judgement");
        let codes: Vec<_> = found.iter().map(|f| (f.code(), f.severity, f.basis)).collect();
        assert_eq!(codes, [("SEC28", Severity::Warning, Basis::Line)]);
        assert_eq!(found[0].proofs[0].text, "'SecretString':");
        assert!(found[0].proofs[0].source.contains("request 0c1e5a1e"));
        assert!(!format!("{found:?}").contains("left-over-value"));
        assert!(case.reads().iter().all(|fact| CHECK.facts.contains(fact)));
    }

    #[test]
    fn many_lines_make_one_finding() {
        let evidence = test_logs::evidence();
        let lines: Vec<String> = (0..9).map(|n| format!("{n} password=(redacted)")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let mut log =
            test_logs::log(vec![vec![test_logs::returned(RotationStep::SetSecret, &lines)]]);
        log.stray_lines.push(test_logs::line("postgres://app:(redacted)@db/app"));
        let found = judge(&Case::with_log(&evidence, log)).expect("a judgement");
        assert_eq!(found.len(), 1);
        assert!(found[0].summary.ends_with("10 lines do."), "{}", found[0].summary);
    }

    #[test]
    fn the_templates_own_lines_are_no_secret() {
        let evidence = test_logs::evidence();
        let run = test_logs::returned(
            RotationStep::SetSecret,
            &["setSecret: Successfully set password for app in MySQL DB for secret arn a."],
        );
        let case = Case::with_log(&evidence, test_logs::log(vec![vec![run]]));
        assert_eq!(judge(&case), Ok(Vec::new()));
    }

    #[test]
    fn a_source_line_of_a_traceback_is_no_printed_value() {
        let traceback = "An error occurred (AccessDeniedException) when calling the \
             GetRandomPassword operation: not authorized\nTraceback (most recent call last):\n  \
             File \"/var/task/lambda_function.py\", line 102, in create_secret\n    \
             passwd = (redacted)\n             ^^^^^^^^\n  \
             File \"/var/runtime/botocore/client.py\", line 602, in _api_call\n    \
             return self._make_api_call(operation_name, kwargs)";
        let evidence = test_logs::evidence();
        let judged = |lines: &[&str]| {
            let run = test_logs::returned(RotationStep::CreateSecret, lines);
            judge(&Case::with_log(&evidence, test_logs::log(vec![vec![run]])))
        };
        assert_eq!(judged(&[traceback]), Ok(Vec::new()));
        let found = judged(&[traceback, "password=(redacted)"]).expect("a judgement");
        assert_eq!(found.len(), 1);
        assert!(found[0].summary.contains("of password:"), "{}", found[0].summary);
        assert!(!found[0].summary.contains("lines do"), "{}", found[0].summary);
    }

    #[test]
    fn a_log_that_was_not_seen_is_inconclusive() {
        let mut evidence = test_logs::evidence();
        assert!(matches!(judge(&Case::new(&evidence)), Err(crate::checks::Stop::Inconclusive(_))));
        evidence.log_events = Observed::Absent;
        assert!(matches!(judge(&Case::new(&evidence)), Err(crate::checks::Stop::NotApplicable(_))));
    }
}
