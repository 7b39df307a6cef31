//! DB09: only members of rds_password may change passwords, and the rotated user
//! changes its own.

use super::{
    parameters::asked,
    secret_database::{DATABASE_FACTS, secret_database},
};
use crate::{
    catalogue::Severity,
    checks::{
        Basis, Case, Check, Finding, Judgement, command::quoted, run::function::rotation_function,
        vended_template::template,
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "user-may-change-its-password",
    question: "May the rotated user change its own password?",
    codes: &["DB09"],
    facts: &FACTS,
    judge,
};

const FACTS: [Fact; 10] = {
    let [secret, shape, superuser, resources, instances, clusters] = DATABASE_FACTS;
    [
        secret,
        shape,
        superuser,
        resources,
        instances,
        clusters,
        Fact::DBParameters,
        Fact::Function,
        Fact::Stack,
        Fact::LogEvents,
    ]
};

fn judge(case: &Case<'_>) -> Judgement {
    rotation_function(case)?;
    let database = secret_database(case)?;
    let Some(setting) = asked(case, &database, "restricted-password-commands")? else {
        return Ok(Vec::new());
    };
    let shapes = case.secret_shape();
    let shape = shapes.if_known().and_then(|by_stage| by_stage.get("AWSCURRENT"));
    let alternating = shape.is_some_and(|shape| shape.keys.iter().any(|key| key == "masterarn"))
        || template(case).is_some_and(|template| template.alternates());
    let user = shape.and_then(|shape| shape.text("username"));
    // The master user is a member of rds_password; with alternating users it is
    // the superuser that changes the password.
    if alternating || user.is_some() && user.as_deref() == database.master_username() {
        return Ok(Vec::new());
    }
    let master = quoted(database.master_username().unwrap_or("MASTER"));
    let name = user.as_deref().unwrap_or("USER");
    // Names in SQL double the quotes they hold; the shell's come on top.
    let grant = format!("GRANT rds_password TO \"{}\"", name.replace('"', "\"\""));
    let ask =
        format!("SELECT pg_has_role('{}', 'rds_password', 'member')", name.replace('\'', "''"));
    let label = database.label();
    let who = user.as_deref().unwrap_or("the rotated user");
    let finding = Finding::new(
        "DB09",
        database.resource(),
        format!(
            "{label} lets only members of rds_password change passwords; {who} has to be one to \
             change its own."
        ),
    )
    .severity(Severity::Warning)
    .on(Basis::Indication);
    Ok(vec![
        setting
            .prove(finding)
            .fact(database.source(), &database.how)
            .fix(
                "Make the user a member, or rotate with alternating users.",
                [format!("psql -h HOST -U {master} -c {}", quoted(&grant))],
            )
            .confirm(format!("psql -h HOST -U {master} -c {}", quoted(&ask))),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::checks::testing::{codes, judge, lacks, not_applicable};

    fn bundle(values: Value, restricted: &str) -> Value {
        let keys: Vec<&String> = values.as_object().expect("object").keys().collect();
        json!({
            "Secret": {"RotationLambdaARN": "arn"},
            "Function": {"Configuration": {"FunctionName": "rotate"}},
            "SecretShape": {"AWSCURRENT": {"Keys": keys, "Values": values}},
            "DBClusters": [], "DBInstances": [{"DBInstanceIdentifier": "orders",
                "Engine": "postgres", "EngineVersion": "13.4", "MasterUsername": "postgres"}],
            "DBParameters": [{"ParameterName": "rds.restrict_password_commands",
                "ParameterValue": restricted}]
        })
    }

    fn user(name: &str) -> Value {
        json!({"dbInstanceIdentifier": "orders", "username": name})
    }

    #[test]
    fn a_user_of_its_own_has_to_be_a_member() {
        let found = judge(&CHECK, bundle(user("app"), "1")).expect("findings");
        assert_eq!(found[0].code(), "DB09");
        assert!(found[0].fixes[0].lines()[0].contains("\"app\""));
    }

    #[test]
    fn the_master_user_and_alternating_users_are_fine() {
        assert!(codes(&judge(&CHECK, bundle(user("postgres"), "1"))).is_empty());
        let mut alternating = user("app");
        alternating["masterarn"] = json!("arn:superuser");
        assert!(codes(&judge(&CHECK, bundle(alternating, "1"))).is_empty());
        assert!(codes(&judge(&CHECK, bundle(user("app"), "0"))).is_empty());
    }

    #[test]
    fn without_a_function_nobody_changes_it() {
        let mut managed = bundle(user("app"), "1");
        managed["Function"] = json!(null);
        assert!(not_applicable(&judge(&CHECK, managed)));
    }

    #[test]
    fn denied_parameters_are_inconclusive() {
        let mut gap = bundle(user("app"), "1");
        gap.as_object_mut().expect("object").remove("DBParameters");
        gap["Gaps"] = json!([{"Fact": "DBParameters", "Reason": "AccessDenied"}]);
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::DBParameters));
    }
}
