//! Requests and policies for the tests of the evaluator.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;

pub(super) const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf";
pub(super) const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/k1";
pub(super) const ROLE: &str = "arn:aws:iam::111122223333:role/rotation/RotRole";
pub(super) const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/RotRole/rotfn";
pub(super) const ROOT: &str = "arn:aws:iam::111122223333:root";
pub(super) const GET: &str = "secretsmanager:GetSecretValue";

pub(super) fn request(action: &str, resource: &str) -> Request {
    let mut context = Context::default();
    context.set("aws:PrincipalArn", ROLE);
    context.set("kms:EncryptionContext:SecretARN", SECRET);
    context.set("kms:EncryptionContext:SecretVersionId", "v1");
    Request {
        principal: Principal::read(SESSION, &context),
        action: action.to_owned(),
        resource: resource.to_owned(),
        resource_account: None,
        context,
    }
}

/// `Sid Effect Action Resource`, with a principal where there is one.
pub(super) fn statement(line: &str, principal: Option<Value>) -> Value {
    let [sid, effect, action, resource] = line.split(' ').collect::<Vec<_>>()[..] else {
        panic!("four words: {line}")
    };
    let mut statement =
        json!({"Sid": sid, "Effect": effect, "Action": action, "Resource": resource});
    if let Some(principal) = principal {
        statement["Principal"] = principal;
    }
    statement
}

pub(super) fn policy(statements: &[Value]) -> Arc<Policy> {
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    Arc::new(Policy::new("p", document))
}

pub(super) fn own(line: &str) -> Arc<Policy> {
    policy(&[statement(line, None)])
}

pub(super) fn on_resource(line: &str, principal: Value) -> Part<Policies> {
    Part::Given(vec![policy(&[statement(line, Some(principal))])])
}

/// Effect, kind, layer, statements, role and failing element in one line.
pub(super) fn line(decision: &Decision) -> String {
    let sids: Vec<String> =
        decision.decisive.iter().map(|d| d.quote.sid.clone().unwrap_or_default()).collect();
    let mut line = format!(
        "{} {} {} {}",
        if decision.is_certain() { "" } else { "?" },
        decision.layer.name(),
        decision.role.name(),
        sids.join("+")
    );
    if let Some(failure) = decision.failure() {
        line.push_str(&format!(" {}", failure.failed_on));
    }
    line.trim().to_owned()
}
