//! The names that stand before a secret, and how secret their values are.

use std::sync::LazyLock;

use regex::Regex;

/// Names of passwords: whatever stands after them is hidden.
macro_rules! password_names {
    () => {
        concat!(
            r"(?:[a-z0-9_.\-]*(?:password|passwd|passphrase|passcode|pwd)",
            r"(?:[_\-]?(?:old|new|current|pending|previous|confirm|value|text|plain|hash|[0-9]{1,3}))?",
            r"|(?:[a-z0-9_.\-]*[_.\-])?(?:pass|pw)|(?:db|my|pg|user|admin|root|master|smtp|redis|sys)pass",
            r"|(?-i:[A-Za-z0-9_]*[a-z0-9](?:Pass|Pw)))",
        )
    };
}
/// Names of tokens and keys: an ARN or a UUID after them is an identifier.
macro_rules! key_names {
    () => {
        concat!(
            r"(?:(?:[a-z0-9_.\-]*[_.\-])?(?:secret_?access_?key|secret_?key|secret_?string|secret_?binary)",
            r"|(?:[a-z0-9_.\-]*[_.\-])?(?:client|shared|app|webhook|jwt)_?secret",
            r"|(?:[a-z0-9_.\-]*[_.\-])?(?:session|security|auth|access|refresh|id|bearer|api|github|gitlab|jwt)[_.\-]?token",
            r"|(?:aws|my|db|x)?(?:session|security|auth|access|refresh|id|bearer|api)token",
            r"|(?-i:[A-Z0-9_]*_(?:SECRET|TOKEN))",
            r"|(?:aws)?secretaccesskey|(?:[a-z0-9_.\-]*[_.\-])?(?:api[_\-]?key|private[_\-]?key)|x-amz-signature)",
        )
    };
}
pub(super) use {key_names, password_names};

/// What may be spared after a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Nothing but masks and the words that say that there is a value.
    Password,
    /// ARNs and UUIDs too.
    Key,
}

/// The class of a whole key, such as a JSON member's name.
pub(super) fn class(name: &str) -> Option<Class> {
    static PASSWORD: LazyLock<Regex> =
        LazyLock::new(|| super::pattern(concat!("(?i)^", password_names!(), "$")));
    static KEY: LazyLock<Regex> = LazyLock::new(|| {
        super::pattern(concat!(
            r"(?i)^(?:",
            key_names!(),
            r"|(?:[a-z0-9_.\-]*[_.\-])?(?:secret|token)|authorization|(?:set-)?cookie)$"
        ))
    });
    if PASSWORD.is_match(name) {
        Some(Class::Password)
    } else {
        KEY.is_match(name).then_some(Class::Key)
    }
}

/// The class of the names in a piece of text that a pattern found.
pub(super) fn class_in(found: &str) -> Class {
    let found = found.to_ascii_lowercase();
    if ["pass", "pwd", "pw", "identified"].iter().any(|name| found.contains(name)) {
        Class::Password
    } else {
        Class::Key
    }
}

/// Whether a member holds the name of another member's value: `Key` and `Value`,
/// `ParameterKey` and `ParameterValue`.
pub(super) fn names_a_value(member: &str) -> bool {
    let member = member.to_ascii_lowercase();
    member.len() <= 16 && (member.ends_with("key") || member.ends_with("name"))
}

/// The member that holds the value.
pub(super) fn is_value(member: &str) -> bool {
    member.len() <= 16 && member.to_ascii_lowercase().ends_with("value")
}

/// Identifiers, masks and the words that say that there is a value are no secrets.
pub(super) fn worth_hiding(value: &str, class: Class) -> bool {
    /// A version id or client request token, or an ARN.
    static IDENTIFIER: LazyLock<Regex> = LazyLock::new(|| {
        super::pattern(concat!(
            r"^(?:(?i:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$",
            r"|arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:)"
        ))
    });
    const NEUTRAL: &[&str] = &[
        "yes",
        "no",
        "true",
        "false",
        "none",
        "null",
        "nil",
        "%s",
        "hidden_due_to_security_reasons",
    ];
    let value = value.trim();
    let mask = |c: char| matches!(c, '*' | '.' | '•');
    !(value.is_empty()
        || value.starts_with(super::REDACTED)
        || value == super::HIDDEN
        || value.chars().all(mask)
        || class == Class::Key && IDENTIFIER.is_match(value)
        || NEUTRAL.iter().any(|word| value.eq_ignore_ascii_case(word)))
}
