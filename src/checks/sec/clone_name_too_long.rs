//! SEC22: the second user's name would be too long.

use super::stage_shape::shape;
use crate::{
    catalogue::engines,
    checks::{
        Case, Change, Check, Finding, Judgement, Stop,
        commands::{diagnose_value, function_name, published, set_variables, store_value},
        vended_template::template,
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "clone-name-too-long",
    question: "Is the user's name short enough for the name of its clone?",
    codes: &["SEC22"],
    facts: &[Fact::Secret, Fact::SecretShape, Fact::Function, Fact::Stack, Fact::LogEvents],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let value = shape(case, "AWSCURRENT")?;
    let alternates = template(case).map_or_else(
        || value.keys.iter().any(|key| key == "masterarn"),
        |template| template.alternates(),
    );
    if !alternates {
        return Err(Stop::not_applicable("nothing shows that the function alternates two users"));
    }
    let user =
        value.text("username").ok_or_else(|| Stop::not_applicable("the value names no user"))?;
    let row = value
        .text("engine")
        .and_then(|engine| engines().named(&engine))
        .or_else(|| template(case).and_then(|template| template.engine()))
        .ok_or_else(|| Stop::not_applicable("the engine is not known"))?;
    let Some(usual) = row.username_limit else {
        return Err(Stop::not_applicable(format!("no limit is known for {}", row.name)));
    };
    let clone = format!("{}{}", engines().base_user(&user), engines().clone.suffix);
    let length = clone.chars().count();
    let (limit, function) = match &row.username_limit_variable {
        Some(variable) => {
            let function = case.function().or_absent()?;
            let set =
                function.and_then(|f| f.configuration.variable(variable)?.trim().parse().ok());
            (set.unwrap_or(usual), function)
        }
        None => (usual, None),
    };
    if length <= limit {
        return Ok(vec![]);
    }
    let finding = Finding::new(
        "SEC22",
        case.secret_resource(),
        format!(
            "The clone of user {user} would be {clone}, {length} characters; the function allows \
             {limit} for {}.",
            row.name
        ),
    )
    .fact("GetSecretValue AWSCURRENT", format!("username: {user}"))
    .confirm(diagnose_value(case));
    Ok(vec![match (&row.username_limit_variable, row.username_limit_of_server, function) {
        (Some(variable), Some(server), Some(function)) if length <= server => {
            let finding = finding
                .fix(
                    format!("Tell the function that the server allows {server} characters."),
                    [set_variables(function_name(function), &[(variable, &server.to_string())])],
                )
                .trying(Change::SetVariable { name: variable.clone(), value: server.to_string() });
            published(case, finding)
        }
        _ => finding.fix(
            "Rotate a user with a shorter name: create it in the database, store it in the secret.",
            [store_value(case)],
        ),
    }])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    fn bundle(engine: &str, user: &str, limit: Option<&str>) -> Value {
        let variables = limit.map_or(json!({}), |limit| json!({"USERNAME_CHARACTER_LIMIT": limit}));
        json!({"Function": {"Configuration": {"FunctionName": "f", "Environment": {"Variables": variables}}},
            "SecretShape": {"AWSCURRENT": {"Keys": ["masterarn", "username"],
                "Values": {"engine": engine, "username": user}}}})
    }

    #[test]
    fn the_limit_is_that_of_the_engine_or_of_the_variable() {
        let found = judge(&CHECK, bundle("mysql", "application", None)).expect("findings");
        assert!(found[0].fixes[0].change.is_some());
        assert!(codes(&judge(&CHECK, bundle("mysql", "application", Some("32")))).is_empty());
        assert!(codes(&judge(&CHECK, bundle("mysql", "app", None))).is_empty());
        assert_eq!(codes(&judge(&CHECK, bundle("mysql", "app", Some("8")))), ["SEC22"]);
        assert!(codes(&judge(&CHECK, bundle("postgres", "application_clone", None))).is_empty());
    }

    #[test]
    fn one_user_has_no_clone_and_refused_facts_are_named() {
        let mut single = bundle("mysql", "application", None);
        single["SecretShape"]["AWSCURRENT"]["Keys"] = json!(["username"]);
        assert!(not_applicable(&judge(&CHECK, single)));
        let mut refused = bundle("mysql", "application", None);
        refused.as_object_mut().expect("object").remove("Function");
        refused["Gaps"] = denied(Fact::Function);
        assert!(lacks(&judge(&CHECK, refused), Fact::Function));
        assert!(lacks(
            &judge(&CHECK, json!({"Gaps": denied(Fact::SecretShape)})),
            Fact::SecretShape
        ));
    }
}
