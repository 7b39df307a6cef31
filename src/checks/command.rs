//! Commands to paste that several checks print.

use std::borrow::Cow;

use serde_json::Value;

use super::{Case, Finding, Fix};
use crate::aws::commands::Command;

/// A word as a POSIX shell reads it back: in single quotes where it holds
/// anything that a shell (or its history, `rds!cluster-…`) would act on.
pub(crate) fn quoted(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_+=.@:,%-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

/// The command that sets variables of a function and keeps the others.
pub(super) fn set_variables(function: &str, variables: &[(&str, &str)]) -> String {
    let edits: Vec<_> = variables
        .iter()
        .map(|(name, value)| format!(".{name} = {}", Value::from(*value)))
        .collect();
    edit_variables(function, &edits.join(" | "))
}

/// The command that removes a variable and keeps the others.
pub(super) fn unset_variable(function: &str, name: &str) -> String {
    edit_variables(function, &format!("del(.{name})"))
}

/// Lambda replaces the variables as a whole, so they are read first; they may be
/// secret, so they go from one program to the next and no file holds them. Where they
/// cannot be read, nothing reaches the last program, which refuses that.
fn edit_variables(function: &str, edit: &str) -> String {
    let function = quoted(function);
    let program = format!(
        "if .Environment.Error then error(\"the variables cannot be decrypted\") else \
         {{Environment: {{Variables: ((.Environment.Variables // {{}}) | {edit})}}}} end"
    );
    format!(
        "aws lambda get-function-configuration --function-name {function} --output json | jq {} \
         | aws lambda update-function-configuration --function-name {function} --cli-input-json \
         file:///dev/stdin",
        quoted(&program)
    )
}

/// The command that edits the secret's value with a jq program and shows nothing
/// of it. Reads `Secret`.
pub(super) fn edit_value(case: &Case<'_>, edit: &str) -> String {
    let id = quoted(case.secret_id());
    format!(
        "aws secretsmanager get-secret-value --secret-id {id} --query SecretString --output text \
         | jq -c {} \
         | aws secretsmanager put-secret-value --secret-id {id} --secret-string file:///dev/stdin",
        quoted(edit)
    )
}

/// The command that shows a setting of the function as the secret names it: of its
/// alias, or of the version that a fix has just published. Reads `Secret`.
pub(super) fn show_setting(case: &Case<'_>, function: &str, query: &str) -> String {
    let qualifier = match qualified(case) {
        Some((_, qualifier)) if is_version(&qualifier) => " --qualifier \"$VERSION\"".to_owned(),
        Some((_, alias)) => format!(" --qualifier {}", quoted(&alias)),
        None => String::new(),
    };
    format!(
        "aws lambda get-function-configuration --function-name {}{qualifier} --query {}",
        quoted(function),
        quoted(query)
    )
}

/// The ARN of the secret's function without its alias or version, and that, where
/// the secret names one.
fn qualified(case: &Case<'_>) -> Option<(String, String)> {
    let secret = case.secret();
    let arn = secret.if_known()?.rotation_lambda_arn.as_deref()?;
    let (at, _) = arn.match_indices(':').nth(6)?;
    let qualifier = &arn[at + 1..];
    (!matches!(qualifier, "" | "$LATEST")).then(|| (arn[..at].to_owned(), qualifier.to_owned()))
}

fn is_version(qualifier: &str) -> bool {
    qualifier.chars().all(|c| c.is_ascii_digit())
}

/// The option that makes a command of Lambda's speak of what the secret names,
/// with the space before it. Reads `Secret`.
pub(super) fn qualifier_option(case: &Case<'_>) -> String {
    qualified(case).map(|(_, it)| format!(" --qualifier {}", quoted(&it))).unwrap_or_default()
}

/// Completes a finding whose last fix changes the function's configuration.
/// Reads `Secret`.
pub(super) fn published(case: &Case<'_>, mut finding: Finding) -> Finding {
    if let Some(fix) = finding.fixes.last_mut() {
        publish(case, fix);
    }
    finding
}

/// Completes a fix that changes the function's configuration, which changes
/// `$LATEST` alone: where the secret names an alias or a version, what changed
/// has to be published too, with whatever else `$LATEST` holds, and so the
/// change is not one that can be tried. Reads `Secret`.
pub(super) fn publish(case: &Case<'_>, fix: &mut Fix) {
    let Some((base, qualifier)) = qualified(case) else { return };
    fix.change = None;
    let function = quoted(base.rsplit(':').next().unwrap_or_default());
    let wait =
        Command::from(format!("aws lambda wait function-updated --function-name {function}"));
    if fix.commands.last() != Some(&wait) {
        fix.commands.push(wait);
    }
    fix.commands.push(Command::from(format!(
        "VERSION=$(aws lambda publish-version --function-name {function} --query Version \
         --output text)"
    )));
    if is_version(&qualifier) {
        fix.summary.push_str(&format!(
            " The secret names version {qualifier}, which never changes: publish a new one (with \
             whatever else $LATEST holds), let Secrets Manager invoke it, and point the secret at it."
        ));
        fix.commands.extend([
            Command::from(format!(
                "aws lambda add-permission --function-name {function} --qualifier \"$VERSION\" \
                 --statement-id SecretsManager --action lambda:InvokeFunction --principal \
                 secretsmanager.amazonaws.com --source-account {}",
                case.account_id()
            )),
            Command::from(format!(
                "aws secretsmanager rotate-secret --secret-id {} --rotation-lambda-arn \
                 {}:\"$VERSION\" --no-rotate-immediately",
                quoted(case.secret_id()),
                quoted(&base)
            )),
        ]);
    } else {
        fix.summary.push_str(&format!(
            " The secret names alias {qualifier}, which keeps its version: publish a new one (with \
             whatever else $LATEST holds) and point the alias at it."
        ));
        fix.commands.push(Command::from(format!(
            "aws lambda update-alias --function-name {function} --name {} --function-version \
             \"$VERSION\"",
            quoted(&qualifier)
        )));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{edit_value, published, quoted, set_variables, show_setting, unset_variable};
    use crate::checks::{Case, Change, Finding, testing::evidence};

    /// The commands of a fix and whether it can be tried, for this function.
    fn fix(arn: &str) -> (Vec<String>, bool) {
        let evidence = evidence(json!({"Secret": {"Name": "app", "RotationLambdaARN": arn}}));
        let finding = Finding::new("RUN08", "f", "")
            .fix("Set it.", ["aws lambda update-function-configuration"])
            .trying(Change::SetHandler { handler: String::new() });
        let fix = published(&Case::new(&evidence), finding).fixes.remove(0);
        (fix.lines(), fix.change.is_some())
    }

    #[test]
    fn an_alias_or_a_version_needs_publishing_and_latest_does_not() {
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:f";
        for plain in ["arn", arn, &format!("{arn}:$LATEST")] {
            let (commands, tried) = fix(plain);
            assert_eq!((commands.len(), tried), (1, true), "{plain}");
        }
        let (commands, tried) = fix(&format!("{arn}:live"));
        assert!(!tried && commands[2].contains("publish-version --function-name f "));
        assert_eq!(
            commands[3],
            "aws lambda update-alias --function-name f --name live --function-version \"$VERSION\""
        );
        let (commands, tried) = fix(&format!("{arn}:7"));
        assert!(
            !tried && commands[4].contains(&format!("--rotation-lambda-arn \"{arn}:$VERSION\""))
        );
    }

    #[test]
    fn variables_are_edited_without_a_file() {
        let command = set_variables("f", &[("A", "it's"), ("B", "/@\"")]);
        assert!(
            command
                .contains(r#"// {}) | .A = "it'\''s" | .B = "/@\"")}} end' | aws lambda update"#),
            "{command}"
        );
        assert!(command.ends_with("--function-name f --cli-input-json file:///dev/stdin"));
        assert!(unset_variable("f", "A").contains("| del(.A))"));
    }

    #[test]
    fn a_value_is_edited_without_being_shown() {
        let evidence = evidence(json!({"Secret": {"Name": "rds!a"}}));
        assert_eq!(
            edit_value(&Case::new(&evidence), ".port = 1"),
            "aws secretsmanager get-secret-value --secret-id 'rds!a' --query SecretString --output \
             text | jq -c '.port = 1' | aws secretsmanager put-secret-value --secret-id 'rds!a' \
             --secret-string file:///dev/stdin"
        );
    }

    #[test]
    fn a_setting_is_shown_where_the_secret_points() {
        let shown = |arn: &str| {
            let evidence = evidence(json!({"Secret": {"Name": "app", "RotationLambdaARN": arn}}));
            show_setting(&Case::new(&evidence), "f", "Timeout")
        };
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:f";
        let plain = "aws lambda get-function-configuration --function-name f";
        assert_eq!(shown(arn), format!("{plain} --query Timeout"));
        assert_eq!(shown(&format!("{arn}:$LATEST")), format!("{plain} --query Timeout"));
        let live = format!("{plain} --qualifier live --query Timeout");
        assert_eq!(shown(&format!("{arn}:live")), live);
        // A version never changes: what counts is the one that the fix publishes.
        let new = format!("{plain} --qualifier \"$VERSION\" --query Timeout");
        assert_eq!(shown(&format!("{arn}:7")), new);
    }

    #[test]
    fn only_what_a_shell_acts_on_is_quoted() {
        assert_eq!(quoted("prod/orders"), "prod/orders");
        assert_eq!(quoted("rds!cluster-1a"), "'rds!cluster-1a'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
