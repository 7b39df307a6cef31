//! Conditions of a statement: operators with their sets and `IfExists`, and what an absent or
//! unseen key means.
//!
//! Semantics: IAM User Guide, "Condition operators" and "Conditions with multiple context keys
//! or values".

use serde_json::Value;

use super::{
    context::{Context, Known},
    operators::{self, Comparison, Operand},
    tri::Tri,
};

/// One key under one operator.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    /// The operator as it is written.
    pub(super) operator: String,
    /// The key as it is written.
    pub(super) key: String,
    /// The values as they are written.
    pub(super) values: Vec<String>,
    lower_key: String,
    operands: Vec<Operand>,
    comparison: Comparison,
    negated: bool,
    set: Option<Set>,
    if_exists: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    ForAllValues,
    ForAnyValue,
}

impl Condition {
    /// Reads a `Condition` element, in the document's order.
    pub(super) fn read_all(element: &Value, variables: bool) -> Vec<Self> {
        let operators = element.as_object().into_iter().flatten();
        operators
            .flat_map(|(operator, keys)| {
                let keys = keys.as_object().into_iter().flatten();
                keys.map(|(key, values)| Self::read(operator, key, values, variables))
            })
            .collect()
    }

    fn read(operator: &str, key: &str, values: &Value, variables: bool) -> Self {
        let (set, name) = match operator.split_once(':') {
            Some((set, name)) if set.eq_ignore_ascii_case("ForAllValues") => {
                (Some(Set::ForAllValues), name)
            }
            Some((set, name)) if set.eq_ignore_ascii_case("ForAnyValue") => {
                (Some(Set::ForAnyValue), name)
            }
            _ => (None, operator),
        };
        let (name, if_exists) = match strip_suffix_ignore_case(name, "IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (comparison, negated) = match operators::read(name) {
            // AWS takes neither on `Null`.
            (Comparison::Null, _) if if_exists || set.is_some() => {
                (Comparison::Undocumented, false)
            }
            read => read,
        };
        let values = texts(values);
        Self {
            operator: operator.to_owned(),
            key: key.to_owned(),
            lower_key: key.to_lowercase(),
            operands: values
                .iter()
                .map(|value| Operand::read(comparison, value, variables))
                .collect(),
            values,
            comparison,
            negated,
            set,
            if_exists,
        }
    }

    /// Whether the request meets it.
    pub(super) fn holds(&self, context: &Context) -> Tri {
        let known = context.get(&self.lower_key);
        match self.comparison {
            Comparison::Undocumented => return Tri::Unknown,
            Comparison::Null => return self.null(known),
            _ => {}
        }
        match known {
            Known::Unknown => Tri::Unknown,
            // A value that was not seen: only `*` is sure to take it.
            Known::Present if self.operands.iter().any(Operand::takes_anything) => {
                self.signed(Tri::Yes)
            }
            Known::Present => Tri::Unknown,
            Known::Absent => self.absent().into(),
            // To a set, an empty text is no value at all.
            Known::Values([empty]) if empty.is_empty() && self.set.is_some() => {
                self.absent().into()
            }
            Known::Values(values) => self.present(values, context),
            Known::AbsentOr(values) => {
                let absent = Tri::from(self.absent());
                let present = self.present(values, context);
                if absent == present { present } else { Tri::Unknown }
            }
        }
    }

    fn present(&self, values: &[String], context: &Context) -> Tri {
        let mut each = values.iter().map(|value| self.value(value, context));
        match (self.set, values) {
            (Some(Set::ForAllValues), _) => Tri::all(each),
            (Some(Set::ForAnyValue), _) => Tri::any(each),
            (None, [_]) => each.next().unwrap_or(Tri::Unknown),
            // What a plain operator does with several values is not documented.
            (None, _) => Tri::Unknown,
        }
    }

    /// What an absent key means.
    fn absent(&self) -> bool {
        match self.set {
            _ if self.if_exists => true,
            Some(Set::ForAllValues) => true,
            Some(Set::ForAnyValue) => false,
            None => self.negated,
        }
    }

    fn null(&self, known: Known<'_>) -> Tri {
        let absent: Tri = match known {
            Known::Unknown | Known::AbsentOr(_) => return Tri::Unknown,
            Known::Absent => Tri::Yes,
            Known::Present | Known::Values(_) => Tri::No,
        };
        Tri::any(self.operands.iter().map(|operand| match operand {
            Operand::Bool(Some(true)) => absent,
            Operand::Bool(Some(false)) => absent.negate(),
            _ => Tri::No,
        }))
    }

    /// One value of the request against all values of the statement.
    fn value(&self, seen: &str, context: &Context) -> Tri {
        self.signed(Tri::any(
            self.operands.iter().map(|operand| operand.matches(self.comparison, seen, context)),
        ))
    }

    fn signed(&self, found: Tri) -> Tri {
        if self.negated { found.negate() } else { found }
    }

    /// Whether a wildcard stands in a value that its operator takes literally.
    pub(super) fn has_literal_wildcard(&self) -> bool {
        matches!(self.comparison, Comparison::Equals | Comparison::EqualsIgnoreCase)
            && self.values.iter().any(|value| value.replace("${*}", "").contains('*'))
    }
}

fn strip_suffix_ignore_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let at = text.len().checked_sub(suffix.len())?;
    text.get(at..)?.eq_ignore_ascii_case(suffix).then(|| &text[..at])
}

/// A value or a list of values as texts: strings, numbers and booleans.
pub(super) fn texts(value: &Value) -> Vec<String> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    };
    match value {
        Value::Array(list) => list.iter().filter_map(one).collect(),
        other => one(other).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn context() -> Context {
        let mut context = Context::default();
        context.set("aws:SourceVpce", "vpce-1");
        context.set("aws:SecureTransport", "true");
        context.set("aws:PrincipalTag/team", "a");
        context.set_list("kms:EncryptionContextKeys", ["SecretARN", "SecretVersionId"]);
        context.set_present("aws:SourceIp");
        context.set_unknown("aws:PrincipalOrgID");
        context.set_absent_or("aws:MultiFactorAuthPresent", "false");
        context
    }

    #[test]
    fn the_usual_guards_on_mfa_need_not_know_whether_the_key_is_there() {
        let key = "aws:MultiFactorAuthPresent";
        assert_eq!(holds("BoolIfExists", key, json!("false")), Tri::Yes);
        assert_eq!(holds("Bool", key, json!("true")), Tri::No);
        assert_eq!(holds("Bool", key, json!("false")), Tri::Unknown);
        assert_eq!(holds("Null", key, json!("true")), Tri::Unknown);
    }

    fn holds(operator: &str, key: &str, values: serde_json::Value) -> Tri {
        let element = json!({ operator: { key: values } });
        let conditions = Condition::read_all(&element, true);
        assert_eq!(conditions.len(), 1);
        conditions[0].holds(&context())
    }

    #[test]
    fn absent_keys() {
        for (operator, expected) in [
            ("StringEquals", false),
            ("StringLike", false),
            ("StringNotEquals", true),
            ("StringNotLike", true),
            ("StringNotEqualsIgnoreCase", true),
            ("ArnLike", false),
            ("ArnNotEquals", true),
            ("NumericNotEquals", true),
            ("DateNotEquals", true),
            ("NumericLessThan", false),
            ("Bool", false),
            ("IpAddress", false),
            ("NotIpAddress", true),
            ("StringEqualsIfExists", true),
            ("StringNotEqualsIfExists", true),
            ("BoolIfExists", true),
            ("ForAllValues:StringEquals", true),
            ("ForAllValues:StringNotEquals", true),
            ("ForAnyValue:StringEquals", false),
            ("ForAnyValue:StringNotEquals", false),
            ("ForAnyValue:StringEqualsIfExists", true),
        ] {
            assert_eq!(holds(operator, "aws:absent", json!("1")), expected.into(), "{operator}");
        }
    }

    #[test]
    fn null_asks_for_presence() {
        assert_eq!(holds("Null", "aws:absent", json!("true")), Tri::Yes);
        assert_eq!(holds("Null", "aws:absent", json!(false)), Tri::No);
        assert_eq!(holds("Null", "AWS:sourcevpce", json!(true)), Tri::No);
        assert_eq!(holds("Null", "aws:SourceIp", json!("false")), Tri::Yes);
        assert_eq!(holds("Null", "aws:PrincipalOrgID", json!("false")), Tri::Unknown);
    }

    #[test]
    fn values_are_ored_and_negation_is_nor() {
        assert_eq!(holds("StringEquals", "aws:SourceVpce", json!(["x", "vpce-1"])), Tri::Yes);
        assert_eq!(holds("StringNotEquals", "aws:SourceVpce", json!(["x", "vpce-1"])), Tri::No);
        assert_eq!(holds("StringNotEquals", "aws:SourceVpce", json!(["x", "y"])), Tri::Yes);
        assert_eq!(holds("StringNotEquals", "aws:SourceVpce", json!([])), Tri::Yes);
        assert_eq!(holds("StringEquals", "aws:SourceVpce", json!([])), Tri::No);
        assert_eq!(holds("Bool", "aws:SecureTransport", json!(true)), Tri::Yes);
    }

    #[test]
    fn sets() {
        let keys = "kms:EncryptionContextKeys";
        assert_eq!(holds("ForAllValues:StringEquals", keys, json!(["SecretARN"])), Tri::No);
        assert_eq!(holds("ForAllValues:StringLike", keys, json!("Secret*")), Tri::Yes);
        assert_eq!(holds("ForAnyValue:StringEquals", keys, json!(["SecretARN"])), Tri::Yes);
        assert_eq!(holds("ForAnyValue:StringEquals", keys, json!(["Other"])), Tri::No);
        assert_eq!(holds("ForAnyValue:StringNotEquals", keys, json!(["SecretARN"])), Tri::Yes);
        assert_eq!(holds("ForAllValues:StringNotEquals", keys, json!(["SecretARN"])), Tri::No);
        assert_eq!(holds("StringEquals", keys, json!(["SecretARN"])), Tri::Unknown);
        assert_eq!(holds("ForAllValues:StringEquals", "aws:SourceVpce", json!("vpce-1")), Tri::Yes);
    }

    #[test]
    fn what_was_not_seen_is_unknown() {
        assert_eq!(holds("StringEquals", "aws:PrincipalOrgID", json!("o-1")), Tri::Unknown);
        assert_eq!(
            holds("StringNotEqualsIfExists", "aws:PrincipalOrgID", json!("o")),
            Tri::Unknown
        );
        assert_eq!(holds("IpAddress", "aws:SourceIp", json!("10.0.0.0/8")), Tri::Unknown);
        assert_eq!(holds("StringLike", "aws:SourceIp", json!("*")), Tri::Yes);
        assert_eq!(holds("StringNotLike", "aws:SourceIp", json!("*")), Tri::No);
        assert_eq!(holds("StringBegins", "aws:SourceVpce", json!("v")), Tri::Unknown);
    }

    #[test]
    fn variables_in_values() {
        let tag = |variable: &str| json!(format!("${{{variable}}}"));
        let key = "aws:PrincipalTag/team";
        assert_eq!(holds("StringEquals", key, tag("aws:principaltag/TEAM")), Tri::Yes);
        assert_eq!(holds("StringEquals", key, tag("aws:none")), Tri::No);
        assert_eq!(holds("StringNotEquals", key, tag("aws:none")), Tri::Yes);
        assert_eq!(holds("StringEquals", key, tag("aws:none, 'a'")), Tri::Yes);
        assert_eq!(holds("StringEquals", key, tag("aws:PrincipalOrgID")), Tri::Unknown);
    }
}
