//! RUN13: the function's variables bind it to another secret or user.

use super::{
    environment::variable,
    function::{name_of, resource_of, rotation_function},
};
use crate::{
    catalogue::Severity,
    checks::{
        Basis, Case, Change, Check, Finding, Judgement, Stop,
        commands::{function_name, published, set_variables, show_setting},
    },
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
    // Both in one finding, since the function refuses the secret until both match.
    let mut wrong: Vec<(&str, &str, String)> = Vec::new();
    if let Some(bound) = bound_secret {
        let secret = case.secret().or_not_applicable("there is no secret")?;
        if let Some(arn) = secret.arn.as_deref().filter(|arn| *arn != bound) {
            wrong.push(("SECRET_ARN", bound, arn.to_owned()));
        }
    }
    if let Some(bound) = bound_user
        && let Some(shapes) = case.secret_shape().if_known()
        && let Some(user) = shapes.get("AWSCURRENT").and_then(|shape| shape.text("username"))
        && user != bound
    {
        wrong.push(("USER_NAME", bound, user));
    }
    if wrong.is_empty() {
        return Ok(Vec::new());
    }
    let mismatches: Vec<_> = wrong
        .iter()
        .map(|(variable, is, wanted)| {
            format!("{variable} binds {name} to {is}, but the secret has {wanted}")
        })
        .collect();
    let mut finding = Finding::new(
        "RUN13",
        resource_of(function),
        format!("{}: the function refuses it.", mismatches.join("; ")),
    )
    .severity(severity)
    .on(basis);
    for (variable, is, _) in &wrong {
        finding = finding
            .fact("GetFunction", format!("Environment.Variables.{variable} is {is}"))
            .confirm(show_setting(
                case,
                function_name(function),
                format!("Environment.Variables.{variable}"),
            ));
    }
    let pairs: Vec<_> = wrong.iter().map(|(name, _, wanted)| (*name, wanted.as_str())).collect();
    finding = finding.fix(
        "Bind the function to this secret, or give each secret its own function.",
        [set_variables(function_name(function), &pairs)],
    );
    // A change sets one variable; one of two alone fixes nothing.
    if let [(variable, _, wanted)] = wrong.as_slice() {
        finding = finding
            .trying(Change::SetVariable { name: (*variable).to_owned(), value: wanted.clone() });
    }
    Ok(vec![published(case, finding)])
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
    fn another_secret_or_user_is_found_and_the_fix_works() {
        let other = bundle(json!({"SECRET_ARN": format!("{ARN}x"), "USER_NAME": "app"}));
        let found = judge(&CHECK, other.clone()).expect("findings");
        assert_eq!((found.len(), found[0].basis), (1, Basis::State));
        let mut fixed = evidence(other);
        found[0].fixes[0].change.as_ref().expect("change").apply(&mut fixed);
        let fixed = serde_json::to_value(&fixed).expect("bundle");
        assert!(codes(&judge(&CHECK, fixed)).is_empty());
        let user = judge(&CHECK, bundle(json!({"SECRET_ARN": ARN, "USER_NAME": "old"})));
        assert!(user.expect("findings")[0].summary.contains("old"));
    }

    #[test]
    fn both_variables_are_one_finding_with_one_fix() {
        let found =
            judge(&CHECK, bundle(json!({"SECRET_ARN": format!("{ARN}x"), "USER_NAME": "old"})))
                .expect("findings");
        assert_eq!((found.len(), found[0].fixes.len()), (1, 1));
        assert!(found[0].summary.contains("SECRET_ARN") && found[0].summary.contains("USER_NAME"));
        let edit = &found[0].fixes[0].lines()[0];
        assert!(
            edit.contains(&format!(".SECRET_ARN = \"{ARN}\" | .USER_NAME = \"app\"")),
            "{edit}"
        );
        assert_eq!(found[0].fixes[0].change, None);
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
