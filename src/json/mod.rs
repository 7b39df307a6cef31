//! This crate's own types from JSON and to JSON. Both ways lead through [`Value`]: a
//! serializer or deserializer is compiled once more for every type that meets it, and
//! with one of each the binary is a third smaller than with the four that there were.
//! What reads a type out of a value lives in [`reading`].

mod reading;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Reads a `T`.
///
/// # Errors
/// The value is no `T`; [`wrong_place`] says where.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, serde_json::Error> {
    T::deserialize(reading::Reading(value))
}

/// Indented JSON with a newline at its end.
pub(crate) fn pretty(written: &impl Serialize) -> String {
    let value = serde_json::to_value(written).expect("only keys that are strings");
    format!("{value:#}\n")
}

/// JSON on one line, with a newline at its end.
pub(crate) fn compact(written: &impl Serialize) -> String {
    let value = serde_json::to_value(written).expect("only keys that are strings");
    format!("{value}\n")
}

/// Where a value stops being a `T`, as in `Subnets[1].VpcId`; empty for the value as a
/// whole. Everything that the error does not need is left out until only its place is
/// left, which takes time, but only where there is an error to tell of.
pub(crate) fn wrong_place<T: DeserializeOwned>(value: &Value) -> String {
    let error = |value: &Value| read::<T>(value.clone()).err().map(|error| error.to_string());
    let Some(wanted) = error(value) else { return String::new() };
    let missing = wanted.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'));
    // A field is missing from the object in which anything of that name is another error.
    let lacks = |object: &Map<String, Value>, fails_with: &dyn Fn(Value) -> bool| {
        missing.is_some_and(|(field, _)| {
            let mut filled = object.clone();
            filled.insert(field.to_owned(), Value::Null);
            !fails_with(Value::Object(filled))
        })
    };
    let mut path = Vec::new();
    let mut rest = value.clone();
    loop {
        // The value again, with something else at the place that was reached.
        let fails_with = |part: Value| error(&wrapped(&path, part)).as_ref() == Some(&wanted);
        let parts: Vec<(Step, Value)> = match rest {
            Value::Object(object)
                if !fails_with(Value::Object(Map::new())) && !lacks(&object, &fails_with) =>
            {
                object.into_iter().map(|(key, part)| (Step::Key(key), part)).collect()
            }
            Value::Array(items) if !fails_with(Value::Array(Vec::new())) => {
                items.into_iter().enumerate().map(|(at, part)| (Step::Item(at), part)).collect()
            }
            _ => break,
        };
        let guilty = parts.into_iter().find(|(step, part)| fails_with(step.around(part.clone())));
        let Some((step, part)) = guilty else { break };
        path.push(step);
        rest = part;
    }
    let text: String = path.iter().map(Step::to_string).collect();
    text.trim_start_matches('.').to_owned()
}

/// One step into a value.
enum Step {
    Key(String),
    Item(usize),
}

impl Step {
    /// The smallest value that has this at this step.
    fn around(&self, part: Value) -> Value {
        match self {
            Self::Key(key) => Value::Object([(key.clone(), part)].into_iter().collect()),
            Self::Item(_) => Value::Array(vec![part]),
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(key) => write!(out, ".{key}"),
            Self::Item(at) => write!(out, "[{at}]"),
        }
    }
}

fn wrapped(path: &[Step], part: Value) -> Value {
    path.iter().rev().fold(part, |part, step| step.around(part))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::{pretty, wrong_place};

    type Table = BTreeMap<String, Vec<BTreeMap<String, bool>>>;

    #[test]
    fn the_place_of_an_error_is_the_smallest_part_that_makes_it() {
        let place = |value| wrong_place::<Table>(&value);
        assert_eq!(place(json!({"a": [{"x": true}, {"y": true, "z": "no"}], "b": []})), "a[1].z");
        assert_eq!(place(json!({"a": [], "b": {"x": 1}})), "b");
        assert_eq!(place(json!({"a": [[]]})), "a[0]");
        assert_eq!(place(json!("text")), "", "the whole");
        assert_eq!(place(json!({})), "", "nothing is wrong");
    }

    #[test]
    fn a_place_is_found_among_many() {
        let mut items = vec![json!({"x": true}); 20_000];
        items[19_999] = json!({"x": 1});
        assert_eq!(wrong_place::<Table>(&json!({"a": items})), "a[19999].x");
    }

    #[test]
    fn what_is_written_is_indented_and_ends_with_a_newline() {
        assert_eq!(pretty(&json!({"a": [1]})), "{\n  \"a\": [\n    1\n  ]\n}\n");
    }
}
