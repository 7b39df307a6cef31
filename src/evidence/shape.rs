//! How a shape of the evidence is declared and read: every field may be missing or
//! null, and what is unset is not written. No shape is defined here.
//!
//! Reading is a table of fields and one loop for all shapes. What `derive` writes
//! instead, a function for each, was a fiftieth of the binary.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeOwned, Error as _, MapAccess, Visitor},
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
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "PascalCase", default)]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(
                    skip_serializing_if = "crate::evidence::shape::is_unset"
                    $(, rename = $spelled)?
                )]
                pub $field: $type,
            )*
        }

        crate::evidence::shape::read_by_field! {
            $name { $( $field $($spelled)? => crate::evidence::shape::put_unless_null, )* }
        }
    )*};
}
pub(super) use shapes;

/// Reads a struct by a table of its fields, each with the function that puts a value
/// there.
macro_rules! read_by_field {
    ($name:ident { $( $field:ident $($spelled:literal)? => $put:path, )* }) => {
        crate::evidence::shape::fields! { $name { $( $field $($spelled)? => $put, )* } }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::evidence::shape::read(deserializer, Self::default(), None)
            }
        }
    };
}
pub(super) use read_by_field;

/// The table of fields alone, for what [`read`] does not begin with the defaults.
macro_rules! fields {
    ($name:ident { $( $field:ident $($spelled:literal)? => $put:path, )* }) => {
        impl crate::evidence::shape::Shape for $name {
            const NAME: &'static str = concat!("struct ", stringify!($name));
            const FIELDS: &'static [crate::evidence::shape::Field<Self>] = &[$(
                crate::evidence::shape::Field {
                    name: stringify!($field),
                    spelled: crate::evidence::shape::spelled!($($spelled)?),
                    put: |shape, value| $put(&mut shape.$field, value),
                },
            )*];
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
    pub(super) put: fn(&mut S, Value) -> Result<(), serde_json::Error>,
}

impl<S> Field<S> {
    fn is(&self, key: &str) -> bool {
        self.spelled.map_or_else(|| is_pascal_case(self.name, key), |spelled| spelled == key)
    }
}

/// Whether `key` is `name` as serde's `PascalCase` writes it: `vpc_id` is `VpcId`.
fn is_pascal_case(name: &str, key: &str) -> bool {
    let words = name.split('_').flat_map(|word| {
        let letter = word.chars().next().map(|letter| letter.to_ascii_uppercase());
        letter.into_iter().chain(word.chars().skip(1))
    });
    words.eq(key.chars())
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
                    (field.put)(&mut self.shape, value).map_err(A::Error::custom)?;
                }
            }
            self.missing.map_or(Ok(self.shape), |key| Err(A::Error::missing_field(key)))
        }
    }

    deserializer.deserialize_map(Fields { shape, missing: required })
}

/// Reads a field for which `null` is a value of its own.
pub(super) fn put<T: DeserializeOwned>(
    field: &mut T,
    value: Value,
) -> Result<(), serde_json::Error> {
    *field = json::read(value)?;
    Ok(())
}

/// Reads a field for which `null` says as little as a missing key.
pub(super) fn put_unless_null<T: DeserializeOwned>(
    field: &mut T,
    value: Value,
) -> Result<(), serde_json::Error> {
    if value.is_null() { Ok(()) } else { put(field, value) }
}

pub(super) fn is_unset<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "the shapes of these tests are seen by nobody")]
mod tests {
    use serde_json::{Value, json};

    use super::is_pascal_case;

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
    fn a_key_is_the_name_in_pascal_case_and_nothing_near_it() {
        assert!(is_pascal_case("vpc_id", "VpcId"));
        assert!(is_pascal_case("ipv6_cidr_block", "Ipv6CidrBlock"));
        assert!(is_pascal_case("name", "Name"));
        for other in ["vpcId", "VpcID", "VpcI", "VpcIds", "vpc_id", "", "Vpc_Id"] {
            assert!(!is_pascal_case("vpc_id", other), "{other}");
        }
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
