//! SEC25: a replica was looked at; only the primary rotates.

use crate::{
    aws::arn::Arn,
    checks::{
        Case, Check, Finding, Judgement, Stop,
        commands::{describe_secret, diagnose, rotate},
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "replica-secret",
    question: "Is this the primary of the secret, which alone rotates?",
    codes: &["SEC25"],
    facts: &[Fact::Secret],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    let primary = secret
        .primary_region
        .as_deref()
        .ok_or_else(|| Stop::not_applicable("the secret is not replicated"))?;
    // The region in the ARN is the one this copy lives in.
    let here = secret.arn.as_deref().and_then(Arn::region_of);
    let Some(here) = here.or(case.region_if_known()).filter(|here| *here != primary) else {
        return Ok(vec![]);
    };
    Ok(vec![
        Finding::new(
            "SEC25",
            case.secret_resource(),
            format!(
                "This is a replica in {here}; the primary is in {primary}, and only the primary \
                 rotates. Its new values are copied here."
            ),
        )
        .fact("DescribeSecret", format!("PrimaryRegion: {primary}; this region: {here}"))
        .fix(
            "Examine and rotate the primary.",
            [diagnose(case).option("--region", primary), rotate(case).option("--region", primary)],
        )
        .confirm(describe_secret(case, "ReplicationStatus").option("--region", primary)),
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
    fn a_copy_outside_the_primary_region_is_found() {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf";
        let of = |primary: &str| json!({"Secret": {"ARN": arn, "Name": "app", "PrimaryRegion": primary}});
        let found = judge(&CHECK, of("us-east-1")).expect("findings");
        assert!(found[0].fixes[0].lines()[1].ends_with("--region us-east-1"));
        assert!(codes(&judge(&CHECK, of("eu-west-1"))).is_empty());
        assert!(not_applicable(&judge(&CHECK, json!({"Secret": {"ARN": arn}}))));
        assert!(lacks(&judge(&CHECK, json!({"Gaps": denied(Fact::Secret)})), Fact::Secret));
    }
}
