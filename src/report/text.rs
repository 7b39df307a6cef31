//! The text format: one screen from which a tired person can fix production.
//! Verdict, cause, proof, fix, confirm; then what else was seen and what was not.

use std::fmt::Write as _;

use super::{
    package,
    sanitise::for_terminal,
    style::{self, paint},
    v1::{Cause, Command, Finding, Fix, Mode, Report, Rollback, Verdict},
    words,
    wrap::{block, command, quote},
};
use crate::catalogue::Severity;

pub use super::layout::Layout;

/// How many proofs of a cause are shown without `-v`.
const PROOFS_SHOWN: usize = 4;
/// How many fixes of a cause are shown without `-v`.
const FIXES_SHOWN: usize = 2;
/// How many changes are shown without `-v`.
const CHANGES_SHOWN: usize = 4;
/// How many further causes are shown without `-v`.
const CAUSES_SHOWN: usize = 4;

/// Renders a report.
pub fn render(report: &Report, layout: Layout) -> String {
    let mut out = String::new();
    header(&mut out, report);
    out.push('\n');
    verdict(&mut out, report, layout);
    if let Some(facts) = &report.package {
        package::facts(&mut out, facts, layout);
    }
    if let Some((first, rest)) = report.causes.split_first() {
        cause(&mut out, report, first, layout);
        other_causes(&mut out, rest, layout);
    } else if report.mode != Mode::Package {
        unexplained(&mut out, report, layout);
    }
    also(&mut out, report, layout);
    other_secrets(&mut out, report, layout);
    second_opinion(&mut out, report, layout);
    not_seen(&mut out, report, layout);
    notes(&mut out, report, layout);
    if layout.verbose {
        super::table::checks(&mut out, report, layout);
    }
    footer(&mut out, report, layout);
    out
}

fn header(out: &mut String, report: &Report) {
    let _ = writeln!(out, "{}", paint(style::HEADING, &for_terminal(&words::target(report))));
}

fn verdict(out: &mut String, report: &Report, layout: Layout) {
    let (word, colour) = words::verdict_word(report);
    let text = words::verdict(report);
    let wrapped = block(&format!("{word}{text}"), 0, layout.width);
    let _ =
        write!(out, "{}{}", paint(colour, word), wrapped.strip_prefix(word).unwrap_or(&wrapped));
}

fn cause(out: &mut String, report: &Report, cause: &Cause, layout: Layout) {
    let finding = &cause.finding;
    let heading = match report.verdict {
        Verdict::Recovering => "STOPPED BY",
        _ => "CAUSE",
    };
    title(out, heading, finding, style::confidence(cause.confidence), layout);
    let _ = write!(out, "{}", block(&finding.summary, 2, layout.width));
    super::hops::path(out, finding, layout);
    proofs(out, finding, layout);
    would_decide(out, cause, layout);
    changes(out, report, layout);
    let mut saved = Vec::new();
    if let Some(fix) = finding.fixes.first() {
        fixes(out, fix, &mut saved, layout);
    }
    for (index, fix) in finding.fixes.iter().enumerate().skip(1) {
        if layout.verbose || index < FIXES_SHOWN {
            let _ = write!(out, "{}", block(&format!("Or: {}", fix.summary), 2, layout.width));
            if !fix.command_details.is_empty() {
                saves(out, &fix.rollback, &mut saved, layout);
                commands(out, &fix.command_details, layout);
            }
            // A template is copied as it stands: no line of it is wrapped.
            for line in fix.template.iter().flat_map(|template| template.lines()) {
                let _ = writeln!(out, "  {}", for_terminal(line));
            }
        }
    }
    plan(out, report, &mut saved, layout);
    recovery(out, report, layout);
    let confirm = words::confirmation(report, finding);
    if !confirm.is_empty() {
        let _ = writeln!(out, "\n{}", paint(style::HEADING, "CONFIRM"));
        commands(out, &confirm, layout);
    }
    undo(out, report, layout);
}

/// `CAUSE  NET03  endpoint-security-group-blocks-function      confirmed`.
fn title(out: &mut String, heading: &str, finding: &Finding, right: &str, layout: Layout) {
    let left = format!("{heading}  {}  {}", finding.code, finding.name);
    let gap = layout.width.saturating_sub(left.chars().count() + right.chars().count()).max(2);
    let (_, colour) = style::severity(finding.severity);
    let _ = writeln!(
        out,
        "\n{}  {}  {}{}{right}",
        paint(style::HEADING, heading),
        paint(colour, &finding.code),
        finding.name,
        " ".repeat(gap)
    );
}

fn proofs(out: &mut String, finding: &Finding, layout: Layout) {
    // The path that is shown hop by hop is not quoted once more.
    let mut evidence: Vec<_> =
        finding.evidence.iter().filter(|proof| !super::hops::is_shown(finding, proof)).collect();
    if !finding.path.is_empty() {
        // After the path, what it did to the rotation says most.
        evidence.sort_by_key(|proof| proof.kind == "fact");
    }
    if evidence.is_empty() {
        return;
    }
    out.push('\n');
    let shown = if layout.verbose { usize::MAX } else { PROOFS_SHOWN };
    for proof in evidence.iter().take(shown) {
        let source = for_terminal(&proof.source);
        let _ = writeln!(out, "  {}", paint(style::DIM, &source));
        let _ = write!(out, "{}", quote(&for_terminal(&proof.text), 4, layout));
    }
    let hidden = evidence.len().saturating_sub(shown);
    if hidden > 0 {
        let _ = writeln!(out, "  ({hidden} more with -v)");
    }
}

/// What would tell whether this is the cause: the question alone, unless all is asked
/// for; the facts that are missing stand under what was not seen.
fn would_decide(out: &mut String, cause: &Cause, layout: Layout) {
    let shown = if layout.verbose { usize::MAX } else { 1 };
    for line in cause.would_decide.iter().take(shown) {
        let line = format!("To decide: {line}");
        let _ = write!(out, "{}", super::wrap::hanging(&for_terminal(&line), 2, 4, layout.width));
    }
}

fn changes(out: &mut String, report: &Report, layout: Layout) {
    let shown = if layout.verbose { usize::MAX } else { CHANGES_SHOWN };
    let lines = super::story::change_lines(report, shown);
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n  {}", paint(style::DIM, "Changed before it broke"));
    for line in lines {
        let _ = write!(out, "{}", super::wrap::hanging(&for_terminal(&line), 4, 6, layout.width));
    }
}

/// What else has to be fixed before rotation works: the first step stands under FIX.
fn plan<'r>(out: &mut String, report: &'r Report, saved: &mut Vec<&'r [String]>, layout: Layout) {
    let Some(plan) = &report.fix_plan else { return };
    let line = for_terminal(&super::story::plan_line(plan)).into_owned();
    let shown = super::story::steps_shown(report);
    let heading =
        if shown == 0 { "ALL OF IT, IN THIS ORDER" } else { "ALSO NEEDED, IN THIS ORDER" };
    let _ = writeln!(out, "\n{}", paint(style::HEADING, heading));
    let _ = write!(out, "{}", block(&line, 2, layout.width));
    for (index, step) in plan.steps.iter().enumerate().skip(shown) {
        let text = format!("{}. {} {}", index + 1, step.code, step.summary);
        let _ = write!(out, "{}", super::wrap::hanging(&for_terminal(&text), 2, 5, layout.width));
        saves(out, &step.rollback, saved, layout);
        commands(out, &step.command_details, layout);
    }
}

/// What to save before the fix whose commands follow.
fn saves<'r>(
    out: &mut String,
    ways: &'r [Rollback],
    saved: &mut Vec<&'r [String]>,
    layout: Layout,
) {
    let first = super::story::saves(ways, saved);
    for (text, all) in &first {
        let _ = write!(out, "{}", block(&for_terminal(text), 2, layout.width));
        commands(out, all, layout);
    }
    if !first.is_empty() {
        let _ = write!(out, "{}", block("Then apply the fix:", 2, layout.width));
    }
}

/// What undoes the fixes, apart from all that is to be pasted.
fn undo(out: &mut String, report: &Report, layout: Layout) {
    let shown = if layout.verbose { usize::MAX } else { FIXES_SHOWN };
    let (heading, when) = super::story::UNDO;
    for (index, (text, all)) in super::story::undos(report, shown).into_iter().enumerate() {
        if index == 0 {
            let _ = writeln!(out, "\n{}  {when}", paint(style::HEADING, &heading.to_uppercase()));
        }
        let _ = write!(out, "{}", block(&for_terminal(&text), 2, layout.width));
        commands(out, all, layout);
    }
}

/// The way out once the cause is gone.
fn recovery(out: &mut String, report: &Report, layout: Layout) {
    let Some(recovery) = &report.recovery else { return };
    let _ = writeln!(out, "\n{}", paint(style::HEADING, "THEN"));
    let _ = write!(out, "{}", block(&for_terminal(&recovery.summary), 2, layout.width));
    let alone = recovery.steps.len() == 1;
    for step in &recovery.steps {
        if !alone {
            let _ = write!(out, "{}", block(&for_terminal(&step.summary), 2, layout.width));
        }
        commands(out, &step.command_details, layout);
    }
    if layout.verbose {
        let _ = write!(out, "{}", block("Watch it:", 2, layout.width));
        commands(out, &recovery.watch_details, layout);
    }
}

fn fixes<'r>(out: &mut String, fix: &'r Fix, saved: &mut Vec<&'r [String]>, layout: Layout) {
    let heading = words::fix_heading(fix).to_uppercase();
    let tried = words::tried(fix).unwrap_or_default();
    // What does not fit beside the heading stands below it.
    let fits = heading.chars().count() + tried.chars().count() + 2 <= layout.width;
    let (beside, below) = if fits { (tried.as_str(), "") } else { ("", tried.as_str()) };
    let line = format!("{}  {}", paint(style::HEADING, &heading), for_terminal(beside));
    let _ = writeln!(out, "\n{}", line.trim_end());
    if !below.is_empty() {
        let _ = write!(out, "{}", block(&for_terminal(below), 2, layout.width));
    }
    let _ = write!(out, "{}", block(&fix.summary, 2, layout.width));
    saves(out, &fix.rollback, saved, layout);
    commands(out, &fix.command_details, layout);
}

fn commands(out: &mut String, commands: &[Command], layout: Layout) {
    for one in commands {
        out.push_str(&command(&one.pieces, 2, layout.width));
    }
}

fn other_causes(out: &mut String, causes: &[Cause], layout: Layout) {
    let shown = if layout.verbose { usize::MAX } else { CAUSES_SHOWN };
    for cause in causes.iter().take(shown) {
        title(out, "OR   ", &cause.finding, style::confidence(cause.confidence), layout);
        let _ = write!(out, "{}", block(&cause.finding.summary, 2, layout.width));
        would_decide(out, cause, layout);
        if layout.verbose {
            super::hops::path(out, &cause.finding, layout);
            proofs(out, &cause.finding, layout);
        }
        if let Some(fix) = cause.finding.fixes.first() {
            let text = format!("{}: {}", words::fix_heading(fix), fix.summary);
            let _ = write!(out, "{}", block(&text, 2, layout.width));
            saves(out, &fix.rollback, &mut Vec::new(), layout);
            commands(out, &fix.command_details, layout);
        }
    }
    let hidden = causes.len().saturating_sub(shown);
    if hidden > 0 {
        let _ = writeln!(out, "\n  ({hidden} more with -v)");
    }
}

/// An error that no code explains: the step, the error and where it was raised, and the
/// codes that are near.
fn unexplained(out: &mut String, report: &Report, layout: Layout) {
    let failing = report.verdict == Verdict::Failing;
    if !failing && report.unexplained.is_none() {
        return;
    }
    let _ = writeln!(out, "\n{}", paint(style::HEADING, "NO CAUSE FOUND"));
    if let Some(error) = &report.unexplained {
        let heading = super::story::error_heading(error);
        let _ = write!(out, "{}", block(&for_terminal(&heading), 2, layout.width));
        let _ = writeln!(out, "  {}", paint(style::DIM, &for_terminal(&error.source)));
        let text = super::story::error_text(error);
        let _ = write!(out, "{}", quote(&for_terminal(&text), 4, layout));
        if let Some(frame) = &error.frame {
            let text = format!("raised in {frame}");
            let _ =
                write!(out, "{}", super::wrap::hanging(&for_terminal(&text), 4, 6, layout.width));
        }
        for (index, line) in super::story::near_lines(error).enumerate() {
            if index == 0 {
                let _ = write!(out, "{}", block("Codes with similar texts:", 2, layout.width));
            }
            let _ =
                write!(out, "{}", super::wrap::hanging(&for_terminal(&line), 4, 6, layout.width));
        }
    } else {
        let text = "Nothing that was examined explains it. What could not be seen stands below.";
        let _ = write!(out, "{}", block(text, 2, layout.width));
    }
    changes(out, report, layout);
    recovery(out, report, layout);
}

/// Findings that are no cause.
fn also(out: &mut String, report: &Report, layout: Layout) {
    let others = words::no_causes(report);
    if others.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", paint(style::HEADING, "ALSO"));
    for (finding, kind) in others {
        let text = format!("{:<7}{} ({kind})", finding.code, finding.summary);
        let _ = write!(out, "{}", super::wrap::hanging(&for_terminal(&text), 2, 9, layout.width));
    }
}

/// Secrets that share the function whose log was read.
fn other_secrets(out: &mut String, report: &Report, layout: Layout) {
    if report.other_secrets.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", paint(style::HEADING, "OTHER SECRETS IN THIS LOG"));
    for other in &report.other_secrets {
        let (verdict, rest) = words::other_secret(other);
        let text = format!("{verdict:<9}{rest}");
        let _ = write!(out, "{}", super::wrap::hanging(&for_terminal(&text), 2, 11, layout.width));
    }
    let text = "--secret-arn ARN picks one of them.";
    let _ = write!(out, "{}", block(text, 2, layout.width));
}

fn second_opinion(out: &mut String, report: &Report, layout: Layout) {
    let lines = report.simulation.iter().flat_map(super::simulation::lines);
    section(out, "SECOND OPINION", lines, layout);
}

fn not_seen(out: &mut String, report: &Report, layout: Layout) {
    section(out, "NOT SEEN", super::unseen::lines(report, layout.verbose), layout);
}

fn notes(out: &mut String, report: &Report, layout: Layout) {
    section(out, "NOTE", &report.notes, layout);
}

/// A heading with lines below it; nothing where there are no lines.
fn section<S: AsRef<str>>(
    out: &mut String,
    heading: &str,
    lines: impl IntoIterator<Item = S>,
    layout: Layout,
) {
    for (index, line) in lines.into_iter().enumerate() {
        if index == 0 {
            let _ = writeln!(out, "\n{}", paint(style::HEADING, heading));
        }
        let line = for_terminal(line.as_ref());
        let _ = write!(out, "{}", super::wrap::hanging(&line, 2, 4, layout.width));
    }
}

fn footer(out: &mut String, report: &Report, layout: Layout) {
    let _ = write!(out, "\n{}", block(&words::checks_ran(report), 0, layout.width));
    if let Some(cause) = report.causes.first()
        && cause.finding.severity != Severity::Note
    {
        let _ = writeln!(out, "rotdoctor explain {} says more.", cause.finding.code);
    }
}
