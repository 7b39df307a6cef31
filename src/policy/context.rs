//! The request context: which condition keys a request carries, which it does
//! not, and which cannot be told. Keys are compared without case.

use std::collections::BTreeMap;

/// What can be said of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Values(Vec<String>),
    Present,
    AbsentOr(Vec<String>),
    Unknown,
}

/// The condition keys of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    entries: BTreeMap<String, Entry>,
    unknown_prefixes: Vec<String>,
}

/// What the context says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known<'a> {
    /// The request carries it with these values; never empty.
    Values(&'a [String]),
    /// The request carries it, with a value that was not seen.
    Present,
    /// The request does not carry it.
    Absent,
    /// The request does not carry it, or carries it with these values.
    AbsentOr(&'a [String]),
    /// Whether the request carries it was not seen.
    Unknown,
}

impl Context {
    /// Sets a key with one value.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.put(key, Entry::Values(vec![value.into()]));
    }

    /// Sets a key with a list of values; an empty list is an absent key.
    pub fn set_list<S: Into<String>>(&mut self, key: &str, values: impl IntoIterator<Item = S>) {
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        if values.is_empty() {
            self.remove(key);
        } else {
            self.put(key, Entry::Values(values));
        }
    }

    /// Sets a key that the request carries with a value that was not seen.
    pub fn set_present(&mut self, key: &str) {
        self.put(key, Entry::Present);
    }

    /// Sets a key that the request carries with this value, if at all.
    pub fn set_absent_or(&mut self, key: &str, value: impl Into<String>) {
        self.put(key, Entry::AbsentOr(vec![value.into()]));
    }

    /// Sets a key of which it was not seen whether the request carries it.
    pub fn set_unknown(&mut self, key: &str) {
        self.put(key, Entry::Unknown);
    }

    /// Marks every key that begins so as not seen, such as `aws:PrincipalTag/`,
    /// unless it is set by itself.
    pub fn set_unknown_prefix(&mut self, prefix: &str) {
        self.unknown_prefixes.push(prefix.to_lowercase());
    }

    /// Marks every key that begins so as seen: what is not set is absent.
    pub fn known_prefix(&mut self, prefix: &str) {
        let prefix = prefix.to_lowercase();
        self.unknown_prefixes.retain(|unknown| *unknown != prefix);
    }

    /// Takes a key away.
    pub fn remove(&mut self, key: &str) {
        self.entries.remove(&key.to_lowercase());
    }

    fn put(&mut self, key: &str, entry: Entry) {
        self.entries.insert(key.to_lowercase(), entry);
    }

    /// What is known of a key, in whatever case it is written.
    pub fn look(&self, key: &str) -> Known<'_> {
        self.get(&key.to_lowercase())
    }

    /// What is known of a key that is written in lower case already.
    pub(super) fn get(&self, lower: &str) -> Known<'_> {
        match self.entries.get(lower) {
            Some(Entry::Values(values)) => Known::Values(values),
            Some(Entry::Present) => Known::Present,
            Some(Entry::AbsentOr(values)) => Known::AbsentOr(values),
            Some(Entry::Unknown) => Known::Unknown,
            None if self.unknown_prefixes.iter().any(|prefix| lower.starts_with(prefix)) => {
                Known::Unknown
            }
            None => Known::Absent,
        }
    }

    /// The single value of a key, where it is known.
    pub fn value(&self, key: &str) -> Option<&str> {
        match self.look(key) {
            Known::Values([one]) => Some(one),
            _ => None,
        }
    }

    /// The keys whose values were seen, in lower case, with them.
    pub fn values(&self) -> Vec<(String, Vec<String>)> {
        let entries = self.entries.iter();
        entries
            .filter_map(|(key, entry)| match entry {
                Entry::Values(values) => Some((key.clone(), values.clone())),
                _ => None,
            })
            .collect()
    }

    /// The keys below a prefix in lower case, without the prefix, with their
    /// first values.
    pub(super) fn below<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + 'a {
        self.entries.range(prefix.to_owned()..).map_while(move |(key, entry)| {
            let rest = key.strip_prefix(prefix)?;
            let value = match entry {
                Entry::Values(values) => values.first().map(String::as_str),
                _ => None,
            };
            Some((rest, value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Context, Known};

    #[test]
    fn keys_have_no_case_and_four_states() {
        let mut context = Context::default();
        context.set("aws:SourceVpce", "vpce-1");
        context.set_present("aws:SourceIp");
        context.set_unknown("aws:PrincipalOrgID");
        context.set_unknown_prefix("aws:PrincipalTag/");
        context.set("aws:PrincipalTag/env", "prod");
        context.set_list::<String>("aws:CalledVia", []);
        assert_eq!(context.value("AWS:sourceVPCE"), Some("vpce-1"));
        assert_eq!(context.look("aws:SourceIp"), Known::Present);
        assert_eq!(context.look("aws:principalorgid"), Known::Unknown);
        assert_eq!(context.look("aws:PrincipalTag/team"), Known::Unknown);
        assert_eq!(context.value("aws:PrincipalTag/env"), Some("prod"));
        assert_eq!(context.look("aws:CalledVia"), Known::Absent);
        assert_eq!(context.below("aws:principaltag/").collect::<Vec<_>>(), [("env", Some("prod"))]);
    }
}
