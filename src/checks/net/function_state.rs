//! NET15, IAM15: Lambda says that the function, or its last update, failed.

use super::change_commands::set_vpc_config;
use crate::{
    aws::commands::{Argument, Command},
    aws::{
        arn::{self, Arn},
        partitions::COMMERCIAL,
    },
    catalogue::{Remedy, Severity, function_limit, state_reason},
    checks::{
        Basis, Case, Check, Finding, Judgement,
        commands::{function_name, on_function, published, qualifier},
        run::function::{name_of, resource_of, rotation_function},
    },
    evidence::{Fact, Function},
};

pub(super) static CHECK: Check = Check {
    name: "function-state",
    question: "Can Lambda run the function?",
    codes: &["NET15", "IAM15"],
    facts: &[Fact::Secret, Fact::Function],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    let Some(failed) = FailedState::of(function) else { return Ok(Vec::new()) };
    let remedy = failed.remedy();
    let mut findings = vec![finding(case, "NET15", function, &failed)];
    if remedy == Some(Remedy::Role) {
        findings.push(finding(case, "IAM15", function, &failed));
    }
    Ok(findings)
}

/// What Lambda says is wrong.
struct FailedState<'f> {
    field: &'static str,
    status: &'f str,
    code: Option<&'f str>,
    reason: Option<&'f str>,
    severity: Severity,
    basis: Basis,
    what: &'static str,
}

impl<'f> FailedState<'f> {
    fn of(function: &'f Function) -> Option<Self> {
        let configuration = &function.configuration;
        let state = configuration.state.as_deref().unwrap_or("Active");
        let code = configuration.state_reason_code.as_deref();
        let idle = state == "Inactive" && matches!(code, None | Some("Idle"));
        let ended = ["Failed", "Inactive", "Deactivated", "ActiveNonInvocable", "Deleting"];
        if ended.contains(&state) {
            return Some(Self {
                field: "State",
                status: state,
                code,
                reason: configuration.state_reason.as_deref(),
                severity: if idle { Severity::Warning } else { Severity::Error },
                basis: if idle { Basis::Indication } else { Basis::State },
                what: if idle {
                    "is inactive: the first invocations fail until it is active again"
                } else {
                    "cannot be invoked"
                },
            });
        }
        // The version before the failed update keeps running.
        let update = configuration.last_update_status.as_deref().filter(|one| *one == "Failed")?;
        Some(Self {
            field: "LastUpdateStatus",
            status: update,
            code: configuration.last_update_status_reason_code.as_deref(),
            reason: configuration.last_update_status_reason.as_deref(),
            severity: Severity::Warning,
            basis: Basis::Indication,
            what: "runs as it was before its last update, which failed",
        })
    }

    fn remedy(&self) -> Option<Remedy> {
        let by_code = self.code.and_then(state_reason).map(|row| row.remedy);
        // EC2's refusal of the role arrives as a text as well.
        let refused = self.reason.is_some_and(|reason| reason.contains("EC2AccessDenied"));
        if refused { Some(Remedy::Role) } else { by_code }
    }
}

fn finding(case: &Case<'_>, code: &str, function: &Function, failed: &FailedState<'_>) -> Finding {
    let name = name_of(function);
    let role = function.configuration.role.as_deref().unwrap_or("ROLE");
    let (resource, summary) = if code == "IAM15" {
        (
            role.to_owned(),
            format!(
                "The role of {name} may not manage the network interfaces that a function in a VPC needs."
            ),
        )
    } else {
        let why = failed.code.map(|code| format!(" ({code})")).unwrap_or_default();
        (resource_of(function), format!("{name} {}{why}.", failed.what))
    };
    let mut finding = Finding::new(code, resource, summary)
        .severity(failed.severity)
        .on(failed.basis)
        .fact("GetFunction", format!("{} is {}", failed.field, failed.status));
    if let Some(reason_code) = failed.code {
        let field = format!("{}ReasonCode", failed.field);
        finding = finding.fact("GetFunction", format!("{field} is {reason_code}"));
    }
    if let Some(reason) = failed.reason {
        finding = finding.fact("GetFunction", format!("{}Reason is \"{reason}\"", failed.field));
    }
    let advice = match failed.remedy() {
        Some(Remedy::Role) => state_reason("InsufficientRolePermissions"),
        _ => failed.code.and_then(state_reason),
    };
    let commands = commands(case, function, failed.remedy());
    let updates = commands.iter().any(|one| {
        one.is_aws("lambda", "update-function-configuration")
            || one.is_aws("lambda", "update-function-code")
    });
    let finding = finding.fix(
        advice.map_or("Read the reason, then update the function again.", |row| &row.advice),
        commands,
    );
    let finding = if updates { published(case, finding) } else { finding };
    finding.confirm(
        on_function(function_name(function), "get-function-configuration")
            .option_if("--qualifier", qualifier(case))
            .option("--query", "[State,StateReason,LastUpdateStatus,LastUpdateStatusReason]"),
    )
}

fn commands(case: &Case<'_>, function: &Function, remedy: Option<Remedy>) -> Vec<Command> {
    let configuration = &function.configuration;
    let vpc = configuration.vpc_config.as_ref().filter(|vpc| !vpc.subnet_ids.is_empty());
    let name = || function_name(function);
    // Without a VPC, any update makes Lambda set the function up again.
    let update = match vpc {
        Some(vpc) => set_vpc_config(function, &vpc.subnet_ids, &vpc.security_group_ids),
        None => on_function(name(), "update-function-configuration").option(
            "--timeout",
            configuration.timeout.unwrap_or_else(|| function_limit("vended-timeout")),
        ),
    };
    match remedy {
        Some(Remedy::Role) => {
            let role = configuration.role.as_deref();
            let partition = role.and_then(Arn::partition_of).unwrap_or(COMMERCIAL);
            let attach = Command::aws("iam", "attach-role-policy")
                .option("--role-name", Argument::or_placeholder(role.map(arn::role_name), "ROLE"))
                .option(
                    "--policy-arn",
                    format!(
                        "arn:{partition}:iam::aws:policy/service-role/\
                         AWSLambdaVPCAccessExecutionRole"
                    ),
                );
            vec![attach, update]
        }
        Some(Remedy::Network) => {
            let subnets = vpc.map(|vpc| {
                Command::aws("ec2", "describe-subnets")
                    .options("--subnet-ids", &vpc.subnet_ids)
                    .option("--query", "Subnets[].[SubnetId,State,AvailableIpAddressCount]")
            });
            subnets.into_iter().chain([update]).collect()
        }
        Some(Remedy::Key) => {
            let show = |key: &str| {
                Command::aws("kms", "describe-key")
                    .option("--key-id", key)
                    .option("--query", "KeyMetadata.KeyState")
            };
            match configuration.kms_key_arn.as_deref() {
                Some(key) => {
                    vec![show(key), Command::aws("kms", "enable-key").option("--key-id", key)]
                }
                // Lambda's own key cannot be switched, and an alias is not one.
                None => vec![show("alias/aws/lambda")],
            }
        }
        Some(Remedy::Code) => vec![
            on_function(name(), "update-function-code")
                .option("--zip-file", Argument::binary_file("function.zip")),
        ],
        // The empty event fails in the code, and wakes the function all the same.
        Some(Remedy::Wake) => vec![
            on_function(name(), "invoke")
                .option_if("--qualifier", qualifier(case))
                .operand("FILE", "/dev/null"),
        ],
        Some(Remedy::Other) | None => vec![update],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::testing::{codes, judge, lacks},
    };

    fn bundle(mut configuration: serde_json::Value) -> serde_json::Value {
        configuration["FunctionName"] = json!("rotate");
        configuration["Role"] = json!("arn:aws:iam::123456789012:role/service/rotation");
        configuration["KMSKeyArn"] = json!("arn:aws:kms:eu-west-1:123456789012:key/1234abcd");
        configuration["VpcConfig"] =
            json!({"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]});
        json!({"Secret": {"RotationLambdaARN": "arn"}, "Function": {"Configuration": configuration}})
    }

    #[test]
    fn a_failed_function_is_found_with_its_reason() {
        let failed =
            bundle(json!({"State": "Failed", "StateReasonCode": "SubnetOutOfIPAddresses"}));
        let found = judge(&CHECK, failed).expect("findings");
        assert_eq!((found[0].code(), found[0].severity), ("NET15", Severity::Error));
        assert!(found[0].fixes[0].lines()[1].contains("SubnetIds=subnet-1,SecurityGroupIds=sg-1"));
    }

    #[test]
    fn a_key_points_to_kms_and_a_role_to_iam() {
        let key = bundle(json!({"State": "Inactive", "StateReasonCode": "DisabledKMSKey"}));
        let found = judge(&CHECK, key).expect("findings");
        assert!(found[0].fixes[0].lines()[0].contains("key/1234abcd"));
        let role =
            bundle(json!({"State": "Failed", "StateReasonCode": "InsufficientRolePermissions"}));
        let found = judge(&CHECK, role).expect("findings");
        assert_eq!((found[0].code(), found[1].code()), ("NET15", "IAM15"));
        assert!(found[1].fixes[0].lines()[0].contains("--role-name rotation "));
    }

    #[test]
    fn an_idle_function_and_a_failed_update_are_warnings() {
        let severity =
            |configuration| judge(&CHECK, bundle(configuration)).expect("findings")[0].severity;
        let idle = json!({"State": "Inactive", "StateReasonCode": "Idle"});
        let update = json!({"State": "Active", "LastUpdateStatus": "Failed",
            "LastUpdateStatusReasonCode": "InvalidSubnet"});
        assert_eq!((severity(idle), severity(update)), (Severity::Warning, Severity::Warning));
    }

    #[test]
    fn an_alias_is_asked_about_and_published_to() {
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:rotate:live";
        let state = |configuration| {
            let mut bundle = bundle(configuration);
            bundle["Secret"] = json!({"Name": "app", "RotationLambdaARN": arn});
            judge(&CHECK, bundle).expect("findings").remove(0)
        };
        let failed = state(json!({"State": "Failed", "StateReasonCode": "SubnetOutOfIPAddresses"}));
        let commands = &failed.fixes[0].lines();
        assert!(commands.last().is_some_and(|one| one.contains("update-alias")), "{commands:?}");
        assert!(failed.confirm[0].plain().contains("--function-name rotate --qualifier live "));
        let idle = state(json!({"State": "Inactive", "StateReasonCode": "Idle"}));
        assert_eq!(
            idle.fixes[0].lines(),
            ["aws lambda invoke --function-name rotate --qualifier live /dev/null"]
        );
    }

    #[test]
    fn an_active_function_passes() {
        let active = bundle(json!({"State": "Active", "LastUpdateStatus": "Successful"}));
        assert!(codes(&judge(&CHECK, active)).is_empty());
        assert!(codes(&judge(&CHECK, bundle(json!({})))).is_empty());
    }

    #[test]
    fn a_denied_function_is_inconclusive() {
        let gap = json!({"Gaps": [{"Fact": "Function", "Reason": "AccessDenied"}]});
        assert!(lacks(&judge(&CHECK, gap), crate::evidence::Fact::Function));
    }
}
