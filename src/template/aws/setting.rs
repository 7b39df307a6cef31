//! A value as a file declares it: known, absent, or left open.

/// Why a value is left open, and what represents it in the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    /// What stands in its place, the same wherever the same value is meant: `${VpcId}`.
    /// Empty where nothing may stand for it.
    pub(crate) token: String,
    /// Why, such as `parameter VpcId has no value`.
    pub(crate) reason: String,
}

impl Open {
    /// A value that has a name, such as that of a parameter.
    pub(crate) fn named(name: &str, reason: impl Into<String>) -> Self {
        let plain = name.replace("::", ".").replace(':', ".").replace(['{', '}', '$'], "");
        Self { token: format!("${{{plain}}}"), reason: reason.into() }
    }
}

impl From<String> for Open {
    fn from(reason: String) -> Self {
        Self { token: String::new(), reason }
    }
}

impl From<&str> for Open {
    fn from(reason: &str) -> Self {
        Self::from(reason.to_owned())
    }
}

impl From<&Open> for Open {
    fn from(open: &Self) -> Self {
        open.clone()
    }
}

/// What a file says of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Setting<T> {
    /// The value.
    Known(T),
    /// Nothing: AWS's default holds.
    Absent,
    /// It will have a value, which the file does not decide.
    Open(Open),
}

impl<T> Setting<T> {
    /// The value, where it is known.
    pub(crate) fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Setting<U> {
        match self {
            Self::Known(value) => Setting::Known(change(value)),
            Self::Absent => Setting::Absent,
            Self::Open(open) => Setting::Open(open),
        }
    }

    /// The same, read further.
    pub(crate) fn and_then<U>(self, read: impl FnOnce(T) -> Setting<U>) -> Setting<U> {
        match self {
            Self::Known(value) => read(value),
            Self::Absent => Setting::Absent,
            Self::Open(open) => Setting::Open(open),
        }
    }

    /// The value, if there is one.
    ///
    /// # Errors
    /// Why it is open.
    pub(crate) fn settled(self) -> Result<Option<T>, Open> {
        match self {
            Self::Known(value) => Ok(Some(value)),
            Self::Absent => Ok(None),
            Self::Open(open) => Err(open),
        }
    }
}

impl Setting<String> {
    /// The text, or the token of one that is open.
    pub(crate) fn or_token(self) -> Option<String> {
        match self {
            Self::Known(text) => Some(text),
            Self::Absent => None,
            Self::Open(open) => Some(open.token).filter(|token| !token.is_empty()),
        }
    }
}

impl<T> From<Option<T>> for Setting<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Known)
    }
}

impl<T> From<Result<Option<T>, Open>> for Setting<T> {
    fn from(read: Result<Option<T>, Open>) -> Self {
        match read {
            Ok(value) => value.into(),
            Err(open) => Self::Open(open),
        }
    }
}
