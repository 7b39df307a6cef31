//! DB09: only members of rds_password may change passwords, and the rotated user
//! changes its own.

use super::{
    parameters::asked,
    secret_database::{DATABASE_FACTS, SecretDatabase, secret_database},
};
use crate::{
    aws::commands::{Argument, Command},
    catalogue::Severity,
    checks::{
        Basis, Case, Check, Finding, Judgement, run::function::rotation_function,
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
                [as_master(&database).option("-c", grant(user.as_deref()))],
            )
            .confirm(as_master(&database).option("-c", ask(user.as_deref())).look()),
    ])
}

/// A client of the database, logged in as its master user.
fn as_master(database: &SecretDatabase<'_>) -> Command {
    Command::program("psql")
        .option("-h", Argument::placeholder("HOST"))
        .option("-U", Argument::or_placeholder(database.master_username(), "MASTER"))
}

/// The statement that makes the user a member. A name in double quotes doubles those
/// that it holds.
fn grant(user: Option<&str>) -> Argument {
    let user = user.map(|user| user.replace('"', "\"\""));
    Argument::from("GRANT rds_password TO \"")
        .then(Argument::or_placeholder(user.as_deref(), "USER"))
        .then("\"")
}

/// The question whether the user is one. A text in single quotes doubles those that it
/// holds.
fn ask(user: Option<&str>) -> Argument {
    let user = user.map(|user| user.replace('\'', "''"));
    Argument::from("SELECT pg_has_role('")
        .then(Argument::or_placeholder(user.as_deref(), "USER"))
        .then("', 'rds_password', 'member')")
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
