//! IAM20: Lambda cannot assume the function's role.

use super::{
    refusal::{proof, reason, statement, with_policy_fix},
    rights::{Right, of_unseen, role_name},
};
use crate::{
    checks::{Case, Check, Finding, Judgement, ProofKind, Stop, commands::rotate},
    evidence::Fact,
    policy::{Effect, Purpose, rotation_requests},
};

pub(super) static CHECK: Check = Check {
    name: "assumed-role",
    question: "Does the role's trust policy let Lambda assume it?",
    codes: &["IAM20"],
    facts: &[Fact::Secret, Fact::Function, Fact::Role],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    if secret.rotation_lambda_arn.is_none() {
        return Err(Stop::not_applicable("no function rotates the secret"));
    }
    case.function().or_not_applicable("the function does not exist")?;
    case.role().or_not_applicable("the function's role does not exist")?;
    let evidence = case.policies(CHECK.facts);
    let request = rotation_requests(evidence)
        .into_iter()
        .find(|request| request.purpose == Purpose::AssumeRole)
        .ok_or_else(|| Stop::not_applicable("the function names no role"))?;
    let decision = request.decide();
    if decision.is_denied() {
        return Ok(vec![refused(case, Right { request, decision })]);
    }
    if decision.effect == Effect::Deny {
        let missing: Vec<_> = decision.unseen().map(|unseen| of_unseen(evidence, unseen)).collect();
        // A condition on what Lambda sends is no fact that a call could show.
        if !missing.is_empty() {
            return Err(Stop::Inconclusive(missing));
        }
    }
    Ok(Vec::new())
}

fn refused(case: &Case<'_>, right: Right) -> Finding {
    let role = role_name(&right.request).to_owned();
    let (source, text) = proof(&right);
    let finding = Finding::new(
        "IAM20",
        &right.request.request.resource,
        format!(
            "Lambda may not assume the role {role}: {}. The function does not start.",
            reason(&right.decision)
        ),
    )
    .statement(statement(&right.decision))
    .proof(ProofKind::Policy, source, text);
    with_policy_fix(finding, &[right.request]).confirm(rotate(case))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::test_world::{ROLE, code_and_sid, finding, judge, refused, world},
        CHECK,
    };
    use crate::{checks::testing, evidence::Fact};

    fn trust(principal: Value) -> Value {
        json!({"Version": "2012-10-17", "Statement": [{"Sid": "Trust", "Effect": "Allow",
            "Principal": principal, "Action": "sts:AssumeRole"}]})
    }

    #[test]
    fn a_role_that_trusts_somebody_else_is_found_and_its_fix_keeps_them() {
        let lambda = trust(json!({"Service": "lambda.amazonaws.com"}));
        let sound = judge(&CHECK, |bundle| bundle["Role"]["AssumeRolePolicyDocument"] = lambda);
        assert_eq!(sound, Ok(vec![]));
        let found = finding(&CHECK, |bundle| {
            bundle["Role"]["AssumeRolePolicyDocument"] =
                trust(json!({"Service": "ec2.amazonaws.com"}));
        });
        assert_eq!(
            (code_and_sid(&found), found.resource.as_str()),
            (("IAM20", Some("Trust")), ROLE)
        );
        let command = &found.fixes[0].lines()[0];
        assert!(
            command.starts_with("aws iam update-assume-role-policy --role-name rotation-role "),
            "{command}"
        );
        assert!(command.contains("ec2.amazonaws.com") && command.contains("lambda.amazonaws.com"));
    }

    #[test]
    fn what_was_not_seen_is_open() {
        assert!(testing::lacks(&testing::judge(&CHECK, refused(Fact::Role)), Fact::Role));
        let without = world(|_| {});
        assert!(testing::lacks(&testing::judge(&CHECK, without), Fact::Role), "no document");
        let none = world(|bundle| bundle["Secret"]["RotationLambdaARN"] = Value::Null);
        assert!(testing::not_applicable(&testing::judge(&CHECK, none)));
    }
}
