//! How a shape of the evidence is declared, read and written: every field may be missing
//! or null, and what is unset is not written. No shape is defined here.
//!
//! Both ways are a table of fields and one loop for all shapes. What `derive` writes
//! instead, two functions for each, was a fortieth of the binary.

use std::fmt;

use serde::{
    Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _, MapAccess, Visitor},
    ser::SerializeMap as _,
};
use serde_json::Value;

use crate::json;

/// Defines structs in AWS's JSON spelling (PascalCase, or the spelling that stands
/// behind `as`), tolerant of missing keys and of `null`.
macro_rules! shapes {
    ($( $(#[$meta:meta])* $name:ident {
        $( $(#[$field_meta:meta])* $field:ident $(as $spelled:literal)? : $type:ty ),* $(,)?
    } )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[cfg_attr(test, schemars(rename_all = "PascalCase", default))]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[cfg_attr(test, schemars(
                    skip_serializing_if = "crate::evidence::shape::writing::is_unset"
                    $(, rename = $spelled)?
                ))]
                pub $field: $type,
            )*
        }

        crate::evidence::shape::by_field! {
            $name { $( $field $($spelled)? => unless_null, unless_unset, )* }
        }
    )*};
}
pub(super) use shapes;

/// Reads and writes a struct by a table of its fields. Behind each field stands how it
/// is read, and how it is written.
macro_rules! by_field {
    ($name:ident { $( $field:ident $($spelled:literal)? => $read:ident, $write:ident, )* }) => {
        crate::evidence::shape::fields! {
            $name { $( $field $($spelled)? => $read, $write, )* }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::evidence::shape::read(deserializer, Self::default(), None)
            }
        }
    };
}
pub(super) use by_field;

/// The same for what [`read`] does not begin with the defaults.
macro_rules! fields {
    ($name:ident { $( $field:ident $($spelled:literal)? => $read:ident, $write:ident, )* }) => {
        impl crate::evidence::shape::Shape for $name {
            const NAME: &'static str = concat!("struct ", stringify!($name));
            const FIELDS: &'static [crate::evidence::shape::Field<Self>] = &[$(
                crate::evidence::shape::Field {
                    name: stringify!($field),
                    spelled: crate::evidence::shape::spelled!($($spelled)?),
                    read: |shape, value| {
                        crate::evidence::shape::reading::$read(&mut shape.$field, value)
                    },
                    write: |shape| crate::evidence::shape::writing::$write(&shape.$field),
                },
            )*];
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                crate::evidence::shape::write(serializer, self)
            }
        }
    };
}
pub(super) use fields;

macro_rules! spelled {
    () => {
        None
    };
    ($spelled:literal) => {
        Some($spelled)
    };
}
pub(super) use spelled;

/// A struct that is read field by field.
pub(super) trait Shape: Sized + 'static {
    /// What an error says was expected.
    const NAME: &'static str;
    /// Everything that is read.
    const FIELDS: &'static [Field<Self>];
}

/// One field of a [`Shape`].
pub(super) struct Field<S> {
    /// As Rust spells it.
    pub(super) name: &'static str,
    /// As AWS spells it, where that is not the name in PascalCase.
    pub(super) spelled: Option<&'static str>,
    /// Reads the value into the field.
    pub(super) read: fn(&mut S, Value) -> Result<(), serde_json::Error>,
    /// The field's value; `None` where it is not written.
    pub(super) write: fn(&S) -> Result<Option<Value>, serde_json::Error>,
}

impl<S> Field<S> {
    /// As AWS spells it.
    fn key(&self) -> String {
        self.spelled.map_or_else(|| pascal_case(self.name).collect(), str::to_owned)
    }

    fn is(&self, key: &str) -> bool {
        self.spelled
            .map_or_else(|| pascal_case(self.name).eq(key.chars()), |spelled| spelled == key)
    }
}

/// A name as serde's `PascalCase` writes it: `vpc_id` is `VpcId`.
fn pascal_case(name: &str) -> impl Iterator<Item = char> {
    name.split('_').flat_map(|word| {
        let letter = word.chars().next().map(|letter| letter.to_ascii_uppercase());
        letter.into_iter().chain(word.chars().skip(1))
    })
}

/// Reads what an object says of a shape; keys that no field has are passed over.
///
/// # Errors
/// No object, a value that is not of its field's type, or `required` is not among the
/// keys.
pub(super) fn read<'de, D: Deserializer<'de>, S: Shape>(
    deserializer: D,
    shape: S,
    required: Option<&'static str>,
) -> Result<S, D::Error> {
    struct Fields<S> {
        shape: S,
        missing: Option<&'static str>,
    }

    impl<'de, S: Shape> Visitor<'de> for Fields<S> {
        type Value = S;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str(S::NAME)
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<S, A::Error> {
            while let Some((key, value)) = object.next_entry::<String, Value>()? {
                self.missing = self.missing.filter(|missing| *missing != key);
                if let Some(field) = S::FIELDS.iter().find(|field| field.is(&key)) {
                    (field.read)(&mut self.shape, value).map_err(A::Error::custom)?;
                }
            }
            self.missing.map_or(Ok(self.shape), |key| Err(A::Error::missing_field(key)))
        }
    }

    deserializer.deserialize_map(Fields { shape, missing: required })
}

/// Writes a shape as an object.
pub(super) fn write<S: Serializer, T: Shape>(serializer: S, shape: &T) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_map(None)?;
    for field in T::FIELDS {
        if let Some(value) = (field.write)(shape).map_err(serde::ser::Error::custom)? {
            object.serialize_entry(&field.key(), &value)?;
        }
    }
    object.end()
}

/// How one field is read.
pub(super) mod reading {
    use super::{DeserializeOwned, Value, json};

    /// `null` is a value of its own.
    pub(in crate::evidence) fn always<T: DeserializeOwned>(
        field: &mut T,
        value: Value,
    ) -> Result<(), serde_json::Error> {
        *field = json::read(value)?;
        Ok(())
    }

    /// `null` says as little as a missing key.
    pub(in crate::evidence) fn unless_null<T: DeserializeOwned>(
        field: &mut T,
        value: Value,
    ) -> Result<(), serde_json::Error> {
        if value.is_null() { Ok(()) } else { always(field, value) }
    }
}

/// How one field is written.
pub(super) mod writing {
    use super::{Serialize, Value};
    use crate::evidence::Observed;

    /// Whatever it is.
    pub(in crate::evidence) fn always<T: Serialize>(
        field: &T,
    ) -> Result<Option<Value>, serde_json::Error> {
        serde_json::to_value(field).map(Some)
    }

    /// Not where it has its default.
    pub(in crate::evidence) fn unless_unset<T: Default + PartialEq + Serialize>(
        field: &T,
    ) -> Result<Option<Value>, serde_json::Error> {
        if is_unset(field) { Ok(None) } else { always(field) }
    }

    /// Whether a field has its default.
    pub(in crate::evidence) fn is_unset<T: Default + PartialEq>(field: &T) -> bool {
        *field == T::default()
    }

    /// Not where nobody asked for it, and not where it could not be seen.
    pub(in crate::evidence) fn unless_unseen<T: Serialize>(
        field: &Observed<T>,
    ) -> Result<Option<Value>, serde_json::Error> {
        if field.is_unseen() { Ok(None) } else { always(field) }
    }
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "the shapes of these tests are seen by nobody")]
mod tests {
    use serde_json::{Value, json};

    use super::pascal_case;

    shapes! {
        /// A shape.
        Whole {
            /// Spelled by the rule.
            ipv6_cidr_block: Option<String>,
            /// Spelled in its own way.
            db_name as "DBName": Vec<u8>,
            /// A shape in a shape.
            inner: Option<Inner>,
        }

        /// Another.
        Inner {
            /// A number.
            sha_256: i64,
        }
    }

    fn read(value: Value) -> Result<Whole, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_key_is_the_name_in_pascal_case() {
        let key = |name| pascal_case(name).collect::<String>();
        assert_eq!(key("vpc_id"), "VpcId");
        assert_eq!(key("ipv6_cidr_block"), "Ipv6CidrBlock");
        assert_eq!(key("name"), "Name");
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let written = json!({"Ipv6CidrBlock": "::/0", "DBName": [1, 2], "Inner": {"Sha256": 3}});
        let whole = read(written.clone()).expect("a shape");
        assert_eq!(whole.db_name, [1, 2]);
        assert_eq!(whole.inner, Some(Inner { sha_256: 3 }));
        assert_eq!(serde_json::to_value(&whole).expect("JSON"), written);
    }

    #[test]
    fn missing_null_and_unknown_keys_leave_a_field_unset() {
        let value = json!({"Ipv6CidrBlock": null, "DBName": null, "DbName": [1], "Other": {}});
        assert_eq!(read(value), Ok(Whole::default()));
        assert_eq!(serde_json::to_value(Whole::default()).expect("JSON"), json!({}));
    }

    #[test]
    fn a_wrong_type_says_what_was_expected() {
        let error = |value| read(value).expect_err("it is wrong");
        assert_eq!(
            error(json!({"Inner": {"Sha256": "3"}})),
            "invalid type: string \"3\", expected i64"
        );
        assert_eq!(error(json!({"Inner": [3]})), "invalid type: sequence, expected struct Inner");
        assert_eq!(error(json!({"DBName": 1})), "invalid type: integer `1`, expected a sequence");
    }
}
