//! Commands that several checks propose.

use serde_json::{Value, json};

use super::{Case, Finding, Fix};
use crate::{
    aws::{
        arn,
        commands::{Argument, Command, json_text},
    },
    evidence::{Function, Secret},
};

/// The secret's name, else its ARN. Reads `Secret`.
pub(super) fn secret(case: &Case<'_>) -> Argument {
    Argument::or_placeholder(case.secret_id_if_known(), "SECRET")
}

/// A secret's name, else its ARN.
pub(super) fn id_of(secret: &Secret) -> Argument {
    let id = secret.name.as_deref().or(secret.arn.as_deref());
    Argument::or_placeholder(id, "SECRET")
}

/// The function's name, else its ARN.
pub(super) fn function_name(function: &Function) -> Argument {
    let configuration = &function.configuration;
    let name = configuration.function_name.as_deref().or(configuration.function_arn.as_deref());
    Argument::or_placeholder(name, "FUNCTION")
}

/// An operation of Secrets Manager on the secret. Reads `Secret`.
pub(super) fn on_secret(case: &Case<'_>, operation: &'static str) -> Command {
    Command::aws("secretsmanager", operation).option("--secret-id", secret(case))
}

/// Starts a rotation. Reads `Secret`.
pub(super) fn rotate(case: &Case<'_>) -> Command {
    on_secret(case, "rotate-secret")
}

/// Sets the rules of the rotation, without rotating now. Reads `Secret`.
pub(super) fn set_rotation_rules(case: &Case<'_>, rules: &Value) -> Command {
    rotate(case).option("--rotation-rules", Argument::json(rules)).flag("--no-rotate-immediately")
}

/// Shows a part of what DescribeSecret returns. Reads `Secret`.
pub(super) fn describe_secret(case: &Case<'_>, query: &'static str) -> Command {
    on_secret(case, "describe-secret").option("--query", query)
}

/// Removes AWSPENDING from a version. Reads `Secret`.
pub(super) fn remove_pending(case: &Case<'_>, version: &str) -> Command {
    on_secret(case, "update-secret-version-stage")
        .option("--version-stage", "AWSPENDING")
        .option("--remove-from-version-id", version)
}

/// Stores a value out of a file. Reads `Secret`.
pub(super) fn store_value(case: &Case<'_>) -> Command {
    on_secret(case, "put-secret-value").option("--secret-string", Argument::file("value.json"))
}

/// Diagnoses the secret again. Reads `Secret`.
pub(super) fn diagnose(case: &Case<'_>) -> Command {
    Command::rotdoctor("diagnose").operand("SECRET", secret(case))
}

/// Diagnoses the secret again, with the keys of its value. Reads `Secret`.
pub(super) fn diagnose_value(case: &Case<'_>) -> Command {
    diagnose(case).flag("--read-secret")
}

/// Edits the secret's value with a jq program and shows nothing of it. Reads `Secret`.
pub(super) fn edit_value(case: &Case<'_>, program: impl Into<Argument>) -> Command {
    on_secret(case, "get-secret-value")
        .option("--query", "SecretString")
        .option("--output", "text")
        .pipe(Command::program("jq").flag("-c").operand("PROGRAM", program))
        .pipe(
            on_secret(case, "put-secret-value")
                .option("--secret-string", Argument::file("/dev/stdin")),
        )
}

/// A jq program that sets a key of an object to a text.
pub(super) fn set_key(key: &'static str, value: &str) -> Argument {
    Argument::from(format!(".{key} = {}", json_text(&value.into())))
}

/// A jq program that sets a key of an object to a word that the reader replaces.
pub(super) fn set_key_to_placeholder(key: &'static str, placeholder: &str) -> Argument {
    Argument::from(format!(".{key} = \"")).then(Argument::placeholder(placeholder)).then("\"")
}

/// An operation of Lambda on a function.
pub(super) fn on_function(function: impl Into<Argument>, operation: &'static str) -> Command {
    Command::aws("lambda", operation).option("--function-name", function)
}

/// Waits until the last change of a function is done.
pub(super) fn wait_for_function(function: impl Into<Argument>) -> Command {
    Command::aws("lambda", "wait").word("function-updated").option("--function-name", function)
}

/// Sets variables of a function and keeps the others.
pub(super) fn set_variables(function: impl Into<Argument>, variables: &[(&str, &str)]) -> Command {
    let edits: Vec<_> = variables
        .iter()
        .map(|(name, value)| format!(".{name} = {}", json_text(&(*value).into())))
        .collect();
    edit_variables(function, &edits.join(" | "))
}

/// Removes a variable of a function and keeps the others.
pub(super) fn unset_variable(function: impl Into<Argument>, name: &'static str) -> Command {
    edit_variables(function, &format!("del(.{name})"))
}

/// Lambda replaces the variables as a whole, so they are read first; they may be
/// secret, so they go from one program to the next and no file holds them. Where they
/// cannot be read, nothing reaches the last program, which refuses that.
fn edit_variables(function: impl Into<Argument>, edit: &str) -> Command {
    let function = function.into();
    let program = format!(
        "if .Environment.Error then error(\"the variables cannot be decrypted\") else \
         {{Environment: {{Variables: ((.Environment.Variables // {{}}) | {edit})}}}} end"
    );
    on_function(function.clone(), "get-function-configuration")
        .option("--output", "json")
        .pipe(Command::program("jq").operand("PROGRAM", program))
        .pipe(
            on_function(function, "update-function-configuration")
                .option("--cli-input-json", Argument::file("/dev/stdin")),
        )
}

/// Shows a setting of the function as the secret names it: of its alias, or of the
/// version that a fix has just published. Reads `Secret`.
pub(super) fn show_setting(
    case: &Case<'_>,
    function: impl Into<Argument>,
    query: impl Into<Argument>,
) -> Command {
    let qualifier = qualified(case).map(|(_, qualifier)| match is_version(qualifier) {
        true => Argument::variable("VERSION"),
        false => Argument::from(qualifier),
    });
    on_function(function, "get-function-configuration")
        .option_if("--qualifier", qualifier)
        .option("--query", query)
}

/// The ARN of the secret's function without its alias or version, and that, where
/// the secret names one.
fn qualified<'c>(case: &'c Case<'_>) -> Option<(&'c str, &'c str)> {
    let secret = case.secret();
    let function = secret.if_known()?.rotation_lambda_arn.as_deref()?;
    let qualifier = arn::function_qualifier(function)?;
    (!matches!(qualifier, "" | "$LATEST")).then(|| (arn::unqualified(function), qualifier))
}

fn is_version(qualifier: &str) -> bool {
    qualifier.chars().all(|c| c.is_ascii_digit())
}

/// The alias or version of the function that the secret names. Reads `Secret`.
pub(super) fn qualifier<'c>(case: &'c Case<'_>) -> Option<&'c str> {
    qualified(case).map(|(_, qualifier)| qualifier)
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
    let function = arn::function_name(base).unwrap_or(base);
    let wait = wait_for_function(function);
    if fix.commands.last() != Some(&wait) {
        fix.commands.push(wait);
    }
    fix.commands.push(
        on_function(function, "publish-version")
            .option("--query", "Version")
            .option("--output", "text")
            .capture("VERSION"),
    );
    let version = Argument::variable("VERSION");
    if is_version(qualifier) {
        fix.summary.push_str(&format!(
            " The secret names version {qualifier}, which never changes: publish a new one (with \
             whatever else $LATEST holds), let Secrets Manager invoke it, and point the secret at it."
        ));
        fix.commands.extend([
            on_function(function, "add-permission")
                .option("--qualifier", version.clone())
                .option("--statement-id", "SecretsManager")
                .option("--action", "lambda:InvokeFunction")
                .option("--principal", "secretsmanager.amazonaws.com")
                .option(
                    "--source-account",
                    Argument::or_placeholder(case.account_if_known(), "ACCOUNT"),
                ),
            rotate(case)
                .option("--rotation-lambda-arn", Argument::from(base).then(":").then(version))
                .flag("--no-rotate-immediately"),
        ]);
    } else {
        fix.summary.push_str(&format!(
            " The secret names alias {qualifier}, which keeps its version: publish a new one (with \
             whatever else $LATEST holds) and point the alias at it."
        ));
        fix.commands.push(
            on_function(function, "update-alias")
                .option("--name", qualifier)
                .option("--function-version", version),
        );
    }
}

/// CloudTrail's events with this attribute.
pub(super) fn events_of(key: &'static str, value: &str) -> Command {
    let attribute = json!({"AttributeKey": key, "AttributeValue": value});
    Command::aws("cloudtrail", "lookup-events")
        .option("--lookup-attributes", Argument::structure(&attribute))
}

/// What RDS can do to an instance and to a cluster alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DatabaseOperation {
    Describe,
    Modify,
    Start,
    Wait,
}

/// An operation of RDS on an instance or a cluster.
pub(super) fn on_database(
    operation: DatabaseOperation,
    cluster: bool,
    identifier: impl Into<Argument>,
) -> Command {
    let rds = |operation| Command::aws("rds", operation);
    let command = match (operation, cluster) {
        (DatabaseOperation::Describe, true) => rds("describe-db-clusters"),
        (DatabaseOperation::Describe, false) => rds("describe-db-instances"),
        (DatabaseOperation::Modify, true) => rds("modify-db-cluster"),
        (DatabaseOperation::Modify, false) => rds("modify-db-instance"),
        (DatabaseOperation::Start, true) => rds("start-db-cluster"),
        (DatabaseOperation::Start, false) => rds("start-db-instance"),
        (DatabaseOperation::Wait, true) => rds("wait").word("db-cluster-available"),
        (DatabaseOperation::Wait, false) => rds("wait").word("db-instance-available"),
    };
    let option = if cluster { "--db-cluster-identifier" } else { "--db-instance-identifier" };
    command.option(option, identifier)
}

/// Deploys a stack from a file.
pub(super) fn update_stack(stack: impl Into<Argument>) -> Command {
    Command::aws("cloudformation", "update-stack")
        .option("--stack-name", stack)
        .option("--template-body", Argument::file("template.json"))
        .options("--capabilities", ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
}

/// Shows a stack's template as it was written.
pub(super) fn show_template(stack: impl Into<Argument>) -> Command {
    Command::aws("cloudformation", "get-template")
        .option("--stack-name", stack)
        .option("--template-stage", "Original")
}

/// Deploys a CDK application with the newest aws-cdk-lib.
pub(super) fn upgrade_cdk() -> [Command; 2] {
    [
        Command::program("npm").word("install").word("aws-cdk-lib@latest"),
        Command::program("npx").word("cdk").word("deploy"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::{Change, testing::evidence};

    /// The commands of a fix and whether it can be tried, for this function.
    fn fix(arn: &str) -> (Vec<String>, bool) {
        let evidence = evidence(json!({"Secret": {"Name": "app", "RotationLambdaARN": arn}}));
        let finding = Finding::new("RUN08", "f", "")
            .fix("Set it.", [Command::aws("lambda", "update-function-configuration")])
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
            !tried && commands[4].contains(&format!("--rotation-lambda-arn \"{arn}:$VERSION\"")),
            "{commands:?}"
        );
    }

    #[test]
    fn variables_are_edited_without_a_file() {
        let command =
            set_variables("f", &[("A", "it's"), ("B", "/@\"")]).render(Default::default());
        assert_eq!(command.pipeline.len(), 3);
        let program = &command.pipeline[1][1];
        assert!(program.contains(r#"// {}) | .A = "it's" | .B = "/@\"")}} end"#), "{program}");
        assert!(command.text.ends_with("--function-name f --cli-input-json file:///dev/stdin"));
        assert!(unset_variable("f", "A").plain().contains("| del(.A))"));
    }

    #[test]
    fn a_value_is_edited_without_being_shown() {
        let evidence = evidence(json!({"Secret": {"Name": "rds!a"}}));
        assert_eq!(
            edit_value(&Case::new(&evidence), ".port = 1").plain(),
            "aws secretsmanager get-secret-value --secret-id 'rds!a' --query SecretString --output \
             text | jq -c '.port = 1' | aws secretsmanager put-secret-value --secret-id 'rds!a' \
             --secret-string file:///dev/stdin"
        );
        let hostile = edit_value(&Case::new(&evidence), set_key("host", "a\" | env | \"$(id)"));
        let rendered = hostile.render(Default::default());
        assert_eq!(rendered.pipeline[1][2], r#".host = "a\" | env | \"$(id)""#);
        let open = edit_value(&Case::new(&evidence), set_key_to_placeholder("host", "WRITER"));
        assert_eq!(open.render(Default::default()).placeholders, ["WRITER"]);
    }

    #[test]
    fn a_setting_is_shown_where_the_secret_points() {
        let shown = |arn: &str| {
            let evidence = evidence(json!({"Secret": {"Name": "app", "RotationLambdaARN": arn}}));
            show_setting(&Case::new(&evidence), "f", "Timeout").plain()
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
}
