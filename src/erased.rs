//! Reading into this crate's own types through `dyn Deserializer`. Every kind of
//! deserializer (JSON values, TOML, a path-tracking one) would otherwise be
//! compiled once more against every type; this way each type is compiled once.

use erased_serde::{Deserializer, Error};
use serde::de::{self, DeserializeOwned};
use serde_json::Value;

/// Reads a `T` from any deserializer.
///
/// # Errors
/// Those of the deserializer and of `T`, in the deserializer's own words.
pub(crate) fn read<'de, T: DeserializeOwned>(
    deserializer: impl de::Deserializer<'de>,
) -> Result<T, Error> {
    erased_serde::deserialize(&mut <dyn Deserializer<'_>>::erase(deserializer))
}

/// Reads a `T` from JSON, as `serde_json::from_value` does.
///
/// # Errors
/// The value is no `T`.
pub(crate) fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    read(value)
}
