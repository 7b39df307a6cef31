//! Commands to paste: how a word is quoted in them. What a command says is the
//! business of the check that prints it.

use std::borrow::Cow;

use super::{Case, Finding, Fix};

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

/// The alias or version of the function that the secret names; none where it is
/// `$LATEST`. Reads `Secret`.
pub(super) fn qualifier<'c>(case: &'c Case<'_>) -> Option<&'c str> {
    let arn = case.secret().if_known()?.rotation_lambda_arn.as_deref()?;
    // arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]
    let qualifier = arn.splitn(8, ':').nth(7)?;
    (!matches!(qualifier, "" | "$LATEST")).then_some(qualifier)
}

/// The option that makes a command of Lambda's speak of what the secret names,
/// with the space before it. Reads `Secret`.
pub(super) fn qualifier_option(case: &Case<'_>) -> String {
    qualifier(case).map(|it| format!(" --qualifier {}", quoted(it))).unwrap_or_default()
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
    let Some(qualifier) = qualifier(case) else { return };
    let secret = case.secret();
    let arn = secret.if_known().and_then(|secret| secret.rotation_lambda_arn.as_deref());
    let parts: Vec<&str> = arn.unwrap_or_default().splitn(8, ':').collect();
    let name = parts[6];
    fix.change = None;
    let function = quoted(name);
    let wait = format!("aws lambda wait function-updated --function-name {function}");
    if fix.commands.last() != Some(&wait) {
        fix.commands.push(wait);
    }
    fix.commands.extend([format!(
        "VERSION=$(aws lambda publish-version --function-name {function} --query Version \
             --output text)"
    )]);
    if qualifier.chars().all(|c| c.is_ascii_digit()) {
        fix.summary.push_str(&format!(
            " The secret names version {qualifier}, which never changes: publish a new one (with \
             whatever else $LATEST holds), let Secrets Manager invoke it, and point the secret at it."
        ));
        let base = parts[..7].join(":");
        fix.commands.extend([
            format!(
                "aws lambda add-permission --function-name {function} --qualifier \"$VERSION\" \
                 --statement-id SecretsManager --action lambda:InvokeFunction --principal \
                 secretsmanager.amazonaws.com --source-account {}",
                case.account_id()
            ),
            format!(
                "aws secretsmanager rotate-secret --secret-id {} --rotation-lambda-arn \
                 {}:\"$VERSION\" --no-rotate-immediately",
                quoted(case.secret_id()),
                quoted(&base)
            ),
        ]);
    } else {
        fix.summary.push_str(&format!(
            " The secret names alias {qualifier}, which keeps its version: publish a new one (with \
             whatever else $LATEST holds) and point the alias at it."
        ));
        fix.commands.push(format!(
            "aws lambda update-alias --function-name {function} --name {} --function-version \
             \"$VERSION\"",
            quoted(qualifier)
        ));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{published, quoted, set_variable};
    use crate::checks::{Case, Change, Finding, testing::evidence};

    /// The commands of a fix and whether it can be tried, for this function.
    fn fix(arn: &str) -> (Vec<String>, bool) {
        let evidence = evidence(json!({"Secret": {"Name": "app", "RotationLambdaARN": arn}}));
        let finding = Finding::new("RUN08", "f", "")
            .fix("Set it.", ["aws lambda update-function-configuration"])
            .trying(Change::SetHandler { handler: String::new() });
        let fix = published(&Case::new(&evidence), finding).fixes.remove(0);
        (fix.commands, fix.change.is_some())
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
            !tried && commands[4].contains(&format!("--rotation-lambda-arn {arn}:\"$VERSION\""))
        );
    }

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
