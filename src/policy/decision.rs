//! A decision and what proves it: the words for `decide.rs`'s results.

use super::{
    document::Effect,
    failure::Failure,
    request::{Layer, Quote, Unseen},
};

/// What was decided, and by what.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Allowed or denied; with doubts, the way it leans.
    pub effect: Effect,
    /// How it was denied.
    pub kind: Option<DenyKind>,
    /// The statements that decided; two where one delegates to the other. Empty
    /// where nothing comes near: then `layer` has no statement for it.
    pub decisive: Vec<Decisive>,
    /// The layer that decided, and what its statements do there.
    pub layer: Layer,
    /// What the decisive statements do.
    pub role: StatementRole,
    /// What could turn it round, had it been seen. Empty: it is certain.
    pub doubts: Vec<Doubt>,
    /// What is never visible from inside an account and was not given.
    pub not_evaluated: Vec<Layer>,
}

/// How a request was denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenyKind {
    /// A statement denies it.
    Explicit,
    /// Nothing allows it.
    Implicit,
    /// It is authorised, but the key's state makes it fail.
    KeyState,
}

impl DenyKind {
    /// The short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Explicit => "explicit",
            Self::Implicit => "implicit",
            Self::KeyState => "key_state",
        }
    }
}

/// What the decisive statements do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementRole {
    /// They allow.
    Allow,
    /// It denies.
    Deny,
    /// It is the closest to allowing.
    NearMiss,
    /// There is none.
    Absent,
}

impl StatementRole {
    /// The short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::NearMiss => "near_miss",
            Self::Absent => "absent",
        }
    }
}

/// A statement that decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Decisive {
    /// Its layer.
    pub layer: Layer,
    /// The statement.
    pub quote: Quote,
    /// Of a near miss, where it failed.
    pub failure: Option<Failure>,
}

/// What could turn a decision round.
#[derive(Clone, Debug, PartialEq)]
pub struct Doubt {
    /// The layer.
    pub layer: Layer,
    /// The statement that may or may not match.
    pub quote: Option<Quote>,
    /// Why it cannot be told.
    pub why: DoubtReason,
}

/// Why something cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DoubtReason {
    /// A policy, grant list or state that was not seen.
    Unseen(Unseen),
    /// A condition key whose value was not seen, or whose use here AWS does not
    /// document.
    Key(String),
    /// A principal that AWS does not say how it treats here.
    Principal,
    /// A resource with a variable whose value was not seen.
    Resource,
    /// How a grant and a boundary or session policy work together is not documented.
    GrantUnderBoundary,
}

impl Decision {
    /// Whether it is allowed for sure.
    pub fn is_allowed(&self) -> bool {
        self.effect == Effect::Allow && self.is_certain()
    }

    /// Whether it is denied for sure.
    pub fn is_denied(&self) -> bool {
        self.effect == Effect::Deny && self.is_certain()
    }

    /// Whether nothing that was not seen could turn it round.
    pub fn is_certain(&self) -> bool {
        self.doubts.is_empty()
    }

    /// Where the near miss failed.
    pub fn failure(&self) -> Option<&Failure> {
        self.decisive.iter().find_map(|decisive| decisive.failure.as_ref())
    }

    /// The facts that would settle it.
    pub fn unseen(&self) -> impl Iterator<Item = &Unseen> {
        self.doubts.iter().filter_map(|doubt| match &doubt.why {
            DoubtReason::Unseen(unseen) => Some(unseen),
            _ => None,
        })
    }

    /// One sentence: what decided, with the statement's name.
    pub fn words(&self, action: &str, resource: &str) -> String {
        let quotes: Vec<String> =
            self.decisive.iter().map(|decisive| decisive.quote.words()).collect();
        let quotes = quotes.join(" together with ");
        let (may, layer) = (if self.is_certain() { "" } else { "probably " }, self.layer.words());
        match (self.role, self.kind) {
            (StatementRole::Allow, _) => {
                format!("{action} on {resource} is {may}allowed by {quotes}")
            }
            (_, Some(DenyKind::KeyState)) => {
                format!("{action} is authorised, but the key {resource} is {quotes}")
            }
            (StatementRole::Deny, _) => {
                format!("{action} on {resource} is {may}denied by {quotes} ({layer})")
            }
            (StatementRole::NearMiss, _) => {
                let failure = self.failure().map(Failure::words).unwrap_or_default();
                format!(
                    "{action} on {resource} is {may}not allowed by the {layer}: {quotes} is the closest match; {failure}"
                )
            }
            (StatementRole::Absent, _) => format!(
                "{action} on {resource} is {may}not allowed: no statement of the {layer} is about it"
            ),
        }
    }
}
