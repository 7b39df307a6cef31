//! A path in the text format: one line for each hop, in columns, the one that
//! stops it marked.

use std::fmt::Write as _;

use super::{
    layout::Layout,
    sanitise::for_terminal,
    style::{self, paint},
    v1::{Evidence, Finding, Hop},
    wrap::hanging,
};

/// An id longer than this takes its text to the next line.
const LONGEST_ID: usize = 24;

/// The path of a finding, where it has one.
pub(super) fn path(out: &mut String, finding: &Finding, layout: Layout) {
    if finding.path.is_empty() {
        return;
    }
    let start = finding.path_from.as_ref();
    let from = match start.and_then(|start| start.subnet.as_deref()) {
        Some(subnet) => {
            let block = start.and_then(|start| start.cidr.as_deref());
            format!("{subnet}{}", block.map(|cidr| format!(" ({cidr})")).unwrap_or_default())
        }
        None => "Lambda's own network".to_owned(),
    };
    let _ = writeln!(out, "\n  {}", paint(style::DIM, &for_terminal(&format!("Path from {from}"))));
    let columns = Columns::of(&finding.path);
    for hop in &finding.path {
        out.push_str(&line(hop, &columns, layout));
    }
}

/// Whether a proof is the path, or a hop of it, that is shown already.
pub(super) fn is_shown(finding: &Finding, proof: &Evidence) -> bool {
    let is_hop = |hop: &Hop| proof.text == format!("{}: {}", hop.resource, hop.text);
    !finding.path.is_empty()
        && (proof.source.starts_with("path from ") || finding.path.iter().any(is_hop))
}

/// How wide the columns are.
struct Columns {
    marks: usize,
    kinds: usize,
    ids: usize,
}

impl Columns {
    fn of(hops: &[Hop]) -> Self {
        let widest = |of: fn(&Hop) -> &str, most: usize| {
            let lengths = hops.iter().map(|hop| of(hop).chars().count());
            lengths.filter(|length| *length <= most).max().unwrap_or_default()
        };
        Self {
            marks: widest(|hop| &hop.outcome, LONGEST_ID),
            kinds: widest(|hop| &hop.kind, LONGEST_ID),
            ids: widest(|hop| &hop.resource, LONGEST_ID),
        }
    }
}

fn line(hop: &Hop, columns: &Columns, layout: Layout) -> String {
    let Columns { marks, kinds, ids } = *columns;
    let mark = if hop.outcome == "stop" { "STOP" } else { &hop.outcome };
    let lead = format!("    {mark:<marks$}  {:<kinds$}  {:<ids$}", hop.kind, hop.resource);
    let lead = for_terminal(&lead).into_owned();
    let column = 4 + marks + 2 + kinds + 2 + ids + 2;
    let own_line = lead.chars().count() + 2 > column;
    let text = for_terminal(&hop.text);
    let rest = hanging(&text, column, column, layout.width.max(column + 20));
    let painted = match hop.outcome.as_str() {
        "stop" | "partly" => {
            let (_, colour) = style::severity(crate::catalogue::Severity::Error);
            lead.replacen(mark, &paint(colour, mark), 1)
        }
        _ => lead.clone(),
    };
    if own_line {
        return format!("{}\n{rest}", painted.trim_end());
    }
    // The lead takes the place of the first line's indent.
    format!("{painted}  {}", rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::{Columns, line};
    use crate::report::{layout::Layout, v1::Hop};

    fn hop(outcome: &str, resource: &str, text: &str) -> Hop {
        Hop {
            outcome: outcome.to_owned(),
            kind: "ingress".to_owned(),
            resource: resource.to_owned(),
            text: text.to_owned(),
            needed: None,
        }
    }

    #[test]
    fn texts_stand_in_one_column_and_ids_are_whole() {
        let text =
            "no rule admits tcp/443 from 10.20.1.40 (tcp/443 only from sg-0123456789abcdef0)";
        let hops =
            [hop("ok", "sg-0c3d", text), hop("ok", "a-host-name-that-is-longer.example.com", "no")];
        let columns = Columns::of(&hops);
        let first = line(&hops[0], &columns, Layout::default());
        assert!(first.starts_with("    ok  ingress  sg-0c3d  no rule"), "{first}");
        let column = first.find("no rule").unwrap_or_default();
        for one in first.lines().skip(1) {
            assert_eq!(one.len() - one.trim_start().len(), column, "{first}");
        }
        assert!(first.lines().all(|one| one.chars().count() <= 80), "{first}");
        assert!(first.lines().any(|one| one.contains("sg-0123456789abcdef0)")), "{first}");
        let long = line(&hops[1], &columns, Layout::default());
        assert_eq!(long.lines().count(), 2, "{long}");
    }
}
