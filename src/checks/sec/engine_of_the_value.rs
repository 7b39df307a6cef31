//! SEC02, SEC03: the value's `engine` and what the function takes for it.

use super::stage_shape::{has_open_value, is_for_a_database, shape};
use crate::{
    catalogue::{Engine, capability, engines},
    checks::{
        Basis, Case, Check, Finding, Judgement, Missing, Stop,
        commands::{diagnose_value, edit_value, set_key, set_key_to_placeholder},
        function_age::{AGE_FACTS, Ability, FunctionAge},
        vended_template::{VendedTemplate, template},
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "engine-of-the-value",
    question: "Does the value name the engine that its rotation function takes?",
    codes: &["SEC02", "SEC03"],
    facts: &[
        Fact::Secret,
        Fact::SecretShape,
        Fact::Function,
        AGE_FACTS[0],
        AGE_FACTS[1],
        AGE_FACTS[2],
    ],
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
    if value.is_json == Some(false) {
        return Err(Stop::not_applicable("the value is not JSON, which is a question of its own"));
    }
    let wanted = template.as_ref().and_then(VendedTemplate::engine);
    let Some(engine) = value.text("engine").filter(|engine| !engine.is_empty()) else {
        if has_open_value(case, value, "engine") {
            return Err(Stop::Inconclusive(vec![Missing {
                reason: "not declared: the engine of the database that the value is for".to_owned(),
                ..case.secret_shape().missing()
            }]));
        }
        return Ok(vec![unset(case, template.as_ref(), wanted)]);
    };
    match (wanted, engines().named(&engine)) {
        (Some(wanted), named) if named.is_none_or(|named| named.name != wanted.name) => {
            Ok(vec![other(case, &engine, wanted, template.as_ref())])
        }
        (_, Some(named)) if named.aurora.as_deref() == Some(engine.as_str()) => {
            let alternates = template.as_ref().map_or_else(
                || value.keys.iter().any(|key| key == "masterarn"),
                VendedTemplate::alternates,
            );
            aurora(case, &engine, named, alternates)
        }
        _ => Ok(vec![]),
    }
}

fn unset(case: &Case<'_>, template: Option<&VendedTemplate>, wanted: Option<&Engine>) -> Finding {
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
    with_fix(case, finding, wanted)
}

fn other(
    case: &Case<'_>,
    engine: &str,
    wanted: &Engine,
    template: Option<&VendedTemplate>,
) -> Finding {
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
    with_fix(case, finding, Some(wanted))
}

fn aurora(case: &Case<'_>, engine: &str, named: &Engine, alternates: bool) -> Judgement {
    let template = if alternates { "MultiUser" } else { "SingleUser" };
    let Some(row) = capability("aurora-engine-names", Some(template)) else { return Ok(vec![]) };
    let since = row.since;
    let function = case.function();
    let ability = function.if_known().map(|function| FunctionAge::of(case, function).can(row));
    match ability {
        Some(Ability::Absent) => {
            let finding = Finding::new(
                "SEC03",
                case.secret_resource(),
                format!(
                    "The value's engine is {engine}, which the templates take since {}; this \
                     function was last changed before that day.",
                    since.date()
                ),
            )
            .on(if engine_was_refused(case) { Basis::StateAndLine } else { Basis::Indication })
            .fact("GetSecretValue AWSCURRENT", format!("engine: {engine}"))
            .fact("GetFunction", "LastModified is before that day");
            Ok(vec![with_fix(case, finding, Some(named))])
        }
        Some(Ability::Present) => Ok(vec![]),
        Some(Ability::Doubtful | Ability::Unknown) | None => {
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

/// Whether the newest failed run printed that its template takes another engine:
/// the value has one, so its name is what that function does not know.
fn engine_was_refused(case: &Case<'_>) -> bool {
    let log = case.log();
    let run = log.if_known().and_then(|log| log.last_failure());
    run.is_some_and(|run| run.hits.iter().any(|hit| hit.text.code.as_deref() == Some("SEC02")))
}

fn with_fix(case: &Case<'_>, finding: Finding, engine: Option<&Engine>) -> Finding {
    let (name, program) = match engine {
        Some(engine) => (engine.name.as_str(), set_key("engine", &engine.name)),
        None => ("ENGINE", set_key_to_placeholder("engine", "ENGINE")),
    };
    finding
        .fix(
            format!(
                "Set engine to {name} in the value (CloudFormation: a SecretTargetAttachment; CDK: \
                 secret.attach(), using what it returns), or use the template of the right engine."
            ),
            [edit_value(case, program)],
        )
        .confirm(diagnose_value(case))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::{
            Basis,
            testing::{codes, denied, judge, lacks, not_applicable},
        },
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
    fn the_functions_own_refusal_proves_that_it_is_too_old() {
        let line = "[ERROR] KeyError: \"Database engine must be set to 'mysql' in order to use \
                    this rotation lambda\"\nTraceback (most recent call last):";
        let event = |millis: i64, message: &str| json!({"timestamp": millis, "message": message});
        let mut refused = bundle(
            Some("aurora-mysql"),
            json!({"Configuration": {"LastModified": "2023-01-01T00:00:00Z"}}),
        );
        let before = judge(&CHECK, refused.clone()).expect("findings");
        assert_eq!(before[0].basis, Basis::Indication);
        refused["LogEvents"] = json!([
            event(
                1_795_057_921_000,
                "START RequestId: 22222222-aaaa-4bbb-8ccc-000000000002 Version: $LATEST"
            ),
            event(1_795_057_922_000, line),
            event(1_795_057_922_500, "END RequestId: 22222222-aaaa-4bbb-8ccc-000000000002"),
        ]);
        let found = judge(&CHECK, refused).expect("findings");
        assert_eq!(found[0].basis, Basis::StateAndLine);
    }

    #[test]
    fn plain_text_has_no_engine_to_judge() {
        let mut plain = bundle(None, postgres());
        plain["SecretShape"] = json!({"AWSCURRENT": {"Keys": [], "IsJson": false}});
        assert!(not_applicable(&judge(&CHECK, plain)));
    }

    #[test]
    fn a_refused_value_is_named() {
        let refused = json!({"Secret": {}, "Gaps": denied(Fact::SecretShape)});
        assert!(lacks(&judge(&CHECK, refused), Fact::SecretShape));
    }
}
