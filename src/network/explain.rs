//! The answer as a person reads it: one line per hop, the first failing one
//! marked, then all that blocks and what would be needed. Words only; the
//! report decides on colours.

use super::{Answer, Hop, HopOutcome, Path, Verdict};

/// More paths than this are left to the structured answer.
const MOST_PATHS: usize = 4;

/// The lines.
pub(super) fn lines(answer: &Answer) -> Vec<String> {
    let mut lines = vec![format!("{}:{} is {}", answer.host, answer.port, answer.verdict.word())];
    lines.extend(answer.notes.iter().map(|note| format!("resolve: {note}")));
    if !answer.failing.is_empty() {
        lines.push(format!("fails: {}", answer.failing.join(", ")));
    }
    let mut shown: Vec<&Path> = answer.paths.iter().collect();
    // What fails first, then what cannot be told, then what passes.
    shown.sort_by_key(|path| match path.verdict {
        Verdict::Blocked => 0,
        Verdict::Intermittent => 1,
        Verdict::Unknown => 2,
        Verdict::Reachable => 3,
    });
    for path in shown.into_iter().take(MOST_PATHS) {
        lines.push(heading(path));
        lines.extend(path.hops.iter().map(hop));
    }
    for blocker in &answer.blockers {
        let rule = blocker.direction.map(|d| format!(" {}", d.name())).unwrap_or_default();
        let reply = if blocker.phase == super::Phase::Return { ", reply" } else { "" };
        let part = if blocker.partial { "partly blocks" } else { "blocks" };
        let (layer, resource) = (blocker.layer.name(), &blocker.resource);
        lines.push(format!("{part}: {layer} {resource}{rule}{reply}: {}", blocker.text));
        if let Some(needed) = &blocker.needed {
            lines.push(format!("  needed: {needed}"));
        }
    }
    lines.extend(answer.missing.iter().map(|missing| format!("not seen: {missing}")));
    if !answer.api_denied_actions.is_empty() {
        let actions = answer.api_denied_actions.join(", ");
        let endpoints = answer.endpoints.join(", ");
        lines.push(format!("the policy of {endpoints} denies {actions}"));
    }
    if !answer.api_undecided_actions.is_empty() {
        let actions = answer.api_undecided_actions.join(", ");
        let endpoints = answer.endpoints.join(", ");
        lines.push(format!("the policy of {endpoints} may deny {actions}"));
    }
    lines
}

fn heading(path: &Path) -> String {
    let from = path.subnet.as_deref().unwrap_or("no VPC");
    let (source, to, target) = (&path.from, &path.to, &path.target);
    let verdict = path.verdict.word();
    format!("{source} ({from}) → {to} ({target}), {}: {verdict}", path.family.words())
}

fn hop(hop: &Hop) -> String {
    let mut line = format!(
        "  {:<7} {:<10} {}  {}",
        hop.outcome.mark(),
        hop.kind.word(),
        hop.resource,
        hop.text
    );
    if hop.outcome == HopOutcome::Stop
        && let Some(needed) = &hop.needed
    {
        line.push_str(&format!("; needed: {needed}"));
    }
    line
}
