//! A waiver: a finding that is accepted, for a reason, until a day.

use jiff::civil::Date;

use crate::report::v1::{Finding, Target};

/// A finding that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// The code.
    pub code: String,
    /// What it is about: the finding's resource, the secret's name or ARN, or the address
    /// in a template or plan. `*` stands for any text.
    pub resource: String,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub until: Date,
    /// Its line in the file, from 1.
    pub line: usize,
}

impl Waiver {
    /// Whether it is about this finding.
    pub fn covers(&self, finding: &Finding, target: &Target) -> bool {
        let address = finding.location.as_ref().map(|location| location.address.as_str());
        let names = [
            Some(finding.resource.as_str()),
            target.secret_name.as_deref(),
            target.secret_arn.as_deref(),
            address,
        ];
        self.code == finding.code
            && names.into_iter().flatten().any(|name| matches(&self.resource, name))
    }

    /// Whether its day has passed.
    pub fn has_expired(&self, today: Date) -> bool {
        self.until < today
    }
}

/// Whether a pattern with `*` fits a text as a whole.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, fits) in [
            ("sg-1", "sg-1", true),
            ("sg-1", "sg-12", false),
            ("*", "", true),
            ("prod/*", "prod/orders", true),
            ("prod/*", "test/orders", false),
            ("*:secret:prod/*-AbCdEf", "arn:aws:x:secret:prod/a-AbCdEf", true),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
    }
}
