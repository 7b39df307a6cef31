//! What changed before it broke, and the way out: into the report's structs, and as
//! lines for the formats that people read. Nothing is judged here.

use super::v1;
use crate::{
    aws::commands::{Command, CommandContext},
    checks,
    diagnosis::{self, Action, Password},
};

/// The changes, as the report has them.
pub(super) fn changes(changes: &diagnosis::Changes) -> v1::Changes {
    v1::Changes {
        since: changes.since,
        until: changes.until,
        seen: changes
            .seen
            .iter()
            .map(|change| v1::Change {
                at: change.at,
                event: change.event.clone(),
                by: change.by.clone(),
                target: change.target.clone(),
                parameters: change.parameters.clone(),
                source: change.source.to_owned(),
            })
            .collect(),
        unseen: changes.unseen.clone(),
    }
}

/// The error that nothing explains, as the report has it.
pub(super) fn unexplained(error: &diagnosis::Unexplained) -> v1::Unexplained {
    v1::Unexplained {
        failed_step: error.failed_step.map(|step| step.name().to_owned()),
        error_type: error.error_type.clone(),
        message: error.message.clone(),
        frame: error.frame.clone(),
        source: error.source.clone(),
        nearest: error
            .nearest
            .iter()
            .filter_map(|(code, decides)| {
                let page = crate::catalogue::entry(code)?;
                Some(v1::NearCode {
                    code: page.code.to_owned(),
                    name: page.name.to_owned(),
                    title: page.title.to_owned(),
                    would_decide: decides.clone(),
                })
            })
            .collect(),
    }
}

/// The error in the log's words: `KeyError: 'x'`.
pub(super) fn error_text(error: &v1::Unexplained) -> String {
    match &error.error_type {
        Some(kind) if error.message.is_empty() => kind.clone(),
        Some(kind) => format!("{kind}: {}", error.message),
        None => error.message.clone(),
    }
}

/// What is said above an error that nothing explains.
pub(super) fn error_heading(error: &v1::Unexplained) -> String {
    let step = error.failed_step.as_deref().map(|step| format!("{step} ended with"));
    format!(
        "{}, and no code explains it:",
        step.unwrap_or_else(|| "This error is shown".to_owned())
    )
}

/// The codes that are near, in a line each.
pub(super) fn near_lines(error: &v1::Unexplained) -> impl Iterator<Item = String> {
    error.nearest.iter().map(|near| {
        let decides = near.would_decide.first().map(|line| format!(" To decide: {line}"));
        format!("{} {}: {}.{}", near.code, near.name, near.title, decides.unwrap_or_default())
    })
}

/// The way out, as the report has it.
pub(super) fn recovery(
    recovery: &diagnosis::Recovery,
    context: CommandContext<'_>,
) -> v1::Recovery {
    let action = match recovery.action {
        Action::Rotate => "rotate",
        Action::DropLabel => "drop-label",
        Action::Finish => "finish",
        Action::LookFirst => "look-first",
    };
    let pending = recovery.pending.as_ref().map(|pending| v1::Pending {
        version_id: pending.version.clone(),
        created_at: pending.created,
        is_current: pending.is_current,
        empty: pending.empty,
        database_password: match pending.database {
            Password::Unchanged => "unchanged",
            Password::MayHaveChanged => "may-have-changed",
            Password::Changed => "changed",
            Password::Unknown => "unknown",
        }
        .to_owned(),
    });
    let steps = recovery.steps.iter().map(|step| {
        let command_details = details(&step.commands, context);
        v1::RecoveryStep {
            summary: step.summary.clone(),
            commands: v1::Command::texts(&command_details),
            command_details,
        }
    });
    let watch_details = details(&recovery.watch, context);
    v1::Recovery {
        action: action.to_owned(),
        pending,
        summary: recovery.summary.clone(),
        steps: steps.collect(),
        keep: recovery.keep.clone(),
        watch: v1::Command::texts(&watch_details),
        watch_details,
    }
}

/// The ways back from a fix.
pub(super) fn rollback(fix: &checks::Fix, context: CommandContext<'_>) -> Vec<v1::Rollback> {
    let written = |way: diagnosis::Rollback| {
        let before_details = details(&way.before, context);
        let undo_details = details(&way.undo, context);
        v1::Rollback {
            summary: way.summary,
            before: v1::Command::texts(&before_details),
            before_details,
            undo: v1::Command::texts(&undo_details),
            undo_details,
        }
    };
    fix.change.iter().flat_map(diagnosis::rollback).map(written).collect()
}

/// Commands, as the report has them.
pub(super) fn details(commands: &[Command], context: CommandContext<'_>) -> Vec<v1::Command> {
    commands.iter().map(|command| v1::Command::of(command, context)).collect()
}

/// The plan, as the report has it.
pub(super) fn fix_plan(plan: &diagnosis::Plan, context: CommandContext<'_>) -> v1::FixPlan {
    let step = |(finding, fix): &(checks::Finding, checks::Fix)| {
        let command_details = details(&fix.commands, context);
        v1::FixStep {
            code: finding.code().to_owned(),
            resource: finding.resource.clone(),
            summary: fix.summary.clone(),
            commands: v1::Command::texts(&command_details),
            command_details,
            rollback: rollback(fix, context),
        }
    };
    v1::FixPlan { steps: plan.steps.iter().map(step).collect(), remaining: plan.remaining.clone() }
}

/// How many steps of the plan stand under the first cause's fix already.
pub(super) fn steps_shown(report: &v1::Report) -> usize {
    let fix = report.causes.first().and_then(|cause| cause.finding.fixes.first());
    let step = report.fix_plan.as_ref().and_then(|plan| plan.steps.first());
    let same = fix.zip(step).is_some_and(|(fix, step)| fix.commands == step.commands);
    usize::from(same)
}

/// What to save before a fix, in words with its commands. What was printed before is left
/// out: a second look would overwrite it with what the first fix made.
pub(super) fn saves<'r>(
    ways: &'r [v1::Rollback],
    printed: &mut Vec<&'r [String]>,
) -> Vec<(String, &'r [v1::Command])> {
    let mut shown = Vec::new();
    for way in ways.iter().filter(|way| !way.before.is_empty()) {
        if !printed.contains(&way.before.as_slice()) {
            printed.push(&way.before);
            let text = format!("{} First save what is there:", way.summary);
            shown.push((text, way.before_details.as_slice()));
        }
    }
    shown
}

/// The heading of the commands that undo fixes.
pub(super) const UNDO: (&str, &str) = ("Undo", "(only if the fix made it worse)");

/// What undoes the first cause's fixes, of which so many are shown, and the plan's steps:
/// the last change first, each once.
pub(super) fn undos(report: &v1::Report, shown: usize) -> Vec<(String, &[v1::Command])> {
    let fixes = report.causes.first().map(|cause| cause.finding.fixes.as_slice());
    let (first, others) = fixes.and_then(<[_]>::split_first).unzip();
    let steps = report.fix_plan.iter().flat_map(|plan| &plan.steps);
    let in_order: Vec<_> = first
        .into_iter()
        .map(|fix| &fix.rollback)
        .chain(steps.map(|step| &step.rollback))
        .collect();
    let of_plan = in_order.into_iter().rev().flatten().map(|way| ("", way));
    // A fix without commands is one of a template, which has its own way back.
    let others = others.into_iter().flatten().take(shown.saturating_sub(1));
    let others = others.filter(|fix| !fix.commands.is_empty()).flat_map(|fix| &fix.rollback);
    let others = others.map(|way| ("After the other fix: ", way));
    let mut undos: Vec<(String, &[v1::Command])> = Vec::new();
    for (after, way) in of_plan.chain(others).filter(|(_, way)| !way.undo.is_empty()) {
        if undos.iter().any(|(_, other)| *other == way.undo_details) {
            continue;
        }
        let text = if way.before.is_empty() { &way.summary } else { "Puts back what was saved:" };
        undos.push((format!("{after}{text}"), &way.undo_details));
    }
    undos
}

/// What the plan comes to, in a line.
pub(super) fn plan_line(plan: &v1::FixPlan) -> String {
    let count = plan.steps.len();
    if plan.remaining.is_empty() {
        format!("{count} fixes, tried together on this evidence: nothing else seen blocks")
    } else {
        format!(
            "{count} fixes, tried together on this evidence; still blocking: {}",
            plan.remaining.join(", ")
        )
    }
}

/// A change in one line: `2026-11-18 16:40 UTC  RevokeSecurityGroupIngress sg-0b2f by …`.
pub(super) fn change(change: &v1::Change) -> String {
    let parameters = if change.parameters.is_empty() {
        String::new()
    } else {
        format!(" ({})", change.parameters.join(", "))
    };
    let who = match &change.by {
        Some(by) => format!(" by {by}"),
        None => format!(" ({})", change.source),
    };
    format!("{}  {} {}{parameters}{who}", change.at.minute(), change.event, change.target)
}

/// The lines on what changed, of which at most so many are shown, the newest; the rest
/// is counted. None where nothing was seen and nothing is missing.
pub(super) fn change_lines(report: &v1::Report, shown: usize) -> Vec<String> {
    let Some(changes) = &report.changes else { return Vec::new() };
    let hidden = changes.seen.len().saturating_sub(shown);
    let mut lines = Vec::new();
    if hidden > 0 {
        lines.push(format!("({hidden} earlier with -v)"));
    }
    lines.extend(changes.seen[hidden..].iter().map(change));
    // What a bundle made by hand lacks stands under what was not seen.
    let unseen = changes.unseen.iter().filter(|_| {
        !changes.seen.is_empty()
            || report.permissions_missing.iter().any(|action| action == TRAIL_ACTION)
    });
    lines.extend(unseen.map(|why| format!("not the whole list: {why}")));
    lines
}

const TRAIL_ACTION: &str = "cloudtrail:LookupEvents";
