//! Commands to paste: how a word is quoted in them. What a command says is the
//! business of the check that prints it.

use std::borrow::Cow;

/// A word as a POSIX shell reads it back: in single quotes where it holds
/// anything that a shell (or its history, `rds!cluster-…`) would act on.
pub(crate) fn quoted(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_+=.@:,%-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

/// The commands that set one variable of a function and keep the others:
/// `--environment` replaces all of them.
pub(super) fn set_variable(function: &str, name: &str, value: &str) -> [String; 2] {
    let function = quoted(function);
    [
        format!(
            "aws lambda get-function-configuration --function-name {function} \
             --query '{{Variables: Environment.Variables}}' --output json \
             | jq --arg value {} '.Variables.{name} = $value' > environment.json",
            quoted(value)
        ),
        format!(
            "aws lambda update-function-configuration --function-name {function} \
             --environment file://environment.json"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::{quoted, set_variable};

    #[test]
    fn setting_a_variable_keeps_the_others() {
        let [read, write] = set_variable("f", "EXCLUDE_CHARACTERS", "/@");
        assert!(read.ends_with(
            "jq --arg value /@ '.Variables.EXCLUDE_CHARACTERS = $value' > environment.json"
        ));
        assert!(write.ends_with("--environment file://environment.json"));
    }

    #[test]
    fn only_what_a_shell_acts_on_is_quoted() {
        assert_eq!(quoted("prod/orders"), "prod/orders");
        assert_eq!(quoted("rds!cluster-1a"), "'rds!cluster-1a'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
