//! Which resource depends on which: by `DependsOn` and by reference. The checks
//! say what an order means.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    document::{Kind, Node},
    scope::{Presence, Scope},
};

/// The dependencies of a template.
pub(super) struct Graph<'t> {
    /// By resource, what it depends on; branches of undecided conditions count.
    edges: BTreeMap<&'t str, BTreeSet<&'t str>>,
    /// The same without them: what holds however they are decided.
    certain: BTreeMap<&'t str, BTreeSet<&'t str>>,
}

impl<'t> Graph<'t> {
    pub(super) fn of(scope: &Scope<'t>) -> Self {
        let (mut edges, mut certain) = (BTreeMap::new(), BTreeMap::new());
        for resource in scope.resources() {
            let presence = scope.presence(resource);
            if presence == Presence::NotMade {
                continue;
            }
            let (mut all, mut sure) = (BTreeSet::new(), BTreeSet::new());
            let mut found = |name: &str, decided: bool| {
                if let Some(target) = scope.resource(name) {
                    all.insert(target.name);
                    if decided {
                        sure.insert(target.name);
                    }
                }
            };
            for name in resource.node.get("DependsOn").map(Node::items).unwrap_or_default() {
                found(name.text().unwrap_or_default(), true);
            }
            if let Some(properties) = resource.node.get("Properties") {
                references(scope, properties, true, &mut found);
            }
            edges.insert(resource.name, all);
            if presence == Presence::Made {
                certain.insert(resource.name, sure);
            }
        }
        Self { edges, certain }
    }

    /// All that a resource depends on, by however many steps.
    pub(super) fn behind(&self, name: &str) -> BTreeSet<&'t str> {
        let mut found = BTreeSet::new();
        let mut next: Vec<&str> = vec![name];
        while let Some(one) = next.pop() {
            for target in self.edges.get(one).into_iter().flatten() {
                if found.insert(*target) {
                    next.push(target);
                }
            }
        }
        found
    }

    /// What a resource refers to itself.
    pub(super) fn direct(&self, name: &str) -> impl Iterator<Item = &'t str> + use<'_, 't> {
        self.edges.get(name).into_iter().flatten().copied()
    }

    /// The circles: resources that depend on each other, each circle in the order of the
    /// alphabet.
    pub(super) fn circles(&self) -> Vec<Vec<&'t str>> {
        let mut found: Vec<Vec<&'t str>> = Vec::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for start in self.certain.keys().copied() {
            if seen.contains(start) {
                continue;
            }
            let onward = reach(&self.certain, start);
            if !onward.contains(start) {
                continue;
            }
            let circle: Vec<&'t str> = onward
                .into_iter()
                .filter(|one| *one == start || reach(&self.certain, one).contains(start))
                .collect();
            seen.extend(circle.iter().copied());
            found.push(circle);
        }
        found
    }
}

fn reach<'t>(edges: &BTreeMap<&'t str, BTreeSet<&'t str>>, from: &str) -> BTreeSet<&'t str> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&str> = vec![from];
    while let Some(one) = next.pop() {
        for target in edges.get(one).into_iter().flatten() {
            if found.insert(*target) {
                next.push(target);
            }
        }
    }
    found
}

/// The names that a value refers to; `decided` is false below a condition that cannot be
/// told.
fn references(scope: &Scope<'_>, node: &Node, decided: bool, found: &mut dyn FnMut(&str, bool)) {
    match &node.kind {
        Kind::List(list) => {
            list.iter().for_each(|one| references(scope, one, decided, found));
        }
        Kind::Map(entries) => match entries.as_slice() {
            [(key, argument)] if key == "Ref" => {
                found(argument.text().unwrap_or_default(), decided);
            }
            [(key, argument)] if key == "Fn::GetAtt" => match &argument.kind {
                Kind::List(list) => {
                    let name = list.first().and_then(Node::text).unwrap_or_default();
                    found(name, decided);
                }
                _ => {
                    let text = argument.text().unwrap_or_default();
                    found(text.split('.').next().unwrap_or_default(), decided);
                }
            },
            [(key, argument)] if key == "Fn::Sub" => {
                let template = match &argument.kind {
                    Kind::List(list) => list.first().and_then(Node::text),
                    _ => argument.text(),
                };
                for part in template.unwrap_or_default().split("${").skip(1) {
                    let name = part.split('}').next().unwrap_or_default().trim();
                    found(name.split('.').next().unwrap_or_default(), decided);
                }
                if let Kind::List(list) = &argument.kind {
                    list.iter().skip(1).for_each(|one| references(scope, one, decided, found));
                }
            }
            [(key, argument)] if key == "Fn::If" => {
                let [condition, yes, no] = argument.items() else { return };
                match scope.condition(condition.text().unwrap_or_default()) {
                    Some(true) => references(scope, yes, decided, found),
                    Some(false) => references(scope, no, decided, found),
                    None => {
                        references(scope, yes, false, found);
                        references(scope, no, false, found);
                    }
                }
            }
            _ => entries.iter().for_each(|(_, one)| references(scope, one, decided, found)),
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::Graph;
    use crate::template::cloudformation::testing::with_scope;

    #[test]
    fn what_depends_on_what_and_what_goes_round() {
        let text = r#"
Conditions:
  Unsure: !Equals [!Ref Nothing, x]
Resources:
  A: {Type: T, DependsOn: B}
  B: {Type: T, Properties: {X: !Sub 'a${C.Arn}'}}
  C: {Type: T, Properties: {X: [!GetAtt [D, Arn], !If [Unsure, !Ref E, y]]}}
  D: {Type: T}
  E: {Type: T, Properties: {X: !Ref C}}
  F: {Type: T, Properties: {X: !GetAtt G.Arn}}
  G: {Type: T, DependsOn: [F]}
"#;
        with_scope(text, |scope| {
            let graph = Graph::of(scope);
            let behind: Vec<&str> = graph.behind("A").into_iter().collect();
            assert_eq!(behind, ["B", "C", "D", "E"]);
            assert_eq!(graph.circles(), [["F", "G"]], "C and E may not be one");
        });
    }
}
