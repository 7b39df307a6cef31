//! Commands to paste: how a word is quoted in them. What a command says is the
//! business of the check that prints it.

use std::borrow::Cow;

/// A word as a POSIX shell reads it back: in single quotes where it holds
/// anything that a shell (or its history, `rds!cluster-…`) would act on.
pub(super) fn quoted(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_+=.@:,%-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn only_what_a_shell_acts_on_is_quoted() {
        assert_eq!(quoted("prod/orders"), "prod/orders");
        assert_eq!(quoted("rds!cluster-1a"), "'rds!cluster-1a'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
