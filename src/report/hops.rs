//! A path in the text format: one line for each hop, in columns, the one that
//! stops it marked.

use std::fmt::Write as _;

use super::{
    sanitise::for_terminal,
    style::{self, paint},
    text::Layout,
    v1::{Evidence, Finding, Hop},
    wrap::hanging,
};

/// Columns of the mark and of the kind of hop.
const MARK: usize = 7;
const KIND: usize = 10;
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
    let lengths = finding.path.iter().map(|hop| hop.resource.chars().count());
    let ids = lengths.filter(|length| *length <= LONGEST_ID).max().unwrap_or_default();
    for hop in &finding.path {
        out.push_str(&line(hop, ids, layout));
    }
}

/// Whether a proof is the path that is shown already.
pub(super) fn is_shown(finding: &Finding, proof: &Evidence) -> bool {
    !finding.path.is_empty() && proof.source.starts_with("path from ")
}

fn line(hop: &Hop, ids: usize, layout: Layout) -> String {
    let mark = if hop.outcome == "stop" { "STOP" } else { &hop.outcome };
    let lead = format!("    {mark:<MARK$} {:<KIND$} {:<ids$}", hop.kind, hop.resource);
    let lead = for_terminal(&lead).into_owned();
    let column = 4 + MARK + 1 + KIND + 1 + ids + 2;
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
    use super::line;
    use crate::report::{text::Layout, v1::Hop};

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
        let long = line(&hop("ok", "sg-0c3d", text), 10, Layout::default());
        let column = 4 + 7 + 1 + 10 + 1 + 10 + 2;
        for one in long.lines().skip(1) {
            assert_eq!(one.len() - one.trim_start().len(), column, "{long}");
            assert!(one.chars().count() <= 80, "{long}");
        }
        assert!(long.lines().any(|one| one.contains("sg-0123456789abcdef0)")), "{long}");
        let stop = line(
            &hop("stop", "a-host-name-that-is-longer.example.com", "no"),
            10,
            Layout::default(),
        );
        assert!(stop.contains("STOP") && stop.lines().count() == 2, "{stop}");
    }
}
