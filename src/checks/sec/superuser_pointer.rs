//! SEC27: `masterarn` names no superuser.

use super::stage_shape::shape;
use crate::{
    aws::commands::Command,
    checks::{
        Case, Check, Finding, Judgement, Stop,
        commands::{diagnose_value, edit_value, set_key_to_placeholder},
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "superuser-pointer",
    question: "Does masterarn name the secret of another user, one that exists?",
    codes: &["SEC27"],
    facts: &[Fact::Secret, Fact::SecretShape, Fact::SuperuserSecret],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let value = shape(case, "AWSCURRENT")?;
    let superuser = value
        .text("masterarn")
        .filter(|arn| !arn.is_empty())
        .ok_or_else(|| Stop::not_applicable("the value names no superuser"))?;
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    if secret.arn.as_deref() == Some(superuser.as_str()) {
        return Ok(vec![with_fix(
            case,
            Finding::new(
                "SEC27",
                case.secret_resource(),
                "masterarn names this secret itself, so the function would set the password as the \
                 very user whose password it changes.",
            )
            .fact("GetSecretValue AWSCURRENT", format!("masterarn: {superuser}")),
        )]);
    }
    match case.superuser_secret().or_absent()? {
        None => Ok(vec![with_fix(
            case,
            Finding::new(
                "SEC27",
                case.secret_resource(),
                format!("masterarn names {superuser}, and there is no such secret."),
            )
            .fact("DescribeSecret of masterarn", "not found"),
        )]),
        Some(found) => match found.deleted_date {
            Some(deleted) => Ok(vec![
                Finding::new(
                    "SEC27",
                    superuser.clone(),
                    format!(
                        "The superuser's secret {} is scheduled for deletion (DeletedDate {}) and \
                         cannot be read.",
                        found.label(),
                        deleted.minute()
                    ),
                )
                .fact("DescribeSecret of masterarn", format!("DeletedDate: {deleted}"))
                .fix(
                    "Restore the superuser's secret, or name another superuser in masterarn.",
                    [Command::aws("secretsmanager", "restore-secret")
                        .option("--secret-id", &superuser)],
                )
                .confirm(
                    Command::aws("secretsmanager", "describe-secret")
                        .option("--secret-id", &superuser)
                        .option("--query", "DeletedDate"),
                ),
            ]),
            None => Ok(vec![]),
        },
    }
}

fn with_fix(case: &Case<'_>, finding: Finding) -> Finding {
    finding
        .fix(
            "Store the ARN of a superuser's secret as masterarn: a user who may change this user's \
             password.",
            [edit_value(case, set_key_to_placeholder("masterarn", "SUPERUSER_SECRET_ARN"))],
        )
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

    fn bundle(masterarn: &str, superuser: Value) -> Value {
        json!({"Secret": {"ARN": "arn:app", "Name": "app"}, "SuperuserSecret": superuser,
            "SecretShape": {"AWSCURRENT": {"Keys": ["masterarn"], "Values": {"masterarn": masterarn}}}})
    }

    #[test]
    fn itself_nobody_and_a_deleted_secret_are_no_superuser() {
        assert_eq!(codes(&judge(&CHECK, bundle("arn:app", json!({})))), ["SEC27"]);
        assert_eq!(codes(&judge(&CHECK, bundle("arn:super", json!(null)))), ["SEC27"]);
        let deleted = json!({"Name": "super", "DeletedDate": "2026-11-01"});
        let found = judge(&CHECK, bundle("arn:super", deleted)).expect("findings");
        assert_eq!(
            found[0].fixes[0].lines(),
            ["aws secretsmanager restore-secret --secret-id arn:super"]
        );
        assert!(codes(&judge(&CHECK, bundle("arn:super", json!({"Name": "super"})))).is_empty());
    }

    #[test]
    fn refused_facts_are_named() {
        let mut refused = bundle("arn:super", json!(null));
        refused.as_object_mut().expect("object").remove("SuperuserSecret");
        refused["Gaps"] = denied(Fact::SuperuserSecret);
        assert!(lacks(&judge(&CHECK, refused), Fact::SuperuserSecret));
        assert!(lacks(
            &judge(&CHECK, json!({"Gaps": denied(Fact::SecretShape)})),
            Fact::SecretShape
        ));
        assert!(not_applicable(&judge(&CHECK, json!({"SecretShape": {"AWSCURRENT": {}}}))));
    }
}
