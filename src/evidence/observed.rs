//! What can be known of one fact: its value, its absence, or why it was not
//! seen. Nothing here judges; it only makes the other arms impossible to skip.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Gap;

/// One fact as it was observed.
///
/// In a bundle a known value is written as it is, an absent one as `null`, and
/// the other two by leaving the key out (the reason then stands in `Gaps`).
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Observed<T> {
    /// Looked for and found.
    Known(T),
    /// Looked for, and definitely not there.
    Absent,
    /// Nobody asked for it.
    #[default]
    NotAsked,
    /// Asked for, but it could not be seen.
    NotSeen(Gap),
}

impl<T> Observed<T> {
    /// The value, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    /// The value to change, where it is known.
    pub fn known_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    /// True where a bundle has no key for it: not asked, or not seen.
    pub fn is_unseen(&self) -> bool {
        matches!(self, Self::NotAsked | Self::NotSeen(_))
    }

    /// The same arm, without the value.
    pub fn state(&self) -> Observed<()> {
        match self {
            Self::Known(_) => Observed::Known(()),
            Self::Absent => Observed::Absent,
            Self::NotAsked => Observed::NotAsked,
            Self::NotSeen(gap) => Observed::NotSeen(gap.clone()),
        }
    }

    /// True where nobody asked for it.
    pub fn is_not_asked(&self) -> bool {
        matches!(self, Self::NotAsked)
    }
}

impl<T> From<Option<T>> for Observed<T> {
    /// A definite answer: found, or not there.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Known)
    }
}

impl<T: Serialize> Serialize for Observed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(serializer),
            _ => serializer.serialize_none(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Observed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.into())
    }
}

#[cfg(test)]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Observed<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Option::<T>::json_schema(generator)
    }

    fn inline_schema() -> bool {
        true
    }
}
