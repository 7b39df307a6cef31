//! SEC16: the value's port is not the database's.

use super::{rds_endpoints::endpoints, stage_shape::shape};
use crate::{
    aws::commands::Argument,
    checks::{
        Case, Check, Finding, Judgement, Stop,
        commands::{diagnose_value, edit_value},
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "port-of-the-value",
    question: "Is the value's port the one that its database listens on?",
    codes: &["SEC16"],
    facts: &[Fact::Secret, Fact::SecretShape, Fact::DBInstances, Fact::DBClusters],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let value = shape(case, "AWSCURRENT")?;
    if !value.values.contains_key("port") {
        return Err(Stop::not_applicable(
            "the value names no port; the templates then use the default",
        ));
    }
    let port = value.text("port").unwrap_or_default();
    let Ok(number) = port.trim().parse::<i64>() else {
        let shown = if port.is_empty() { "empty" } else { "not a number" };
        return Ok(vec![with_fix(
            case,
            Finding::new(
                "SEC16",
                case.secret_resource(),
                format!(
                    "The value's port is {shown}; the function reads it as a number and fails."
                ),
            )
            .fact("GetSecretValue AWSCURRENT", format!("port: {port:?}")),
            None,
        )]);
    };
    let Some(host) = value.text("host") else { return Ok(vec![]) };
    let endpoints = endpoints(case)?;
    let Some((endpoint, listens)) = endpoints
        .iter()
        .filter(|endpoint| endpoint.is_at(&host))
        .find_map(|endpoint| Some((endpoint, endpoint.port?)))
    else {
        return Ok(vec![]);
    };
    if listens == number {
        return Ok(vec![]);
    }
    Ok(vec![with_fix(
        case,
        Finding::new(
            "SEC16",
            case.secret_resource(),
            format!("The value's port is {number}; {} listens on {listens}.", endpoint.identifier),
        )
        .fact("GetSecretValue AWSCURRENT", format!("host: {host}, port: {number}"))
        .fact(
            if endpoint.cluster { "DescribeDBClusters" } else { "DescribeDBInstances" },
            format!("{} listens on {}:{listens}", endpoint.identifier, endpoint.address),
        ),
        Some(listens),
    )])
}

fn with_fix(case: &Case<'_>, finding: Finding, port: Option<i64>) -> Finding {
    let program = Argument::from(".port = ");
    let (port, program) = match port {
        Some(port) => (port.to_string(), program.then(port)),
        None => ("PORT".to_owned(), program.then(Argument::placeholder("PORT"))),
    };
    finding
        .fix(format!("Store the port {port} in the value."), [edit_value(case, program)])
        .confirm(diagnose_value(case))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    fn bundle(port: Value) -> Value {
        json!({"SecretShape": {"AWSCURRENT": {"Keys": ["host", "port"], "Values": {"host": "db.x", "port": port}}},
            "DBInstances": [{"DBInstanceIdentifier": "db", "Endpoint": {"Address": "DB.x", "Port": 5432}}],
            "DBClusters": null})
    }

    #[test]
    fn another_port_and_no_number_are_found() {
        assert_eq!(codes(&judge(&CHECK, bundle(json!(3306)))), ["SEC16"]);
        assert_eq!(codes(&judge(&CHECK, bundle(json!("")))), ["SEC16"]);
        assert!(codes(&judge(&CHECK, bundle(json!(5432)))).is_empty());
        assert!(codes(&judge(&CHECK, bundle(json!("5432")))).is_empty());
        let none = json!({"SecretShape": {"AWSCURRENT": {"Keys": ["host"]}}});
        assert!(not_applicable(&judge(&CHECK, none)));
    }

    #[test]
    fn refused_facts_are_named() {
        let mut refused = bundle(json!(5432));
        refused.as_object_mut().expect("object").remove("DBInstances");
        refused["Gaps"] = denied(Fact::DBInstances);
        assert!(lacks(&judge(&CHECK, refused), Fact::DBInstances));
        let refused = json!({"Gaps": denied(Fact::SecretShape)});
        assert!(lacks(&judge(&CHECK, refused), Fact::SecretShape));
    }
}
