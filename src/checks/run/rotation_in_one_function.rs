//! RUN17: the function hands the rotation to a second function.

use super::{
    function::{name_of, resource_of, rotation_function},
    package::package_of,
};
use crate::{
    aws::{arn, commands::Argument},
    catalogue::Severity,
    checks::{Basis, Case, Check, Finding, Judgement, ProofKind, commands::rotate},
    evidence::{Fact, Function, TrailEvent},
};

pub(super) static CHECK: Check = Check {
    name: "rotation-in-one-function",
    question: "Does the function that Secrets Manager calls do the rotation itself?",
    codes: &["RUN17"],
    facts: &[Fact::Secret, Fact::Function, Fact::Package, Fact::TrailEvents],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    let trail = case.trail_events();
    let events = trail.if_known().map_or(&[][..], Vec::as_slice);
    let writer = events.iter().rev().find_map(|event| other_writer(case, function, event));
    let package = package_of(case, function);
    let invokes = match &package {
        Ok(package) => package.code.as_ref().map_or(&[][..], |code| code.invokes.as_slice()),
        Err(_) => &[],
    };
    let name = name_of(function);
    let (summary, basis, severity) = match (&writer, invokes) {
        (Some(role), _) => (
            format!("{role}, not the role of {name}, wrote the pending version during a rotation."),
            Basis::State,
            Severity::Error,
        ),
        (None, [_, ..]) => (
            format!(
                "The code of {name} invokes another function; if that one writes the new version, \
                 Secrets Manager refuses it."
            ),
            Basis::Indication,
            Severity::Warning,
        ),
        (None, []) => return package.map(|_| Vec::new()),
    };
    let mut finding =
        Finding::new("RUN17", resource_of(function), summary).severity(severity).on(basis);
    if let Some(role) = writer {
        finding = finding.proof(
            ProofKind::Trail,
            "PutSecretValue",
            format!("called by {role} with the token of a rotation"),
        );
    }
    for line in invokes {
        finding = finding.fact("package", line);
    }
    Ok(vec![
        finding
            .fix(
                "Let one function do all four steps: move the work into it, or let Secrets Manager \
                 call the second one directly.",
                [rotate(case)
                    .option("--rotation-lambda-arn", Argument::placeholder("SECOND_FUNCTION_ARN"))],
            )
            .confirm(rotate(case)),
    ])
}

/// The role of another function that wrote a pending version of this secret.
fn other_writer(case: &Case<'_>, function: &Function, event: &TrailEvent) -> Option<String> {
    if event.event_name.as_deref() != Some("PutSecretValue") {
        return None;
    }
    let detail = event.detail()?;
    let parameters = detail.get("requestParameters")?;
    let about = parameters.get("secretId")?.as_str()?;
    let secret = case.secret();
    let secret = secret.if_known()?;
    if secret.arn.as_deref() != Some(about) && secret.name.as_deref() != Some(about) {
        return None;
    }
    let token = parameters.get("clientRequestToken")?.as_str()?;
    // A version of a rotation: the secret has it as pending.
    let pending = secret.version_ids_to_stages.get(token)?.iter().any(|one| one == "AWSPENDING");
    let identity = detail.get("userIdentity")?;
    let role = identity.pointer("/sessionContext/sessionIssuer/arn")?.as_str()?;
    let own = function.configuration.role.as_deref()?;
    let by_lambda = identity
        .get("arn")
        .and_then(|arn| arn.as_str())
        .map(arn::role_name)
        .is_some_and(|session| session != name_of(function));
    (pending && by_lambda && role != own && detail.get("errorCode").is_none())
        .then(|| role.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::{
            Basis,
            testing::{codes, denied, judge, lacks},
        },
        evidence::Fact,
    };

    fn bundle(invokes: Value, writer: &str) -> Value {
        let detail = json!({
            "requestParameters": {"secretId": "arn:secret", "clientRequestToken": "t"},
            "userIdentity": {"arn": "arn:aws:sts::1:assumed-role/x/worker",
                "sessionContext": {"sessionIssuer": {"arn": writer}}}});
        json!({"Secret": {"ARN": "arn:secret", "RotationLambdaARN": "arn",
                "VersionIdsToStages": {"t": ["AWSPENDING"], "c": ["AWSCURRENT"]}},
            "Function": {"Configuration": {"FunctionName": "rotate", "Role": "arn:role/own"}},
            "Package": {"Code": {"Path": "lambda_function.py", "Invokes": invokes}},
            "TrailEvents": [{"EventName": "PutSecretValue", "CloudTrailEvent": detail.to_string()}]})
    }

    #[test]
    fn another_writer_proves_it_and_a_call_hints_at_it() {
        let found = judge(&CHECK, bundle(json!([]), "arn:role/worker")).expect("findings");
        assert_eq!((found[0].code(), found[0].basis), ("RUN17", Basis::State));
        let found =
            judge(&CHECK, bundle(json!(["c.invoke(x)"]), "arn:role/own")).expect("findings");
        assert_eq!(found[0].basis, Basis::Indication);
        assert!(codes(&judge(&CHECK, bundle(json!([]), "arn:role/own"))).is_empty());
    }

    #[test]
    fn a_denied_package_is_inconclusive_and_a_denied_trail_only_sharpens() {
        let mut gap = bundle(json!([]), "arn:role/own");
        gap.as_object_mut().expect("object").remove("Package");
        gap["Gaps"] = denied(Fact::Package);
        assert!(lacks(&judge(&CHECK, gap), Fact::Package));
        let mut gap = bundle(json!(["c.invoke(x)"]), "arn:role/own");
        gap.as_object_mut().expect("object").remove("TrailEvents");
        gap["Gaps"] = denied(Fact::TrailEvents);
        assert_eq!(codes(&judge(&CHECK, gap)), ["RUN17"]);
    }
}
