//! Three-valued truth (Kleene): what a statement says about a request when a
//! part of either could not be seen. No policy term lives here.

/// Yes, no, or it cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tri {
    /// Does not match.
    No,
    /// Cannot be told: something was not seen, or AWS does not document it.
    Unknown,
    /// Matches.
    Yes,
}

impl Tri {
    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// The opposite; unknown stays unknown.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }

    /// All of them; yes for none.
    pub(super) fn all(values: impl Iterator<Item = Self>) -> Self {
        fold(values, Self::Yes, Self::and, Self::No)
    }

    /// Any of them; no for none.
    pub(super) fn any(values: impl Iterator<Item = Self>) -> Self {
        fold(values, Self::No, Self::or, Self::Yes)
    }
}

/// Folds and stops at the value that decides.
fn fold(
    values: impl Iterator<Item = Tri>,
    start: Tri,
    join: impl Fn(Tri, Tri) -> Tri,
    decided: Tri,
) -> Tri {
    let mut result = start;
    for value in values {
        result = join(result, value);
        if result == decided {
            break;
        }
    }
    result
}

impl From<bool> for Tri {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}

#[cfg(test)]
mod tests {
    use super::Tri::{self, No, Unknown, Yes};

    #[test]
    fn unknown_yields_to_what_decides_and_survives_the_rest() {
        assert_eq!(Unknown.and(No), No);
        assert_eq!(Unknown.or(Yes), Yes);
        assert_eq!(Unknown.and(Yes), Unknown);
        assert_eq!(Unknown.or(No), Unknown);
        assert_eq!(Unknown.negate(), Unknown);
        assert_eq!(Tri::all([].into_iter()), Yes);
        assert_eq!(Tri::any([].into_iter()), No);
        assert_eq!(Tri::any([Unknown, No, Yes].into_iter()), Yes);
        assert_eq!(Tri::all([Yes, Unknown].into_iter()), Unknown);
    }
}
