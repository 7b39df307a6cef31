//! Values of a plan: what is known, what is not there, and what is known only after the
//! plan was carried out. What an unknown value will be is `references`' business.

use serde_json::Value;

use super::plan::Resource;

/// What a plan says of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Seen<T> {
    Known(T),
    Absent,
    /// It will have a value, which cannot be told by now; why, in words.
    Open(String),
}

impl<T> Seen<T> {
    pub(super) fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }

    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Seen<U> {
        match self {
            Self::Known(value) => Seen::Known(change(value)),
            Self::Absent => Seen::Absent,
            Self::Open(why) => Seen::Open(why),
        }
    }

    /// The value, if there is one.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub(super) fn settled(self) -> Result<Option<T>, String> {
        match self {
            Self::Known(value) => Ok(Some(value)),
            Self::Absent => Ok(None),
            Self::Open(why) => Err(why),
        }
    }
}

/// The items of a list; none where it is no list.
pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The value at a path such as `vpc_config.0.subnet_ids`.
pub(super) fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(value, |value, part| match value {
        Value::Array(list) => {
            let index = part.trim_start_matches('~').parse::<usize>().ok();
            index.and_then(|index| list.get(index)).unwrap_or(&Value::Null)
        }
        Value::Object(members) => members.get(part).unwrap_or(&Value::Null),
        _ => &Value::Null,
    })
}

/// Whether something in it is unknown.
pub(super) fn has_unknown(unknown: &Value) -> bool {
    match unknown {
        Value::Bool(unknown) => *unknown,
        Value::Array(list) => list.iter().any(has_unknown),
        Value::Object(members) => members.values().any(has_unknown),
        _ => false,
    }
}

impl Resource {
    /// What is unknown at a path: `true` where a whole around it is.
    fn unknown_at(&self, path: &str) -> &Value {
        let mut unknown = &self.unknown;
        for part in path.split('.') {
            if *unknown == Value::Bool(true) {
                return unknown;
            }
            unknown = at(unknown, part);
        }
        unknown
    }

    /// Whether the value at a path is unknown as a whole.
    pub(super) fn is_unknown(&self, path: &str) -> bool {
        *self.unknown_at(path) == Value::Bool(true)
    }

    /// Which items of a list are unknown.
    pub(super) fn unknown_items(&self, path: &str) -> Vec<bool> {
        items(self.unknown_at(path)).iter().map(has_unknown).collect()
    }

    /// The value at a path, where all of it is known.
    pub(super) fn value(&self, path: &str) -> Seen<&Value> {
        if has_unknown(self.unknown_at(path)) {
            return Seen::Open(format!("{}.{} is not known yet", self.address, plain(path)));
        }
        match at(&self.values, path) {
            Value::Null => Seen::Absent,
            value => Seen::Known(value),
        }
    }

    /// A text, as far as it is known. Terraform writes what is unset as an empty text
    /// too.
    pub(super) fn text(&self, path: &str) -> Seen<String> {
        match self.value(path) {
            Seen::Known(Value::String(text)) if text.is_empty() => Seen::Absent,
            Seen::Known(Value::String(text)) => Seen::Known(text.clone()),
            Seen::Known(Value::Number(number)) => Seen::Known(number.to_string()),
            Seen::Known(_) | Seen::Absent => Seen::Absent,
            Seen::Open(why) => Seen::Open(why),
        }
    }

    /// A text that is known.
    pub(super) fn known_text(&self, path: &str) -> Option<String> {
        self.text(path).known()
    }

    /// A number; Terraform writes some as texts.
    pub(super) fn number(&self, path: &str) -> Seen<i64> {
        match self.value(path) {
            Seen::Known(value) => {
                let text = value.as_str().and_then(|text| text.trim().parse().ok());
                #[allow(clippy::cast_possible_truncation)] // ports and counts
                let whole = value.as_f64().filter(|n| n.fract() == 0.0).map(|n| n as i64);
                value.as_i64().or(whole).or(text).map_or(Seen::Absent, Seen::Known)
            }
            Seen::Absent => Seen::Absent,
            Seen::Open(why) => Seen::Open(why),
        }
    }

    /// A yes or no.
    pub(super) fn flag(&self, path: &str) -> Seen<bool> {
        match self.value(path) {
            Seen::Known(Value::Bool(flag)) => Seen::Known(*flag),
            Seen::Known(Value::String(text)) if text == "true" => Seen::Known(true),
            Seen::Known(Value::String(text)) if text == "false" => Seen::Known(false),
            Seen::Known(_) | Seen::Absent => Seen::Absent,
            Seen::Open(why) => Seen::Open(why),
        }
    }

    /// Texts in a list.
    pub(super) fn texts(&self, path: &str) -> Seen<Vec<String>> {
        self.value(path).map(|value| {
            let texts = items(value).iter().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        })
    }

    /// How many blocks there are.
    pub(super) fn blocks(&self, path: &str) -> Seen<usize> {
        if self.is_unknown(path) {
            return Seen::Open(format!("{}.{} is not known yet", self.address, plain(path)));
        }
        let known = items(at(&self.values, path)).len();
        let count = known.max(items(self.unknown_at(path)).len());
        if count == 0 { Seen::Absent } else { Seen::Known(count) }
    }
}

/// A path as Terraform writes it.
fn plain(path: &str) -> String {
    path.replace('~', "")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Resource, Seen};

    fn resource(values: Value, unknown: Value) -> Resource {
        Resource {
            address: "aws_x.y".to_owned(),
            modules: Vec::new(),
            data: false,
            kind: "aws_x".to_owned(),
            name: "y".to_owned(),
            key: None,
            values,
            unknown,
            exists: false,
            region: None,
        }
    }

    #[test]
    fn known_absent_and_unknown_are_three_things() {
        let one = resource(
            json!({"a": "x", "b": null, "e": "", "n": "5432", "l": [{"p": 1}]}),
            json!({"c": true, "l": [{"q": true}], "m": true}),
        );
        assert_eq!(one.text("a"), Seen::Known("x".to_owned()));
        assert_eq!(
            (one.text("b"), one.text("e"), one.text("z")),
            (Seen::Absent, Seen::Absent, Seen::Absent)
        );
        assert!(one.text("c").is_open() && one.value("l").is_open() && one.text("m.0.x").is_open());
        assert_eq!((one.number("n"), one.number("l.0.p")), (Seen::Known(5432), Seen::Known(1)));
        assert!(one.text("l.~0.q").is_open());
        assert_eq!((one.blocks("l"), one.blocks("a")), (Seen::Known(1), Seen::Absent));
        assert!(one.blocks("m").is_open());
    }
}
