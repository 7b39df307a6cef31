//! RUN08: the handler of a vended function is not the one its code has.

use super::function::{name_of, resource_of, rotation_function, vended};
use crate::{
    catalogue::{Severity, vended_handler},
    checks::{
        Basis, Case, Change, Check, Finding, Judgement, Stop,
        commands::{function_name, on_function, published, show_setting},
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "vended-handler",
    question: "Does a vended function have the handler that its code defines?",
    codes: &["RUN08"],
    facts: &[Fact::Secret, Fact::Function],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    let Some(why_vended) = vended(function) else {
        return Err(Stop::not_applicable(
            "nothing says that AWS vended the function; its own code names its handler",
        ));
    };
    let Some(handler) = function.configuration.handler.as_deref() else {
        return Err(Stop::not_applicable("the function is a container image without a handler"));
    };
    let expected = vended_handler();
    if handler == expected {
        return Ok(Vec::new());
    }
    let name = name_of(function);
    let finding = Finding::new(
        "RUN08",
        resource_of(function),
        format!(
            "The handler of {name} is {handler}; the code of vended functions defines {expected}."
        ),
    )
    .severity(Severity::Warning)
    .on(Basis::Indication)
    .fact("GetFunction", format!("Handler is {handler}"))
    .fact("GetFunction", format!("vended: {why_vended}"))
    .fix(
        "Set the handler that the code defines.",
        [on_function(function_name(function), "update-function-configuration")
            .option("--handler", expected)],
    )
    .trying(Change::SetHandler { handler: expected.to_owned() })
    .confirm(show_setting(case, function_name(function), "Handler"));
    Ok(vec![published(case, finding)])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::checks::testing::{codes, judge, lacks, not_applicable};

    fn bundle(handler: &str, description: &str) -> serde_json::Value {
        json!({"Secret": {"RotationLambdaARN": "arn"}, "Function": {"Configuration": {
            "FunctionName": "rotate", "Handler": handler, "Description": description}}})
    }

    #[test]
    fn a_function_behind_an_alias_is_published_too() {
        let mut aliased = bundle("other.handler", VENDED);
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:rotate:live";
        aliased["Secret"]["RotationLambdaARN"] = json!(arn);
        let found = judge(&CHECK, aliased).expect("findings");
        let fix = &found[0].fixes[0];
        assert!(fix.lines().iter().any(|command| command.contains("update-alias")));
        assert_eq!(fix.change, None);
    }

    const VENDED: &str = "Conducts an AWS SecretsManager secret rotation for RDS MySQL using single user rotation scheme";

    #[test]
    fn an_unusual_handler_of_a_vended_function_is_found() {
        assert_eq!(codes(&judge(&CHECK, bundle("index.handler", VENDED))), ["RUN08"]);
        let usual = judge(&CHECK, bundle("lambda_function.lambda_handler", VENDED));
        assert!(codes(&usual).is_empty());
    }

    #[test]
    fn a_function_of_one_s_own_names_its_handler_as_it_likes() {
        assert!(not_applicable(&judge(&CHECK, bundle("index.handler", "my rotation"))));
    }

    #[test]
    fn a_denied_function_is_inconclusive() {
        let gap = json!({"Secret": {"RotationLambdaARN": "arn"},
            "Gaps": [{"Fact": "Function", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::Function));
    }
}
