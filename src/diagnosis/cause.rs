//! Which findings are causes, how sure each is, and what follows from it.

use super::{
    timeline::Timeline,
    verdict::{Confidence, Verdict},
};
use crate::{
    catalogue::{Severity, Standing, StopPoint, entries},
    checks::{Basis, Finding, ProofKind},
    evidence::RotationStep,
    rotation_log::RunOutcome,
};

/// A finding that explains the failure, or will stop the next rotation.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// What is wrong.
    pub finding: Finding,
    /// How sure it is.
    pub confidence: Confidence,
    /// Codes of what follows from it.
    pub consequences: Vec<String>,
}

/// The causes, most certain first. A finding by the log that another, proven
/// fault accounts for is taken out of `findings`: its line is that fault's
/// symptom and becomes its proof.
pub(super) fn rank(
    timeline: &Timeline,
    verdict: Verdict,
    findings: &mut Vec<Finding>,
) -> Vec<Cause> {
    let mut explained = Vec::new();
    let mut causes = match verdict {
        Verdict::Failing => {
            explained = take_explained(findings, stage_of(timeline));
            explaining(timeline, findings)
        }
        Verdict::AtRisk => threatening(findings),
        Verdict::Recovering | Verdict::Healthy | Verdict::Unknown => Vec::new(),
    };
    // The findings come worst first and by basis; a stable sort keeps that
    // among causes of one confidence that stand at the same gate.
    causes.sort_by_key(|cause| {
        let entry = cause.finding.entry;
        // What an earlier step of the same attempt has passed comes last.
        let passed = verdict == Verdict::Failing && came_through(timeline, &cause.finding);
        // Where no attempt failed, a warning explains nothing, and an overdue
        // rotation comes before it.
        let weight = (verdict == Verdict::AtRisk).then_some(cause.finding.severity);
        (cause.confidence, passed, weight, entry.consequence, cause.finding.severity, entry.gate)
    });
    hang_consequences(&mut causes, findings);
    for symptom in explained {
        // The surest cause that accounts for the line takes it as its proof.
        let cause = causes.iter_mut().find(|cause| cause.finding.entry.explains(symptom.entry));
        if let Some(Cause { finding, .. }) = cause {
            let quotes = symptom.proofs.into_iter().filter(|proof| proof.kind == ProofKind::Log);
            let new: Vec<_> = quotes.filter(|quote| !finding.proofs.contains(quote)).collect();
            finding.proofs.extend(new);
        }
    }
    causes
}

/// Takes out the findings by the log that a proven fault accounts for.
fn take_explained(findings: &mut Vec<Finding>, stage: Option<StopPoint>) -> Vec<Finding> {
    let all = findings.clone();
    findings
        .extract_if(.., |finding| all.iter().any(|other| accounts_for(other, finding, stage)))
        .collect()
}

/// What would stop or weaken the next rotation, where nothing failed yet.
fn threatening(findings: &[Finding]) -> Vec<Cause> {
    findings
        .iter()
        .filter(|finding| finding.severity <= Severity::Warning)
        .map(|finding| Cause {
            confidence: match finding.basis {
                Basis::State | Basis::StateAndLine | Basis::Line => Confidence::Confirmed,
                Basis::Indication => Confidence::Likely,
                Basis::Candidate => Confidence::Possible,
            },
            finding: finding.clone(),
            consequences: Vec::new(),
        })
        .collect()
}

/// What explains that the last attempt failed.
fn explaining(timeline: &Timeline, findings: &[Finding]) -> Vec<Cause> {
    let stage = stage_of(timeline);
    let roots: Vec<&Finding> = findings
        .iter()
        .filter(|finding| !finding.entry.consequence && !is_standing(finding))
        .filter(|finding| match finding.severity {
            Severity::Error => true,
            // What the failed run itself printed explains it by itself.
            Severity::Warning => finding.basis.is_by_log() || finding.entry.can_stop(stage),
            Severity::Note => false,
        })
        .collect();
    let line_named =
        roots.iter().any(|finding| finding.basis.names_by_line() && from_failing_run(finding));
    let candidates = roots.iter().filter(|finding| finding.basis == Basis::Candidate).count();
    let mut causes: Vec<Cause> = roots
        .iter()
        .map(|finding| {
            let fits = finding.entry.can_stop(stage);
            let confidence = match finding.basis {
                Basis::Line | Basis::StateAndLine if fits || from_failing_run(finding) => {
                    Confidence::Confirmed
                }
                // An event elsewhere, at a stage that the failure was not at.
                Basis::Line | Basis::StateAndLine => Confidence::Possible,
                // A step that would have met this fault first came through.
                Basis::State | Basis::Indication if came_through(timeline, finding) => {
                    Confidence::Possible
                }
                // Another line names the failure: this state stops something too, but later.
                Basis::State if fits && line_named => Confidence::Likely,
                Basis::State if fits => Confidence::Confirmed,
                Basis::State => Confidence::Possible,
                Basis::Indication if fits && !line_named => Confidence::Likely,
                Basis::Candidate if candidates == 1 && roots.len() == 1 => Confidence::Likely,
                Basis::Indication | Basis::Candidate => Confidence::Possible,
            };
            // A warning explains a failure with certainty only where the failing run
            // itself names it.
            let certain =
                finding.severity == Severity::Error || (finding.basis.names_by_line() && fits);
            let confidence = if certain { confidence } else { Confidence::Possible };
            Cause { finding: (*finding).clone(), confidence, consequences: Vec::new() }
        })
        .collect();
    // The surer the best cause, the less stands beside it: nothing that is only
    // possible beside a confirmed one, no possible warning beside a likely one.
    let accounted = |cause: &Cause| cause.confidence < Confidence::Possible;
    let surest = causes.iter().map(|cause| cause.confidence).min();
    causes.retain(|cause| {
        accounted(cause)
            || surest == Some(Confidence::Possible)
            || surest == Some(Confidence::Likely) && cause.finding.severity == Severity::Error
    });
    if !causes.iter().any(|cause| cause.finding.severity == Severity::Error || accounted(cause)) {
        // Nothing that is known explains it: what is left to show is the stuck
        // state itself, and that its cause was not seen.
        causes.extend(findings.iter().filter(|finding| finding.entry.consequence).map(|finding| {
            Cause {
                finding: finding.clone(),
                confidence: Confidence::Possible,
                consequences: Vec::new(),
            }
        }));
        causes.sort_by_key(|cause| cause.finding.severity);
    }
    causes
}

/// Whether the finding is a standing fact that did not stop this attempt: a function on a
/// deprecated runtime runs on, until the run itself says that Lambda refused the runtime.
fn is_standing(finding: &Finding) -> bool {
    match finding.entry.standing {
        None => false,
        Some(Standing::Always) => true,
        Some(Standing::UnlessTheRunNamesIt) => {
            !(finding.basis.names_by_line() && from_failing_run(finding))
        }
    }
}

/// Whether the failing run itself printed the line, not CloudTrail or a stack.
fn from_failing_run(finding: &Finding) -> bool {
    finding.proofs.iter().any(|proof| proof.kind == ProofKind::Log)
}

/// Whether the failed attempt came past the place where a fault of this code would
/// have stopped it: an earlier step returned, or the function ran at all.
fn came_through(timeline: &Timeline, finding: &Finding) -> bool {
    let entry = finding.entry;
    if entry.midway {
        return false;
    }
    timeline.last_failure().is_some_and(|attempt| {
        // What holds for new passwords only lets setSecret in with the old one.
        if finding.basis == Basis::Indication
            && attempt.failed_step == Some(RotationStep::TestSecret)
            && entry.new_passwords_only
        {
            return false;
        }
        // A function that ran was invoked.
        (attempt.invoked && entry.prevents_invocation)
            || attempt.steps.iter().any(|run| {
                run.outcome == RunOutcome::Returned
                    && run.step != attempt.failed_step
                    && run.step.is_some_and(|step| entry.stops.contains(&StopPoint::In(step)))
            })
    })
}

/// Where the last failed attempt stopped, where that is known. An attempt that
/// CloudTrail shows and a log that was read does not, never reached the function.
fn stage_of(timeline: &Timeline) -> Option<StopPoint> {
    let attempt = timeline.last_failure()?;
    match attempt.failed_step {
        Some(step) => Some(StopPoint::In(step)),
        None => {
            // Only a log that goes on before and after it shows that by silence.
            let (from, to) = timeline.log_span?;
            let silent = attempt.started_at.is_some_and(|at| from < at && at < to);
            (silent && !attempt.invoked).then_some(StopPoint::Invoke)
        }
    }
}

/// Whether `finding` is only what `other`, proven, looks like in the log.
fn accounts_for(other: &Finding, finding: &Finding, stage: Option<StopPoint>) -> bool {
    let same_refusal = finding.basis == Basis::Candidate
        && other.basis != Basis::Line
        && other.code() != finding.code()
        && other.entry.refuses_login
        && finding.entry.refuses_login;
    (other.entry.explains(finding.entry) || same_refusal)
        && matches!(other.basis, Basis::State | Basis::StateAndLine | Basis::Line)
        && other.severity == Severity::Error
        && other.entry.can_stop(stage)
        && finding.basis.is_by_log()
        // Of two that could each be the other's symptom, a line does not choose.
        && (other.basis != Basis::Line || !finding.entry.explains(other.entry))
}

/// What follows from the first cause hangs under it, and is no cause itself.
fn hang_consequences(causes: &mut Vec<Cause>, findings: &[Finding]) {
    let Some(first) = causes.first() else { return };
    if first.finding.entry.consequence {
        let code = first.finding.code();
        let rest: Vec<String> = consequences(findings).filter(|other| other != code).collect();
        causes.retain(|cause| !rest.iter().any(|code| code == cause.finding.code()));
        causes[0].consequences = rest;
        return;
    }
    // What only may have stopped a rotation has no consequences yet.
    let stopped =
        first.finding.severity == Severity::Error || first.confidence < Confidence::Possible;
    if !stopped || first.finding.entry.stops.is_empty() {
        return;
    }
    let codes: Vec<String> = consequences(findings).collect();
    causes.retain(|cause| !cause.finding.entry.consequence);
    if let Some(first) = causes.first_mut() {
        first.consequences = codes;
    }
}

/// The codes of the findings that are consequences, in the order of the catalogue.
fn consequences(findings: &[Finding]) -> impl Iterator<Item = String> {
    entries()
        .iter()
        .filter(|entry| entry.consequence)
        .filter(|entry| findings.iter().any(|finding| finding.code() == entry.code))
        .map(|entry| entry.code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::timeline::{Attempt, Outcome, StepRun};

    fn found(code: &'static str, severity: Severity, basis: Basis) -> Finding {
        Finding::new(code, code, code).severity(severity).on(basis)
    }

    fn error(code: &'static str, basis: Basis) -> Finding {
        found(code, Severity::Error, basis)
    }

    fn failed_in(step: RotationStep) -> Timeline {
        let attempt = Attempt {
            outcome: Outcome::Failed,
            failed_step: Some(step),
            invoked: true,
            ..Attempt::default()
        };
        Timeline {
            attempts: vec![attempt],
            failed_attempts: 1,
            failing: true,
            ..Timeline::default()
        }
    }

    fn causes(
        verdict: Verdict,
        step: RotationStep,
        mut all: Vec<Finding>,
    ) -> Vec<(String, Confidence)> {
        rank(&failed_in(step), verdict, &mut all)
            .into_iter()
            .map(|cause| (cause.finding.code().to_owned(), cause.confidence))
            .collect()
    }

    fn one(code: &str, confidence: Confidence) -> Vec<(String, Confidence)> {
        vec![(code.to_owned(), confidence)]
    }

    #[test]
    fn an_old_runtime_explains_no_failure() {
        let all = vec![
            error("SEC07", Basis::State),
            found("RUN05", Severity::Warning, Basis::State),
            found("SEC28", Severity::Warning, Basis::Line),
        ];
        let said = causes(Verdict::Failing, RotationStep::SetSecret, all);
        assert_eq!(said, one("SEC07", Confidence::Possible));
    }

    #[test]
    fn an_overdue_rotation_comes_before_a_warning_where_nothing_failed() {
        let all =
            vec![error("SCH04", Basis::State), found("RUN05", Severity::Warning, Basis::State)];
        let said = causes(Verdict::AtRisk, RotationStep::SetSecret, all);
        assert_eq!(said[0].0, "SCH04");
        assert_eq!(said.len(), 2);
    }

    #[test]
    fn what_holds_for_new_passwords_lets_the_old_one_in() {
        let mut timeline = failed_in(RotationStep::TestSecret);
        let set = StepRun {
            step: Some(RotationStep::SetSecret),
            outcome: RunOutcome::Returned,
            request_id: None,
            duration_ms: None,
        };
        timeline.attempts[0].steps.push(set);
        let surest = |basis| {
            let mut all = vec![error("SEC07", Basis::State), error("DB01", basis)];
            rank(&timeline, Verdict::Failing, &mut all)[0].confidence
        };
        assert_eq!(surest(Basis::Indication), Confidence::Likely);
        assert_eq!(surest(Basis::State), Confidence::Possible, "no login at all would do");
    }

    #[test]
    fn a_warning_that_the_failing_run_names_explains_it() {
        let named = found("SEC21", Severity::Warning, Basis::Line);
        let all = vec![error("SEC07", Basis::State), named];
        let said = causes(Verdict::Failing, RotationStep::CreateSecret, all);
        assert_eq!(said, one("SEC21", Confidence::Confirmed));
        let hint = found("SEC21", Severity::Warning, Basis::Candidate);
        let all = vec![error("SEC07", Basis::State), hint];
        let said = causes(Verdict::Failing, RotationStep::CreateSecret, all);
        assert_eq!(said[0].1, Confidence::Possible);
    }

    #[test]
    fn a_proven_reason_for_a_refused_login_leaves_no_others_by_the_same_text() {
        let all = vec![
            error("DB20", Basis::State),
            error("SEC14", Basis::Candidate),
            error("DB16", Basis::Candidate),
        ];
        let said = causes(Verdict::Failing, RotationStep::SetSecret, all);
        assert_eq!(said, one("DB20", Confidence::Confirmed));
        // A text of its own is not the same text.
        let all = vec![error("DB20", Basis::State), error("SEC14", Basis::Line)];
        assert_eq!(causes(Verdict::Failing, RotationStep::SetSecret, all).len(), 2);
    }
}
