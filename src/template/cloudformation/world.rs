//! The evidence of one rotation in the making: the draft, the template's scope, and how
//! what is open gets into it. What each resource makes of itself stands in the files of
//! its area.

use serde_json::{Value as Json, json};

use super::{
    document::Mark,
    resolved::{Resolved, Unknown},
    scope::{Presence, Resource, Scope},
};
use crate::{
    evidence::Fact,
    template::{Draft, Location},
};

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

/// A resource that is made, with its properties.
pub(super) struct Made<'s, 't> {
    pub(super) resource: &'s Resource<'t>,
    pub(super) properties: Resolved,
    /// Its id.
    pub(super) id: String,
}

impl<'s, 't> World<'s, 't> {
    /// The resources of a kind that are made. Those of which that cannot be told become
    /// gaps of the fact.
    pub(super) fn made(&mut self, kind: &str, fact: Fact) -> Vec<Made<'s, 't>> {
        let scope = self.scope;
        let mut found = Vec::new();
        for resource in scope.resources().iter().filter(|one| one.kind == kind) {
            let id = scope.id_of(resource);
            match scope.presence(resource) {
                Presence::NotMade => {}
                Presence::Open(why) => self.draft.gap(fact, &id, why),
                Presence::Made => {
                    let properties = scope.properties(resource);
                    found.push(Made { resource, properties, id });
                }
            }
        }
        found
    }

    /// The resources of a kind that are, or may be, made; an error says why that is open.
    pub(super) fn perhaps(&self, kind: &str) -> Vec<(Made<'s, 't>, Result<(), String>)> {
        let scope = self.scope;
        let own = scope.resources().iter().filter(|one| one.kind == kind);
        own.filter_map(|resource| {
            let open = match scope.presence(resource) {
                Presence::NotMade => return None,
                Presence::Open(why) => Err(why),
                Presence::Made => Ok(()),
            };
            let (properties, id) = (scope.properties(resource), scope.id_of(resource));
            Some((Made { resource, properties, id }, open))
        })
        .collect()
    }

    /// Says that a thing is open: it is not in the evidence.
    pub(super) fn open(&mut self, fact: Fact, id: &str, unknown: &Unknown) {
        self.draft.gap(fact, id, unknown.why.clone());
    }

    /// A place in the file.
    pub(super) fn origin(&self, resource: &Resource<'_>, at: Mark) -> Location {
        // Of a whole resource, the line with its logical id.
        let whole = at.line == 0 || at == resource.node.at;
        let at = if whole { resource.node.key } else { at };
        Location {
            address: resource.name.to_owned(),
            file: self.scope.settings.file.clone(),
            line: (at.line > 0).then_some(at.line),
            column: (at.line > 0).then_some(at.column),
        }
    }

    /// Notes where a thing is declared: the place of what matters in it, else of the
    /// whole resource.
    pub(super) fn declare(&mut self, id: &str, resource: &Resource<'_>, at: Mark) {
        let origin = self.origin(resource, at);
        self.draft.declare(id, origin);
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

    /// Tags as an API lists them; a value that is open is left out.
    pub(super) fn tags(list: &Resolved) -> Json {
        let items = list.items().unwrap_or_default();
        let tags = items.into_iter().filter_map(|tag| {
            let (key, value) = (tag.get("Key").known()?, tag.get("Value").known()?);
            Some(json!({"Key": key, "Value": value}))
        });
        tags.collect()
    }
}

/// Text without what is not declared: `null` members go.
pub(super) fn compact(mut value: Json) -> Json {
    if let Json::Object(members) = &mut value {
        members.retain(|_, member| !member.is_null());
    }
    value
}
