//! Evidence in the making: the readers of both formats fill in AWS's shapes, fact by
//! fact, and note what the declaration leaves open.

use super::{Declared, Location, Origins, aws::Open};
use crate::{
    evidence::{Evidence, Fact, Gap, Observed, Reason, SCHEMA_VERSION, Time},
    seal::bundle,
};

/// Evidence in the making.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    /// What is declared so far.
    pub(crate) evidence: Evidence,
    /// Where each thing is declared.
    pub(crate) origins: Origins,
}

/// The list or map of a fact. One to which nothing was added is whole and empty, which
/// means absent; a fact that was never begun was not asked for.
pub(crate) fn begin<T: Default>(fact: &mut Observed<T>) -> &mut T {
    if fact.known().is_none() {
        *fact = Observed::Known(T::default());
    }
    match fact {
        Observed::Known(entries) => entries,
        _ => unreachable!("it was set in the line before"),
    }
}

/// The entries of a list fact by now.
pub(crate) fn entries<T>(fact: &Observed<Vec<T>>) -> &[T] {
    fact.known().map_or(&[], Vec::as_slice)
}

impl Draft {
    /// Notes what the declaration leaves open: the id of the resource (empty for a whole
    /// fact), and the reason, such as `parameter SubnetIds has no value`.
    pub(crate) fn gap(&mut self, fact: Fact, resource: &str, reason: impl Into<Open>) {
        self.evidence.gaps.push(Gap {
            fact: fact.name().to_owned(),
            action: String::new(),
            resource: resource.to_owned(),
            reason: Reason::NotDeclared,
            message: reason.into().reason,
        });
    }

    /// Says that what was not begun of these facts is absent: the file declares all of it.
    pub(crate) fn complete(&mut self, facts: &[Fact]) {
        for fact in facts {
            if self.evidence.state(*fact).is_not_asked() {
                self.evidence.set_absent(*fact);
            }
        }
    }

    /// Removes a list of which too little is known; the gap says why.
    pub(crate) fn forget(&mut self, fact: Fact) {
        self.evidence.forget(fact);
    }

    /// Notes where a resource is declared, by an id that the evidence has for it.
    pub(crate) fn declare(&mut self, id: impl Into<String>, origin: Location) {
        self.origins.declare(id, origin);
    }

    /// The evidence as of that time, sealed as every evidence is.
    pub(crate) fn finish(mut self, captured_at: Time) -> Declared {
        self.evidence.schema_version = SCHEMA_VERSION;
        self.evidence.captured_at = captured_at;
        bundle::normalise(&mut self.evidence);
        Declared { evidence: self.evidence, origins: self.origins }
    }
}
