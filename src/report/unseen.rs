//! What could not be seen, grouped by what would settle it, so that ten
//! inconclusive checks behind one denied action read as one line.

use super::v1::{Missing, Mode, Report};
use crate::evidence::Fact;

/// The reason of a fact that a check needs and nobody collected.
const NOT_ASKED: &str = "not asked for";
/// How many codes a line names in the short form.
const CODES_SHOWN: usize = 8;

/// One line for each missing thing.
pub(super) fn lines(report: &Report, verbose: bool) -> Vec<String> {
    let mut groups: Vec<(&Missing, Vec<&str>)> = Vec::new();
    for inconclusive in &report.inconclusive {
        for missing in &inconclusive.missing {
            let codes = inconclusive.codes.iter().map(String::as_str);
            match groups.iter_mut().find(|(other, _)| *other == missing) {
                Some((_, all)) => all.extend(codes),
                None => groups.push((missing, codes.collect())),
            }
        }
    }
    let live = report.mode == Mode::Live;
    let line = |(missing, codes): &(&Missing, Vec<&str>)| {
        line(missing, codes.clone(), Layout { verbose, live })
    };
    if verbose {
        return groups.iter().map(line).collect();
    }
    // A bundle made by hand lacks much that nobody asked for: one line for all.
    let (not_asked, others): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|(missing, _)| is_not_in_the_evidence(missing, live));
    let mut lines: Vec<String> = others.iter().map(line).collect();
    if let [one] = &not_asked[..] {
        lines.push(line(one));
    } else if !not_asked.is_empty() {
        let facts: Vec<&str> = not_asked.iter().map(|(missing, _)| missing.fact.as_str()).collect();
        lines.push(format!("Not in the evidence: {}", facts.join(", ")));
    }
    lines
}

/// How the lines are written.
#[derive(Clone, Copy)]
struct Layout {
    verbose: bool,
    /// AWS was asked: what was left out was left out by a flag.
    live: bool,
}

fn is_not_in_the_evidence(missing: &Missing, live: bool) -> bool {
    missing.reason == NOT_ASKED
        && missing.fact != Fact::SecretShape.name()
        && !(live && missing.fact == Fact::Package.name())
}

fn line(missing: &Missing, mut codes: Vec<&str>, layout: Layout) -> String {
    let mut seen = std::collections::BTreeSet::new();
    codes.retain(|code| seen.insert(*code));
    let hidden = codes.len().saturating_sub(if layout.verbose { usize::MAX } else { CODES_SHOWN });
    let mut settles = codes[..codes.len() - hidden].join(", ");
    if hidden > 0 {
        settles.push_str(&format!(" and {hidden} more"));
    }
    // What no call of AWS's settles: the reason is all there is to say.
    if missing.fact.is_empty() || missing.action.is_empty() {
        return format!("{settles}: {}", missing.reason);
    }
    let on = if missing.resource.is_empty() {
        String::new()
    } else {
        format!(" on {}", missing.resource)
    };
    let help = match missing.reason.as_str() {
        "access denied" => format!(": grant {}{on}", missing.action),
        NOT_ASKED if missing.fact == Fact::SecretShape.name() => {
            ": read it with --read-secret (never stored or printed)".to_owned()
        }
        NOT_ASKED if layout.live && missing.fact == Fact::Package.name() => {
            ": not looked into, as --no-package asks".to_owned()
        }
        NOT_ASKED => ": not in the evidence".to_owned(),
        reason => format!(": {} {reason}{on}", missing.action),
    };
    format!("{}{help}, to settle {settles}", missing.fact)
}
