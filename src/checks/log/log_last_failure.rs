//! Does the newest failed attempt's log name its cause?

use std::sync::LazyLock;

use crate::{
    catalogue::{About, Place, cause_codes, entry},
    checks::{
        Basis, Case, Check, Finding, Judgement, ProofKind, Stop,
        log_modes::{self, ComparedArns, FailureRecord, KnownIds, explain, findings},
    },
    evidence::Fact,
    rotation_log::{AttemptOutcome, Invocation},
};

pub(super) static CHECK: Check = Check {
    name: "log-last-failure",
    question: "Does the log of the newest failed attempt name its cause?",
    codes: &CODES,
    facts: &[Fact::LogEvents, Fact::SecretVersions, log_modes::FACTS[0], log_modes::FACTS[1]],
    judge,
};

/// The codes of the causes that are matched against failed invocations, and against what
/// somebody cut out of a log, of CloudTrail or of a stack's events.
static CODES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| cause_codes(&[Place::Failure, Place::Trail, Place::Stack, Place::Deployment]));

fn judge(case: &Case<'_>) -> Judgement {
    let reading = case.log();
    let log = reading.or_not_applicable("the rotation function has no log")?;
    let Some(newest) = log.last_attempt() else {
        return Err(Stop::not_applicable("the log shows no attempt at a rotation"));
    };
    if newest.outcome == AttemptOutcome::Succeeded {
        return Ok(Vec::new());
    }
    let names = KnownIds::of(case);
    let arns = ComparedArns::of(case);
    // What only shows that something failed before, and when.
    let mut consequence: Option<(Vec<Finding>, String)> = None;
    // What failed before the last good rotation is history.
    let rotated = case.last_rotated();
    let since_success = log.attempts.iter().rev().take_while(|attempt| {
        attempt.outcome != AttemptOutcome::Succeeded
            && (rotated.is_none() || attempt.started_at.is_none() || attempt.started_at > rotated)
    });
    for attempt in since_success.filter(|attempt| attempt.outcome == AttemptOutcome::Failed) {
        for &index in attempt.runs.iter().rev().filter(|&&i| log.invocations[i].failed()) {
            let mut record = FailureRecord::of_run(case, log, attempt, index);
            let mut matches = explain(&record, arns);
            if matches.is_empty() {
                record = record.wrapped(&log.invocations[index]);
                matches = explain(&record, arns);
            }
            let found = findings(&matches, &record, &names);
            if matches.is_empty()
                && record.place != Place::Deployment
                && let Some(finding) = by_text(&log.invocations[index], &record, &names)
            {
                return Ok(vec![finding]);
            }
            if matches.is_empty() {
                // An error of the function's own is the cause, whatever failed
                // before it; behind a consequence the search goes on.
                if consequence.is_none() {
                    return Ok(Vec::new());
                }
            } else if matches.iter().all(|found| found.row.consequence) {
                consequence.get_or_insert((found, record.source));
            } else {
                return Ok(match consequence {
                    Some((later, source)) => found
                        .into_iter()
                        .map(|finding| behind(finding, &later, &source))
                        .chain(later.clone())
                        .collect(),
                    None => found,
                });
            }
        }
    }
    Ok(consequence.map(|(found, _)| found).unwrap_or_default())
}

/// Where no row decides: the code that a known text of the run supports best.
fn by_text(run: &Invocation, record: &FailureRecord, names: &KnownIds) -> Option<Finding> {
    let (hit, code) = run.hits.iter().find_map(|hit| Some((hit, hit.text.code.as_deref()?)))?;
    // The texts know more codes than this check reports; those are for others.
    let code = CODES.iter().find(|known| **known == code)?;
    let line = run.lines.get(hit.line)?;
    let title = entry(code)?.title;
    let summary = format!("The text that ended the run usually goes with this: {title}.");
    Some(Finding::new(code, names.resource(About::Secret), summary).on(Basis::Candidate).proof(
        ProofKind::Log,
        record.source.clone(),
        line.text.lines().next().unwrap_or_default(),
    ))
}

/// Says that the newest failure only follows from this one.
fn behind(mut finding: Finding, later: &[Finding], source: &str) -> Finding {
    let codes: Vec<&str> = later.iter().map(Finding::code).collect();
    finding.summary.push_str(&format!(
        " This is from an earlier failure; the newest one ({source}) only shows what follows from it ({}).",
        codes.join(", ")
    ));
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checks::log_modes::test_logs,
        evidence::{Observed, Reason, RotationStep},
        rotation_log::RotationLog,
    };

    const LOGIN: &str = "setSecret: Unable to log into database with previous, current, or pending secret of secret arn a";
    const STORED: &str = "createSecret: Successfully put secret for ARN a and version v.";

    fn found(log: RotationLog) -> Vec<Finding> {
        let evidence = test_logs::evidence();
        let case = Case::with_log(&evidence, log);
        let found = judge(&case).expect("a judgement");
        assert!(case.reads().iter().all(|fact| CHECK.facts.contains(fact)), "{:?}", case.reads());
        found
    }

    fn of_run(run: Invocation) -> Vec<Finding> {
        found(test_logs::log(vec![vec![run]]))
    }

    fn codes(found: &[Finding]) -> Vec<&'static str> {
        found.iter().map(Finding::code).collect()
    }

    #[test]
    fn a_slow_login_failure_is_the_way_and_a_fast_one_is_not() {
        let slow = of_run(test_logs::failed(Some(RotationStep::SetSecret), Some(20.02), &[LOGIN]));
        assert_eq!(codes(&slow), ["NET10"]);
        assert_eq!(slow[0].basis, Basis::Candidate);
        assert!(slow[0].summary.contains("20.0 s"), "{}", slow[0].summary);
        assert!(slow[0].proofs.iter().any(|proof| proof.text == "ran 20.02 seconds"));

        let fast =
            codes(&of_run(test_logs::failed(Some(RotationStep::SetSecret), Some(1.2), &[LOGIN])));
        assert_eq!(fast[0], "SEC09");
        assert!(!fast.contains(&"NET10") && fast.contains(&"DB01") && fast.contains(&"DB16"));
    }

    #[test]
    fn without_a_duration_neither_is_ruled_out() {
        let found =
            codes(&of_run(test_logs::failed(Some(RotationStep::SetSecret), None, &[LOGIN])));
        assert_eq!(found, ["SEC09", "NET10"]);
    }

    #[test]
    fn a_timeout_is_placed_by_its_step() {
        let set = found(test_logs::log(vec![vec![
            test_logs::returned(RotationStep::CreateSecret, &[STORED]),
            test_logs::timed_out(Some(RotationStep::SetSecret), 30.03, &[]),
        ]]));
        assert_eq!(codes(&set), ["NET10T"]);
        let create = of_run(test_logs::timed_out(Some(RotationStep::CreateSecret), 30.03, &[]));
        assert_eq!(codes(&create), ["NET01"]);
        assert_eq!(create[0].basis, Basis::Candidate);
        assert_eq!(create[0].resource, test_logs::FUNCTION);
        let short = of_run(test_logs::timed_out(Some(RotationStep::CreateSecret), 3.0, &[]));
        assert_eq!(codes(&short), ["TMO01", "NET01"]);
    }

    #[test]
    fn a_line_that_decides_leaves_no_candidates() {
        let found = of_run(test_logs::failed(
            Some(RotationStep::SetSecret),
            Some(1.2),
            &["SCRAM authentication requires libpq version 10 or above", LOGIN],
        ));
        assert_eq!(codes(&found), ["DB01"]);
        assert_eq!(found[0].basis, Basis::Line);
    }

    #[test]
    fn kms_is_told_apart_by_operation_and_step() {
        let kms = |operation: &str| {
            format!(
                "An error occurred (AccessDeniedException) when calling the {operation} operation: Access to KMS is not allowed"
            )
        };
        let of =
            |step, text: &str| codes(&of_run(test_logs::failed(Some(step), Some(1.0), &[text])));
        assert_eq!(of(RotationStep::CreateSecret, &kms("GetSecretValue")), ["IAM04", "IAM06"]);
        assert_eq!(of(RotationStep::CreateSecret, &kms("PutSecretValue")), ["IAM05", "IAM06"]);
        assert_eq!(of(RotationStep::SetSecret, &kms("GetSecretValue")), ["IAM07", "IAM06"]);
    }

    #[test]
    fn names_fill_the_summary_and_the_commands() {
        let text = format!(
            "[ERROR] ClientError: An error occurred (AccessDeniedException) when calling the GetSecretValue operation: User: arn:aws:sts::123456789012:assumed-role/rotation-role/rotate is not authorized to perform: secretsmanager:GetSecretValue on resource: {} because no identity-based policy allows the secretsmanager:GetSecretValue action\nTraceback (most recent call last):\n  File \"x\"",
            test_logs::SECRET
        );
        let found =
            of_run(test_logs::failed(Some(RotationStep::CreateSecret), Some(1.0), &[&text]));
        assert_eq!(codes(&found), ["IAM01", "IAM02"]);
        assert!(found[0].summary.contains("role rotation-role may not call GetSecretValue"));
        let command = &found[0].fixes[0].lines()[0];
        assert!(
            command.contains("--role-name rotation-role") && command.contains(test_logs::SECRET)
        );
        let proof = &found[0].proofs[0];
        assert_eq!(proof.kind, ProofKind::Log);
        assert_eq!(proof.source, "log, 2026-11-21 03:12:04 UTC, request 0c1e5a1e");
        assert_eq!(proof.text, text.lines().next().expect("a line"));
    }

    #[test]
    fn the_same_text_twice_is_one_proof() {
        let found = of_run(test_logs::failed(
            Some(RotationStep::CreateSecret),
            Some(1.0),
            &["[ERROR] KeyError: 'masterarn'", "KeyError: 'masterarn'"],
        ));
        assert_eq!(codes(&found), ["SEC04"]);
        let quoted = found[0].proofs.iter().filter(|proof| proof.kind == ProofKind::Log).count();
        assert_eq!(quoted, 1);
    }

    #[test]
    fn behind_a_consequence_the_first_cause_is_sought() {
        let found = found(test_logs::log(vec![
            vec![test_logs::failed(
                Some(RotationStep::CreateSecret),
                Some(1.0),
                &["[ERROR] KeyError: 'host key is missing from secret JSON'"],
            )],
            vec![test_logs::failed(
                Some(RotationStep::SetSecret),
                Some(1.0),
                &["[ERROR] KeyError: 'masterarn'"],
            )],
            vec![test_logs::failed(
                None,
                Some(1.0),
                &["Secret version v not set as AWSPENDING for rotation of secret a."],
            )],
        ]));
        assert_eq!(codes(&found), ["SEC04", "SEC26"]);
        assert!(found[0].summary.contains("from an earlier failure"), "{}", found[0].summary);
    }

    #[test]
    fn a_success_ends_the_search() {
        let consequence = "Secret version v not set as AWSPENDING for rotation of secret a.";
        let broken = test_logs::failed(
            Some(RotationStep::SetSecret),
            Some(1.0),
            &["[ERROR] KeyError: 'masterarn'"],
        );
        let good = test_logs::returned(RotationStep::FinishSecret, &["finishSecret: done"]);
        let log = test_logs::log(vec![
            vec![broken.clone()],
            vec![good.clone()],
            vec![test_logs::failed(None, Some(1.0), &[consequence])],
        ]);
        assert_eq!(codes(&found(log)), ["SEC26"]);
        assert!(found(test_logs::log(vec![vec![broken], vec![good]])).is_empty());
    }

    #[test]
    fn an_error_of_the_functions_own_is_no_finding() {
        let own = test_logs::failed(
            Some(RotationStep::SetSecret),
            Some(1.0),
            &["[ERROR] MyError: no luck"],
        );
        let known = test_logs::failed(
            Some(RotationStep::SetSecret),
            Some(1.0),
            &["[ERROR] KeyError: 'masterarn'"],
        );
        assert!(found(test_logs::log(vec![vec![known], vec![own]])).is_empty());
    }

    #[test]
    fn a_log_that_was_refused_is_inconclusive() {
        let mut evidence = test_logs::evidence();
        evidence.add_gap(crate::evidence::Gap {
            fact: "LogEvents".to_owned(),
            action: "logs:GetLogEvents".to_owned(),
            resource: String::new(),
            reason: Reason::AccessDenied,
            message: String::new(),
        });
        let Err(Stop::Inconclusive(missing)) = judge(&Case::new(&evidence)) else {
            panic!("not inconclusive");
        };
        assert_eq!(missing[0].action, "logs:GetLogEvents");
        evidence.log_events = Observed::Absent;
        assert!(matches!(judge(&Case::new(&evidence)), Err(Stop::NotApplicable(_))));
        let case = Case::with_log(&evidence, RotationLog::default());
        assert!(matches!(judge(&case), Err(Stop::NotApplicable(_))));
    }
}
