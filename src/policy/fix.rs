//! The smallest change that lets denied requests through: which document, which
//! statement. `edit.rs` alters a document, `command.rs` writes the change as command
//! and template.

use serde_json::Value;

use crate::aws::commands::Command;

use super::{
    command::{self, Names},
    decision::Decision,
    document::Effect,
    edit::{Document, Edit, apply, merge},
    proposal::propose,
    replace::Replacement,
    rotation::RotationRequest,
};

/// What lets denied requests through.
#[derive(Clone, Debug, PartialEq)]
pub struct FixPlan {
    /// The changes, one for each document.
    pub steps: Vec<FixStep>,
    /// Whether every request is allowed for sure once they are made.
    pub verified: bool,
    /// What then still stands, in one sentence each.
    pub remaining: Vec<String>,
}

/// A change to one document.
#[derive(Clone, Debug, PartialEq)]
pub struct FixStep {
    /// The document.
    pub document: Document,
    /// One sentence.
    pub summary: String,
    /// The statements that are added or changed, as they then stand.
    pub statements: Vec<Value>,
    /// Commands to paste.
    pub commands: Vec<Command>,
    /// The same in a CloudFormation template.
    pub cloudformation: String,
    /// What it lets through besides.
    pub widens: Vec<String>,
    /// The document as it then stands.
    pub replacement: Replacement,
}

/// Rounds that one request may take: a cross-account use of a key behind a
/// boundary needs three documents.
const ROUNDS: usize = 6;

/// Plans what lets these requests through. Those that are allowed already take
/// no change; those that cannot be told get none, and stay in `remaining`.
pub fn fix(requests: &[RotationRequest]) -> FixPlan {
    let mut edits: Vec<Edit> = Vec::new();
    for request in requests {
        for _ in 0..ROUNDS {
            let decision = after(request, &edits).decide();
            let Some(edit) = propose(request, &decision) else { break };
            let merged = merge(&edits, edit);
            if merged == edits {
                break;
            }
            edits = merged;
        }
    }
    let mut remaining: Vec<String> = Vec::new();
    for request in requests {
        let decision = after(request, &edits).decide();
        if !decision.is_allowed() {
            remaining.push(words(request, &decision));
        }
    }
    remaining.dedup();
    let names = Names::of(requests);
    let steps = command::steps(requests, &edits, &names);
    FixPlan { steps, verified: remaining.is_empty(), remaining }
}

fn after(request: &RotationRequest, edits: &[Edit]) -> RotationRequest {
    let mut request = request.clone();
    apply(&mut request, edits);
    request
}

fn words(request: &RotationRequest, decision: &Decision) -> String {
    let text = decision.words(&request.request.action, &request.request.resource);
    match decision.doubts.first() {
        Some(_) if decision.effect == Effect::Allow => {
            format!("{text}, unless what was not seen denies it")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::rotation::{
            rotation_requests,
            tests::{KEY, SECRET, world},
        },
        *,
    };

    fn denied(change: impl FnOnce(&mut Value)) -> Vec<RotationRequest> {
        let requests = rotation_requests(&world(change));
        requests.into_iter().filter(|request| !request.decide().is_allowed()).collect()
    }

    fn plan(change: impl FnOnce(&mut Value)) -> FixPlan {
        let denied = denied(change);
        assert!(!denied.is_empty(), "something is denied");
        fix(&denied)
    }

    fn statements(bundle: &mut Value) -> &mut Value {
        &mut bundle["RolePolicies"][0]["PolicyDocument"]["Statement"]
    }

    #[test]
    fn rights_of_the_role_are_one_policy_and_never_a_star() {
        let plan = plan(|bundle| *statements(bundle) = json!([]));
        assert!(plan.verified, "{:?}", plan.remaining);
        assert_eq!(plan.steps.len(), 1);
        let step = &plan.steps[0];
        let secret = step.statements.iter().find(|s| s["Resource"] == SECRET).expect("secret");
        assert_eq!(
            secret["Action"],
            json!([
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage"
            ])
        );
        let key = step.statements.iter().find(|s| s["Resource"] == KEY).expect("key");
        assert_eq!(key["Action"], json!(["kms:Decrypt", "kms:GenerateDataKey"]));
        let star: Vec<&Value> = step.statements.iter().filter(|s| s["Resource"] == "*").collect();
        let only = json!([
            "secretsmanager:GetRandomPassword",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets"
        ]);
        assert_eq!(star.len(), 1);
        assert_eq!(star[0]["Action"], only);
        let logs = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/rotfn:*";
        assert!(step.statements.iter().any(|s| s["Resource"] == logs));
        let command = &step.commands[0].plain();
        assert!(command.starts_with("aws iam put-role-policy --role-name RotRole --policy-name SecretRotation --policy-document '{"), "{command}");
        assert!(step.cloudformation.contains("Type: AWS::IAM::RolePolicy"));
    }

    #[test]
    fn a_key_policy_without_delegation_gets_the_role() {
        let plan = plan(|bundle| {
            bundle["Keys"][KEY]["Policy"]["Statement"][0]["Principal"] =
                json!({"AWS": "arn:aws:iam::111122223333:role/Admin"});
        });
        assert!(plan.verified, "{:?}", plan.remaining);
        let step = &plan.steps[0];
        assert_eq!(step.document, Document::KeyPolicy { key: KEY.to_owned() });
        assert_eq!(
            step.statements[0]["Condition"]["StringEquals"]["kms:ViaService"],
            "secretsmanager.eu-west-1.amazonaws.com"
        );
        assert!(step.commands[0].plain().contains("role/Admin"), "the rest of the policy stays");
        assert_eq!(step.widens.len(), 1);
    }

    #[test]
    fn the_invoke_permission_names_the_qualifier() {
        let alias = "arn:aws:lambda:eu-west-1:111122223333:function:rotfn:live";
        let plan = plan(|bundle| {
            bundle["Secret"]["RotationLambdaARN"] = json!(alias);
            bundle["FunctionPolicy"] = Value::Null;
        });
        assert!(plan.verified, "{:?}", plan.remaining);
        assert_eq!(
            plan.steps[0].commands.iter().map(Command::plain).collect::<Vec<_>>(),
            [
                "aws lambda add-permission --function-name arn:aws:lambda:eu-west-1:111122223333:function:rotfn --qualifier live --statement-id SecretsManagerInvoke --action lambda:InvokeFunction --principal secretsmanager.amazonaws.com --source-account 111122223333"
            ]
        );
    }

    #[test]
    fn a_deny_is_left_in_place_for_everybody_else() {
        let plan = plan(|bundle| {
            bundle["SecretPolicy"] = json!({"Version": "2012-10-17", "Statement": {"Sid": "OnlyVpce",
                "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-9"}}}});
        });
        assert!(plan.verified, "{:?}", plan.remaining);
        let step = &plan.steps[0];
        let condition = &step.statements[0]["Condition"];
        assert_eq!(condition["StringNotEquals"]["aws:SourceVpce"], "vpce-9");
        assert_eq!(
            condition["ArnNotEquals"]["aws:PrincipalArn"],
            "arn:aws:iam::111122223333:role/rotation/RotRole"
        );
        assert!(step.commands[0].plain().starts_with("aws secretsmanager put-resource-policy"));
        assert!(!step.widens.is_empty());
    }

    #[test]
    fn an_endpoint_policy_gets_what_it_lacks() {
        let plan = plan(|bundle| {
            bundle["VpcEndpoints"] = json!([{"VpcEndpointId": "vpce-1", "VpcId": "vpc-1",
                "VpcEndpointType": "Interface", "State": "available", "PrivateDnsEnabled": true,
                "ServiceName": "com.amazonaws.eu-west-1.secretsmanager",
                "PolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": "*",
                    "Action": "secretsmanager:*", "Resource": SECRET}]}}]);
        });
        assert!(plan.verified, "{:?}", plan.remaining);
        assert_eq!(plan.steps.len(), 1);
        assert_eq!(plan.steps[0].statements[0]["Action"], "secretsmanager:GetRandomPassword");
        assert_eq!(plan.steps[0].statements[0]["Resource"], "*");
        assert!(
            plan.steps[0].commands[0]
                .plain()
                .starts_with("aws ec2 modify-vpc-endpoint --vpc-endpoint-id vpce-1")
        );
    }

    #[test]
    fn a_boundary_and_the_role_may_both_lack_a_right() {
        let boundary = "arn:aws:iam::111122223333:policy/Bound";
        let plan = plan(|bundle| {
            bundle["Role"]["PermissionsBoundary"] = json!({"PermissionsBoundaryArn": boundary});
            bundle["PermissionsBoundary"] = json!({"PolicyArn": boundary, "PolicyDocument": {"Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": ["secretsmanager:*", "logs:*", "ec2:*"], "Resource": "*"}]}});
            statements(bundle).as_array_mut().expect("list").remove(2);
        });
        assert!(plan.verified, "{:?}", plan.remaining);
        let documents: Vec<&Document> = plan.steps.iter().map(|step| &step.document).collect();
        assert_eq!(
            documents,
            [
                &Document::RolePolicy { role: "RotRole".to_owned() },
                &Document::ManagedPolicy { arn: boundary.to_owned() },
            ]
        );
        assert!(plan.steps[1].commands[0].plain().starts_with("aws iam create-policy-version"));
    }

    #[test]
    fn what_is_not_for_the_account_to_change_remains() {
        let disabled =
            plan(|bundle| bundle["Keys"][KEY]["KeyMetadata"]["KeyState"] = json!("Disabled"));
        assert!(!disabled.verified && disabled.steps.is_empty());
        assert!(disabled.remaining[0].contains("Disabled"), "{:?}", disabled.remaining);
        let aws = plan(|bundle| {
            bundle["AttachedPolicies"] = json!([{"PolicyArn": "arn:aws:iam::aws:policy/AWSDenyAll",
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Deny", "Action": "*", "Resource": "*"}]}}]);
        });
        assert!(!aws.verified && aws.steps.is_empty());
        let unseen = plan(|bundle| {
            bundle.as_object_mut().expect("object").remove("RolePolicies");
        });
        assert!(!unseen.verified && unseen.steps.is_empty(), "nothing is mended on a guess");
    }
}
