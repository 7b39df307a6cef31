//! SEC24: a function too old for a superuser that RDS manages for a cluster.

use crate::{
    aws::commands::Argument,
    catalogue::{capability, managed_services},
    checks::{
        Basis, Case, Check, Finding, Judgement, Stop,
        commands::{diagnose, rotate},
        function_age::{AGE_FACTS, Ability, FunctionAge},
    },
    evidence::{Fact, Secret},
};

pub(super) static CHECK: Check = Check {
    name: "superuser-managed-for-cluster",
    question: "Can the function find the cluster whose superuser RDS manages?",
    codes: &["SEC24"],
    facts: &[
        Fact::Secret,
        Fact::SuperuserSecret,
        Fact::Function,
        AGE_FACTS[0],
        AGE_FACTS[1],
        AGE_FACTS[2],
    ],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let reading = case.superuser_secret();
    if reading.is_not_asked() {
        return Err(Stop::not_applicable("no superuser's secret is known"));
    }
    let superuser = reading.or_not_applicable("the rotation uses no superuser's secret")?;
    let Some(cluster) = cluster_of(superuser) else {
        return Err(Stop::not_applicable("RDS does not manage the superuser for a cluster"));
    };
    let function = case.function().or_not_applicable("there is no rotation function")?;
    let Some(row) = capability("rds-managed-superuser-cluster", None) else {
        return Err(Stop::not_applicable("no day is known from which functions can"));
    };
    match FunctionAge::of(case, function).can(row) {
        Ability::Present => Ok(vec![]),
        Ability::Doubtful | Ability::Unknown => Err(Stop::not_applicable(format!(
            "nothing shows that the function's code is older than {}, since when it {}",
            row.since.date(),
            row.what
        ))),
        Ability::Absent => {
            let name = function.configuration.function_name.as_deref().unwrap_or("the function");
            Ok(vec![
                Finding::new(
                    "SEC24",
                    case.secret_resource(),
                    format!(
                        "RDS manages the superuser for the cluster {cluster}. {name} was last changed \
                         before {}, since when a vended function {}; it fails on the missing key host.",
                        row.since.date(),
                        row.what
                    ),
                )
                .on(Basis::Indication)
                .fact("DescribeSecret of masterarn", format!("tag of the cluster: {cluster}"))
                .fact("GetFunction", "LastModified is before that day")
                .fix(
                    "Recreate the rotation function from today's template, and point the secret at it.",
                    [rotate(case).option("--rotation-lambda-arn", Argument::placeholder("NEW_FUNCTION_ARN"))],
                )
                .confirm(diagnose(case)),
            ])
        }
    }
}

fn cluster_of(secret: &Secret) -> Option<&str> {
    let key = &managed_services().tags.cluster;
    let tag = secret
        .tags
        .iter()
        .find(|tag| tag.key.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(key)))?;
    tag.value.as_deref()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    fn bundle(tag: &str, modified: &str) -> Value {
        json!({"SuperuserSecret": {"Tags": [{"Key": tag, "Value": "arn:aws:rds:eu-west-1:1:cluster:c"}]},
               "Function": {"Configuration": {"FunctionName": "f", "LastModified": modified}}})
    }

    #[test]
    fn only_a_function_that_is_provably_older_than_the_change_is_found() {
        let tag = "aws:rds:primaryDBClusterArn";
        assert_eq!(codes(&judge(&CHECK, bundle(tag, "2023-03-01T00:00:00Z"))), ["SEC24"]);
        assert!(not_applicable(&judge(&CHECK, bundle(tag, "2026-03-01T00:00:00Z"))));
        let instance = bundle("aws:rds:primaryDBInstanceArn", "2023-03-01T00:00:00Z");
        assert!(not_applicable(&judge(&CHECK, instance)));
        let mut newer = bundle(tag, "2026-03-01T00:00:00Z");
        newer["Stack"] = json!({"CreationTime": "2025-01-01T00:00:00Z"});
        assert!(codes(&judge(&CHECK, newer)).is_empty());
    }

    #[test]
    fn refused_facts_are_named() {
        let mut refused = bundle("aws:rds:primaryDBClusterArn", "2023-03-01T00:00:00Z");
        refused.as_object_mut().expect("object").remove("Function");
        refused["Gaps"] = denied(Fact::Function);
        assert!(lacks(&judge(&CHECK, refused), Fact::Function));
        let refused = json!({"Gaps": denied(Fact::SuperuserSecret)});
        assert!(lacks(&judge(&CHECK, refused), Fact::SuperuserSecret));
    }
}
