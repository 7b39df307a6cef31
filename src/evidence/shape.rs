//! How a shape of the evidence is declared: AWS's JSON spelling, every field may be
//! missing or null, and what is unset is not written.

use serde::{Deserialize, Deserializer};

/// Defines structs in AWS's JSON spelling (PascalCase, or the spelling that stands
/// behind `as`), tolerant of missing keys and of `null`.
macro_rules! shapes {
    ($( $(#[$meta:meta])* $name:ident {
        $( $(#[$field_meta:meta])* $field:ident $(as $spelled:literal)? : $type:ty ),* $(,)?
    } )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "PascalCase", default)]
        #[allow(missing_docs, reason = "the names are AWS's own, and its API references explain them")]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(
                    deserialize_with = "crate::evidence::shape::null_is_unset",
                    skip_serializing_if = "crate::evidence::shape::is_unset"
                    $(, rename = $spelled)?
                )]
                pub $field: $type,
            )*
        }
    )*};
}
pub(super) use shapes;

/// Reads a field; `null` says as little as a missing key.
pub(super) fn null_is_unset<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Whether a field has its default, and is therefore not written.
pub(super) fn is_unset<T: Default + PartialEq>(field: &T) -> bool {
    *field == T::default()
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "the shapes of these tests are seen by nobody")]
mod tests {
    use serde_json::{Value, json};

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
        assert_eq!(error(json!({"DBName": 1})), "invalid type: integer `1`, expected a sequence");
    }
}
