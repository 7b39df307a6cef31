//! From the template texts in a log: since when the function can exist, and from which
//! template it was built.

use std::collections::{BTreeMap, BTreeSet};

use super::Invocation;
use crate::{catalogue::Origin, evidence::Time};

/// The template texts seen with the day of each, newest first; and the templates
/// that print all of them.
pub(super) fn of(invocations: &[Invocation]) -> (Vec<(String, Time)>, Vec<String>) {
    let mut days: BTreeMap<&str, Time> = BTreeMap::new();
    let mut templates: Option<BTreeSet<&str>> = None;
    for hit in invocations.iter().flat_map(|run| &run.hits) {
        let text = hit.text;
        if text.origin != Origin::Template {
            continue;
        }
        if let Some(day) = text.first_seen {
            days.insert(&text.text, day);
        }
        let printing: BTreeSet<&str> = text.templates.iter().map(String::as_str).collect();
        templates = Some(match templates {
            Some(so_far) => so_far.intersection(&printing).copied().collect(),
            None => printing,
        });
    }
    let mut texts: Vec<(String, Time)> =
        days.into_iter().map(|(text, day)| (text.to_owned(), day)).collect();
    texts.sort_by_key(|(_, day)| std::cmp::Reverse(*day));
    (texts, templates.into_iter().flatten().map(str::to_owned).collect())
}
