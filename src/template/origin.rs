//! Where a thing is declared, and how a finding gets there. Which things there are is
//! the formats' business.

use std::collections::BTreeMap;

use crate::report::v1::{Location, Report};

/// A place in a template or a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The logical id (CloudFormation) or the address (Terraform).
    pub address: String,
    /// The file, as it was named.
    pub file: String,
    /// Line, from 1; none in a plan.
    pub line: Option<u32>,
    /// Column, from 1; none in a plan.
    pub column: Option<u32>,
}

/// Where the things of one rotation are declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// By id, name or ARN, as it stands in the evidence.
    by_id: BTreeMap<String, Origin>,
    /// By policy, as findings name it, and the place in it, from 0: its statements.
    statements: BTreeMap<(String, usize), Origin>,
    /// The rotation itself: the place of all that has no other.
    schedule: Origin,
}

impl Origins {
    /// No thing but the rotation itself.
    pub fn of_schedule(schedule: Origin) -> Self {
        Self { schedule, ..Self::default() }
    }

    /// Notes where a thing is declared, by an id that the evidence has for it.
    pub fn declare(&mut self, id: impl Into<String>, origin: Origin) {
        self.by_id.insert(id.into(), origin);
    }

    /// Notes where a statement of a policy is declared: the policy as findings name it,
    /// and its place in the document, from 0.
    pub fn declare_statement(&mut self, policy: impl Into<String>, at: usize, origin: Origin) {
        self.statements.insert((policy.into(), at), origin);
    }

    /// Where the statement that decides a finding is declared, where it is noted.
    pub fn of_statement(&self, policy: &str, at: usize) -> Option<&Origin> {
        self.statements.get(&(policy.to_owned(), at))
    }

    /// Notes that the rotation itself is declared there.
    pub fn set_schedule(&mut self, schedule: Origin) {
        self.schedule = schedule;
    }

    /// Where a resource of a finding is declared: the thing of that id, or the one with
    /// the longest id that its words name (`policy of KEY`), else the rotation.
    pub fn of(&self, resource: &str) -> &Origin {
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

/// Puts into a report where each finding is declared, and takes out the commands: what
/// is not deployed is mended in the file.
pub fn locate(report: &mut Report, origins: &Origins) {
    let causes = report.causes.iter_mut().map(|cause| &mut cause.finding);
    for finding in causes.chain(&mut report.findings) {
        let statement = finding.statement.as_ref();
        let statement = statement.and_then(|it| origins.of_statement(&it.policy, it.index?));
        let origin = statement.unwrap_or_else(|| origins.of(&finding.resource));
        finding.location = Some(Location {
            file: origin.file.clone(),
            line: origin.line,
            column: origin.column,
            address: origin.address.clone(),
        });
        finding.confirm.clear();
        for fix in &mut finding.fixes {
            fix.commands.clear();
            fix.rollback.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Origin, Origins};

    #[test]
    fn a_thing_is_found_by_its_id_in_words_and_else_the_rotation_stands() {
        let at = |address: &str| Origin { address: address.to_owned(), ..Origin::default() };
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
