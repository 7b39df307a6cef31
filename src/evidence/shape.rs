//! The macro behind the AWS shapes: every field may be missing or null, and
//! what is unset is not written. No shape is defined here.

use serde::{Deserialize, Deserializer};

/// Defines structs in AWS's JSON spelling (PascalCase unless a field says
/// otherwise), tolerant of missing keys and of `null`.
macro_rules! shapes {
    ($( $(#[$meta:meta])* $name:ident { $( $(#[$field_meta:meta])* $field:ident : $type:ty ),* $(,)? } )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "PascalCase", default)]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(
                    skip_serializing_if = "crate::evidence::shape::is_unset",
                    deserialize_with = "crate::evidence::shape::null_is_unset"
                )]
                pub $field: $type,
            )*
        }
    )*};
}
pub(super) use shapes;

pub(super) fn is_unset<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub(super) fn null_is_unset<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
