//! The condition operators: how one value of a request is compared with the values of a
//! statement.
//!
//! Semantics: IAM User Guide, "IAM JSON policy elements: Condition operators".

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;

use super::{
    arn_pattern,
    context::Context,
    pattern::{self, Pattern, Resolved},
    tri::Tri,
};
use crate::evidence::Time;

/// What an operator compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equals,
    EqualsIgnoreCase,
    Like,
    Arn,
    Numeric(Order),
    Date(Order),
    Bool,
    Ip,
    Binary,
    /// `Null`: whether the key is there at all.
    Null,
    /// No operator that is documented.
    Undocumented,
}

/// How two numbers or dates have to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn holds<T: PartialOrd>(self, seen: &T, asked: &T) -> bool {
        match self {
            Self::Equal => seen == asked,
            Self::Less => seen < asked,
            Self::LessOrEqual => seen <= asked,
            Self::Greater => seen > asked,
            Self::GreaterOrEqual => seen >= asked,
        }
    }
}

/// Reads an operator's name, without set prefix and `IfExists`: what it
/// compares, and whether it is negated.
pub(super) fn read(name: &str) -> (Comparison, bool) {
    use Comparison::*;
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "stringequals" => (Equals, false),
        "stringnotequals" => (Equals, true),
        "stringequalsignorecase" => (EqualsIgnoreCase, false),
        "stringnotequalsignorecase" => (EqualsIgnoreCase, true),
        "stringlike" => (Like, false),
        "stringnotlike" => (Like, true),
        "arnequals" | "arnlike" => (Arn, false),
        "arnnotequals" | "arnnotlike" => (Arn, true),
        "numericequals" => (Numeric(Order::Equal), false),
        "numericnotequals" => (Numeric(Order::Equal), true),
        "numericlessthan" => (Numeric(Order::Less), false),
        "numericlessthanequals" => (Numeric(Order::LessOrEqual), false),
        "numericgreaterthan" => (Numeric(Order::Greater), false),
        "numericgreaterthanequals" => (Numeric(Order::GreaterOrEqual), false),
        "dateequals" => (Date(Order::Equal), false),
        "datenotequals" => (Date(Order::Equal), true),
        "datelessthan" => (Date(Order::Less), false),
        "datelessthanequals" => (Date(Order::LessOrEqual), false),
        "dategreaterthan" => (Date(Order::Greater), false),
        "dategreaterthanequals" => (Date(Order::GreaterOrEqual), false),
        "bool" => (Bool, false),
        "ipaddress" => (Ip, false),
        "notipaddress" => (Ip, true),
        "binaryequals" => (Binary, false),
        "null" => (Null, false),
        _ => (Undocumented, false),
    }
}

/// A value of a condition, made ready for its operator. One that its operator
/// cannot read matches nothing.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Pattern(Pattern),
    Number(Option<f64>),
    Date(Option<Timestamp>),
    Bool(Option<bool>),
    Ip(Option<IpNet>),
    Text(String),
}

impl Operand {
    /// Reads a value for an operator.
    pub(super) fn read(comparison: Comparison, text: &str, variables: bool) -> Self {
        match comparison {
            Comparison::Equals | Comparison::EqualsIgnoreCase => {
                Self::Pattern(Pattern::new(text, false, variables))
            }
            Comparison::Like | Comparison::Arn => {
                Self::Pattern(Pattern::new(text, true, variables))
            }
            Comparison::Numeric(_) => Self::Number(number(text)),
            Comparison::Date(_) => Self::Date(date(text)),
            Comparison::Bool | Comparison::Null => Self::Bool(boolean(text)),
            Comparison::Ip => Self::Ip(network(text)),
            Comparison::Binary | Comparison::Undocumented => Self::Text(text.to_owned()),
        }
    }

    /// Whether every value would match: a pattern of `*` alone.
    pub(super) fn takes_anything(&self) -> bool {
        matches!(self, Self::Pattern(pattern) if pattern.is_run())
    }

    /// Whether a value of the request matches, before any negation.
    pub(super) fn matches(&self, comparison: Comparison, seen: &str, context: &Context) -> Tri {
        match self {
            Self::Pattern(pattern)
                if matches!(comparison, Comparison::Equals | Comparison::Like) =>
            {
                pattern.matches_in(seen, context)
            }
            Self::Pattern(pattern) => match pattern.resolve(context) {
                Resolved::Unresolved => Tri::No,
                Resolved::Unknown => Tri::Unknown,
                Resolved::Pieces(pieces) => match comparison {
                    Comparison::Arn => arn_pattern::like(&pieces, seen),
                    _ => pattern::matches(&pieces, seen, true),
                }
                .into(),
            },
            Self::Number(asked) => {
                let Comparison::Numeric(order) = comparison else { return Tri::No };
                asked
                    .zip(number(seen))
                    .is_some_and(|(asked, seen)| order.holds(&seen, &asked))
                    .into()
            }
            Self::Date(asked) => {
                let Comparison::Date(order) = comparison else { return Tri::No };
                asked.zip(date(seen)).is_some_and(|(asked, seen)| order.holds(&seen, &asked)).into()
            }
            Self::Bool(asked) => (asked.is_some() && *asked == boolean(seen)).into(),
            Self::Ip(asked) => asked
                .zip(seen.parse::<IpAddr>().ok())
                .is_some_and(|(net, address)| net.contains(&address))
                .into(),
            Self::Text(asked) => match comparison {
                Comparison::Binary => (asked == seen).into(),
                _ => Tri::Unknown,
            },
        }
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// ISO 8601, a plain date, or seconds since 1970.
fn date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(seconds) = number(text) {
        return Time::from_seconds(seconds).map(|time| time.0);
    }
    if let Some(time) = Time::parse(text) {
        return Some(time.0);
    }
    // `2026-11-20T10:00Z`: W3C's profile allows leaving the seconds out.
    let whole = format!("{}:00Z", text.strip_suffix('Z')?);
    Time::parse(&whole).map(|time| time.0)
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// A block, or one address.
fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(operator: &str, asked: &str, seen: &str) -> bool {
        let (comparison, negated) = read(operator);
        assert_ne!(comparison, Comparison::Undocumented, "{operator}");
        let found =
            Operand::read(comparison, asked, true).matches(comparison, seen, &Context::default());
        (found == Tri::Yes) != negated
    }

    #[test]
    fn every_operator() {
        for (operator, asked, seen, expected) in [
            ("StringEquals", "a*", "ab", false),
            ("StringEquals", "a*", "a*", true),
            ("StringNotEquals", "a", "b", true),
            ("StringEqualsIgnoreCase", "PROD", "prod", true),
            ("StringNotEqualsIgnoreCase", "PROD", "prod", false),
            ("StringLike", "a*", "ab", true),
            ("StringLike", "A*", "ab", false),
            ("StringNotLike", "a*", "ab", false),
            ("ArnEquals", "arn:aws:iam::1:role/*", "arn:aws:iam::1:role/a/b", true),
            ("ArnLike", "arn:aws:iam::1:role/a", "not-an-arn", false),
            ("ArnNotEquals", "arn:aws:iam::1:role/a", "not-an-arn", true),
            ("ArnNotLike", "arn:aws:iam::*:role/a", "arn:aws:iam::1:role/a", false),
            ("NumericEquals", "10", "10.0", true),
            ("NumericNotEquals", "10", "11", true),
            ("NumericLessThan", "10", "9", true),
            ("NumericLessThanEquals", "10", "10", true),
            ("NumericGreaterThan", "10", "9", false),
            ("NumericGreaterThanEquals", "10", "x", false),
            ("DateEquals", "2026-11-20T10:00:00Z", "1795168800", true),
            ("DateNotEquals", "2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z", false),
            ("DateLessThan", "2026-11-20", "2026-11-19T23:59:59Z", true),
            ("DateLessThanEquals", "2026-11-20T10:00Z", "2026-11-20T10:00:00Z", true),
            ("DateGreaterThan", "2026-11-20T10:00:00Z", "2026-11-20T12:00:00+02:00", false),
            ("DateGreaterThanEquals", "never", "2026-11-20T12:00:00Z", false),
            ("Bool", "true", "true", true),
            ("Bool", "True", "true", true),
            ("Bool", "yes", "yes", false),
            ("IpAddress", "203.0.113.0/24", "203.0.113.57", true),
            ("IpAddress", "203.0.113.57", "203.0.113.57", true),
            ("IpAddress", "2001:db8::/32", "203.0.113.57", false),
            ("IpAddress", "2001:db8::/32", "2001:db8::1", true),
            ("NotIpAddress", "203.0.113.0/24", "198.51.100.1", true),
            ("IpAddress", "corporate", "198.51.100.1", false),
            ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", true),
            ("BinaryEquals", "QmluYXJ5", "qmluyxj5", false),
        ] {
            assert_eq!(holds(operator, asked, seen), expected, "{operator} {asked} {seen}");
        }
        assert_eq!(read("StringStartsWith").0, Comparison::Undocumented);
    }
}
