//! A deserializer of a [`Value`]. It differs from serde_json's own in one thing: a
//! struct is read from an object alone, never from an array of its fields in order.
//! Nobody writes such arrays, a list where an object belongs is then an error that says
//! so, and half of the code that would be compiled for each struct is not there.

use std::vec;

use serde::{
    Deserializer, de,
    de::{
        DeserializeSeed, EnumAccess, Expected, MapAccess, SeqAccess, Unexpected, VariantAccess,
        Visitor,
    },
};
use serde_json::{Error, Map, Value, map};

/// A value that is read into a type.
pub(super) struct Reading(pub(super) Value);

impl Reading {
    #[cold]
    fn wrong(&self, expected: &dyn Expected) -> Error {
        let unexpected = match &self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(bool) => Unexpected::Bool(*bool),
            Value::Number(number) => {
                if let Some(number) = number.as_u64() {
                    Unexpected::Unsigned(number)
                } else if let Some(number) = number.as_i64() {
                    Unexpected::Signed(number)
                } else {
                    Unexpected::Float(number.as_f64().unwrap_or(f64::NAN))
                }
            }
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        de::Error::invalid_type(unexpected, expected)
    }

    fn number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Value::Number(number) = &self.0 else { return Err(self.wrong(&visitor)) };
        if let Some(number) = number.as_u64() {
            visitor.visit_u64(number)
        } else if let Some(number) = number.as_i64() {
            visitor.visit_i64(number)
        } else {
            visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN))
        }
    }
}

/// Methods that read each of these kinds as `$reader` does.
macro_rules! read_by {
    ($reader:ident: $($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.$reader(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Reading {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(bool) => visitor.visit_bool(bool),
            Value::Number(_) => self.number(visitor),
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(Items(items.into_iter())),
            Value::Object(object) => visitor.visit_map(Fields::of(object)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Bool(bool) => visitor.visit_bool(bool),
            _ => Err(self.wrong(&visitor)),
        }
    }

    read_by! { number:
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(text) => visitor.visit_string(text),
            _ => Err(self.wrong(&visitor)),
        }
    }

    read_by! { deserialize_string: deserialize_char deserialize_str deserialize_identifier }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(Items(items.into_iter())),
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.0 {
            Value::Array(items) if items.len() > length => {
                Err(de::Error::invalid_length(items.len(), &visitor))
            }
            _ => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(object) => visitor.visit_map(Fields::of(object)),
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    /// A variant is its name, or an object with its name as the one key.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(Variant { name, content: None }),
            Value::Object(object) if object.len() == 1 => {
                let (name, content) = object.into_iter().next().expect("its length is one");
                visitor.visit_enum(Variant { name, content: Some(content) })
            }
            _ => Err(self.wrong(&visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { bytes byte_buf unit unit_struct tuple_struct }
}

/// Items of an array.
struct Items(vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for Items {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.0.next().map(|item| seed.deserialize(Reading(item))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// Fields of an object.
struct Fields {
    rest: map::IntoIter,
    /// Of the key that was read last.
    value: Value,
}

impl Fields {
    fn of(object: Map<String, Value>) -> Self {
        Self { rest: object.into_iter(), value: Value::Null }
    }

    fn next(&mut self) -> Option<Value> {
        let (key, value) = self.rest.next()?;
        self.value = value;
        Some(Value::String(key))
    }
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.next().map(|key| seed.deserialize(Reading(key))).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(Reading(self.value.take()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// A variant of an enum with what it holds.
struct Variant {
    name: String,
    content: Option<Value>,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Content;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Content), Error> {
        let name = seed.deserialize(Reading(Value::String(self.name)))?;
        Ok((name, Content(self.content)))
    }
}

/// What a variant holds; `None` where only its name was given.
struct Content(Option<Value>);

impl Content {
    fn value(self, expected: &'static str) -> Result<Reading, Error> {
        let missing = || de::Error::invalid_type(Unexpected::UnitVariant, &expected);
        self.0.map(Reading).ok_or_else(missing)
    }
}

impl<'de> VariantAccess<'de> for Content {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.0 {
            None => Ok(()),
            Some(content) => de::Deserialize::deserialize(Reading(content)),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.value("newtype variant")?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        self.value("tuple variant")?.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.value("struct variant")?.deserialize_map(visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::super::read;

    #[derive(Debug, PartialEq, Deserialize)]
    enum Shape {
        Point,
        Circle(f64),
        Rectangle(u8, u8),
        Text { lines: Vec<String> },
    }

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
    struct Id(String);

    #[derive(Debug, PartialEq, Deserialize)]
    struct Whole {
        id: Id,
        shapes: Vec<Shape>,
        port: Option<u16>,
        #[serde(flatten)]
        rest: BTreeMap<String, i64>,
    }

    #[test]
    fn every_kind_of_value_is_read_as_serde_json_reads_it() {
        let value = json!({
            "id": "a", "port": null, "more": -7,
            "shapes": ["Point", {"Circle": 0.5}, {"Rectangle": [1, 2]}, {"Text": {"lines": ["x"]}}],
        });
        let whole: Whole = read(value.clone()).expect("a whole");
        assert_eq!(whole, serde_json::from_value(value).expect("a whole"));
        assert_eq!((whole.id, whole.shapes.len()), (Id("a".to_owned()), 4));
        let keys: BTreeMap<Id, bool> = read(json!({"k": true})).expect("keys of any type");
        assert!(keys[&Id("k".to_owned())]);
    }

    #[test]
    fn what_is_wrong_is_told_as_serde_json_tells_it() {
        let whole = |change: fn(&mut Value)| {
            let mut value = json!({"id": "a", "shapes": []});
            change(&mut value);
            let told = read::<Whole>(value.clone()).expect_err("it is wrong").to_string();
            let wanted = serde_json::from_value::<Whole>(value).expect_err("it is wrong");
            assert_eq!(told, wanted.to_string());
            told
        };
        assert_eq!(whole(|v| v["id"] = json!(3)), "invalid type: integer `3`, expected a string");
        whole(|v| v["id"] = Value::Null);
        whole(|v| v["port"] = json!(70_000));
        whole(|v| v["port"] = json!("80"));
        whole(|v| v["shapes"] = json!({}));
        whole(|v| v["shapes"] = json!(["Square"]));
        whole(|v| v["shapes"] = json!(["Circle"]));
        whole(|v| v["shapes"] = json!([{"Point": 1}]));
        whole(|v| v["more"] = json!(true));
        whole(|v| drop(v.as_object_mut().expect("an object").remove("id")));
    }

    #[test]
    fn a_list_is_no_struct() {
        let error = read::<Whole>(json!(["a", [], null])).expect_err("a list");
        assert_eq!(error.to_string(), "invalid type: sequence, expected struct Whole");
    }
}
