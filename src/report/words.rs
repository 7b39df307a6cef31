//! The sentences that the formats for people share: what was examined, the verdict,
//! what else was found. Each format decides on its own layout.

use std::fmt::Write as _;

use super::{
    style,
    v1::{self, Command, Finding, Fix, Mode, OtherSecret, Report, Verdict},
};
use crate::{
    aws::{
        arn,
        commands::{self, CommandContext},
    },
    catalogue::Severity,
};

/// The secret's name, else its ARN.
pub(super) fn secret(report: &Report) -> Option<&str> {
    report.target.secret_name.as_deref().or(report.target.secret_arn.as_deref())
}

/// Names of secrets that stand side by side: where they lie in several regions or
/// accounts, each name says in which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) regions: bool,
    accounts: bool,
}

impl Names {
    pub(super) fn of(reports: &[Report]) -> Self {
        let several = |of: fn(&Report) -> Option<&str>| {
            let mut all = reports.iter().filter_map(of);
            let first = all.next();
            all.any(|other| Some(other) != first)
        };
        Self {
            regions: several(|report| report.target.region.as_deref()),
            accounts: several(|report| report.target.account_id.as_deref()),
        }
    }

    pub(super) fn name(self, report: &Report) -> String {
        let name = secret(report).unwrap_or("the secret");
        let region = report.target.region.as_deref().filter(|_| self.regions);
        let account = report.target.account_id.as_deref().filter(|_| self.accounts);
        let parts = [Some(name), region, account];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

/// The first fix of a finding with its commands, each on a line of its own after what
/// was said before; nothing where there is none.
pub(super) fn first_fix(finding: &Finding) -> String {
    let mut text = String::new();
    if let Some(fix) = finding.fixes.first() {
        let _ = write!(text, "\n{}: {}", fix_heading(fix), fix.summary);
        for command in &fix.commands {
            let _ = write!(text, "\n{command}");
        }
    }
    text
}

/// What was examined: `name · region · account`.
pub(super) fn target(report: &Report) -> String {
    let target = &report.target;
    let name = secret(report).unwrap_or(match report.mode {
        Mode::Logs => "exported log",
        Mode::Package => {
            let source = report.package.as_ref().and_then(|package| package.source.as_deref());
            // One that was asked of AWS goes by its function's name.
            let function = target.function_arn.as_deref().and_then(arn::function_name);
            function.or(source).unwrap_or("deployment package")
        }
        _ => "secret unknown",
    });
    let parts = [Some(name), target.region.as_deref(), target.account_id.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The verdict's word and its colour. A secret that does not rotate is not called healthy.
pub(super) fn verdict_word(report: &Report) -> (&'static str, anstyle::Style) {
    match report.verdict {
        Verdict::Healthy if report.rotation.enabled == Some(false) => {
            ("NOT ROTATING", style::verdict(Verdict::Unknown).1)
        }
        verdict => style::verdict(verdict),
    }
}

/// What follows the verdict's word.
pub(super) fn verdict(report: &Report) -> String {
    let rotation = &report.rotation;
    let mut text = match report.verdict {
        _ if report.mode == Mode::Package => of_package(report),
        Verdict::Failing => failing_since(report),
        Verdict::Recovering => recovering(report),
        Verdict::AtRisk if report.causes.is_empty() && covered(report).is_some() => {
            ": no failed attempt was seen; what is wrong is accepted or known.".to_owned()
        }
        Verdict::AtRisk => format!(
            ": no failed attempt was seen, and {} would stop or weaken the next rotation.",
            plural(report.causes.len(), "thing", "things")
        ),
        Verdict::Unknown if report.unexplained.is_some() => {
            ": an error is shown; whether it is of a rotation cannot be told.".to_owned()
        }
        Verdict::Unknown => ": too little could be seen to tell.".to_owned(),
        Verdict::Healthy if report.rotation.enabled == Some(false) => {
            ": rotation is off, or was never set up; nothing else is wrong.".to_owned()
        }
        Verdict::Healthy if report.inconclusive.is_empty() => ": nothing is wrong.".to_owned(),
        Verdict::Healthy => ": nothing is wrong in what could be seen.".to_owned(),
    };
    if let Some(covered) = covered(report) {
        let _ = write!(text, " {covered}");
    }
    if let Some(at) = rotation.last_success_at {
        let _ = write!(text, " Last good rotation {}.", at.minute());
    }
    text
}

/// How many errors and warnings waivers and the baseline cover; nothing where none is.
pub(super) fn covered(report: &Report) -> Option<String> {
    let count = |findings: &[Finding]| {
        findings.iter().filter(|finding| finding.severity <= Severity::Warning).count()
    };
    let (waived, known) = (count(&report.waived), count(&report.baseline));
    let parts = [
        (waived > 0).then(|| plural(waived, "finding is waived", "findings are waived")),
        (known > 0).then(|| {
            plural(known, "finding stands in the baseline", "findings stand in the baseline")
        }),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("{}.", parts.join(", ")))
}

/// The verdict of a package in one sentence.
fn of_package(report: &Report) -> String {
    let count = report.causes.len();
    match report.verdict {
        Verdict::Failing | Verdict::Recovering | Verdict::AtRisk if count == 1 => {
            ": one thing in it would stop or weaken a rotation.".to_owned()
        }
        Verdict::Failing | Verdict::Recovering | Verdict::AtRisk => {
            format!(": {count} things in it would stop or weaken a rotation.")
        }
        Verdict::Unknown => ": not all of it could be read.".to_owned(),
        Verdict::Healthy => ": nothing in it stops a rotation by itself.".to_owned(),
    }
}

fn recovering(report: &Report) -> String {
    let mut attempts = report.rotation.attempts.iter().rev();
    let last = attempts.find(|attempt| attempt.outcome == "failed");
    let at = last.and_then(|attempt| attempt.started_at);
    let at = at.map(|at| format!(" ({})", at.minute())).unwrap_or_default();
    let step = last.and_then(|attempt| attempt.failed_step.as_deref());
    let step = step.map(|step| format!(" in {step}")).unwrap_or_default();
    format!(
        ": the last attempt{at} failed{step}; as far as can be seen, what stopped it is fixed \
         now. Start a new attempt."
    )
}

fn failing_since(report: &Report) -> String {
    let rotation = &report.rotation;
    let failed: Vec<_> =
        rotation.attempts.iter().filter(|attempt| attempt.outcome == "failed").collect();
    let since =
        rotation.failing_since.map(|at| format!(" since {}", at.minute())).unwrap_or_default();
    if rotation.failed_attempts == 0 {
        return format!("{since}: AWSPENDING is stuck; no failed attempt was seen.");
    }
    let recent = &failed[failed.len().saturating_sub(rotation.failed_attempts as usize)..];
    let steps: Vec<&str> =
        recent.iter().filter_map(|attempt| attempt.failed_step.as_deref()).collect();
    let last = steps.last().copied();
    // Secrets Manager repeats the steps of one attempt, with the same version.
    let tries = |attempt: &v1::Attempt| {
        attempt
            .steps
            .iter()
            .filter(|step| !matches!(step.outcome.as_str(), "returned" | "open"))
            .count()
    };
    let rounds = match recent {
        [only] if tries(only) > 1 => format!(" of {} rounds", tries(only)),
        _ => String::new(),
    };
    let step = match last {
        None => String::new(),
        Some(step) if steps.len() == 1 => format!(", stopped in {step}"),
        Some(step) if steps.iter().all(|other| *other == step) => {
            format!(", each stopped in {step}")
        }
        Some(step) => format!(", the last stopped in {step}"),
    };
    format!(
        "{since}: {}{rounds}{step}.",
        plural(rotation.failed_attempts as usize, "failed attempt", "failed attempts")
    )
}

/// What a fix is called: the fix only where nothing is known to block after it.
pub(super) fn fix_heading(fix: &Fix) -> &'static str {
    if fix.remaining.is_empty() { "Fix" } else { "Partial fix" }
}

/// What trying a fix on the evidence showed, and what blocks after it.
pub(super) fn tried(fix: &Fix) -> Option<String> {
    let tried = "tried on this evidence";
    let blocking = fix.remaining.join(", ");
    match (fix.verified, fix.remaining.is_empty()) {
        (true, true) => Some(format!("{tried}: the finding is gone, nothing else seen blocks")),
        (true, false) => Some(format!("{tried}: the finding is gone; still blocking: {blocking}")),
        (false, false) => Some(format!("{tried}; still blocking: {blocking}")),
        (false, true) => None,
    }
}

/// What the commands of a report have in common.
pub(super) fn context(report: &Report) -> CommandContext<'_> {
    CommandContext {
        region: report.target.region.as_deref(),
        profile: report.target.profile.as_deref(),
    }
}

/// The commands that show whether the fix worked.
pub(super) fn confirmation(report: &Report, finding: &Finding) -> Vec<Command> {
    let mut confirm = finding.confirm_details.clone();
    // What the way out says already.
    let steps = report.recovery.iter().flat_map(|recovery| &recovery.steps);
    let said: Vec<&Command> = steps.flat_map(|step| &step.command_details).collect();
    confirm.retain(|command| !said.contains(&command));
    // A log alone names no secret to ask again about.
    if let Some(name) = secret(report) {
        let context = context(report);
        let rotate = commands::Command::aws("secretsmanager", "rotate-secret");
        let rotate = Command::of(&rotate.option("--secret-id", name), context);
        let again = commands::Command::rotdoctor("diagnose").operand("SECRET", name);
        let follow = Command::of(&again.clone().flag("--wait"), context);
        let again = Command::of(&again, context);
        // Only an attempt shows that an error is gone.
        let shows = |command: &&Command| command.argv.iter().any(|word| word == "rotate-secret");
        let begins = confirm.iter().chain(said).any(|command| shows(&command));
        let rotates = report.rotation.enabled == Some(true)
            && report.target.function_arn.is_some()
            && finding.severity == Severity::Error;
        if rotates && !begins {
            confirm.push(rotate);
        }
        confirm.retain(|command| *command != again);
        confirm.push(if rotates { follow } else { again });
    }
    confirm
}

/// Findings that are no cause, with what they are instead.
pub(super) fn no_causes(report: &Report) -> Vec<(&Finding, &'static str)> {
    let consequences: Vec<&String> =
        report.causes.iter().flat_map(|cause| &cause.consequences).collect();
    let is_cause =
        |finding: &Finding| report.causes.iter().any(|cause| cause.finding.code == finding.code);
    let others = report.findings.iter().filter(|finding| !is_cause(finding));
    others
        .map(|finding| {
            let consequence = consequences.contains(&&finding.code);
            let severity = style::severity(finding.severity).0;
            (finding, if consequence { "consequence" } else { severity })
        })
        .collect()
}

/// One line on a secret that shares the function whose log was read: its verdict, and
/// the rest.
pub(super) fn other_secret(other: &OtherSecret) -> (String, String) {
    let name = other.secret_arn.as_deref().unwrap_or("attempts that name no secret");
    let mut text = name.to_owned();
    let told = [other.code.as_deref(), other.failed_step.as_deref()].into_iter().flatten();
    let told: Vec<&str> = told.collect();
    if !told.is_empty() {
        let _ = write!(text, ": {}", told.join(" in "));
    }
    if let Some(at) = other.last_attempt_at {
        let _ = write!(text, " ({})", at.minute());
    }
    (style::verdict(other.verdict).0.to_lowercase(), text)
}

/// How many checks ran, and what came of them. Each is counted once.
pub(super) fn checks_ran(report: &Report) -> String {
    let summary = &report.summary;
    let told = summary.passed + summary.inconclusive + summary.not_applicable;
    let counts = [
        (summary.checks.saturating_sub(told), "found something"),
        (summary.inconclusive, "could not tell"),
        (summary.passed, "found nothing wrong"),
        (summary.not_applicable, "did not apply"),
    ];
    let parts = counts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, what)| format!("{count} {what}")).collect();
    let ran = format!("{} ran", plural(summary.checks, "check", "checks"));
    if parts.is_empty() { format!("{ran}.") } else { format!("{ran}: {}.", parts.join(", ")) }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
