//! Where resources, their properties and statements of policies are declared: file, line
//! and address.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalogue::entry;

/// A place in a template or a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Location {
    /// The file, as it was named.
    pub file: String,
    /// Line, from 1; missing in a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column, from 1; missing in a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The logical id (CloudFormation) or the address (Terraform).
    pub address: String,
}

/// Where the things of one rotation are declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// By id, name or ARN, as it stands in the evidence.
    by_id: BTreeMap<String, Location>,
    /// By policy, as findings name it, and the place in it, from 0: its statements.
    statements: BTreeMap<(String, usize), Location>,
    /// By address and path, such as `Environment.Variables.PASSWORD_LENGTH`: properties.
    properties: BTreeMap<(String, String), Location>,
    /// The rotation itself: the place of all that has no other.
    schedule: Location,
}

impl Origins {
    /// No thing but the rotation itself.
    pub fn of_schedule(schedule: Location) -> Self {
        Self { schedule, ..Self::default() }
    }

    /// Notes where a thing is declared, by an id that the evidence has for it.
    pub fn declare(&mut self, id: impl Into<String>, origin: Location) {
        self.by_id.insert(id.into(), origin);
    }

    /// Notes where a statement of a policy is declared: the policy as findings name it,
    /// and its place in the document, from 0.
    pub fn declare_statement(&mut self, policy: impl Into<String>, at: usize, origin: Location) {
        self.statements.insert((policy.into(), at), origin);
    }

    /// Notes where a property of the resource at an origin is declared.
    pub fn declare_property(&mut self, path: &str, origin: Location) {
        self.properties.insert((origin.address.clone(), path.to_owned()), origin);
    }

    /// Where the property is declared that a code is about, else the resource.
    pub fn of_property<'o>(&'o self, code: &str, resource: &'o Location) -> &'o Location {
        let paths = entry(code).map_or(&[][..], |entry| &entry.properties).iter();
        let mut found = paths.filter_map(|path| {
            self.properties.get(&(resource.address.clone(), (*path).to_owned()))
        });
        found.next().unwrap_or(resource)
    }

    /// Where the statement that decides a finding is declared, where it is noted.
    pub fn of_statement(&self, policy: &str, at: usize) -> Option<&Location> {
        self.statements.get(&(policy.to_owned(), at))
    }

    /// Notes that the rotation itself is declared there.
    pub fn set_schedule(&mut self, schedule: Location) {
        self.schedule = schedule;
    }

    /// Where a resource of a finding is declared: the thing of that id, or the one with
    /// the longest id that its words name (`policy of KEY`), else the rotation.
    pub fn of(&self, resource: &str) -> &Location {
        if let Some(origin) = self.by_id.get(resource) {
            return origin;
        }
        let named = self.by_id.iter().filter(|(id, _)| names(resource, id));
        named.max_by_key(|(id, _)| id.len()).map_or(&self.schedule, |(_, origin)| origin)
    }
}

/// Whether the id stands in the words as a whole.
fn names(words: &str, id: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    !id.is_empty()
        && words.match_indices(id).any(|(at, _)| {
            !words[..at].chars().next_back().is_some_and(part)
                && !words[at + id.len()..].chars().next().is_some_and(part)
        })
}

#[cfg(test)]
mod tests {
    use super::{Location, Origins};

    #[test]
    fn a_thing_is_found_by_its_id_in_words_and_else_the_rotation_stands() {
        let at = |address: &str| Location { address: address.to_owned(), ..Location::default() };
        let mut origins = Origins::of_schedule(at("Rotation"));
        origins.declare("Group", at("Group"));
        origins.declare("GroupOfDatabase", at("GroupOfDatabase"));
        let address = |resource: &str| origins.of(resource).address.clone();
        assert_eq!(address("Group"), "Group");
        assert_eq!(address("GroupOfDatabase, rule 2"), "GroupOfDatabase");
        assert_eq!(address("egress of Group"), "Group");
        assert_eq!(address("Groups"), "Rotation", "a part of a word is another thing");
        assert_eq!(address("Group-2"), "Rotation");
        origins.declare_statement("rotation", 1, at("Role"));
        assert_eq!(origins.of_statement("rotation", 1).map(|it| it.address.as_str()), Some("Role"));
        assert_eq!(origins.of_statement("rotation", 0), None);
    }
}
