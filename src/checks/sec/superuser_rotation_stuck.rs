//! SEC23: the superuser's secret may not hold the superuser's password.

use crate::{
    aws::commands::Command,
    catalogue::Severity,
    checks::{Basis, Case, Check, Finding, Judgement, commands::id_of},
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "superuser-rotation-stuck",
    question: "Is the superuser's own rotation stuck?",
    codes: &["SEC23"],
    facts: &[Fact::SuperuserSecret],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let reading = case.superuser_secret();
    if reading.is_not_asked() {
        return Err(crate::checks::Stop::not_applicable("no superuser's secret is known"));
    }
    let superuser = reading.or_not_applicable("the rotation uses no superuser's secret")?;
    let Some(pending) = superuser.stuck_pending() else { return Ok(vec![]) };
    let label = superuser.label();
    let id = id_of(superuser);
    Ok(vec![
        Finding::new(
            "SEC23",
            superuser.arn.as_deref().unwrap_or(label),
            format!(
                "The superuser's secret {label} did not finish its own rotation (AWSPENDING on \
                 {pending}): the database may already have that password, and then the superuser \
                 cannot log in with AWSCURRENT."
            ),
        )
        .severity(Severity::Warning)
        .on(Basis::Indication)
        .fact("DescribeSecret of masterarn", format!("AWSPENDING on {pending}, not current"))
        .fix(
            "Repair the superuser's secret first.",
            [Command::rotdoctor("diagnose").operand("SECRET", id.clone())],
        )
        .confirm(
            Command::aws("secretsmanager", "describe-secret")
                .option("--secret-id", id)
                .option("--query", "VersionIdsToStages"),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    #[test]
    fn a_superuser_whose_rotation_hangs_is_found() {
        let of =
            |stages| json!({"SuperuserSecret": {"Name": "super", "VersionIdsToStages": stages}});
        let stuck = json!({"a": ["AWSPENDING"], "b": ["AWSCURRENT"]});
        assert_eq!(codes(&judge(&CHECK, of(stuck))), ["SEC23"]);
        assert!(codes(&judge(&CHECK, of(json!({"b": ["AWSCURRENT"]})))).is_empty());
        assert!(not_applicable(&judge(&CHECK, json!({"SuperuserSecret": null}))));
        let refused = json!({"Gaps": denied(Fact::SuperuserSecret)});
        assert!(lacks(&judge(&CHECK, refused), Fact::SuperuserSecret));
    }
}
