//! `rotdoctor audit` for a pipeline: what a team has settled, what is known already, and
//! what is not deployed yet.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::support::{Ran, root, rotdoctor, scratch};

const HEALTHY_TEMPLATE: &str = "fixtures/templates/healthy.yaml";
const HEALTHY_PLAN: &str = "fixtures/plans/healthy.json";

/// The world whose finding is waived, known already, or new.
const BROKEN: &str = "SEC25/fires";

fn json(run: &Ran) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}{}", run.stdout, run.stderr))
}

fn written(name: &str, text: &str) -> PathBuf {
    let path = scratch(name);
    fs::write(&path, text).expect("a file in the scratch folder");
    path
}

fn audit_with(name: &str, configuration: &str, more: &[&str]) -> Ran {
    let path = written(name, configuration);
    let path = path.to_str().expect("a path in UTF-8");
    rotdoctor().arg("audit").bundle(BROKEN).args(["--config", path]).args(more).run()
}

/// The finding of the bundle, as the report has it.
fn finding() -> Value {
    let audit = json(&rotdoctor().arg("audit").bundle(BROKEN).args(["--output", "json"]).run());
    audit["reports"][0]["findings"][0].clone()
}

#[test]
fn a_waiver_sets_aside_what_it_covers_until_its_day() {
    let waiver = |until: &str| {
        format!(
            "[[waiver]]\ncode = \"SEC25\"\nresource = \"arn:aws:secretsmanager:*\"\n\
             reason = \"the key comes back on Monday\"\nuntil = {until}\n"
        )
    };
    let run = audit_with("waived.toml", &waiver("2999-12-31"), &["--output", "json"]);
    let audit = json(&run);
    let report = &audit["reports"][0];
    assert_eq!(report["waived"][0]["code"], "SEC25", "{report:#}");
    assert_eq!(report["waived"][0]["waived_by"]["reason"], "the key comes back on Monday");
    let codes = |list: &Value| list.to_string();
    assert!(!codes(&report["findings"]).contains("\"SEC25\""));
    assert!(!codes(&report["causes"]).contains("\"code\":\"SEC25\""));
    assert_eq!(run.code, 0, "what is accepted fails nothing: {}", run.stderr);
    assert_eq!(run.stderr, "");
    assert_eq!(report["verdict"], "at-risk", "a waiver makes nothing healthy: {report:#}");
    let screen = audit_with("waived.toml", &waiver("2999-12-31"), &[]).stdout;
    assert!(screen.contains("1 finding is waived."), "{screen}");
    assert!(screen.contains("1 at risk, 0 unknown, 0 healthy"), "{screen}");

    let run = audit_with("expired.toml", &waiver("2020-01-01"), &["--output", "json"]);
    assert_eq!(run.code, 1);
    assert_eq!(json(&run)["reports"][0]["findings"][0]["code"], "SEC25");
    assert!(run.stderr.contains("expired after 2020-01-01: it counts again"), "{}", run.stderr);
}

#[test]
fn a_waiver_that_covers_nothing_is_noted() {
    let text =
        "[[waiver]]\ncode = \"NET05\"\nresource = \"*\"\nreason = \"r\"\nuntil = 2999-01-01\n";
    let run = audit_with("unused.toml", text, &["--output", "json"]);
    assert!(run.stderr.contains("the waiver of NET05 for * (line 1) covers nothing"));
    assert!(json(&run)["notes"][0].as_str().expect("a note").contains("covers nothing"));
    assert_eq!(run.code, 1);
}

#[test]
fn severities_and_the_level_that_fails_are_the_teams() {
    let text = "[severity]\nSEC25 = \"note\"\n";
    let run = audit_with("severity.toml", text, &["--output", "json"]);
    let report = &json(&run)["reports"][0];
    assert_eq!(report["findings"][0]["severity"], "note");
    assert_eq!(report["summary"]["errors"], 0);

    let run = audit_with("never.toml", "fail-on = \"never\"", &[]);
    assert_ne!(run.code, 1);
    let run = audit_with("never.toml", "fail-on = \"never\"", &["--fail-on", "error"]);
    assert_eq!(run.code, 1, "the command line wins");
    let run = audit_with("skip.toml", "skip = [\"SEC\"]", &["--output", "json"]);
    assert!(!json(&run)["reports"][0]["findings"].to_string().contains("SEC25"));
}

#[test]
fn a_mistake_in_the_configuration_is_said_with_its_line() {
    let run = audit_with("wrong.toml", "\n[[waver]]\ncode = \"SEC25\"\n", &[]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("wrong.toml: line 2"), "{}", run.stderr);
    assert!(run.stderr.contains("did you mean 'waiver'?"), "{}", run.stderr);
    assert_eq!(run.stdout, "");
    let run = rotdoctor().arg("audit").bundle(BROKEN).args(["--config", "no-such.toml"]).run();
    assert_eq!(run.code, 2);
}

#[test]
fn the_configuration_lies_where_the_audit_runs() {
    let folder = scratch("with-configuration");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("rotdoctor.toml"), "skip = [\"NOPE\"]").expect("a file");
    let audit = rotdoctor().current_dir(&folder).arg("audit").bundle(BROKEN).run();
    assert_eq!(audit.code, 2, "it is read: {}", audit.stderr);
    let diagnose = rotdoctor().current_dir(&folder).arg("diagnose").bundle(BROKEN).run();
    assert_eq!(diagnose.code, 1, "at night nothing is set aside unasked: {}", diagnose.stderr);
}

#[test]
fn a_baseline_leaves_only_what_is_new() {
    for format in ["json", "jsonl"] {
        let path = scratch(&format!("baseline.{format}"));
        let path = path.to_str().expect("a path in UTF-8");
        rotdoctor()
            .arg("audit")
            .bundle(BROKEN)
            .args(["--output", format, "--output-file", path])
            .run();
        let args = ["--baseline", path, "--output", "json"];
        let again = rotdoctor().arg("audit").bundle(BROKEN).args(args).run();
        assert_eq!(again.code, 0, "{format}: {}", again.stderr);
        let report = &json(&again)["reports"][0];
        assert_eq!(report["findings"], Value::Array(vec![]));
        assert_eq!(report["baseline"][0]["code"], finding()["code"]);

        let both = rotdoctor().arg("audit").bundle(BROKEN).bundle("NET10/fires").args(args).run();
        assert_eq!(both.code, 1, "what is new counts");
    }
    let wrong = written("no-baseline.json", "[1]");
    let wrong = wrong.to_str().expect("a path in UTF-8");
    let run = rotdoctor().arg("audit").bundle(BROKEN).args(["--baseline", wrong]).run();
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("holds no report"), "{}", run.stderr);
}

#[test]
fn what_is_set_aside_is_told_in_each_format_and_fails_none() {
    let text =
        "[[waiver]]\ncode=\"SEC25\"\nresource=\"*\"\nreason=\"known <&> \"\nuntil=2999-01-01\n";
    let sarif = json(&audit_with("aside.toml", text, &["--output", "sarif"]));
    let suppressions = &sarif["runs"][0]["results"][0]["suppressions"];
    assert_eq!(suppressions[0]["kind"], "external", "{suppressions}");
    assert!(suppressions[0]["justification"].as_str().expect("text").starts_with("known <&>"));
    let junit = audit_with("aside.toml", text, &["--output", "junit"]).stdout;
    assert!(junit.contains("failures=\"0\""), "{junit}");
    assert!(junit.contains("waived until 2999-01-01: known &lt;&amp;&gt;"), "{junit}");
    let github = audit_with("aside.toml", text, &["--output", "github"]).stdout;
    assert!(!github.contains("SEC25"), "{github}");
}

/// The healthy template with the endpoint's group closed.
fn closed_template() -> PathBuf {
    let text = fs::read_to_string(root().join(HEALTHY_TEMPLATE)).expect("a template");
    assert!(text.contains("FromPort: 443"));
    written("closed.yaml", &text.replace("FromPort: 443", "FromPort: 444"))
}

#[test]
fn a_template_is_judged_before_it_is_deployed() {
    let run =
        rotdoctor().args(["audit", "--template", HEALTHY_TEMPLATE, "--region", "eu-west-1"]).run();
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("1 healthy"), "{}", run.stdout);

    let closed = closed_template();
    let closed = closed.to_str().expect("a path in UTF-8");
    let args = ["audit", "--template", closed, "--region", "eu-west-1"];
    let run = rotdoctor().args(args).run();
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stdout.contains("error NET03"), "{}", run.stdout);
    assert!(run.stdout.contains("needed: ingress rule in sg-EndpointGroup"), "{}", run.stdout);
    let line =
        fs::read_to_string(closed).expect("it").lines().position(|l| l.contains("EndpointGroup:"));
    let line = line.expect("the group") + 1;
    let report = json(&rotdoctor().args([&args[..], &["--output", "json"]].concat()).run());
    let location = &report["reports"][0]["findings"][0]["location"];
    assert_eq!(location["address"], "EndpointGroup");
    let at = location["line"].as_u64().expect("a line") as usize;
    assert!((line..line + 20).contains(&at), "{location} and the group in line {line}");
    let commands = &report["reports"][0]["findings"][0]["fixes"][0]["commands"];
    assert_eq!(*commands, Value::Array(vec![]), "nothing exists yet to be changed by a command");

    let github = rotdoctor().args([&args[..], &["--output", "github"]].concat()).run().stdout;
    assert!(github.contains(&format!(",line={at},col=")), "{github}");
    let sarif = json(&rotdoctor().args([&args[..], &["--output", "sarif"]].concat()).run());
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["region"]["startLine"], location["line"]);
    assert!(place["artifactLocation"]["uri"].as_str().expect("a file").ends_with("closed.yaml"));
}

#[test]
fn what_a_template_leaves_open_is_no_promise() {
    let text = fs::read_to_string(root().join(HEALTHY_TEMPLATE)).expect("a template");
    let text = text.replace("FromPort: 443", "FromPort: !Ref Port").replacen(
        "Parameters:\n",
        "Parameters:\n  Port:\n    Type: Number\n",
        1,
    );
    let open = written("open.yaml", &text);
    let open = open.to_str().expect("a path in UTF-8");
    let args = ["audit", "--template", open, "--region", "eu-west-1"];
    assert_eq!(
        rotdoctor().args(args).run().code,
        0,
        "what a template leaves open fails no pipeline"
    );
    let run = rotdoctor().args([&args[..], &["--open", "fail"]].concat()).run();
    assert_eq!(run.code, 3, "{}", run.stdout);
    assert!(run.stdout.contains("NOT DECLARED"), "{}", run.stdout);
    assert!(run.stdout.contains("Port"), "the parameter is named: {}", run.stdout);

    let run = rotdoctor().args([&args[..], &["--parameters", "Port=443"]].concat()).run();
    assert_eq!(run.code, 0, "{}", run.stdout);
    let file = written("parameters.json", r#"[{"ParameterKey":"Port","ParameterValue":"444"}]"#);
    let file = file.to_str().expect("a path in UTF-8");
    let run = rotdoctor().args([&args[..], &["--parameters", file]].concat()).run();
    assert_eq!(run.code, 1, "{}", run.stdout);
    let run = rotdoctor().args([&args[..], &["--parameters", "no-such-file.json"]].concat()).run();
    assert_eq!(run.code, 2, "{}", run.stdout);
}

#[test]
fn a_plan_is_judged_before_it_is_applied() {
    let run = rotdoctor().args(["audit", "--plan", HEALTHY_PLAN, "--open", "fail"]).run();
    // Terraform keeps a secret's value to itself, so which keys it has stays open.
    assert_eq!(run.code, 3, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("SecretShape of"), "{}", run.stdout);
    assert!(!run.stdout.contains("error"), "{}", run.stdout);
}

#[test]
fn files_that_cannot_be_read_are_not_examined_and_those_without_a_rotation_pass() {
    let cut = written("cut.yaml", "Resources: {a: [");
    let binary = scratch("plan.bin");
    fs::write(&binary, [0x50, 0x4b, 0x03, 0x04, 0xff]).expect("a file");
    for (flag, path) in [("--template", &cut), ("--plan", &binary), ("--plan", &cut)] {
        let path = path.to_str().expect("a path in UTF-8");
        let run = rotdoctor().args(["audit", flag, path, "--output", "json"]).run();
        assert_eq!(run.code, 4, "{}", run.stderr);
        assert_eq!(json(&run)["not_examined"][0]["target"], path);
    }
    let none = written("bucket.yaml", "Resources:\n  B:\n    Type: AWS::S3::Bucket\n");
    let none = none.to_str().expect("a path in UTF-8");
    let run = rotdoctor().args(["audit", "--template", none]).run();
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("declares no rotation"), "{}", run.stderr);
}

#[test]
fn a_list_that_is_given_is_a_list() {
    let template = "fixtures/templates/into-existing-network.yaml";
    let parameters = ["--parameters", "Subnets=subnet-1,subnet-2", "Group=sg-9"];
    let args = ["audit", "--template", template, "--region", "eu-west-1", "--open", "fail"];
    let run = rotdoctor().args([&args[..], &parameters].concat()).run();
    assert_eq!(run.code, 3, "{}", run.stdout);
    assert!(run.stdout.contains("Subnets of subnet-1, Subnets of subnet-2"), "{}", run.stdout);
}
