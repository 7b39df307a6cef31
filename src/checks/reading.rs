//! A fact as a check reads it: the value is reached only by saying what happens where
//! there is none.

use super::{Missing, Stop};
use crate::evidence::{Fact, Gap, Observed};

/// A fact as a check reads it.
#[derive(Debug)]
pub struct Reading<'a, T> {
    fact: Fact,
    resource: String,
    observed: Visibility<'a, T>,
}

#[derive(Debug)]
enum Visibility<'a, T> {
    Known(&'a T),
    Absent,
    NotAsked,
    NotSeen(&'a Gap),
}

// By hand: `derive` would ask for `T: Clone`.
impl<T> Clone for Visibility<'_, T> {
    fn clone(&self) -> Self {
        match self {
            Self::Known(value) => Self::Known(value),
            Self::Absent => Self::Absent,
            Self::NotAsked => Self::NotAsked,
            Self::NotSeen(gap) => Self::NotSeen(gap),
        }
    }
}

impl<'a, T> Reading<'a, T> {
    pub(super) fn new(fact: Fact, resource: String, observed: &'a Observed<T>) -> Self {
        let observed = match observed {
            Observed::Known(value) => Visibility::Known(value),
            Observed::Absent => Visibility::Absent,
            Observed::NotAsked => Visibility::NotAsked,
            Observed::NotSeen(gap) => Visibility::NotSeen(gap),
        };
        Self { fact, resource, observed }
    }

    /// A fact of which nothing is known but perhaps the gap.
    pub(super) fn unseen(fact: Fact, resource: String, gap: Option<&'a Gap>) -> Self {
        let observed = gap.map_or(Visibility::NotAsked, Visibility::NotSeen);
        Self { fact, resource, observed }
    }

    /// The value; `None` where it is definitely absent.
    ///
    /// # Errors
    /// [`Stop::Inconclusive`] where it was not seen or not asked for.
    pub fn or_absent(&self) -> Result<Option<&'a T>, Stop> {
        match &self.observed {
            Visibility::Known(value) => Ok(Some(value)),
            Visibility::Absent => Ok(None),
            Visibility::NotAsked | Visibility::NotSeen(_) => Err(self.inconclusive()),
        }
    }

    /// The value, where without it the question does not arise.
    ///
    /// # Errors
    /// [`Stop::NotApplicable`] with `why` where it is absent,
    /// [`Stop::Inconclusive`] where it was not seen.
    pub fn or_not_applicable(&self, why: &str) -> Result<&'a T, Stop> {
        self.or_absent()?.ok_or_else(|| Stop::not_applicable(why))
    }

    /// The value where it is known; for facts that only sharpen an answer and
    /// never decide it.
    pub fn if_known(&self) -> Option<&'a T> {
        match self.observed {
            Visibility::Known(value) => Some(value),
            _ => None,
        }
    }

    /// True where the fact was looked for and is not there.
    pub fn is_absent(&self) -> bool {
        matches!(self.observed, Visibility::Absent)
    }

    /// True where the fact was not seen or not asked for.
    pub fn is_unseen(&self) -> bool {
        matches!(self.observed, Visibility::NotAsked | Visibility::NotSeen(_))
    }

    /// True where nobody asked for the fact.
    pub fn is_not_asked(&self) -> bool {
        matches!(self.observed, Visibility::NotAsked)
    }

    /// The stop that says this fact would settle the question.
    pub fn inconclusive(&self) -> Stop {
        Stop::Inconclusive(vec![self.missing()])
    }

    /// This fact as a missing one.
    pub fn missing(&self) -> Missing {
        let (action, resource, reason) = match &self.observed {
            Visibility::NotSeen(gap) => (gap.action.clone(), gap.resource.clone(), gap.words()),
            _ => (String::new(), String::new(), "not asked for".to_owned()),
        };
        let first_action = self.fact.actions()[0];
        Missing {
            fact: self.fact,
            action: if action.is_empty() { first_action.to_owned() } else { action },
            resource: if resource.is_empty() { self.resource.clone() } else { resource },
            reason,
        }
    }
}
