//! What rotdoctor reads and writes is as its schemas say: every world and its report, the
//! reports of every other mode, the configuration that the README shows.

use jsonschema::Validator;
use rotdoctor::{configuration::Configuration, report::json, schema};
use serde_json::Value;

use crate::{
    bundles::{FIRES, QUIET},
    packages::zip,
    pipelines,
    support::{root, rotdoctor, scratch},
    worlds,
};

fn validator(schema: &str) -> Validator {
    let schema: Value = serde_json::from_str(schema).expect("JSON");
    assert!(schema["$id"].as_str().is_some_and(|id| id.starts_with("urn:rotdoctor:")));
    jsonschema::validator_for(&schema).expect("a schema")
}

#[track_caller]
fn fits(validator: &Validator, name: &str, value: &Value) {
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{name}: {}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn every_world_is_a_bundle() {
    let bundle = validator(schema::bundle());
    let kinds = ["fires", "quiet"];
    let worlds = worlds::folders();
    let worlds = worlds.iter().flat_map(|code| kinds.map(|kind| format!("{code}/{kind}")));
    for world in worlds.chain(worlds::bases()) {
        fits(&bundle, &world, &worlds::bundle(&world));
    }
    // The schema does refuse something.
    let mut wrong = worlds::bundle("KMS01/fires");
    wrong["Secret"]["RotationEnabled"] = "yes".into();
    assert!(!bundle.is_valid(&wrong));
}

#[test]
fn the_report_of_every_world_is_as_the_schema_says() {
    let schema = validator(schema::report());
    for world in FIRES.iter().chain(QUIET.iter()) {
        let written = json::render(&world.report);
        fits(&schema, &world.name, &serde_json::from_str(&written).expect("JSON"));
    }
    let mut wrong = serde_json::to_value(&FIRES[0].report).expect("JSON");
    wrong["rotation"]["attempts"][0]["outcome"] = "unheard of".into();
    assert!(!schema.is_valid(&wrong));
}

/// What the binary prints as JSON.
#[track_caller]
fn printed(args: &[&str]) -> Value {
    let run = rotdoctor().args(args).args(["--output", "json"]).run();
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{args:?}: {run:#?}"))
}

#[test]
fn reports_of_logs_and_packages_are_as_the_schema_says() {
    let schema = validator(schema::report());
    for log in ["set-secret-refused.txt", "create-secret-silent.json.txt", "rotated.console.txt"] {
        let report = printed(&["logs", &format!("fixtures/logs/{log}")]);
        assert_eq!(report["mode"], "logs");
        fits(&schema, log, &report);
    }
    let package = scratch("schema.zip");
    let code = b"import psycopg2\ndef lambda_handler(event, context): pass\n";
    std::fs::write(&package, zip(&[("lambda_function.py", code)])).expect("a package");
    let report = printed(&["package", package.to_str().expect("UTF-8"), "--runtime", "python3.12"]);
    assert_eq!(report["mode"], "package");
    fits(&schema, "package", &report);
}

#[test]
fn audits_of_bundles_templates_and_plans_are_as_the_schema_says() {
    let schema = validator(schema::audit());
    let (one, other) = (worlds::path("KMS01/fires"), worlds::path("NET10/fires"));
    let template = root().join("fixtures/templates/healthy.yaml");
    let template = std::fs::read_to_string(template).expect("a template");
    let closed = scratch("schema-closed.yaml");
    std::fs::write(&closed, template.replace("FromPort: 443", "FromPort: 444")).expect("a file");
    let closed = closed.to_str().expect("UTF-8");
    for (mode, args) in [
        ("bundle", &["--bundle", &one, &other, "no-such-file.json"][..]),
        ("template", &["--region", "eu-west-1", "--template", closed]),
        ("plan", &["--plan", "fixtures/plans/healthy.json"]),
    ] {
        let audit = printed(&[&["audit"], args].concat());
        assert_eq!(audit["reports"][0]["mode"], mode);
        fits(&schema, mode, &audit);
    }
}

#[test]
fn a_configuration_is_read_where_the_schema_takes_it_and_refused_where_it_does_not() {
    let schema = validator(schema::configuration());
    let shown = pipelines::blocks("README.md", "toml");
    assert_eq!(shown.len(), 1);
    let waiver = "[[waiver]]\ncode = \"NET10\"\nresource = \"*\"\nreason = \"r\"\n";
    let cases = [
        (shown[0].as_str(), true),
        ("", true),
        ("check = [\"KMS01\"]\nfail-on = \"never\"\n", true),
        (&format!("{waiver}until = 2027-03-31\n"), true),
        (waiver, false),
        ("fail-on = \"sometimes\"\n", false),
        ("skipp = []\n", false),
        ("check = [\"\"]\n", false),
        ("check = \"KMS01\"\n", false),
        ("[severity]\nKMS01 = \"fatal\"\n", false),
    ];
    for (text, good) in cases {
        let table: toml::Table = text.parse().expect("TOML");
        // A date has no type of its own in JSON.
        let value: Value =
            serde_json::to_value(dates_as_text(toml::Value::Table(table))).expect("JSON");
        assert_eq!(schema.is_valid(&value), good, "the schema: {text}");
        assert_eq!(Configuration::parse(text).is_ok(), good, "the reader: {text}");
    }
}

fn dates_as_text(value: toml::Value) -> toml::Value {
    match value {
        toml::Value::Datetime(date) => toml::Value::String(date.to_string()),
        toml::Value::Array(list) => list.into_iter().map(dates_as_text).collect::<Vec<_>>().into(),
        toml::Value::Table(table) => {
            toml::Value::Table(table.into_iter().map(|(k, v)| (k, dates_as_text(v))).collect())
        }
        other => other,
    }
}
