//! The second opinion on the role's rights: asked for only where it is wanted, shown
//! beside the findings, and a gap where it is refused.

use crate::{
    stub::{Ask, Reply, Stub},
    stub_world::{self as world, KEY},
    support::run::{Ran, rotdoctor},
};

const SIMULATE: &[&str] = &["--simulate"];

fn diagnose(stub: &Stub, options: &[&str], output: &str) -> Ran {
    let run = rotdoctor().with_credentials().args(["diagnose", "prod/db", "--region", "eu-west-1"]);
    run.args(options).args(["--endpoint-url", &stub.url, "--output", output]).run()
}

/// The role and its boundary allow everything.
fn all_is_allowed(ask: &Ask) -> Option<Reply> {
    let (operation, content) = match ask.operation.as_str() {
        "iam:GetRolePolicy" => ("GetRolePolicy", "<PolicyName>inline</PolicyName><PolicyDocument>"),
        "iam:GetPolicyVersion" => ("GetPolicyVersion", "<PolicyVersion><Document>"),
        _ => return None,
    };
    let statement = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let end = match operation {
        "GetRolePolicy" => "</PolicyDocument><RoleName>rotate-role</RoleName>",
        _ => "</Document><VersionId>v3</VersionId></PolicyVersion>",
    };
    let inner = format!("{content}{statement}{end}");
    Some(Reply::ok(format!(
        "<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>"
    )))
}

#[test]
fn what_only_the_organization_denies_is_shown_and_changes_no_finding() {
    let stub = world::start(all_is_allowed);
    let report = diagnose(&stub, SIMULATE, "json").report();
    let simulation = report.simulation.as_ref().expect("a second opinion");
    assert!(simulation.agreed >= 4, "{simulation:#?}");
    assert!(!simulation.differences.is_empty());
    for difference in &simulation.differences {
        assert!(difference.action.starts_with("kms:"), "{difference:#?}");
        assert_eq!(difference.resource, KEY);
        assert_eq!(
            (difference.policies_read.as_str(), difference.simulated.as_str()),
            ("allowed", "explicitDeny")
        );
        assert!(difference.denied_by_organization);
    }
    assert_eq!(report.findings, diagnose(&stub, &[], "json").report().findings);

    let text = diagnose(&stub, SIMULATE, "text").stdout;
    assert!(text.contains("SECOND OPINION"), "{text}");
    let unwrapped = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(unwrapped.contains("A service control policy of the organization"), "{text}");
    assert!(diagnose(&stub, SIMULATE, "markdown").stdout.contains("## Second opinion"));
}

#[test]
fn a_simulation_that_is_refused_names_the_right_to_grant() {
    let stub = world::start(|ask| {
        (ask.operation == "iam:SimulatePrincipalPolicy").then(|| {
            let message = "User: arn:aws:iam::123456789012:user/me is not authorized to perform: \
                 iam:SimulatePrincipalPolicy on resource: role";
            Reply::xml_error(403, "AccessDenied", message)
        })
    });
    let ran = diagnose(&stub, SIMULATE, "json");
    let report = ran.report();
    assert_eq!(report.simulation, None);
    assert!(
        report.permissions_missing.contains(&"iam:SimulatePrincipalPolicy".to_owned()),
        "{ran:#?}"
    );
}

#[test]
fn nobody_is_asked_for_it_unasked() {
    let stub = world::start(|_| None);
    assert_eq!(diagnose(&stub, &[], "json").report().simulation, None);
    assert_eq!(stub.count("iam:SimulatePrincipalPolicy"), 0);
}
