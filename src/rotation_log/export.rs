//! The JSON that holds log events: exports of the CLI with and without `--query`,
//! bundles, results of Logs Insights, CloudTrail events. Read in a stream, whatever its
//! size.

use std::{
    fmt,
    io::{self, Cursor, Read},
};

use serde::de::{DeserializeSeed, Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, Map};

use super::{
    Reader,
    event_list::{EVENT_KEYS, List, RESULT_KEY, Scalar, content, field},
    rows::Rows,
};

/// Reads JSON values one after another. Whether an event was found, and the first
/// byte of what is no JSON and follows.
pub(super) fn read_export(
    input: &mut impl Read,
    reader: &mut Reader,
) -> io::Result<(bool, Vec<u8>)> {
    let mut found = false;
    let mut rows = Rows::default();
    let mut byte = [0];
    let mut rest = Vec::new();
    while input.read(&mut byte)? == 1 {
        if byte[0].is_ascii_whitespace() {
            continue;
        }
        if !matches!(byte[0], b'{' | b'[') {
            rest = byte.to_vec();
            break;
        }
        let mut json = Deserializer::from_reader(Cursor::new(byte).chain(&mut *input));
        let mut sink = Sink { reader, rows: &mut rows, found: &mut found };
        match json.deserialize_any(&mut sink) {
            Err(error) if error.is_io() => return Err(error.into()),
            Err(_) => break,
            Ok(_) => {}
        }
    }
    rows.hand_over(reader);
    Ok((found, rest))
}

/// Takes events out of whatever JSON holds them.
struct Sink<'a> {
    reader: &'a mut Reader,
    rows: &'a mut Rows,
    found: &'a mut bool,
}

/// What a value is for the list that holds it.
enum Element {
    /// It held events, or says nothing.
    Taken,
    /// A scalar of a row.
    Scalar(Scalar),
    /// A field and its value, of a row of `get-query-results`.
    Field(String, String),
}

impl<'de> Visitor<'de> for &mut Sink<'_> {
    type Value = Element;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("log events")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Element, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if EVENT_KEYS.contains(&key.as_str()) || key == RESULT_KEY {
                map.next_value_seed(&mut *self)?;
            } else {
                object.insert(key, map.next_value()?);
            }
        }
        if let Some((field, value)) = field(&mut object) {
            return Ok(Element::Field(field, value));
        }
        if let Some(content) = content(object) {
            content.push_listed(self.rows, self.reader);
            *self.found = true;
        }
        Ok(Element::Taken)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Element, A::Error> {
        let mut list = List::default();
        let mut fields: Vec<(String, String)> = Vec::new();
        while let Some(element) = sequence.next_element_seed(&mut *self)? {
            match element {
                Element::Taken => {}
                Element::Scalar(scalar) => {
                    *self.found |= list.take(scalar, self.rows, self.reader);
                }
                Element::Field(name, value) => fields.push((name, value)),
            }
        }
        *self.found |= list.end(self.rows, self.reader);
        if !fields.is_empty() {
            *self.found = true;
            self.rows.push_row(self.reader, |wanted| {
                fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
            });
        }
        Ok(Element::Taken)
    }

    fn visit_str<E>(self, text: &str) -> Result<Element, E> {
        Ok(Element::Scalar(Scalar::of_text(text.to_owned())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Element, E> {
        Ok(Element::Taken)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Element, E> {
        Ok(Element::Scalar(Scalar::Millis(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Element, E> {
        Ok(i64::try_from(number).map_or(Element::Taken, |n| Element::Scalar(Scalar::Millis(n))))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Element, E> {
        Ok(Element::Taken)
    }

    fn visit_unit<E>(self) -> Result<Element, E> {
        Ok(Element::Taken)
    }
}

impl<'de> DeserializeSeed<'de> for &mut Sink<'_> {
    type Value = Element;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Element, D::Error> {
        deserializer.deserialize_any(self)
    }
}
