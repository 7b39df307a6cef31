//! A template together with others that were given beside it: what it imports from them is
//! then a reference like any other.

use std::collections::HashMap;

use super::document::{self, Kind, Node};

/// Sections whose entries have names.
const SECTIONS: [&str; 5] = ["Parameters", "Mappings", "Conditions", "Resources", "Outputs"];

/// A template with those that it imports from.
pub(super) struct Joined {
    pub(super) root: Node,
    /// The file of each resource that another template declares.
    pub(super) files: HashMap<String, String>,
}

impl Joined {
    /// Joins a template with others, each with its file. One that uses a name of the first
    /// for another thing is left out: its exports stay open.
    pub(super) fn of(mut root: Node, others: &[(&str, &str)]) -> Self {
        let mut files = HashMap::new();
        if !imports(&root) {
            return Self { root, files };
        }
        for (file, text) in others {
            let Ok(other) = document::read(text) else { continue };
            if SECTIONS.iter().any(|section| collides(&root, &other.root, section)) {
                continue;
            }
            let resources = other.root.get("Resources").map(Node::entries).unwrap_or_default();
            files.extend(resources.iter().map(|(name, _)| (name.clone(), (*file).to_owned())));
            for section in SECTIONS {
                add(&mut root, &other.root, section);
            }
        }
        Self { root, files }
    }
}

/// Whether a value is imported anywhere in it.
fn imports(node: &Node) -> bool {
    match &node.kind {
        Kind::List(list) => list.iter().any(imports),
        Kind::Map(entries) => {
            entries.iter().any(|(key, node)| key == "Fn::ImportValue" || imports(node))
        }
        _ => false,
    }
}

/// Whether a section of both has a name for different things.
fn collides(root: &Node, other: &Node, section: &str) -> bool {
    let own = root.get(section);
    let others = other.get(section).map(Node::entries).unwrap_or_default();
    others.iter().any(|(name, node)| {
        own.and_then(|own| own.get(name)).is_some_and(|own| !own.says_the_same(node))
    })
}

fn add(root: &mut Node, other: &Node, section: &str) {
    let Some(from) = other.get(section) else { return };
    let Kind::Map(sections) = &mut root.kind else { return };
    match sections.iter_mut().find(|(name, _)| name == section) {
        None => sections.push((section.to_owned(), from.clone())),
        Some((_, own)) => {
            let more: Vec<(String, Node)> = from
                .entries()
                .iter()
                .filter(|(name, _)| own.get(name).is_none())
                .cloned()
                .collect();
            if let Kind::Map(entries) = &mut own.kind {
                entries.extend(more);
            }
        }
    }
}
