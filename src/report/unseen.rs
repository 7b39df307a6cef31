//! What could not be seen, grouped by what would settle it, so that ten
//! inconclusive checks behind one denied action read as one line.

use super::v1::{Missing, Report};

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
    groups.into_iter().map(|(missing, codes)| line(missing, codes, verbose)).collect()
}

fn line(missing: &Missing, mut codes: Vec<&str>, verbose: bool) -> String {
    codes.dedup();
    let hidden = codes.len().saturating_sub(if verbose { usize::MAX } else { CODES_SHOWN });
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
        "not asked for" => ": not in the evidence".to_owned(),
        reason => format!(": {} {reason}{on}", missing.action),
    };
    format!("{}{help}, to settle {settles}", missing.fact)
}
