//! IAM15: Lambda cannot create the function's network interfaces.

use super::{
    refusal::{SummaryDetail, conclude},
    rights::rights,
};
use crate::{
    catalogue::{Remedy, Severity, state_reason},
    checks::{Case, Check, Finding, Judgement, Stop},
    evidence::{Fact, FunctionConfiguration},
    policy::Purpose,
};

pub(super) static CHECK: Check = Check {
    name: "interface-rights",
    question: "May the function's role create the network interfaces that its VPC needs?",
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

/// Without these there are no interfaces. The others came later: a function that
/// runs does so without them.
const NEEDED: [&str; 3] =
    ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"];

fn judge(case: &Case<'_>) -> Judgement {
    let function = case.function().or_not_applicable("the function does not exist")?;
    let configuration = &function.configuration;
    let vpc = configuration.vpc_config.as_ref().and_then(|config| config.vpc_id.as_deref());
    if vpc.is_none_or(str::is_empty) {
        return Err(Stop::not_applicable("the function is in no VPC"));
    }
    let mut rights = rights(case, FACTS, |purpose| *purpose == Purpose::ManageNetworkInterfaces)?;
    let failed = has_failed_for_its_role(configuration);
    let is_needed = |action: &str| NEEDED.contains(&action);
    if !failed && !rights.refused.iter().any(|right| is_needed(&right.request.request.action)) {
        rights.refused.clear();
    }
    let findings = conclude(case, rights, SummaryDetail::ActionsOnly, |_| Some("IAM15"))?;
    let with_state = |finding: Finding| match failed {
        true => finding.severity(Severity::Error).fact("GetFunction", "State is Failed"),
        false => finding,
    };
    Ok(findings.into_iter().map(with_state).collect())
}

/// Whether the function failed to get its interfaces, and nothing else is said to
/// be the reason. A function that is Pending may well become active.
fn has_failed_for_its_role(configuration: &FunctionConfiguration) -> bool {
    let code = configuration.state_reason_code.as_deref();
    configuration.state.as_deref() == Some("Failed")
        && code.is_none_or(|code| state_reason(code).is_some_and(|row| row.remedy == Remedy::Role))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::test_world::{code_and_sid, finding, judge, refused, statement},
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
        assert_eq!(
            (code_and_sid(&found), found.severity),
            (("IAM15", Some("Network")), Severity::Warning)
        );
        assert!(found.summary.contains("ec2:CreateNetworkInterface"), "{}", found.summary);
        let failed = finding(&CHECK, |bundle| {
            without(bundle);
            bundle["Function"]["Configuration"]["State"] = json!("Failed");
        });
        assert_eq!(failed.severity, Severity::Error);
        for (state, reason) in [("Pending", "Creating"), ("Failed", "SubnetOutOfIPAddresses")] {
            let other = finding(&CHECK, |bundle| {
                without(bundle);
                bundle["Function"]["Configuration"]["State"] = json!(state);
                bundle["Function"]["Configuration"]["StateReasonCode"] = json!(reason);
            });
            assert_eq!(other.severity, Severity::Warning, "{state}: {reason}");
        }
    }

    #[test]
    fn a_function_that_runs_does_so_with_three_rights() {
        let three = |bundle: &mut Value| {
            statement(bundle, "Network")["Action"] = json!(super::NEEDED);
        };
        assert_eq!(judge(&CHECK, three), Ok(vec![]));
        let failed = finding(&CHECK, |bundle| {
            three(bundle);
            bundle["Function"]["Configuration"]["State"] = json!("Failed");
            bundle["Function"]["Configuration"]["StateReasonCode"] =
                json!("InsufficientRolePermissions");
        });
        assert!(failed.summary.contains("ec2:AssignPrivateIpAddresses"), "{}", failed.summary);
        let classic = finding(&CHECK, |bundle| {
            statement(bundle, "Network")["Action"] = json!(super::NEEDED[..2]);
        });
        assert!(classic.summary.contains("ec2:DeleteNetworkInterface"), "{}", classic.summary);
    }

    /// A subnet that the role may not use stops the function as soon as an interface
    /// is created in it.
    #[test]
    fn every_subnet_and_group_counts() {
        let second = |bundle: &mut Value| {
            let config = &mut bundle["Function"]["Configuration"]["VpcConfig"];
            config["SubnetIds"] = json!(["subnet-1", "subnet-2"]);
            config["SecurityGroupIds"] = json!(["sg-1", "sg-2"]);
        };
        let found = finding(&CHECK, |bundle| {
            second(bundle);
            let arn = |kind: &str| format!("arn:aws:ec2:eu-west-1:111122223333:{kind}");
            statement(bundle, "Network")["Resource"] = json!([
                arn("network-interface/*"),
                arn("subnet/subnet-1"),
                arn("security-group/sg-1")
            ]);
        });
        let command = &found.fixes[0].lines()[0];
        assert!(command.contains("subnet/subnet-2") && command.contains("security-group/sg-2"));
        assert!(!command.contains("subnet/subnet-1") && !command.contains("security-group/sg-1"));
        let summary = &found.fixes[0].summary;
        assert_eq!(summary.matches("ec2:CreateNetworkInterface").count(), 1, "{summary}");
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
