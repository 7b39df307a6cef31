//! SEC19: the secret is scheduled for deletion.

use crate::{
    checks::{
        Case, Change, Check, Finding, Judgement,
        commands::{describe_secret, on_secret},
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "scheduled-for-deletion",
    question: "Is the secret scheduled for deletion?",
    codes: &["SEC19"],
    facts: &[Fact::Secret],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    let Some(deleted) = secret.deleted_date else { return Ok(vec![]) };
    Ok(vec![
        Finding::new(
            "SEC19",
            case.secret_resource(),
            format!(
                "The secret is scheduled for deletion (DeletedDate {}): its value can be neither \
                 read nor rotated until it is restored.",
                deleted.minute()
            ),
        )
        .fact("DescribeSecret", format!("DeletedDate: {deleted}"))
        .fix("Restore the secret, if it is still wanted.", [on_secret(case, "restore-secret")])
        .trying(Change::RestoreSecret)
        .confirm(describe_secret(case, "DeletedDate")),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, judge, lacks},
        evidence::Fact,
    };

    #[test]
    fn a_deletion_date_is_found_and_can_be_taken_back() {
        let bundle = json!({"Secret": {"Name": "app", "DeletedDate": "2026-11-20T00:00:00Z"}});
        assert_eq!(codes(&judge(&CHECK, bundle)), ["SEC19"]);
        assert!(codes(&judge(&CHECK, json!({"Secret": {"Name": "app"}}))).is_empty());
        assert!(lacks(&judge(&CHECK, json!({"Gaps": denied(Fact::Secret)})), Fact::Secret));
    }
}
