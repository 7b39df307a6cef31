//! The screens of an audit as an operator reads them: they fit 80 columns, tell secrets of
//! one name apart, and say what closes a gap.

use std::fs;

use crate::{
    support::{root, rotdoctor, scratch},
    worlds,
};

fn template(name: &str, from: &str, to: &str) -> String {
    let text = fs::read_to_string(root().join("fixtures/templates/healthy.yaml"));
    let text = text.expect("a template");
    assert!(text.contains(from));
    let path = scratch(name);
    fs::write(&path, text.replace(from, to)).expect("a file in the scratch folder");
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// No line is longer, but for one word that is copied whole and the line with the place.
#[track_caller]
fn fits(screen: &str) {
    for line in screen.lines().filter(|line| line.chars().count() > 80) {
        let words = line.split_whitespace().count();
        let place = [": error ", ": warning ", ": note "].iter().any(|it| line.contains(it));
        assert!(place || words == 1, "{line:?} in\n{screen}");
    }
}

#[test]
fn findings_of_templates_and_plans_fit_the_screen() {
    let closed = template("screen-closed.yaml", "FromPort: 443", "FromPort: 444");
    let run = rotdoctor().args(["audit", "--template", &closed, "--region", "eu-west-1"]).run();
    assert_eq!(run.code, 1);
    fits(&run.stdout);
    assert!(run.stdout.contains("\n    rotate-orders cannot reach"), "{}", run.stdout);
    assert!(run.stdout.ends_with("rotdoctor explain NET03 says more.\n"), "{}", run.stdout);
    // Whose account it will be is not known.
    assert!(run.stdout.starts_with("eu-west-1 · 1 secret examined\n"), "{}", run.stdout);
    for foreign in ["cdk-imported-vpc", "cdk-single-isolated", "cdk-multi"] {
        let path = format!("fixtures/templates/foreign/{foreign}.template.json");
        fits(
            &rotdoctor().args(["audit", "--template", &path, "--region", "eu-west-1"]).run().stdout,
        );
    }
    fits(&rotdoctor().args(["audit", "--plan", "fixtures/plans/healthy.json"]).run().stdout);
}

#[test]
fn what_is_open_is_told_by_its_reason_and_what_closes_it() {
    let open = template("screen-open.yaml", "FromPort: 443", "FromPort: !Ref Port");
    let text = fs::read_to_string(&open).expect("it").replacen(
        "Parameters:\n",
        "Parameters:\n  Port: {Type: Number}\n",
        1,
    );
    fs::write(&open, text).expect("a file in the scratch folder");
    let args = ["audit", "--template", &open, "--region", "eu-west-1", "--open", "fail"];
    let run = rotdoctor().args(args).run();
    assert_eq!(run.code, 3);
    fits(&run.stdout);
    let (_, section) = run.stdout.split_once("NOT DECLARED\n").expect("the section");
    assert!(section.contains("    parameter Port has no value\n      missing: "), "{section}");
    assert!(section.contains("leaves open: secrets-manager-path\n"), "{section}");
    assert!(section.contains("--bundle FILE"), "{section}");
    assert!(run.stdout.contains("could not tell"), "{}", run.stdout);
    let markdown = rotdoctor().args([&args[..], &["--output", "markdown"]].concat()).run().stdout;
    assert!(markdown.contains("## Not declared\n\n- "), "{markdown}");
    assert!(markdown.contains("parameter Port has no value: missing"), "{markdown}");
}

#[test]
fn secrets_of_one_name_say_in_which_region_they_lie() {
    let bundle = |code: &str| worlds::path(&format!("{code}/fires"));
    let (here, there) = (bundle("KMS01"), bundle("SEC25"));
    let args = ["audit", "--bundle", &here, &there];
    let run = rotdoctor().args(args).run();
    for name in ["prod/orders · eu-west-1", "prod/orders · eu-central-1"] {
        assert!(run.stdout.contains(name), "{}", run.stdout);
        for format in ["junit", "github"] {
            let out = rotdoctor().args([&args[..], &["--output", format]].concat()).run().stdout;
            assert!(out.contains(name), "{format}: {out}");
        }
    }
    assert!(run.stdout.ends_with("rotdoctor diagnose --bundle FILE explains one of them.\n"));
    let alone = rotdoctor().args(["audit", "--bundle", &here]).run();
    assert!(!alone.stdout.contains("prod/orders · "), "{}", alone.stdout);
}
