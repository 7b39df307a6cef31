//! What the Allow statements of a list of policies come to, and why it is unknown whether one
//! of them matches.

use std::sync::Arc;

use super::{
    decision::{Doubt, DoubtReason},
    document::{Effect, Policy, Statement},
    judge::Judge,
    request::{Layer, Quote, Unseen},
    statement::{Element, Reading},
    tri::Tri,
};

/// A statement that was found, with its policy.
#[derive(Clone, Copy)]
pub(super) struct MatchedStatement<'a> {
    pub(super) policy: &'a Policy,
    pub(super) statement: &'a Statement,
}

impl MatchedStatement<'_> {
    pub(super) fn quote(&self) -> Quote {
        Quote {
            policy: self.policy.name().to_owned(),
            index: Some(self.statement.index),
            sid: self.statement.sid.clone(),
            source: Arc::clone(self.statement.source()),
        }
    }
}

/// What a layer's Allow statements come to.
#[derive(Clone, Copy, Default)]
pub(super) struct Allowed<'a> {
    pub(super) yes: Option<MatchedStatement<'a>>,
    pub(super) maybe: Option<MatchedStatement<'a>>,
    pub(super) unseen: Option<&'a Unseen>,
}

impl<'a> Allowed<'a> {
    pub(super) fn value(&self) -> Tri {
        match self {
            Self { yes: Some(_), .. } => Tri::Yes,
            Self { maybe: None, unseen: None, .. } => Tri::No,
            _ => Tri::Unknown,
        }
    }

    pub(super) fn found(&self) -> Option<MatchedStatement<'a>> {
        self.yes.or(self.maybe)
    }

    pub(super) fn note(&mut self, value: Tri, found: MatchedStatement<'a>) {
        match value {
            Tri::Yes => self.yes = self.yes.or(Some(found)),
            Tri::Unknown => self.maybe = self.maybe.or(Some(found)),
            Tri::No => {}
        }
    }
}

impl<'a> Judge<'a> {
    /// Why a statement can be told neither to match nor not to.
    pub(super) fn doubt(
        &self,
        layer: Layer,
        reading: Reading,
        found: MatchedStatement<'_>,
    ) -> Doubt {
        let why = match found.statement.first_miss(&self.asked, reading) {
            Some((Element::Condition, _, Some(condition))) => {
                DoubtReason::Key(condition.key.clone())
            }
            Some((Element::Resource, ..)) => DoubtReason::Resource,
            _ => DoubtReason::Principal,
        };
        Doubt { layer, quote: Some(found.quote()), why }
    }

    /// What the Allow statements of one list of policies come to.
    pub(super) fn allowed(&self, policies: &'a [Arc<Policy>], reading: Reading) -> Allowed<'a> {
        let mut allowed = Allowed::default();
        for policy in policies {
            for statement in policy.statements.iter().filter(|s| s.effect == Effect::Allow) {
                let value = statement.applies(&self.asked, reading).0;
                allowed.note(value, MatchedStatement { policy, statement });
                if allowed.yes.is_some() {
                    return allowed;
                }
            }
        }
        allowed
    }

    pub(super) fn doubts(
        &self,
        layer: Layer,
        reading: Reading,
        allowed: &Allowed<'_>,
    ) -> Vec<Doubt> {
        let statement = allowed.maybe.map(|found| self.doubt(layer, reading, found));
        let unseen = allowed.unseen.map(|unseen| Doubt {
            layer,
            quote: None,
            why: DoubtReason::Unseen(unseen.clone()),
        });
        statement.into_iter().chain(unseen).collect()
    }
}
