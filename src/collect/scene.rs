//! What is known so far in a run: the evidence, and the few notes that later
//! waves need and no bundle holds. Waves read it; what they find is patched in
//! between two waves.

use std::collections::{BTreeMap, BTreeSet};

use super::{failure::Failure, request::Request};
use crate::{
    evidence::{Evidence, Fact, Gap, Observed, Reason},
    package::Archive,
};

/// Puts what a call found into the scene.
pub(super) type Patch = Box<dyn FnOnce(&mut Scene)>;
/// What a call ends with.
pub(super) type PatchResult = Result<Patch, Failure>;

/// Boxes what a call found.
#[allow(clippy::unnecessary_wraps)] // every call ends in this line
pub(super) fn patch(patch: impl FnOnce(&mut Scene) + 'static) -> PatchResult {
    Ok(Box::new(patch))
}

/// A transit gateway route table that an attachment of ours is associated with.
#[derive(Debug, Default)]
pub(super) struct Association {
    pub(super) transit_gateway_id: Option<String>,
    pub(super) attachments: Vec<String>,
}

/// A log stream to read.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) name: String,
    /// Milliseconds since 1970.
    pub(super) last_event: Option<i64>,
}

/// What stands in the place of one function and one database, where the network of
/// many is read at once.
#[derive(Debug)]
pub(super) struct Many {
    /// The subnets of all functions.
    pub(super) subnets: Vec<String>,
    /// The VPCs of all functions, as their configurations say.
    pub(super) function_vpcs: Vec<String>,
    /// The VPCs of all databases that matter.
    pub(super) database_vpcs: Vec<String>,
}

pub(super) struct Scene {
    pub(super) evidence: Evidence,
    /// Set where the network of many functions is read at once.
    pub(super) many: Option<Many>,
    /// The facts to collect, inputs included.
    pub(super) wanted: BTreeSet<Fact>,
    pub(super) secret_id: String,
    pub(super) read_secret: bool,
    pub(super) since: Option<crate::evidence::Time>,
    pub(super) db_host: Option<String>,
    /// By transit gateway route table.
    pub(super) associations: BTreeMap<String, Association>,
    /// Why the associations are not known; a gap only if there are attachments.
    pub(super) associations_failure: Option<Failure>,
    /// Why the function came without its tags.
    pub(super) tags_failure: Option<String>,
    pub(super) streams: Vec<Stream>,
    /// Where the function's code is. A signed URL: it is a secret.
    pub(super) code_location: Option<String>,
    /// Archives of the function that were read.
    pub(super) archives: Vec<Archive>,
    /// What was asked about, so that no later wave repeats it.
    pub(super) asked: BTreeSet<(Fact, String)>,
}

impl Scene {
    pub(super) fn new(request: &Request, wanted: BTreeSet<Fact>, evidence: Evidence) -> Self {
        Self {
            evidence,
            many: None,
            wanted,
            secret_id: request.secret.clone(),
            read_secret: request.read_secret,
            since: request.since,
            db_host: request.database.as_ref().map(|database| database.host.to_ascii_lowercase()),
            associations: BTreeMap::new(),
            associations_failure: None,
            tags_failure: None,
            streams: Vec::new(),
            code_location: None,
            archives: Vec::new(),
            asked: BTreeSet::new(),
        }
    }

    /// Notes that a fact could not be seen, or not whole.
    pub(super) fn gap(
        &mut self,
        fact: Fact,
        action: &str,
        resource: &str,
        reason: Reason,
        message: &str,
    ) {
        self.evidence.add_gap(Gap {
            fact: fact.name().to_owned(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            reason,
            message: message.to_owned(),
        });
    }

    /// Notes what a failed call means for a fact.
    pub(super) fn failed(&mut self, fact: Fact, action: &str, resource: &str, failure: &Failure) {
        match failure {
            Failure::Absent if fact.is_of_a_key() => self.evidence.set_key_absent(fact, resource),
            // What another call already found does not vanish.
            Failure::Absent if !self.evidence.state(fact).is_not_asked() => {}
            Failure::Absent => self.evidence.set_absent(fact),
            Failure::Refused { action: other, message, .. } => {
                let action = other.as_deref().unwrap_or(action).to_owned();
                self.gap(fact, &action, resource, failure.reason(), message);
            }
            Failure::Unreadable(_) => {
                self.gap(fact, action, resource, failure.reason(), failure.message());
            }
        }
    }

    /// The rotation function's ARN without its qualifier, and the qualifier.
    pub(super) fn function(&self) -> Option<(String, Option<String>)> {
        Some(qualified(self.evidence.secret.known()?.rotation_lambda_arn.as_deref()?))
    }

    /// The rotation function's name, out of its ARN.
    pub(super) fn function_name(&self) -> Option<String> {
        let (arn, _) = self.function()?;
        Some(arn.rsplit(':').next().unwrap_or(&arn).to_owned())
    }

    /// The execution role's ARN, with its path where GetRole was seen.
    pub(super) fn role_arn(&self) -> Option<String> {
        let role = self.evidence.role.known().and_then(|role| role.arn.clone());
        role.or_else(|| self.evidence.function.known()?.configuration.role.clone())
    }

    /// The execution role's name; a role's path is not part of it.
    pub(super) fn role_name(&self) -> Option<String> {
        let arn = self.evidence.function.known()?.configuration.role.as_deref()?;
        Some(arn.rsplit('/').next().unwrap_or(arn).to_owned())
    }
}

/// A function's ARN without its qualifier, and the qualifier; a name as it is.
pub(super) fn qualified(function: &str) -> (String, Option<String>) {
    let parts: Vec<&str> = function.splitn(8, ':').collect();
    match parts.as_slice() {
        [arn @ .., qualifier] if parts.len() == 8 => (arn.join(":"), Some((*qualifier).to_owned())),
        _ => (function.to_owned(), None),
    }
}

/// Adds to a list that several calls fill.
pub(super) fn extend<T>(fact: &mut Observed<Vec<T>>, items: Vec<T>) {
    match fact {
        Observed::Known(list) => list.extend(items),
        _ => *fact = Observed::Known(items),
    }
}
