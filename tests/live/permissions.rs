//! What the real binary asks of AWS is what `rotdoctor permissions` prints:
//! nothing more, and nothing that is never used.

use std::collections::BTreeSet;

use crate::{
    stub::{Ask, Reply, Stub},
    stub_world as world,
    support::run::rotdoctor,
};

/// Rights that a call needs besides its own name: Lambda leaves the tags out of
/// GetFunction without the first (GetFunction API reference), and Secrets
/// Manager decrypts with the caller's rights (the second).
const IMPLIED: [&str; 2] = ["lambda:ListTags", "kms:Decrypt"];

/// The actions that the printed policy allows.
pub(crate) fn printed(args: &[&str]) -> BTreeSet<String> {
    let run = rotdoctor().with_credentials().arg("permissions").args(args).run();
    let policy: serde_json::Value = serde_json::from_str(&run.stdout).expect("a policy");
    let statements = policy["Statement"].as_array().expect("statements").iter();
    let actions = statements.flat_map(|statement| match &statement["Action"] {
        serde_json::Value::Array(actions) => actions.as_slice(),
        action => std::slice::from_ref(action),
    });
    actions
        .map(|action| action.as_str().expect("an action").to_owned())
        .filter(|action| !IMPLIED.contains(&action.as_str()))
        .collect()
}

/// The actions that runs asked for, over a world that has everything and the
/// same world with its database in a cluster.
fn asked(args: &[&str]) -> BTreeSet<String> {
    let instance = Stub::start(world::answer);
    let cluster = Stub::start(|ask| in_a_cluster(ask).or_else(|| world::answer(ask)));
    asked_of(&instance, args).union(&asked_of(&cluster, args)).cloned().collect()
}

fn in_a_cluster(ask: &Ask) -> Option<Reply> {
    let (action, content) = match ask.operation.as_str() {
        "rds:DescribeDBInstances" => (
            "DescribeDBInstances",
            "<DBInstances><DBInstance><DBInstanceIdentifier>db-1</DBInstanceIdentifier>\
             <DBClusterIdentifier>db</DBClusterIdentifier></DBInstance></DBInstances>",
        ),
        "rds:DescribeDBClusters" => (
            "DescribeDBClusters",
            "<DBClusters><DBCluster><DBClusterIdentifier>db</DBClusterIdentifier>\
             <DBClusterParameterGroup>aurora</DBClusterParameterGroup></DBCluster></DBClusters>",
        ),
        "rds:DescribeDBClusterParameters" => ("DescribeDBClusterParameters", "<Parameters/>"),
        _ => return None,
    };
    Some(Reply::ok(format!(
        "<{action}Response><{action}Result>{content}</{action}Result></{action}Response>"
    )))
}

fn asked_of(stub: &Stub, args: &[&str]) -> BTreeSet<String> {
    let connection = ["--region", "eu-west-1", "--endpoint-url", &stub.url, "--output", "json"];
    let run = rotdoctor().with_credentials().args(["diagnose", "prod/db"]).args(args);
    let run = run.args(connection).run();
    serde_json::from_str::<serde_json::Value>(&run.stdout).expect("a report");
    let asked = stub.asked();
    asked
        .into_iter()
        .map(|ask| ask.operation)
        // Needs no permission (GetCallerIdentity API reference).
        .filter(|operation| operation != "sts:GetCallerIdentity")
        .collect()
}

#[test]
fn a_diagnosis_asks_for_just_what_the_policy_allows() {
    assert_eq!(asked(&[]), printed(&[]));
}

#[test]
fn reading_the_secret_adds_just_what_the_policy_adds() {
    let with = asked(&["--read-secret"]);
    assert!(with.contains("secretsmanager:GetSecretValue"));
    assert_eq!(with, printed(&["--read-secret"]));
}

#[test]
fn a_package_that_is_left_alone_takes_no_right_to_its_layers() {
    let without = asked(&["--no-package"]);
    assert!(asked(&[]).contains("lambda:GetLayerVersion"));
    assert!(!without.contains("lambda:GetLayerVersion"));
    assert_eq!(without, printed(&["--no-package"]));
}

#[test]
fn a_simulation_takes_one_right_more() {
    let with = asked(&["--simulate"]);
    let more: Vec<String> = with.difference(&asked(&[])).cloned().collect();
    assert_eq!(more, ["iam:SimulatePrincipalPolicy"]);
    assert_eq!(with, printed(&["--simulate"]));
}

#[test]
fn fewer_checks_ask_for_less() {
    let only = ["--check", "KMS"];
    let all = printed(&[]);
    let few = printed(&only);
    assert!(few.len() < all.len());
    assert_eq!(asked(&only), few);
}
