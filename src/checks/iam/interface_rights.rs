//! IAM15: Lambda cannot make the function's network interfaces.

use super::{
    refusal::{Say, conclude},
    rights::rights,
};
use crate::{
    catalogue::Severity,
    checks::{Case, Check, Judgement, Stop},
    evidence::Fact,
    policy::Purpose,
};

pub(super) static CHECK: Check = Check {
    name: "interface-rights",
    question: "May the function's role make the network interfaces that its VPC takes?",
    codes: &["IAM15"],
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
];

fn judge(case: &Case<'_>) -> Judgement {
    let function = case.function().or_not_applicable("the function does not exist")?;
    let configuration = &function.configuration;
    let vpc = configuration.vpc_config.as_ref().and_then(|config| config.vpc_id.as_deref());
    if vpc.is_none_or(str::is_empty) {
        return Err(Stop::not_applicable("the function is in no VPC"));
    }
    let rights = rights(case, FACTS, |purpose| *purpose == Purpose::ManageNetworkInterfaces)?;
    let mut findings = conclude(case, rights, Say::Actions, |_| Some("IAM15"))?;
    // Interfaces are wanted now, not some day.
    let now = matches!(configuration.state.as_deref(), Some("Failed" | "Pending"));
    for finding in findings.iter_mut().filter(|_| now) {
        finding.severity = Severity::Error;
        if let Some(state) = &configuration.state {
            *finding = finding.clone().fact("GetFunction", format!("State is {state}"));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::world::{finding, judge, refused, statement, told},
        CHECK,
    };
    use crate::{catalogue::Severity, checks::testing, evidence::Fact};

    fn without(bundle: &mut Value) {
        statement(bundle, "Network")["Action"] = json!("ec2:Describe*");
    }

    #[test]
    fn missing_rights_are_a_warning_until_the_function_needs_them() {
        assert_eq!(judge(&CHECK, |_| {}), Ok(vec![]));
        let found = finding(&CHECK, without);
        assert_eq!((told(&found), found.severity), (("IAM15", Some("Network")), Severity::Warning));
        assert!(found.summary.contains("ec2:CreateNetworkInterface"), "{}", found.summary);
        let failed = finding(&CHECK, |bundle| {
            without(bundle);
            bundle["Function"]["Configuration"]["State"] = json!("Failed");
        });
        assert_eq!(failed.severity, Severity::Error);
    }

    #[test]
    fn lambda_asks_without_naming_the_function() {
        let found = finding(&CHECK, |bundle| {
            statement(bundle, "Network")["Condition"] = json!({"ArnEquals":
                {"lambda:SourceFunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:rotate"}});
        });
        assert!(found.summary.contains("the request does not carry this key"), "{}", found.summary);
    }

    #[test]
    fn outside_a_vpc_there_are_no_interfaces() {
        let outside = judge(&CHECK, |bundle| {
            without(bundle);
            bundle["Function"]["Configuration"]["VpcConfig"] = Value::Null;
        });
        assert!(testing::not_applicable(&outside));
        let refused = testing::judge(&CHECK, refused(Fact::AttachedPolicies));
        assert!(testing::lacks(&refused, Fact::AttachedPolicies));
    }
}
