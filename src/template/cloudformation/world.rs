//! The evidence of one rotation in the making: the draft, the template's scope, and how
//! what is open gets into it.

use super::{
    document::{Mark, Node},
    scope::{Presence, Resource, Scope},
    value::Resolved,
};
use crate::{
    evidence::{Fact, Tag},
    template::{Draft, Location, aws::Open},
};

/// How deep properties are noted: `Environment.Variables.NAME`.
const PROPERTY_LEVELS: usize = 3;

/// The evidence of one rotation in the making.
pub(super) struct World<'s, 't> {
    pub(super) scope: &'s Scope<'t>,
    pub(super) draft: Draft,
    /// Why resources may be there that the template does not show, where they may.
    pub(super) hidden: Option<String>,
    /// The function's security groups.
    pub(super) groups: Vec<String>,
    /// Whether the function may use IPv6.
    pub(super) dual_stack: bool,
}

/// A resource that is created, with its properties.
pub(super) struct Created<'s, 't> {
    pub(super) resource: &'s Resource<'t>,
    pub(super) properties: Resolved,
    /// Its id.
    pub(super) id: String,
}

/// A resource that is created, or the reason why that is open.
pub(super) type Perhaps<'s, 't> = (Created<'s, 't>, Result<(), Open>);

impl<'s, 't> World<'s, 't> {
    /// The resources of a kind that are created. Those of which that is open become gaps
    /// of the fact.
    pub(super) fn created(&mut self, kind: &str, fact: Fact) -> Vec<Created<'s, 't>> {
        let mut found = Vec::new();
        for (one, open) in self.perhaps(kind) {
            match open {
                Ok(()) => found.push(one),
                Err(open) => self.draft.gap(fact, &one.id, open),
            }
        }
        found
    }

    /// The resources of a kind that are, or may be, created.
    pub(super) fn perhaps(&self, kind: &str) -> Vec<Perhaps<'s, 't>> {
        let scope = self.scope;
        let own = scope.resources().iter().filter(|one| one.kind == kind);
        own.filter_map(|resource| {
            let open = match scope.presence(resource) {
                Presence::NotMade => return None,
                Presence::Open(reason) => Err(Open::named(resource.name, reason)),
                Presence::Made => Ok(()),
            };
            let (properties, id) = (scope.properties(resource), scope.id_of(resource));
            Some((Created { resource, properties, id }, open))
        })
        .collect()
    }

    /// A place in the file.
    pub(super) fn origin(&self, resource: &Resource<'_>, at: Mark) -> Location {
        // Of a whole resource, the line with its logical id.
        let whole = at.line == 0 || at == resource.node.at;
        let at = if whole { resource.node.key } else { at };
        let file = self.scope.file_of(resource.name).unwrap_or(&self.scope.settings.file);
        Location {
            address: resource.name.to_owned(),
            file: file.to_owned(),
            line: (at.line > 0).then_some(at.line),
            column: (at.line > 0).then_some(at.column),
        }
    }

    /// Notes where a resource is declared: the place of what matters in it, else of the
    /// whole.
    pub(super) fn declare(&mut self, id: &str, resource: &Resource<'_>, at: Mark) {
        let origin = self.origin(resource, at);
        self.draft.declare(id, origin);
    }

    /// Notes where a whole resource is declared, and where each of its properties is.
    pub(super) fn declare_whole(&mut self, id: &str, resource: &Resource<'_>) {
        self.declare(id, resource, resource.node.at);
        if let Some(properties) = resource.node.get("Properties") {
            self.declare_properties(resource, properties, "", PROPERTY_LEVELS);
        }
    }

    fn declare_properties(
        &mut self,
        resource: &Resource<'_>,
        node: &Node,
        above: &str,
        levels: usize,
    ) {
        for (name, node) in node.entries() {
            let path = format!("{above}{name}");
            let origin = self.origin(resource, node.key);
            self.draft.origins.declare_property(&path, origin);
            if levels > 1 {
                self.declare_properties(resource, node, &format!("{path}."), levels - 1);
            }
        }
    }

    /// Notes where the statements of a policy are declared, as findings name it.
    pub(super) fn declare_policy(
        &mut self,
        name: &str,
        resource: &Resource<'_>,
        document: &Resolved,
    ) {
        let statements = document.get("Statement").items().unwrap_or_default();
        for (at, statement) in statements.into_iter().enumerate() {
            let origin = self.origin(resource, statement.at);
            self.draft.origins.declare_statement(name, at, origin);
        }
    }
}

/// Tags as an API lists them; a value that is open is left out.
pub(super) fn tags(list: &Resolved) -> Vec<Tag> {
    let items = list.items().unwrap_or_default();
    let tag = |tag: &Resolved| {
        Some(Tag { key: Some(tag.get("Key").known()?), value: Some(tag.get("Value").known()?) })
    };
    items.into_iter().filter_map(tag).collect()
}
