//! A value after its references were followed, and what a reader may ask of it.

use serde_json::{Map, Number, Value as Json};

use super::document::Mark;
use crate::template::aws::{Open, Setting};

/// A value of the template, as far as the template decides it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Resolved {
    pub(super) at: Mark,
    pub(super) value: Value,
}

/// What it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Not declared, `null` or `AWS::NoValue`.
    Nothing,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Resolved>),
    Map(Vec<(String, Resolved)>),
    Open(Open),
}

/// How a token begins. No id that AWS gives or that a template makes has it.
const OPEN: &str = "${";

/// Whether an id stands for a value that the template leaves open.
pub(super) fn is_opaque(id: &str) -> bool {
    id.contains(OPEN)
}

/// Whether an open id may be that of a thing in this template: a branch of a condition
/// that cannot be told. Parameters and imports are known before anything is made.
pub(super) fn may_be_own(id: &str) -> bool {
    id.contains("${If ") || id.contains("${Fn.Transform")
}

impl From<Open> for Value {
    fn from(open: Open) -> Self {
        Self::Open(open)
    }
}

static NOTHING: Resolved = Resolved { at: Mark { line: 0, column: 0 }, value: Value::Nothing };

impl Resolved {
    pub(super) fn nothing() -> &'static Self {
        &NOTHING
    }

    /// A member; of what is open, the same open value; nothing where there is none.
    pub(super) fn get(&self, key: &str) -> &Self {
        match &self.value {
            Value::Map(entries) => {
                entries.iter().find(|(name, _)| name == key).map_or(&NOTHING, |(_, value)| value)
            }
            Value::Open(_) => self,
            _ => &NOTHING,
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.value == Value::Nothing
    }

    pub(super) fn open(&self) -> Option<&Open> {
        match &self.value {
            Value::Open(open) => Some(open),
            _ => None,
        }
    }

    /// What is open in it, at any depth.
    pub(super) fn first_open(&self) -> Option<&Open> {
        match &self.value {
            Value::Open(open) => Some(open),
            Value::List(list) => list.iter().find_map(Self::first_open),
            Value::Map(entries) => entries.iter().find_map(|(_, value)| value.first_open()),
            _ => None,
        }
    }

    fn wrong(&self, expected: &str) -> Open {
        let place =
            if self.at.line == 0 { String::new() } else { format!(" in line {}", self.at.line) };
        let named = format!("value {}.{}", self.at.line, self.at.column);
        Open::named(&named, format!("the value{place} is no {expected}"))
    }

    /// A scalar as text.
    pub(super) fn text(&self) -> Setting<String> {
        match &self.value {
            Value::Nothing => Setting::Absent,
            Value::Bool(bool) => Setting::Known(bool.to_string()),
            Value::Number(text) | Value::Text(text) => Setting::Known(text.clone()),
            Value::Open(open) => Setting::Open(open.clone()),
            _ => Setting::Open(self.wrong("text")),
        }
    }

    /// The text, where it is declared and known.
    pub(super) fn known(&self) -> Option<String> {
        self.text().known()
    }

    /// An id: the text, or what stands for one that is open.
    pub(super) fn id(&self) -> Option<String> {
        self.text().or_token().filter(|id| !id.is_empty())
    }

    /// The ids of a list; one that is open stands for all that it may hold.
    pub(super) fn ids(&self) -> Vec<String> {
        match &self.value {
            Value::List(list) => list.iter().filter_map(Self::id).collect(),
            _ => self.id().into_iter().collect(),
        }
    }

    pub(super) fn flag(&self) -> Setting<bool> {
        self.text().and_then(|text| match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Setting::Known(true),
            "false" | "no" | "off" | "0" => Setting::Known(false),
            _ => Setting::Open(self.wrong("boolean")),
        })
    }

    pub(super) fn number(&self) -> Setting<i64> {
        self.text().and_then(|text| {
            let whole = text.trim().parse::<i64>().ok();
            let whole = whole.or_else(|| {
                let float = text.trim().parse::<f64>().ok()?;
                (float.fract() == 0.0 && float.abs() < 1e15).then_some(float as i64)
            });
            whole.map_or_else(|| Setting::Open(self.wrong("number")), Setting::Known)
        })
    }

    /// The items of a list; a single value counts as a list of one.
    pub(super) fn items(&self) -> Result<Vec<&Self>, Open> {
        match &self.value {
            Value::Nothing => Ok(Vec::new()),
            Value::List(list) => Ok(list.iter().filter(|item| !item.is_nothing()).collect()),
            Value::Open(open) => Err(open.clone()),
            _ => Ok(vec![self]),
        }
    }

    /// The members of a map; none where it is none.
    pub(super) fn members(&self) -> &[(String, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// As JSON, with the tokens of what is open.
    pub(super) fn json(&self) -> Json {
        match &self.value {
            Value::Nothing => Json::Null,
            Value::Bool(bool) => Json::Bool(*bool),
            Value::Number(text) => match text.parse::<Number>() {
                Ok(number) => Json::Number(number),
                Err(_) => Json::String(text.clone()),
            },
            Value::Text(text) => Json::String(text.clone()),
            Value::List(list) => list.iter().filter(|i| !i.is_nothing()).map(Self::json).collect(),
            Value::Map(entries) => {
                let members = entries.iter().filter(|(_, value)| !value.is_nothing());
                Json::Object(members.map(|(k, v)| (k.clone(), v.json())).collect::<Map<_, _>>())
            }
            Value::Open(open) => Json::String(open.token.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Mark, Open, Resolved, Setting, Value, is_opaque, may_be_own};

    fn of(value: Value) -> Resolved {
        Resolved { at: Mark::default(), value }
    }

    #[test]
    fn a_value_is_known_open_or_absent() {
        assert_eq!(of(Value::Nothing).number(), Setting::Absent);
        assert_eq!(of(Value::Text("443".into())).number(), Setting::Known(443));
        assert_eq!(of(Value::Number("443.0".into())).number(), Setting::Known(443));
        assert!(of(Value::List(Vec::new())).number().is_open());
        assert!(of(Value::Text("many".into())).number().is_open());
        assert_eq!(of(Value::Text("yes".into())).flag(), Setting::Known(true));
        let open = of(Open::named("AWS::StackName", "reason").into());
        assert_eq!(open.id().as_deref(), Some("${AWS.StackName}"));
        assert!(open.get("Member").text().is_open(), "a member of what is open is open");
        assert!(is_opaque("arn:aws:iam::1:role/${Name}"));
        assert!(!is_opaque("sg-Group"));
        assert!(may_be_own("${If Unsure line 1 column 2}") && !may_be_own("${VpcId}"));
    }
}
