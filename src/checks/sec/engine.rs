//! SEC02, SEC03: the value's `engine` and what the function takes for it.

use super::place::{is_for_a_database, shape};
use crate::{
    catalogue::{Engine, engines},
    checks::{
        Basis, Case, Check, Finding, Judgement, Stop,
        command::quoted,
        template::{Template, code_is_older_than, template},
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "engine-of-the-value",
    question: "Does the value name the engine that its rotation function takes?",
    codes: &["SEC02", "SEC03"],
    facts: &[Fact::Secret, Fact::SecretShape, Fact::Function, Fact::Stack, Fact::LogEvents],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let value = shape(case, "AWSCURRENT")?;
    let template = template(case);
    if template.is_none() && !is_for_a_database(value) {
        let function = case.function();
        if function.is_unseen() && !function.is_not_asked() {
            return Err(function.inconclusive());
        }
        return Err(Stop::not_applicable(
            "nothing shows that the value is for a database's template",
        ));
    }
    let wanted = template.as_ref().and_then(Template::engine);
    let Some(engine) = value.text("engine").filter(|engine| !engine.is_empty()) else {
        return Ok(vec![unset(case, template.as_ref(), wanted)]);
    };
    match (wanted, engines().named(&engine)) {
        (Some(wanted), named) if named.is_none_or(|named| named.name != wanted.name) => {
            Ok(vec![other(case, &engine, wanted, template.as_ref())])
        }
        (_, Some(named)) if named.aurora.as_deref() == Some(engine.as_str()) => {
            let alternates = template.as_ref().map_or_else(
                || value.keys.iter().any(|key| key == "masterarn"),
                Template::alternates,
            );
            aurora(case, &engine, named, alternates)
        }
        _ => Ok(vec![]),
    }
}

fn unset(case: &Case<'_>, template: Option<&Template>, wanted: Option<&Engine>) -> Finding {
    let finding = Finding::new(
        "SEC02",
        case.secret_resource(),
        match (template, wanted) {
            (Some(template), Some(wanted)) => format!(
                "The value has no engine; {} wants it to be {}.",
                template.name, wanted.name
            ),
            _ => "The value is for a database and has no engine, which the vended templates want."
                .to_owned(),
        },
    )
    .on(if template.is_some() { Basis::State } else { Basis::Indication })
    .fact("GetSecretValue AWSCURRENT", "no key engine");
    mend(case, finding, wanted.map_or("ENGINE", |wanted| wanted.name.as_str()))
}

fn other(case: &Case<'_>, engine: &str, wanted: &Engine, template: Option<&Template>) -> Finding {
    let name = template.map_or("the function", |template| template.name.as_str());
    let finding = Finding::new(
        "SEC02",
        case.secret_resource(),
        format!(
            "The value's engine is {engine}; {name} takes only {}.",
            wanted.accepts.join(" or ")
        ),
    )
    .fact("GetSecretValue AWSCURRENT", format!("engine: {engine}"));
    mend(case, finding, &wanted.name)
}

fn aurora(case: &Case<'_>, engine: &str, named: &Engine, alternates: bool) -> Judgement {
    let since = if alternates { named.aurora_since_alternating } else { named.aurora_since_single };
    let Some(since) = since else { return Ok(vec![]) };
    match code_is_older_than(case, since) {
        Some(true) => {
            let finding = Finding::new(
                "SEC03",
                case.secret_resource(),
                format!(
                    "The value's engine is {engine}, which the templates take since {}; this \
                     function was last changed before that day.",
                    since.date()
                ),
            )
            .on(Basis::Indication)
            .fact("GetSecretValue AWSCURRENT", format!("engine: {engine}"))
            .fact("GetFunction", "LastModified is before that day");
            Ok(vec![mend(case, finding, &named.name)])
        }
        Some(false) => Ok(vec![]),
        None => {
            let function = case.function();
            if function.is_unseen() {
                return Err(function.inconclusive());
            }
            Err(Stop::not_applicable(format!(
                "nothing shows that the function's code is older than {}, when {engine} was added",
                since.date()
            )))
        }
    }
}

fn mend(case: &Case<'_>, finding: Finding, engine: &str) -> Finding {
    let id = quoted(case.secret_id());
    finding
        .fix(
            format!(
                "Set engine to {engine} in the value (CloudFormation: a SecretTargetAttachment; CDK: \
                 secret.attach(), using what it returns), or use the template of the right engine."
            ),
            [format!(
                "aws secretsmanager get-secret-value --secret-id {id} --query SecretString --output text \
                 | jq -c '.engine = \"{engine}\"' \
                 | aws secretsmanager put-secret-value --secret-id {id} --secret-string file:///dev/stdin"
            )],
        )
        .confirm(format!("rotdoctor diagnose {id} --read-secret"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    fn bundle(engine: Option<&str>, function: Value) -> Value {
        let values = engine.map_or(json!({}), |engine| json!({"engine": engine}));
        json!({"Secret": {"Name": "app"}, "Function": function,
               "SecretShape": {"AWSCURRENT": {"Keys": ["host", "password", "username"], "Values": values}}})
    }

    fn postgres() -> Value {
        json!({"Tags": {"a": "SecretsManagerRDSPostgreSQLRotationSingleUser"}})
    }

    #[test]
    fn no_engine_and_the_wrong_engine_are_told_apart_from_the_right_one() {
        assert_eq!(codes(&judge(&CHECK, bundle(None, postgres()))), ["SEC02"]);
        assert_eq!(codes(&judge(&CHECK, bundle(Some("mysql"), postgres()))), ["SEC02"]);
        assert_eq!(codes(&judge(&CHECK, bundle(Some("Postgres"), postgres()))), ["SEC02"]);
        assert!(codes(&judge(&CHECK, bundle(Some("postgres"), postgres()))).is_empty());
        assert!(codes(&judge(&CHECK, bundle(Some("mysql"), json!({})))).is_empty());
    }

    #[test]
    fn an_aurora_name_is_a_fault_only_of_functions_that_are_provably_older() {
        let changed = |at: &str| json!({"Configuration": {"LastModified": at}});
        let old = bundle(Some("aurora-mysql"), changed("2023-01-01T00:00:00Z"));
        assert_eq!(codes(&judge(&CHECK, old)), ["SEC03"]);
        let recent = bundle(Some("aurora-mysql"), changed("2025-01-01T00:00:00Z"));
        assert!(not_applicable(&judge(&CHECK, recent)));
        let mut refused = bundle(Some("aurora-mysql"), json!({}));
        refused.as_object_mut().expect("object").remove("Function");
        refused["Gaps"] = denied(Fact::Function);
        assert!(lacks(&judge(&CHECK, refused), Fact::Function));
    }

    #[test]
    fn a_refused_value_is_named() {
        let refused = json!({"Secret": {}, "Gaps": denied(Fact::SecretShape)});
        assert!(lacks(&judge(&CHECK, refused), Fact::SecretShape));
    }
}
