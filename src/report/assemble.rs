//! Puts a diagnosis into the report's structs. Nothing is judged here and
//! nothing is left out.

use super::v1;
use crate::{
    aws::commands::CommandContext,
    checks::{self, Case, CheckResult, Outcome, Selection},
    diagnosis::{self, Diagnosis, TriedFix},
    evidence::{Reason, Secret},
    network::Hop,
    rotation_log::RunOutcome,
};

/// Assembles the report of one secret. The profile is the one that was named for AWS.
pub fn assemble(
    case: &Case<'_>,
    mode: v1::Mode,
    results: &[CheckResult],
    diagnosis: &Diagnosis,
    selection: &Selection,
    profile: Option<&str>,
) -> v1::Report {
    let context = CommandContext { region: case.region_if_known(), profile };
    let tried = |finding: &checks::Finding| diagnosis::try_fixes(case, results, selection, finding);
    let findings: Vec<v1::Finding> = diagnosis
        .findings
        .iter()
        .map(|finding| finding_of(finding, tried(finding), context))
        .collect();
    // A cause is one of the findings: what was tried for that holds for it.
    let known = |cause: &checks::Finding| {
        let mut all = diagnosis.findings.iter().zip(&findings);
        let same = |finding: &checks::Finding| {
            finding.code() == cause.code()
                && finding.resource == cause.resource
                && finding.fixes == cause.fixes
        };
        all.find(|(finding, _)| same(finding)).map(|(_, written)| {
            let trial = |fix: &v1::Fix| TriedFix {
                verified: fix.verified,
                remaining: fix.remaining.clone(),
            };
            written.fixes.iter().map(trial).collect()
        })
    };
    let causes: Vec<v1::Cause> = diagnosis
        .causes
        .iter()
        .map(|cause| v1::Cause {
            confidence: cause.confidence,
            consequences: cause.consequences.clone(),
            would_decide: match diagnosis.verdict {
                diagnosis::Verdict::Recovering => Vec::new(), // a new attempt decides
                _ => would_decide(cause, results),
            },
            finding: finding_of(
                &cause.finding,
                known(&cause.finding).unwrap_or_else(|| tried(&cause.finding)),
                context,
            ),
        })
        .collect();
    let mut report = v1::Report {
        schema_version: v1::SCHEMA_VERSION.to_owned(),
        tool: v1::Tool::this(),
        mode,
        target: v1::Target { profile: profile.map(str::to_owned), ..target(case) },
        captured_at: (mode != v1::Mode::Logs).then(|| case.now()),
        verdict: diagnosis.verdict,
        rotation: rotation(case, diagnosis),
        causes,
        findings,
        fix_plan: diagnosis.causes.first().and_then(|cause| {
            let plan = diagnosis::plan(case, results, selection, &cause.finding)?;
            Some(super::story::fix_plan(&plan, context))
        }),
        unexplained: diagnosis.unexplained.as_ref().map(super::story::unexplained),
        changes: diagnosis.changes.as_ref().map(super::story::changes),
        recovery: diagnosis
            .recovery
            .as_ref()
            .map(|recovery| super::story::recovery(recovery, context)),
        inconclusive: Vec::new(),
        not_applicable: Vec::new(),
        passed: Vec::new(),
        waived: Vec::new(),
        baseline: Vec::new(),
        permissions_missing: permissions_missing(case),
        notes: notes(case),
        other_secrets: Vec::new(),
        package: case.evidence().package.known().filter(|_| mode == v1::Mode::Package).cloned(),
        simulation: super::simulation::of(case.evidence()),
        summary: v1::Summary::default(),
    };
    for result in results {
        add_outcome(&mut report, result);
    }
    let refused = refused(&report);
    report.notes.extend(refused);
    report.summary = v1::Summary {
        checks: results.len(),
        causes: report.causes.len(),
        errors: count(&report, crate::catalogue::Severity::Error),
        warnings: count(&report, crate::catalogue::Severity::Warning),
        notes: count(&report, crate::catalogue::Severity::Note),
        inconclusive: report.inconclusive.len(),
        not_applicable: report.not_applicable.len(),
        passed: report.passed.len(),
    };
    report
}

/// What would tell whether a cause that is not confirmed is the one: the facts that
/// its checks lack, and the page's question.
fn would_decide(cause: &diagnosis::Cause, results: &[CheckResult]) -> Vec<String> {
    if cause.confidence == v1::Confidence::Confirmed {
        return Vec::new();
    }
    let code = cause.finding.code();
    let mut lines: Vec<String> = cause.finding.entry.deciding_question().into_iter().collect();
    for result in results.iter().filter(|result| result.check.codes.contains(&code)) {
        let Outcome::Inconclusive(missing) = &result.outcome else { continue };
        for missing in missing.iter().filter(|missing| !missing.action.is_empty()) {
            let line = format!("{} ({}) was not seen", missing.fact.name(), missing.action);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines
}

impl v1::Tool {
    /// This build.
    pub fn this() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// Which values the commands do not show, and why; each once.
fn refused(report: &v1::Report) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for refusal in report.commands().flat_map(|command| &command.refused) {
        let note = format!(
            "the commands show {} in place of a value that {}",
            refusal.placeholder, refusal.reason
        );
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

fn count(report: &v1::Report, severity: crate::catalogue::Severity) -> usize {
    report.findings.iter().filter(|finding| finding.severity == severity).count()
}

fn target(case: &Case<'_>) -> v1::Target {
    let evidence = case.evidence();
    let secret = evidence.secret.known();
    let configuration = evidence.function.known().map(|function| &function.configuration);
    v1::Target {
        secret_arn: case.secret_arn_if_known().map(str::to_owned),
        secret_name: secret.and_then(|secret| secret.name.clone()),
        region: case.region_if_known().map(str::to_owned),
        account_id: case.account_if_known().map(str::to_owned),
        function_arn: secret
            .and_then(|secret| secret.rotation_lambda_arn.clone())
            .or_else(|| configuration?.function_arn.clone()),
        role_arn: configuration.and_then(|configuration| configuration.role.clone()),
        profile: None,
    }
}

fn rotation(case: &Case<'_>, diagnosis: &Diagnosis) -> v1::Rotation {
    let timeline = &diagnosis.timeline;
    v1::Rotation {
        attempts: timeline.attempts.iter().map(attempt_of).collect(),
        failing_since: timeline.failing_since,
        failed_attempts: timeline.failed_attempts,
        last_success_at: timeline.last_success,
        next_rotation_at: case
            .evidence()
            .secret
            .known()
            .and_then(|secret| secret.next_rotation_date),
        // DescribeSecret leaves the key out where rotation was never set up.
        enabled: case.evidence().secret.known().map(|secret| secret.rotation_enabled == Some(true)),
    }
}

fn attempt_of(attempt: &diagnosis::Attempt) -> v1::Attempt {
    v1::Attempt {
        started_at: attempt.started_at,
        token: attempt.token.clone(),
        outcome: match attempt.outcome {
            diagnosis::Outcome::Succeeded => "succeeded",
            diagnosis::Outcome::Failed => "failed",
            diagnosis::Outcome::Open => "open",
        }
        .to_owned(),
        failed_step: attempt.failed_step.map(|step| step.name().to_owned()),
        steps: attempt
            .steps
            .iter()
            .map(|run| v1::StepRun {
                name: run.step.map(|step| step.name().to_owned()),
                outcome: match run.outcome {
                    RunOutcome::Returned => "returned",
                    RunOutcome::Failed => "failed",
                    RunOutcome::TimedOut => "timed-out",
                    RunOutcome::Died => "died",
                    RunOutcome::Open => "open",
                }
                .to_owned(),
                request_id: run.request_id.clone(),
                duration_ms: run.duration_ms,
            })
            .collect(),
        error: attempt.error.clone(),
    }
}

fn finding_of(
    finding: &checks::Finding,
    tried: Vec<TriedFix>,
    context: CommandContext<'_>,
) -> v1::Finding {
    let fix_of = |(fix, tried): (&checks::Fix, TriedFix)| {
        let command_details = super::story::details(&fix.commands, context);
        v1::Fix {
            summary: fix.summary.clone(),
            commands: v1::Command::texts(&command_details),
            command_details,
            template: fix.template.clone(),
            verified: tried.verified,
            remaining: tried.remaining,
            rollback: super::story::rollback(fix, context),
        }
    };
    let confirm_details = super::story::details(&finding.confirm, context);
    v1::Finding {
        code: finding.code().to_owned(),
        name: finding.entry.name.to_owned(),
        title: finding.entry.title.to_owned(),
        severity: finding.severity,
        resource: finding.resource.clone(),
        summary: finding.summary.clone(),
        evidence: finding
            .proofs
            .iter()
            .map(|proof| v1::Evidence {
                kind: proof.kind.name().to_owned(),
                source: proof.source.clone(),
                text: proof.text.clone(),
            })
            .collect(),
        location: None,
        path_from: finding
            .path
            .as_ref()
            .map(|path| v1::PathStart { subnet: path.subnet.clone(), cidr: path.block.clone() }),
        path: finding.path.iter().flat_map(|path| &path.hops).map(hop).collect(),
        fixes: finding.fixes.iter().zip(tried).map(fix_of).collect(),
        confirm: v1::Command::texts(&confirm_details),
        confirm_details,
        statement: finding.statement.clone().map(|statement| v1::Statement {
            policy: statement.policy,
            sid: statement.sid,
            index: statement.index,
            source: statement.source,
        }),
        waived_by: None,
    }
}

fn hop(hop: &Hop) -> v1::Hop {
    v1::Hop {
        outcome: hop.outcome.mark().to_lowercase(),
        kind: hop.kind.word().to_owned(),
        resource: hop.resource.clone(),
        text: hop.text.clone(),
        needed: hop.needed.as_ref().map(ToString::to_string),
    }
}

fn add_outcome(report: &mut v1::Report, result: &CheckResult) {
    let check = result.check.name.to_owned();
    let codes: Vec<String> = result.check.codes.iter().map(|&code| code.to_owned()).collect();
    match &result.outcome {
        Outcome::Passed => report.passed.push(v1::Passed { check, codes }),
        Outcome::Findings(_) => {}
        Outcome::NotApplicable(reason) => {
            report.not_applicable.push(v1::NotApplicable { check, codes, reason: reason.clone() });
        }
        Outcome::Inconclusive(missing) => report.inconclusive.push(v1::Inconclusive {
            check,
            codes,
            missing: missing
                .iter()
                .map(|missing| v1::Missing {
                    fact: missing.fact.name().to_owned(),
                    action: missing.action.clone(),
                    resource: missing.resource.clone(),
                    reason: missing.reason.clone(),
                })
                .collect(),
        }),
        Outcome::Crashed(message) => report.inconclusive.push(v1::Inconclusive {
            check,
            codes,
            missing: vec![v1::Missing {
                fact: String::new(),
                action: String::new(),
                resource: String::new(),
                reason: format!("the check itself failed, which is a bug of rotdoctor: {message}"),
            }],
        }),
    }
}

fn permissions_missing(case: &Case<'_>) -> Vec<String> {
    let mut actions: Vec<String> = case
        .evidence()
        .gaps
        .iter()
        .filter(|gap| gap.reason == Reason::AccessDenied && !gap.action.is_empty())
        .map(|gap| gap.action.clone())
        .collect();
    actions.sort();
    actions.dedup();
    actions
}

fn notes(case: &Case<'_>) -> Vec<String> {
    let evidence = case.evidence();
    let mut notes: Vec<String> = evidence
        .gaps
        .iter()
        .filter(|gap| gap.reason == Reason::Truncated)
        .map(|gap| format!("{}: {}", gap.fact, gap.message))
        .collect();
    if evidence.secret.known().is_some_and(never_set_up) {
        notes.push(
            "rotation is not set up for this secret: it has no schedule and no function".to_owned(),
        );
    }
    if let Some(log) = case.log().if_known() {
        if log.dropped > 0 {
            notes.push(format!("{} older invocations were read and not kept", log.dropped));
        }
        if log.other_secrets > 0 {
            notes.push(format!(
                "{} invocations of the function were for other secrets",
                log.other_secrets
            ));
        }
    }
    notes
}

/// Whether nothing about the secret says that it was ever meant to rotate.
fn never_set_up(secret: &Secret) -> bool {
    secret.rotation_enabled != Some(true)
        && secret.rotation_lambda_arn.is_none()
        && secret.rotation_rules.is_none()
        && secret.owning_service.is_none()
}
