//! Findings with the place where they are declared, one after the other as a compiler
//! tells its errors. For templates and plans alone: elsewhere nothing has a place.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{
    layout::Layout,
    sanitise::for_terminal,
    style::{self, paint},
    v1::{AuditReport, Finding, Location, Mode, Report},
    wrap::hanging,
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
    // What several rotations share is printed once.
    placed.dedup_by(|(a, one), (b, other)| {
        a == b && one.code == other.code && one.summary == other.summary
    });
    placed
}

/// What the files leave open for one reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Open {
    /// Why it is open.
    pub(super) reason: String,
    /// What is missing for it, such as `Vpcs of vpc-a`.
    pub(super) facts: Vec<String>,
    /// The checks that could not tell.
    pub(super) checks: Vec<String>,
}

/// What stands above the reasons and says so already.
const SAID: &str = "not declared: ";

/// What the files leave open, by reason.
pub(super) fn open(report: &AuditReport) -> Vec<Open> {
    let mut by_reason: BTreeMap<&str, (BTreeSet<String>, BTreeSet<&str>)> = BTreeMap::new();
    for report in report.reports.iter().filter(|report| is_declared(report)) {
        for check in &report.inconclusive {
            for one in &check.missing {
                let fact = match one.resource.as_str() {
                    "" => one.fact.clone(),
                    resource => format!("{} of {resource}", one.fact),
                };
                let reason = one.reason.strip_prefix(SAID).unwrap_or(&one.reason);
                let (facts, checks) = by_reason.entry(reason).or_default();
                facts.insert(fact);
                checks.insert(&check.check);
            }
        }
    }
    let open = by_reason.into_iter().map(|(reason, (facts, checks))| Open {
        reason: reason.to_owned(),
        facts: facts.into_iter().collect(),
        checks: checks.into_iter().map(str::to_owned).collect(),
    });
    open.collect()
}

/// Whether it is about what is not deployed yet.
pub(super) fn is_declared(report: &Report) -> bool {
    matches!(report.mode, Mode::Template | Mode::Plan)
}

/// As lines of text.
pub(super) fn text(out: &mut String, report: &AuditReport, layout: Layout) {
    let block = |text: &str, first: usize, rest: usize| {
        hanging(&for_terminal(text), first, rest, layout.width)
    };
    for (location, finding) in findings(report) {
        let (word, colour) = style::severity(finding.severity);
        let place = for_terminal(&written(location)).into_owned();
        let address = match location.line {
            Some(_) => format!(" ({})", location.address),
            None => String::new(),
        };
        // The line that editors and terminals make a link of stays one line.
        let _ = writeln!(
            out,
            "{}: {} {} {}{}",
            paint(style::HEADING, &place),
            paint(colour, word),
            finding.code,
            finding.name,
            for_terminal(&address)
        );
        let Details { lines, template } = details(finding);
        for line in lines {
            out.push_str(&block(&line, 4, 6));
        }
        // It is copied as it stands.
        for line in template {
            let _ = writeln!(out, "      {}", for_terminal(&line));
        }
        out.push('\n');
    }
    let open = open(report);
    if open.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}", paint(style::HEADING, "NOT DECLARED"));
    for Open { reason, facts, checks } in open {
        out.push_str(&block(&reason, 4, 6));
        out.push_str(&block(&format!("missing: {}", facts.join(", ")), 6, 8));
        out.push_str(&block(&format!("leaves open: {}", checks.join(", ")), 6, 8));
    }
    out.push_str(&block(CLOSES, 2, 2));
    out.push('\n');
}

/// What closes a gap of a file.
#[cfg(feature = "live")]
pub(super) const CLOSES: &str = "What exists already comes from --bundle FILE or --with-live, a \
                                 template's parameter from --parameters.";
/// What closes a gap of a file.
#[cfg(not(feature = "live"))]
pub(super) const CLOSES: &str =
    "What exists already comes from --bundle FILE, a template's parameter from --parameters.";

/// What is wrong, and what fixes it.
#[derive(Debug)]
pub(super) struct Details {
    pub(super) lines: Vec<String>,
    /// What a template needs, line by line.
    pub(super) template: Vec<String>,
}

pub(super) fn details(finding: &Finding) -> Details {
    let mut lines = vec![finding.summary.clone()];
    let needed = finding.path.iter().filter_map(|hop| Some((&hop.resource, hop.needed.as_ref()?)));
    for (resource, needed) in needed {
        // Most name it themselves.
        let line = match needed.contains(resource.as_str()) {
            true => format!("needed: {needed}"),
            false => format!("needed at {resource}: {needed}"),
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let mut template = Vec::new();
    if let Some(fix) = finding.fixes.first() {
        let tried =
            if fix.verified { " (Tried on what is declared: the finding is gone.)" } else { "" };
        lines.push(format!("fix: {}{tried}", fix.summary));
        template.extend(fix.template.iter().flat_map(|text| text.lines()).map(str::to_owned));
    }
    Details { lines, template }
}
