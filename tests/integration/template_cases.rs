//! Small templates that were once read wrongly, and what each must give: faults that are
//! none, faults that were missed or too mild, and rotations that cannot be examined.

use rotdoctor::{
    catalogue::Severity,
    checks::Selection,
    examine, locate,
    report::v1::{Mode, Report},
    template::{Declarations, Declared, cloudformation},
};

use super::{
    support::{rotdoctor, scratch},
    template::{changed, fixture, settings},
};

fn read(text: &str) -> Declarations {
    cloudformation::read(text, &settings()).expect("a template")
}

fn report(declared: &Declared) -> Report {
    let mut report = examine(&declared.evidence, Mode::Template, &Selection::default());
    locate(&mut report, &declared.origins);
    report
}

/// The report about the only rotation of a text.
fn only(text: &str) -> Report {
    let read = read(text);
    assert_eq!((read.rotations.len(), read.unexamined.len()), (1, 0), "{:?}", read.notes);
    report(&read.rotations[0])
}

/// What is wrong, with severity, and the words at the place that it points to.
fn faults(text: &str, report: &Report) -> Vec<(String, Severity, String)> {
    let severe = report.findings.iter().filter(|one| one.severity != Severity::Note);
    severe
        .map(|one| {
            let location = one.location.as_ref().expect("a place");
            let line = location.line.and_then(|line| usize::try_from(line).ok()).expect("a line");
            let column = location.column.and_then(|at| usize::try_from(at).ok()).expect("a column");
            let rest = &text.lines().nth(line - 1).expect("the line")[column - 1..];
            let word = rest.split(':').next().unwrap_or_default().to_owned();
            (one.code.clone(), one.severity, word)
        })
        .collect()
}

fn open(report: &Report) -> Vec<&str> {
    report.inconclusive.iter().map(|one| one.check.as_str()).collect()
}

#[test]
fn what_is_healthy_has_no_finding_and_leaves_nothing_open() {
    for name in ["custom", "custom-own-value", "aws-managed-policy", "stack-name"] {
        let text = fixture(&format!("cases/{name}.yaml"));
        let report = only(&text);
        assert_eq!(faults(&text, &report), [], "{name}");
        assert_eq!(open(&report), [] as [&str; 0], "{name}");
    }
}

#[test]
fn an_attachment_to_what_is_not_declared_is_no_fault() {
    for name in ["attachment-by-arn", "attachment-by-parameter"] {
        let text = fixture(&format!("cases/{name}.yaml"));
        let report = only(&text);
        assert_eq!(faults(&text, &report), [], "{name}");
        assert!(open(&report).contains(&"database-path"), "{name}: {:?}", open(&report));
    }
}

#[test]
fn a_fault_is_found_at_its_property() {
    use Severity::{Error, Warning};
    for (name, code, severity, at) in [
        ("hosted-without-transform", "SEC20", Error, "HostedRotationLambda"),
        ("schedule-without-function", "SEC20", Error, "SecretId"),
        ("secret-without-value", "SEC06", Error, "ApiToken"),
        ("managed-secret-own-function", "MGD02", Error, "ManageMasterUserPassword"),
        ("private-database", "NET09", Error, "HostedRotationLambda"),
        ("redshift", "NET09", Error, "HostedRotationLambda"),
    ] {
        let text = fixture(&format!("cases/{name}.yaml"));
        assert_eq!(faults(&text, &only(&text)), [(code.to_owned(), severity, at.to_owned())]);
    }
    let healthy = fixture("healthy.yaml");
    for (from, to, code, severity, at) in [
        ("Runtime: python3.12", "Runtime: python3.7", "RUN05", Error, "Runtime"),
        ("Runtime: python3.12", "Runtime: nodejs12.x", "RUN05", Error, "Runtime"),
        (
            "DependsOn: [Permission, Attachment,",
            "DependsOn: [Permission,",
            "SEC01",
            Warning,
            "Rotation",
        ),
        ("      Timeout: 30\n", "      Timeout: 3\n", "TMO01", Warning, "Timeout"),
        (
            "'{\"username\": \"orders\"}'",
            "\"{'username': 'orders'}\"",
            "SEC05",
            Error,
            "SecretStringTemplate",
        ),
    ] {
        let text = changed(&healthy, from, to);
        let found = faults(&text, &only(&text));
        let wanted = (code.to_owned(), severity, at.to_owned());
        assert!(found.contains(&wanted), "{to}: {found:?}");
    }
}

#[test]
fn a_database_whose_network_is_not_declared_leaves_its_path_open() {
    let text = fixture("cases/database-without-network.yaml");
    let report = only(&text);
    assert_eq!(faults(&text, &report), []);
    assert_eq!(open(&report), ["database-path"]);
}

#[test]
fn a_rotation_that_cannot_be_examined_is_open_in_every_format() {
    for name in ["open-loop", "open-nested-stack", "open-secret-id"] {
        let path = format!("fixtures/templates/cases/{name}.yaml");
        for format in ["text", "json", "jsonl", "sarif", "junit", "github", "markdown"] {
            let args = ["audit", "--quiet", "--template", &path, "--output", format];
            let allowed = rotdoctor().args(args).run();
            assert_eq!(allowed.code, 0, "{name} {format}: {}", allowed.stderr);
            assert!(!allowed.stdout.is_empty(), "{name} {format}");
            let strict = rotdoctor().args([&args[..], &["--open", "fail"]].concat()).run();
            assert_eq!(strict.code, 3, "{name} {format}: {}", strict.stdout);
        }
        let json =
            rotdoctor().args(["audit", "--quiet", "--template", &path, "--output", "json"]).run();
        assert!(json.stdout.contains("\"verdict\": \"unknown\""), "{}", json.stdout);
        assert!(json.stdout.contains("\"NotDeclared\"") || json.stdout.contains("not declared"));
    }
}

#[test]
fn the_configuration_says_what_open_questions_are_worth() {
    let config = scratch("open.toml");
    std::fs::write(&config, "open = \"fail\"\n").expect("a file");
    let config = config.to_str().expect("a path");
    let path = "fixtures/templates/cases/attachment-by-arn.yaml";
    let args = ["audit", "--quiet", "--config", config, "--template", path];
    assert_eq!(rotdoctor().args(args).run().code, 3);
    assert_eq!(rotdoctor().args([&args[..], &["--open", "allow"]].concat()).run().code, 0);
    std::fs::write(config, "open = \"sometimes\"\n").expect("a file");
    let run = rotdoctor().args(args).run();
    assert_eq!(run.code, 2, "{}", run.stderr);
}

#[test]
fn templates_that_are_given_together_see_each_others_exports() {
    let whole = fixture("healthy.yaml");
    // The function's role moves to a template of its own, which exports it.
    let start = whole.find("\n  FunctionRole:\n").expect("the role") + 1;
    let end = whole.find("\n  Function:\n").expect("the function") + 1;
    let role = &whole[start..end];
    let role = changed(role, "Resource: !Ref Secret", "Resource: '*'");
    let role = changed(&role, "Resource: !GetAtt Key.Arn", "Resource: '*'");
    let roles = format!(
        "Resources:\n{role}Outputs:\n  Role:\n    Value: !GetAtt FunctionRole.Arn\n    Export: {{ Name: rotation-role }}\n"
    );
    let rest = format!("{}{}", &whole[..start], &whole[end..]);
    let rest = changed(&rest, "!GetAtt FunctionRole.Arn", "!ImportValue rotation-role");
    let alone = only(&rest);
    assert!(open(&alone).contains(&"secret-rights"), "{:?}", open(&alone));
    let together =
        cloudformation::read_with(&rest, &[("roles.yaml", &roles)], &settings()).expect("both");
    let declared = &together.rotations[0];
    let report = report(declared);
    assert_eq!(faults(&rest, &report), []);
    assert_eq!(open(&report), [] as [&str; 0]);
    let role = "arn:aws:iam::123456789012:role/FunctionRole";
    assert_eq!(declared.origins.of(role).file, "roles.yaml");
}
