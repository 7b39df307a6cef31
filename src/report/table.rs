//! Tables: of the checks of one report, and of the secrets of an audit.

use std::fmt::Write as _;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets::NOTHING};

use super::{
    layout::Layout,
    place,
    sanitise::for_terminal,
    style::{self, paint},
    v1::{AuditReport, Cause, Mode, Report, Verdict},
    words,
};
use crate::aws::commands::Command;

/// The least width of the words about a secret.
const WHAT_WIDTH: u16 = 32;

pub(super) fn table(layout: Layout) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(layout.width).unwrap_or(u16::MAX));
    table
}

pub(super) fn push(out: &mut String, table: &mut Table, whole_columns: usize) {
    // Names and codes are copied: their columns are never folded.
    let columns = table.column_count();
    for (index, column) in table.column_iter_mut().enumerate() {
        // The last column of a wide table is a date.
        if index < whole_columns || (columns == 5 && index == 4) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        } else if columns == 5 {
            // Long names may push the line past the width; words stay readable.
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(WHAT_WIDTH)));
        }
    }
    for line in table.to_string().lines() {
        let _ = writeln!(out, " {}", line.trim_end());
    }
}

/// Every check with its outcome.
pub(super) fn checks(out: &mut String, report: &Report, layout: Layout) {
    let _ = writeln!(out, "\n{}", paint(style::HEADING, "CHECKS"));
    let mut table = table(layout);
    let found = report.findings.iter().map(|finding| {
        [
            style::severity(finding.severity).0.to_owned(),
            finding.code.clone(),
            finding.title.clone(),
        ]
    });
    let unseen = report.inconclusive.iter().map(|check| {
        let missing: Vec<&str> =
            check.missing.iter().map(|missing| missing.fact.as_str()).collect();
        [
            "unseen".to_owned(),
            check.codes.join(" "),
            format!("{}: {}", check.check, missing.join(", ")),
        ]
    });
    let skipped = report.not_applicable.iter().map(|check| {
        ["n/a".to_owned(), check.codes.join(" "), format!("{}: {}", check.check, check.reason)]
    });
    let passed = report
        .passed
        .iter()
        .map(|check| ["ok".to_owned(), check.codes.join(" "), check.check.clone()]);
    for row in found.chain(unseen).chain(skipped).chain(passed) {
        table.add_row(row.map(|cell| for_terminal(&cell).into_owned()));
    }
    push(out, &mut table, 1);
}

/// What the summary of an audit says, before it is laid out.
pub(super) struct AuditRows {
    pub(super) heading: String,
    /// Status, secret, code, what, since.
    pub(super) rows: Vec<[String; 5]>,
    pub(super) summary: String,
}

/// The rows of an audit, worst first; healthy secrets only where all are wanted.
pub(super) fn audit_rows(report: &AuditReport, all: bool) -> AuditRows {
    let names = words::Names::of(&report.reports);
    let mut shared: Vec<(&Cause, String)> = Vec::new();
    let mut rows = Vec::new();
    for secret in &report.reports {
        if secret.verdict == Verdict::Healthy && !all {
            continue;
        }
        let mut row = audit_row(secret, names);
        if let Some(cause) = secret.causes.first() {
            match shared.iter().find(|(other, _)| is_same_fault(other, cause)) {
                Some((_, name)) => row[3] = format!("the same as for {name}"),
                None => shared.push((cause, names.name(secret))),
            }
        }
        rows.push(row);
    }
    for skipped in &report.not_examined {
        let row = ["not seen", &skipped.target, "-", &skipped.reason, "-"];
        rows.push(row.map(str::to_owned));
    }
    let summary = &report.summary;
    if summary.healthy > 0 && !all {
        let s = if summary.healthy == 1 { "" } else { "s" };
        let count = format!("{} secret{s}", summary.healthy);
        rows.push(["healthy".to_owned(), count, String::new(), String::new(), String::new()]);
    }
    let recovering = match summary.recovering {
        0 => String::new(),
        count => format!(" {count} recovering,"),
    };
    let summary = format!(
        "{} secret{}: {} failing,{recovering} {} at risk, {} unknown, {} healthy, {} not examined.",
        summary.secrets,
        if summary.secrets == 1 { "" } else { "s" },
        summary.failing,
        summary.at_risk,
        summary.unknown,
        summary.healthy,
        summary.not_examined
    );
    AuditRows { heading: heading(report), rows, summary }
}

/// The summary of an audit, worst first.
pub fn audit(report: &AuditReport, layout: Layout) -> String {
    let mut out = String::new();
    let AuditRows { heading, rows, summary } = audit_rows(report, layout.verbose);
    let _ = writeln!(out, "{}\n", paint(style::HEADING, &for_terminal(&heading)));
    let mut table = table(layout);
    table.set_header(["STATUS", "SECRET", "CODE", "WHAT", "SINCE"]);
    for row in rows {
        table.add_row(row.map(|cell| for_terminal(&cell).into_owned()));
    }
    if table.row_count() > 0 {
        push(&mut out, &mut table, 3);
        out.push('\n');
    }
    super::place::text(&mut out, report, layout);
    let _ = writeln!(out, "{summary}");
    if let Some(hint) = hint(report) {
        let _ = writeln!(out, "{}", for_terminal(&hint));
    }
    out
}

/// What says more about the first row.
fn hint(report: &AuditReport) -> Option<String> {
    let first = report.reports.iter().find(|report| report.verdict != Verdict::Healthy)?;
    if place::is_declared(first) {
        let code = &first.findings.iter().min_by_key(|finding| finding.severity)?.code;
        return Some(format!("rotdoctor explain {code} says more."));
    }
    // Where the evidence came from a file, so does the diagnosis.
    if first.mode == Mode::Bundle {
        return Some("rotdoctor diagnose --bundle FILE explains one of them.".to_owned());
    }
    let name = first.target.secret_name.as_deref()?;
    let command = Command::rotdoctor("diagnose").operand("SECRET", name);
    let text = command.render(words::context(first)).text;
    Some(format!("{text} explains the first."))
}

/// `eu-west-1 · 123456789012 · 12 secrets examined`, as far as all have it in common. The
/// account of what is only declared may be a stand-in, and is not printed.
fn heading(report: &AuditReport) -> String {
    let common = |of: fn(&Report) -> Option<&str>, many: &str| {
        let mut all = report.reports.iter().filter_map(of).collect::<Vec<&str>>();
        all.sort();
        all.dedup();
        match all.as_slice() {
            [] => None,
            [one] => Some((*one).to_owned()),
            several => Some(format!("{} {many}", several.len())),
        }
    };
    let examined = report.reports.len();
    let count = format!("{examined} secret{} examined", if examined == 1 { "" } else { "s" });
    [
        common(|report| report.target.region.as_deref(), "regions"),
        common(
            |report| report.target.account_id.as_deref().filter(|_| !place::is_declared(report)),
            "accounts",
        ),
        Some(count),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ")
}

/// Whether two secrets suffer from one fault of one thing that they share, such as
/// a function or a VPC.
fn is_same_fault(a: &Cause, b: &Cause) -> bool {
    let of_secret = a.finding.resource.contains(":secretsmanager:");
    !of_secret
        && (&a.finding.code, &a.finding.resource) == (&b.finding.code, &b.finding.resource)
        && a.finding.resource.starts_with("arn:")
}

fn audit_row(report: &Report, names: words::Names) -> [String; 5] {
    let status = match report.verdict {
        Verdict::Failing => "failing",
        Verdict::Recovering => "recovering",
        Verdict::AtRisk => "at risk",
        Verdict::Unknown => "unknown",
        Verdict::Healthy => "healthy",
    };
    let (code, what) = match (report.causes.first(), report.permissions_missing.first()) {
        (Some(cause), _) => (cause.finding.code.clone(), cause.finding.title.clone()),
        (None, _) if words::covered(report).is_some() && report.verdict == Verdict::AtRisk => {
            ("-".to_owned(), words::covered(report).unwrap_or_default())
        }
        (None, Some(action)) => ("-".to_owned(), format!("{action} denied")),
        (None, None) if report.verdict == Verdict::Unknown => {
            let open = report.inconclusive.len();
            let what = match open {
                0 => "too little could be seen to tell".to_owned(),
                1 => "1 check could not tell".to_owned(),
                _ => format!("{open} checks could not tell"),
            };
            ("-".to_owned(), what)
        }
        (None, None) => {
            let error =
                report.rotation.attempts.iter().rev().find_map(|attempt| attempt.error.clone());
            (
                "-".to_owned(),
                error.filter(|_| report.verdict == Verdict::Failing).unwrap_or_default(),
            )
        }
    };
    let since = report.rotation.failing_since.map_or_else(|| "-".to_owned(), |at| at.date());
    [status.to_owned(), names.name(report), code, what, since]
}
