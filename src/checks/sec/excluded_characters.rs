//! SEC18: the function may generate passwords that the database refuses.

use crate::{
    catalogue::{Severity, engines},
    checks::{
        Basis, Case, Change, Check, Finding, Judgement, Stop,
        commands::{function_name, published, set_variables, show_setting},
        db::secret_database::{DATABASE_FACTS, secret_database},
        vended_template::template,
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "excluded-characters",
    question: "Does the function leave out the characters that the database refuses?",
    codes: &["SEC18"],
    facts: &FACTS,
    judge,
};

const FACTS: [Fact; 9] = {
    let [secret, shape, superuser, resources, instances, clusters] = DATABASE_FACTS;
    [
        secret,
        shape,
        superuser,
        resources,
        instances,
        clusters,
        Fact::Function,
        Fact::Stack,
        Fact::LogEvents,
    ]
};

/// The variables that the vended templates read.
const EXCLUDED: &str = "EXCLUDE_CHARACTERS";
const NO_PUNCTUATION: &str = "EXCLUDE_PUNCTUATION";
/// What stands in evidence for a value that is not shown.
const HIDDEN: &str = "(hidden)";

fn judge(case: &Case<'_>) -> Judgement {
    let function = case.function().or_not_applicable("there is no rotation function")?;
    let configuration = &function.configuration;
    // Unset, the templates leave out the usual ones themselves.
    let excluded = configuration
        .variable(EXCLUDED)
        .filter(|value| *value != HIDDEN)
        .ok_or_else(|| Stop::not_applicable("EXCLUDE_CHARACTERS is not set, or not shown"))?;
    if configuration.variable(NO_PUNCTUATION).is_some_and(|set| set.eq_ignore_ascii_case("true")) {
        return Ok(vec![]);
    }
    let Some((refused, by)) = refused(case) else {
        let shape = case.secret_shape();
        if shape.is_unseen() && !shape.is_not_asked() {
            return Err(shape.inconclusive());
        }
        return Err(Stop::not_applicable("no rule of this database about passwords is known"));
    };
    let missing: String = refused.chars().filter(|c| !excluded.contains(*c)).collect();
    if missing.is_empty() {
        return Ok(vec![]);
    }
    let name = configuration.function_name.as_deref().unwrap_or("FUNCTION");
    let wanted = format!("{excluded}{missing}");
    let finding = Finding::new(
        "SEC18",
        configuration.function_arn.as_deref().unwrap_or(name),
        format!(
            "{name} may put {} into a password, which {by} refuses; some rotations then fail.",
            listed(&missing)
        ),
    )
    .severity(Severity::Note)
    .on(Basis::Indication)
    .fact("GetFunction", format!("{EXCLUDED}={excluded}"))
    .fix(
        "Leave these characters out too.",
        [set_variables(function_name(function), &[(EXCLUDED, &wanted)])],
    )
    .trying(Change::SetVariable { name: EXCLUDED.to_owned(), value: wanted })
    .confirm(show_setting(
        case,
        function_name(function),
        format!("Environment.Variables.{EXCLUDED}"),
    ));
    Ok(vec![published(case, finding)])
}

fn listed(characters: &str) -> String {
    let words: Vec<_> = characters
        .chars()
        .map(|c| if c == ' ' { "a space".to_owned() } else { c.to_string() })
        .collect();
    words.join(" ")
}

/// What is refused, and by whom; where that is known for certain enough.
fn refused(case: &Case<'_>) -> Option<(&'static str, String)> {
    let shape = case.secret_shape().if_known().and_then(|stages| stages.get("AWSCURRENT"));
    let engine = shape
        .and_then(|shape| engines().named(&shape.text("engine")?))
        .or_else(|| template(case).and_then(|template| template.engine()));
    if let Some(engine) = engine
        && let Some(refused) = &engine.password_rejects
    {
        return Some((refused, engine.name.clone()));
    }
    let user = shape?.text("username")?;
    let is_master = secret_database(case).ok()?.master_username() == Some(user.as_str());
    // A space is refused by RDS, but Secrets Manager generates none unless asked to.
    let rejects = engines().master_password.rejects.trim_end();
    is_master.then(|| (rejects, format!("RDS (for its master user {user})")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    fn bundle(excluded: Value) -> Value {
        json!({"Function": {"Configuration": {"FunctionName": "f", "Environment": {"Variables": excluded}}},
            "SecretShape": {"AWSCURRENT": {"Keys": ["dbInstanceIdentifier"],
                "Values": {"engine": "postgres", "username": "admin", "dbInstanceIdentifier": "shop"}}},
            "DBInstances": [{"DBInstanceIdentifier": "shop", "MasterUsername": "admin"},
                {"DBInstanceIdentifier": "blog", "MasterUsername": "other"}]})
    }

    #[test]
    fn characters_that_rds_refuses_are_a_note() {
        let found = judge(&CHECK, bundle(json!({"EXCLUDE_CHARACTERS": "/"}))).expect("findings");
        assert_eq!(found[0].severity, Severity::Note);
        assert!(found[0].summary.contains("may put @ \" into"), "{}", found[0].summary);
        assert!(codes(&judge(&CHECK, bundle(json!({"EXCLUDE_CHARACTERS": "/@\""})))).is_empty());
    }

    #[test]
    fn unset_hidden_or_another_user_say_nothing() {
        assert!(not_applicable(&judge(&CHECK, bundle(json!({})))));
        assert!(not_applicable(&judge(&CHECK, bundle(json!({"EXCLUDE_CHARACTERS": "(hidden)"})))));
        let mut other = bundle(json!({"EXCLUDE_CHARACTERS": "/"}));
        other["SecretShape"]["AWSCURRENT"]["Values"]["username"] = json!("other");
        assert!(not_applicable(&judge(&CHECK, other)), "the master user of another database");
        let mut refused = bundle(json!({"EXCLUDE_CHARACTERS": "/"}));
        refused.as_object_mut().expect("object").remove("SecretShape");
        refused["Gaps"] = denied(Fact::SecretShape);
        assert!(lacks(&judge(&CHECK, refused), Fact::SecretShape));
        assert!(lacks(&judge(&CHECK, json!({"Gaps": denied(Fact::Function)})), Fact::Function));
    }
}
