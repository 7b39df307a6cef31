//! A plan at one place: its resources, the ids that they will have, and what refers to
//! what. There is one world for each region.

use serde_json::Value;

use super::{
    place::holds,
    plan::Plan,
    references::{Scope, Target, expressions, targets},
    resource::Resource,
    value::{at, items},
};
use crate::template::{
    Draft, Location,
    aws::{Place, Setting},
};

/// Ids that lead from one to the next further than this go round in a circle.
const LONGEST_CHAIN: u8 = 8;

/// What makes a VPC.
const VPCS: [&str; 2] = ["aws_vpc", "aws_default_vpc"];

/// A plan at a place.
pub(super) struct World<'p> {
    pub(super) plan: &'p Plan,
    pub(super) place: Place,
    /// The file, as it was named.
    pub(super) file: &'p str,
}

impl<'p> World<'p> {
    /// The resources of some kinds, data sources among them, at this place.
    pub(super) fn of<'s>(
        &'s self,
        kinds: &'s [&str],
    ) -> impl Iterator<Item = &'p Resource> + use<'p, 's> {
        self.plan
            .resources
            .iter()
            .filter(|one| kinds.contains(&one.kind.as_str()))
            .filter(|one| holds(&self.place, one))
    }

    /// The resources of some kinds that the plan makes or keeps.
    pub(super) fn created<'s>(
        &'s self,
        kinds: &'s [&str],
    ) -> impl Iterator<Item = &'p Resource> + use<'p, 's> {
        self.of(kinds).filter(|one| !one.data)
    }

    /// Where a resource is declared.
    pub(super) fn origin(&self, resource: &Resource) -> Location {
        Location {
            address: resource.address.clone(),
            file: self.file.to_owned(),
            line: None,
            column: None,
        }
    }

    /// Notes where the thing with an id is declared.
    pub(super) fn declare(&self, draft: &mut Draft, id: &str, resource: &Resource) {
        draft.declare(id, self.origin(resource));
    }

    /// The text at a path: as known, else what its expression refers to.
    pub(super) fn id(&self, resource: &'p Resource, path: &str) -> Setting<String> {
        self.id_after(resource, path, "id", 0)
    }

    /// As [`Self::id`], where an instance without an attribute stands for its ARN.
    pub(super) fn arn_in(&self, resource: &'p Resource, path: &str) -> Setting<String> {
        self.id_after(resource, path, "arn", 0)
    }

    fn id_after(
        &self,
        resource: &'p Resource,
        path: &str,
        wanted: &str,
        depth: u8,
    ) -> Setting<String> {
        let open = match resource.text(path) {
            Setting::Open(open) => open,
            seen => return seen,
        };
        let found = self.candidates(resource, path, wanted, depth);
        let only = found.and_then(|mut found| found.ids.pop().filter(|_| found.ids.is_empty()));
        // Modules for networks hand their VPC on through a local value, which no plan shows.
        let new = || (path == "vpc_id").then(|| self.only_new(&VPCS)).flatten();
        only.or_else(new).map_or(Setting::Open(open), Setting::Known)
    }

    /// The texts of a list at a path. Open where one of them is.
    pub(super) fn ids(&self, resource: &'p Resource, path: &str) -> Setting<Vec<String>> {
        self.list(resource, path, "id")
    }

    /// As [`Self::ids`], where an instance without an attribute stands for its ARN.
    pub(super) fn arns_in(&self, resource: &'p Resource, path: &str) -> Setting<Vec<String>> {
        self.list(resource, path, "arn")
    }

    fn list(&self, resource: &'p Resource, path: &str, wanted: &str) -> Setting<Vec<String>> {
        let open = match resource.texts(path) {
            Setting::Open(open) => open,
            seen => return seen,
        };
        let Some(found) = self.candidates(resource, path, wanted, 0) else {
            return Setting::Open(open);
        };
        // Of a list that is known in part, what is missing must be just what it refers to.
        let unknown = resource.unknown_items(path);
        let missing = unknown.iter().filter(|unknown| **unknown).count();
        let known = items(at(&resource.values, path)).iter().zip(&unknown);
        let mut ids: Vec<String> = known
            .filter(|(_, unknown)| !**unknown)
            .filter_map(|(value, _)| value.as_str().map(str::to_owned))
            .collect();
        let certain = match missing {
            0 => found.ids.len() == 1 && !found.may_have_more || found.is_plain,
            _ => found.ids.iter().filter(|id| !ids.contains(id)).count() == missing,
        };
        if !certain || found.ids.is_empty() {
            return Setting::Open(open);
        }
        ids.extend(found.ids.into_iter().filter(|id| !ids.contains(id)).collect::<Vec<_>>());
        Setting::Known(ids)
    }

    /// The ids that an expression refers to; `None` where one of them cannot be told.
    fn candidates(
        &self,
        resource: &'p Resource,
        path: &str,
        wanted: &str,
        depth: u8,
    ) -> Option<Candidates> {
        if depth > LONGEST_CHAIN {
            return None;
        }
        let mut found = Candidates { ids: Vec::new(), may_have_more: false, is_plain: true };
        for target in self.targets(resource, path) {
            match target {
                Target::Attribute(other, attribute) => {
                    let attribute = attribute.as_deref().unwrap_or(wanted);
                    if std::ptr::eq(other, resource) && attribute == path {
                        return None;
                    }
                    let id = self.attribute(other, attribute, depth + 1).known()?;
                    if !found.ids.contains(&id) {
                        found.ids.push(id);
                    }
                }
                // A value that is known makes no unknown one: it decides, or it is one
                // of a list.
                Target::Given(Value::String(_)) => {
                    found.may_have_more = true;
                    found.is_plain = false;
                }
                Target::Given(Value::Array(list)) => {
                    found.may_have_more |= !list.is_empty();
                    found.is_plain = false;
                }
                Target::Given(_) => found.is_plain = false,
                Target::Hidden => return None,
            }
        }
        Some(found)
    }

    /// What the expression at a path refers to.
    pub(super) fn targets(&self, resource: &'p Resource, path: &str) -> Vec<Target<'p>> {
        let scope = Scope {
            modules: &resource.modules,
            key: resource.key.as_deref(),
            for_each: &self.plan.configuration(resource)["for_each_expression"],
        };
        let all = expressions(self.plan, resource, path);
        if all.is_empty() {
            return vec![Target::Hidden];
        }
        all.into_iter().flat_map(|one| targets(self.plan, scope, one, 0)).collect()
    }

    /// The ids of the resources of some kinds that an expression names; `None` where
    /// something that it names does not show.
    pub(super) fn ids_of_kinds(
        &self,
        resource: &'p Resource,
        path: &str,
        kinds: &[&str],
    ) -> Option<Vec<String>> {
        let mut found = Vec::new();
        for target in self.targets(resource, path) {
            match target {
                Target::Attribute(other, _) if kinds.contains(&other.kind.as_str()) => {
                    let id = self.own_id(other, "id")?;
                    if !found.contains(&id) {
                        found.push(id);
                    }
                }
                Target::Hidden => return None,
                Target::Attribute(..) | Target::Given(_) => {}
            }
        }
        Some(found)
    }

    /// The resources that the expression at a path names, whatever else it names.
    pub(super) fn named(&self, resource: &'p Resource, path: &str) -> Vec<&'p Resource> {
        let mut found: Vec<&Resource> = Vec::new();
        for target in self.targets(resource, path) {
            if let Target::Attribute(other, _) = target
                && !found.iter().any(|one| std::ptr::eq(*one, other))
            {
                found.push(other);
            }
        }
        found
    }

    /// An attribute of an instance as the evidence names it.
    pub(super) fn attribute(
        &self,
        resource: &'p Resource,
        attribute: &str,
        depth: u8,
    ) -> Setting<String> {
        match self.own_id(resource, attribute) {
            Some(id) => Setting::Known(id),
            None => self.id_after(resource, attribute, "id", depth),
        }
    }

    /// The resource of some kinds that an id names.
    pub(super) fn called<'s>(&'s self, kinds: &'s [&str], id: &str) -> Option<&'p Resource> {
        self.of(kinds).find(|one| self.is_called(one, id))
    }

    /// The id of the only resource of some kinds that has none yet: an id of theirs that
    /// is not known yet can be no other.
    pub(super) fn only_new(&self, kinds: &[&str]) -> Option<String> {
        let of_kind = self.plan.resources.iter().filter(|one| kinds.contains(&one.kind.as_str()));
        let mut new = of_kind.filter(|one| one.is_unknown("id"));
        match (new.next(), new.next()) {
            (Some(one), None) if !one.data => Some(self.physical(one)),
            _ => None,
        }
    }

    /// Whether an id is one of a resource's.
    pub(super) fn is_called(&self, resource: &'p Resource, id: &str) -> bool {
        !id.is_empty()
            && ["id", "arn", "name", "function_name", "identifier", "key_id"]
                .iter()
                .filter_map(|attribute| self.own_id(resource, attribute))
                .any(|own| own == id)
    }

    /// How many blocks of a name there are. Blocks that AWS would tell and that the
    /// configuration does not name are none.
    pub(super) fn blocks(&self, resource: &Resource, path: &str) -> Setting<usize> {
        if self.is_left_to_aws(resource, path) { Setting::Absent } else { resource.blocks(path) }
    }

    /// Whether a value is unknown because nothing in the configuration says it.
    pub(super) fn is_left_to_aws(&self, resource: &Resource, path: &str) -> bool {
        let said = |path: &str| !expressions(self.plan, resource, path).is_empty();
        resource.is_unknown(path)
            && self.plan.configuration(resource)["expressions"].is_object()
            && !said(path)
            // Of a block that is not written out, nothing shows what it says.
            && path.rsplit_once('.').is_none_or(|(block, _)| said(block))
    }
}

/// What an expression may come to.
struct Candidates {
    ids: Vec<String>,
    /// Whether there may be known ones beside these.
    may_have_more: bool,
    /// Whether it names nothing but these: no variable that may choose among them.
    is_plain: bool,
}
