//! Findings with the place where they are declared, one after the other as a compiler
//! tells its errors. For templates and plans alone: elsewhere nothing has a place.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{
    sanitise::for_terminal,
    style::{self, paint},
    v1::{AuditReport, Finding, Location, Mode, Report},
};

/// `template.yaml:12:5`, or the file and the address where there is no line.
pub(super) fn written(location: &Location) -> String {
    let Location { file, line, column, address } = location;
    match (line, column) {
        (Some(line), Some(column)) => format!("{file}:{line}:{column}"),
        (Some(line), None) => format!("{file}:{line}"),
        _ => format!("{file}: {address}"),
    }
}

/// Each finding that has a place, once, in the order of the file.
pub(super) fn findings(report: &AuditReport) -> Vec<(&Location, &Finding)> {
    let findings = report.reports.iter().flat_map(|report| &report.findings);
    let mut placed: Vec<(&Location, &Finding)> =
        findings.filter_map(|finding| Some((finding.location.as_ref()?, finding))).collect();
    placed.sort_by(|(a, one), (b, other)| {
        let key = |at: &Location| (at.file.clone(), at.line, at.column, at.address.clone());
        (key(a), &one.code, &one.summary).cmp(&(key(b), &other.code, &other.summary))
    });
    // What several rotations share is told once.
    placed.dedup_by(|(a, one), (b, other)| {
        a == b && one.code == other.code && one.summary == other.summary
    });
    placed
}

/// What the files leave open, with the checks that could not tell for it.
pub(super) fn open(report: &AuditReport) -> Vec<String> {
    let declared = |report: &&Report| matches!(report.mode, Mode::Template | Mode::Plan);
    let mut by_gap: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for report in report.reports.iter().filter(declared) {
        for check in &report.inconclusive {
            for one in &check.missing {
                let of = match one.resource.as_str() {
                    "" => String::new(),
                    resource => format!(" of {resource}"),
                };
                let gap = format!("{}{of}: {}", one.fact, one.reason);
                by_gap.entry(gap).or_default().insert(&check.check);
            }
        }
    }
    let line = |(gap, checks): (String, BTreeSet<&str>)| {
        let checks: Vec<&str> = checks.into_iter().collect();
        format!("{gap} (leaves open: {})", checks.join(", "))
    };
    by_gap.into_iter().map(line).collect()
}

/// As lines of text.
pub(super) fn text(out: &mut String, report: &AuditReport) {
    for (location, finding) in findings(report) {
        let (word, colour) = style::severity(finding.severity);
        let place = for_terminal(&written(location)).into_owned();
        let address = match location.line {
            Some(_) => format!(" ({})", location.address),
            None => String::new(),
        };
        let _ = writeln!(
            out,
            "{}: {} {} {}{}",
            paint(style::HEADING, &place),
            paint(colour, word),
            finding.code,
            finding.name,
            for_terminal(&address)
        );
        for line in details(finding) {
            let _ = writeln!(out, "    {}", for_terminal(&line));
        }
        out.push('\n');
    }
    let open = open(report);
    if !open.is_empty() {
        let _ = writeln!(out, "{}", paint(style::HEADING, "NOT DECLARED"));
        for line in open {
            let _ = writeln!(out, "    {}", for_terminal(&line));
        }
        out.push('\n');
    }
}

/// What is wrong, and what mends it.
pub(super) fn details(finding: &Finding) -> Vec<String> {
    let mut lines = vec![finding.summary.clone()];
    let needed = finding.path.iter().filter_map(|hop| Some((&hop.resource, hop.needed.as_ref()?)));
    for (resource, needed) in needed {
        let line = format!("needed at {resource}: {needed}");
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    if let Some(fix) = finding.fixes.first() {
        let tried =
            if fix.verified { " (tried on what is declared: the finding is gone)" } else { "" };
        lines.push(format!("fix: {}{tried}", fix.summary));
        lines.extend(fix.template.iter().flat_map(|text| text.lines()).map(|l| format!("  {l}")));
    }
    lines
}
