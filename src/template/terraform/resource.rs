//! A resource of a plan and its values: what is known, what is not there, and what is known
//! only after the plan was applied.

use serde_json::Value;

use super::{
    address::Step,
    value::{at, has_unknown, items},
};
use crate::template::aws::{Open, Setting};

/// One instance of a resource or data source.
#[derive(Debug)]
pub(super) struct Resource {
    /// The address, with modules and key.
    pub(super) address: String,
    pub(super) modules: Vec<Step>,
    /// Whether it is read, not made.
    pub(super) data: bool,
    /// `aws_subnet`, without `data.`.
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) key: Option<String>,
    /// What is known; sensitive values too.
    pub(super) values: Value,
    /// `true` where a value is known only after the plan is carried out.
    pub(super) unknown: Value,
    /// Whether it is there already.
    pub(super) exists: bool,
    /// The region, as far as the provider or the resource itself tells.
    pub(super) region: Option<String>,
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

    /// What stands for a value that is known only after the plan was applied.
    fn open(&self, path: &str) -> Open {
        let whole = format!("{}.{}", self.address, plain(path));
        Open::named(&whole, format!("{whole} is not known yet"))
    }

    /// The value at a path, where all of it is known.
    pub(super) fn value(&self, path: &str) -> Setting<&Value> {
        if has_unknown(self.unknown_at(path)) {
            return Setting::Open(self.open(path));
        }
        match at(&self.values, path) {
            Value::Null => Setting::Absent,
            value => Setting::Known(value),
        }
    }

    /// A text, as far as it is known. Terraform writes what is unset as an empty text
    /// too.
    pub(super) fn text(&self, path: &str) -> Setting<String> {
        match self.value(path) {
            Setting::Known(Value::String(text)) if text.is_empty() => Setting::Absent,
            Setting::Known(Value::String(text)) => Setting::Known(text.clone()),
            Setting::Known(Value::Number(number)) => Setting::Known(number.to_string()),
            Setting::Known(_) | Setting::Absent => Setting::Absent,
            Setting::Open(open) => Setting::Open(open),
        }
    }

    /// A text that is known.
    pub(super) fn known_text(&self, path: &str) -> Option<String> {
        self.text(path).known()
    }

    /// A number; Terraform writes some as texts.
    pub(super) fn number(&self, path: &str) -> Setting<i64> {
        match self.value(path) {
            Setting::Known(value) => {
                let text = value.as_str().and_then(|text| text.trim().parse().ok());
                #[allow(clippy::cast_possible_truncation)] // ports and counts
                let whole = value.as_f64().filter(|n| n.fract() == 0.0).map(|n| n as i64);
                value.as_i64().or(whole).or(text).map_or(Setting::Absent, Setting::Known)
            }
            Setting::Absent => Setting::Absent,
            Setting::Open(open) => Setting::Open(open),
        }
    }

    /// A yes or no.
    pub(super) fn flag(&self, path: &str) -> Setting<bool> {
        match self.value(path) {
            Setting::Known(Value::Bool(flag)) => Setting::Known(*flag),
            Setting::Known(Value::String(text)) if text == "true" => Setting::Known(true),
            Setting::Known(Value::String(text)) if text == "false" => Setting::Known(false),
            Setting::Known(_) | Setting::Absent => Setting::Absent,
            Setting::Open(open) => Setting::Open(open),
        }
    }

    /// Texts in a list.
    pub(super) fn texts(&self, path: &str) -> Setting<Vec<String>> {
        self.value(path).map(|value| {
            let texts = items(value).iter().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        })
    }

    /// How many blocks there are.
    pub(super) fn blocks(&self, path: &str) -> Setting<usize> {
        if self.is_unknown(path) {
            return Setting::Open(self.open(path));
        }
        let known = items(at(&self.values, path)).len();
        let count = known.max(items(self.unknown_at(path)).len());
        if count == 0 { Setting::Absent } else { Setting::Known(count) }
    }
}

/// A path as Terraform writes it.
fn plain(path: &str) -> String {
    path.replace('~', "")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Resource, Setting};

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
        assert_eq!(one.text("a"), Setting::Known("x".to_owned()));
        assert_eq!(
            (one.text("b"), one.text("e"), one.text("z")),
            (Setting::Absent, Setting::Absent, Setting::Absent)
        );
        assert!(one.text("c").is_open() && one.value("l").is_open() && one.text("m.0.x").is_open());
        assert_eq!(
            (one.number("n"), one.number("l.0.p")),
            (Setting::Known(5432), Setting::Known(1))
        );
        assert!(one.text("l.~0.q").is_open());
        assert_eq!((one.blocks("l"), one.blocks("a")), (Setting::Known(1), Setting::Absent));
        assert!(one.blocks("m").is_open());
    }
}
