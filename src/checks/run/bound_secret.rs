//! RUN13: the function's variables bind it to another secret or user.

use super::{
    environment::{setting, variable},
    function::{name_of, resource_of, rotation_function},
};
use crate::{
    catalogue::Severity,
    checks::{Basis, Case, Change, Check, Finding, Judgement, Stop},
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "function-bound-to-this-secret",
    question: "Do the function's variables bind it to this secret and its user?",
    codes: &["RUN13"],
    facts: &[Fact::Secret, Fact::Function, Fact::SecretShape],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    let bound_secret = variable(function, "SECRET_ARN")?;
    let bound_user = variable(function, "USER_NAME")?;
    if bound_secret.is_none() && bound_user.is_none() {
        return Err(Stop::not_applicable("no variable binds the function to one secret"));
    }
    // Both together are the ElastiCache template's; alone, a variable of that
    // name may mean something else to code of one's own.
    let (basis, severity) = match bound_secret.is_some() && bound_user.is_some() {
        true => (Basis::State, Severity::Error),
        false => (Basis::Indication, Severity::Warning),
    };
    let name = name_of(function);
    let mut findings = Vec::new();
    let mut bind = |variable: &str, is: &str, wanted: &str| {
        findings.push(
            Finding::new(
                "RUN13",
                resource_of(function),
                format!("{variable} binds {name} to {is}, but the secret has {wanted}: the function refuses it."),
            )
            .severity(severity)
            .on(basis)
            .fact("GetFunction", format!("Environment.Variables.{variable} is {is}"))
            .fix(
                "Bind the function to this secret, or give each secret its own function.",
                setting(function, variable, wanted),
            )
            .trying(Change::SetVariable { name: variable.to_owned(), value: wanted.to_owned() })
            .confirm(format!(
                "aws lambda get-function-configuration --function-name {name} --query \
                 Environment.Variables.{variable}"
            )),
        );
    };
    if let Some(bound) = bound_secret {
        let secret = case.secret().or_not_applicable("there is no secret")?;
        if let Some(arn) = secret.arn.as_deref().filter(|arn| *arn != bound) {
            bind("SECRET_ARN", bound, arn);
        }
    }
    if let Some(bound) = bound_user
        && let Some(shapes) = case.secret_shape().if_known()
        && let Some(user) = shapes.get("AWSCURRENT").and_then(|shape| shape.text("username"))
        && user != bound
    {
        bind("USER_NAME", bound, &user);
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::checks::{
        Basis,
        testing::{codes, evidence, judge, lacks, not_applicable},
    };

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cache-AbCdEf";

    fn bundle(variables: serde_json::Value) -> serde_json::Value {
        json!({"Secret": {"ARN": ARN, "RotationLambdaARN": "arn"},
            "SecretShape": {"AWSCURRENT": {"Keys": ["username"], "Values": {"username": "app"}}},
            "Function": {"Configuration": {"FunctionName": "rotate",
                "Environment": {"Variables": variables}}}})
    }

    #[test]
    fn another_secret_or_user_is_found_and_the_fix_mends_it() {
        let other = bundle(json!({"SECRET_ARN": format!("{ARN}x"), "USER_NAME": "app"}));
        let found = judge(&CHECK, other.clone()).expect("findings");
        assert_eq!((found.len(), found[0].basis), (1, Basis::State));
        let mut mended = evidence(other);
        found[0].fixes[0].change.as_ref().expect("change").apply(&mut mended);
        let mended = serde_json::to_value(&mended).expect("bundle");
        assert!(codes(&judge(&CHECK, mended)).is_empty());
        let user = judge(&CHECK, bundle(json!({"SECRET_ARN": ARN, "USER_NAME": "old"})));
        assert!(user.expect("findings")[0].summary.contains("old"));
    }

    #[test]
    fn a_bound_and_an_unbound_function_are_fine() {
        let fine = judge(&CHECK, bundle(json!({"SECRET_ARN": ARN, "USER_NAME": "app"})));
        assert!(codes(&fine).is_empty());
        assert!(not_applicable(&judge(&CHECK, bundle(json!({})))));
    }

    #[test]
    fn what_was_hidden_is_inconclusive_and_an_unread_secret_does_not_matter() {
        let hidden = judge(&CHECK, bundle(json!({"SECRET_ARN": "(hidden)"})));
        assert!(lacks(&hidden, crate::evidence::Fact::Function));
        let mut unread = bundle(json!({"SECRET_ARN": ARN, "USER_NAME": "old"}));
        unread.as_object_mut().expect("object").remove("SecretShape");
        assert!(codes(&judge(&CHECK, unread)).is_empty());
    }

    #[test]
    fn denied_facts_are_inconclusive() {
        let mut gap = bundle(json!({"SECRET_ARN": ARN}));
        gap.as_object_mut().expect("object").remove("Secret");
        gap["Gaps"] = json!([{"Fact": "Secret", "Reason": "AccessDenied"}]);
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::Secret));
        let gap = json!({"Gaps": [{"Fact": "Function", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::Function));
    }
}
