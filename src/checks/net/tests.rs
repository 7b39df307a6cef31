//! What the three path checks say about small worlds.

mod database;
mod not_seen;
mod secrets_manager;

use serde_json::{Value, json};

use super::{database_path, rds_api_path, secrets_manager_path};
use crate::{
    catalogue::Severity,
    checks::{
        self, Basis, Case, Check, Finding, Selection, Stop,
        testing::{codes, judge, lacks, not_applicable},
    },
    diagnosis::try_fixes,
    evidence::{Evidence, Fact},
    network::tests::worlds::{
        acl, all, entry, group, open, peered, push, route, table, tcp, with_endpoint, with_nat,
        world,
    },
};

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:orders-AbCdEf";
const HOST: &str = "mydb.abc.eu-west-1.rds.amazonaws.com";

fn secret(mut world: Value) -> Value {
    world["Secret"] = json!({"ARN": SECRET, "Name": "orders",
        "RotationLambdaARN": "arn:aws:lambda:eu-west-1:111111111111:function:rotate"});
    world
}

fn shaped(world: Value) -> Value {
    let mut world = secret(world);
    world["SecretShape"] = json!({"AWSCURRENT": {"Keys": ["host", "port"],
        "Values": {"host": HOST, "port": 5432}}});
    world
}

fn reach(world: Value) -> Vec<Finding> {
    judge(&secrets_manager_path::CHECK, secret(world)).expect("findings")
}

fn database(world: Value) -> Vec<Finding> {
    judge(&database_path::CHECK, shaped(world)).expect("findings")
}

/// The codes, in order.
fn all_codes(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(Finding::code).collect()
}

/// Whether the first fix of a finding makes it go away.
fn is_fixed_by(world: Value, finding: &Finding) -> bool {
    let mut evidence: Evidence = serde_json::from_value(world).expect("bundle");
    evidence.settle();
    let (case, selection) = (Case::new(&evidence), Selection::default());
    let results = checks::run(&case, &selection);
    try_fixes(&case, &results, &selection, finding)[0].verified
}

/// The only finding of a check, whose first fix is tried.
fn only_finding_with_fix(check: &Check, world: Value) -> Finding {
    let mut found = judge(check, world.clone()).expect("findings");
    assert_eq!(found.len(), 1, "{:?}", all_codes(&found));
    let finding = found.remove(0);
    assert!(is_fixed_by(world, &finding), "{:?}", finding.fixes);
    finding
}

fn with_group(mut world: Value, index: usize, group: Value) -> Value {
    world["SecurityGroups"][index] = group;
    world
}
