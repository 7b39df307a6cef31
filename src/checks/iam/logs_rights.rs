//! IAM14: the function cannot leave a log.

use super::{
    refusal::{SummaryDetail, conclude},
    rights::rights,
};
use crate::{
    checks::{Case, Check, Judgement},
    evidence::Fact,
    policy::Purpose,
};

pub(super) static CHECK: Check = Check {
    name: "logs-rights",
    question: "May the function's role write the function's log?",
    codes: &["IAM14"],
    facts: FACTS,
    judge,
};

const FACTS: &[Fact] = &[
    Fact::Secret,
    Fact::Function,
    Fact::Role,
    Fact::RolePolicies,
    Fact::AttachedPolicies,
    Fact::PermissionsBoundary,
    Fact::LogGroup,
];

fn judge(case: &Case<'_>) -> Judgement {
    let mut rights = rights(case, FACTS, |purpose| *purpose == Purpose::WriteLogs)?;
    // A group that was not seen may well be there: then nobody has to create it.
    if case.log_group().is_unseen() {
        rights.refused.retain(|right| right.request.request.action != "logs:CreateLogGroup");
    }
    conclude(case, rights, SummaryDetail::ActionsOnly, |_| Some("IAM14"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::test_world::{add, code_and_sid, finding, judge, refused, statement},
        CHECK,
    };
    use crate::{catalogue::Severity, checks::testing, evidence::Fact};

    #[test]
    fn a_role_without_logs_is_warned_of() {
        assert_eq!(judge(&CHECK, |_| {}), Ok(vec![]));
        let found = finding(&CHECK, |bundle| statement(bundle, "Logs")["Action"] = json!("s3:*"));
        assert_eq!((found.code(), found.severity), ("IAM14", Severity::Warning));
        assert!(found.summary.contains("logs:CreateLogStream and logs:PutLogEvents"));
        assert!(!found.summary.contains("CreateLogGroup"), "{}", found.summary);
        let partial = finding(&CHECK, |bundle| {
            statement(bundle, "Logs")["Resource"] =
                json!("arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/rotate");
        });
        assert!(partial.summary.contains("covers its streams only with :*"));
    }

    #[test]
    fn the_group_has_to_be_made_only_where_there_is_none() {
        let deny = json!({"Sid": "No", "Effect": "Deny", "Action": "logs:CreateLogGroup",
            "Resource": "*"});
        let none = finding(&CHECK, |bundle| {
            add(bundle, deny.clone());
            bundle["LogGroup"] = Value::Null;
        });
        assert_eq!(code_and_sid(&none), ("IAM14", Some("No")));
        let mut unseen = refused(Fact::LogGroup);
        add(&mut unseen, deny);
        assert_eq!(testing::judge(&CHECK, unseen), Ok(vec![]));
        assert!(testing::lacks(
            &testing::judge(&CHECK, refused(Fact::RolePolicies)),
            Fact::RolePolicies
        ));
    }
}
