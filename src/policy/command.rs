//! Changes to policy documents as AWS CLI commands and as CloudFormation. What is
//! changed is decided in `fix.rs`.

use serde_json::{Value, json};

use super::{
    edit::{Document, Edit, change, current, touches},
    fix::FixStep,
    replace::Replacement,
    rotation::RotationRequest,
};
use crate::aws::{
    arn,
    commands::{Argument, Command, json_text},
};

/// Names for what is new, which must not be taken.
pub(super) struct Names {
    policy: String,
    statement: String,
}

impl Names {
    pub(super) fn of(requests: &[RotationRequest]) -> Self {
        let mut policies: Vec<&str> = Vec::new();
        let mut sids: Vec<&str> = Vec::new();
        for request in requests {
            policies.extend(request.layers.identity.iter().map(|policy| policy.name()));
            for policy in request.layers.resource.given().into_iter().flatten() {
                sids.extend(policy.statements().iter().filter_map(|s| s.sid.as_deref()));
            }
        }
        Self {
            policy: free("SecretRotation", &policies),
            statement: free("SecretsManagerInvoke", &sids),
        }
    }
}

fn free(wanted: &str, taken: &[&str]) -> String {
    let mut name = wanted.to_owned();
    let mut number = 2;
    while taken.contains(&name.as_str()) {
        name = format!("{wanted}{number}");
        number += 1;
    }
    name
}

/// One step for each document that changes.
pub(super) fn steps(requests: &[RotationRequest], edits: &[Edit], names: &Names) -> Vec<FixStep> {
    let mut documents: Vec<&Document> = Vec::new();
    for edit in edits {
        if !documents.contains(&edit.document()) {
            documents.push(edit.document());
        }
    }
    let step = |document: &Document| {
        let own: Vec<&Edit> = edits.iter().filter(|edit| edit.document() == document).collect();
        let request = requests.iter().find(|request| touches(request, document));
        let before = request.and_then(|request| current(request, document));
        Step { document, edits: &own, after: change(before, &own), names }.write()
    };
    documents.into_iter().map(step).collect()
}

struct Step<'a> {
    document: &'a Document,
    edits: &'a [&'a Edit],
    after: Value,
    names: &'a Names,
}

impl Step<'_> {
    fn write(&self) -> FixStep {
        FixStep {
            document: self.document.clone(),
            summary: self.summary(),
            statements: self.statements(),
            commands: self.commands(),
            cloudformation: self.cloudformation(),
            widens: self.widens(),
            replacement: Replacement {
                document: self.document.clone(),
                name: self.names.policy.clone(),
                after: self.after.clone(),
            },
        }
    }

    fn statements(&self) -> Vec<Value> {
        let at = |index: usize| self.after["Statement"].get(index).cloned().unwrap_or_default();
        self.edits
            .iter()
            .map(|edit| match edit {
                Edit::Allow { grants, .. } => grants.statement(),
                Edit::Exempt { index, .. } | Edit::Amend { index, .. } => at(*index),
            })
            .collect()
    }

    fn summary(&self) -> String {
        let place = match self.document {
            Document::RolePolicy { role } => format!("an inline policy on the role {role}"),
            Document::InlinePolicy { role, policy } => {
                format!("the inline policy {policy} of the role {role}")
            }
            Document::ManagedPolicy { arn } => format!("the managed policy {arn}"),
            Document::KeyPolicy { key } => format!("the policy of the key {key}"),
            Document::SecretPolicy { secret } => format!("the resource policy of {secret}"),
            Document::FunctionPolicy { function } => {
                format!("the resource policy of the function {function}")
            }
            Document::TrustPolicy { role } => format!("the trust policy of the role {role}"),
            Document::EndpointPolicy { endpoint } => format!("the policy of {endpoint}"),
        };
        let mut allows: Vec<&str> = Vec::new();
        let mut clauses: Vec<String> = Vec::new();
        for edit in self.edits {
            match edit {
                Edit::Allow { grants, .. } => {
                    for action in &grants.actions {
                        if !allows.contains(&action.as_str()) {
                            allows.push(action);
                        }
                    }
                }
                Edit::Exempt { .. } => {
                    clauses.push("take the function's role out of the Deny".to_owned());
                }
                Edit::Amend { element, instead_of: None, .. } => {
                    clauses.push(format!("add the secret to {}", element.words()));
                }
                Edit::Amend { element, .. } => {
                    clauses.push(format!("write the secret's whole ARN in {}", element.words()));
                }
            }
        }
        if !allows.is_empty() {
            clauses.insert(0, format!("allow {}", allows.join(", ")));
        }
        clauses.dedup();
        let mut text = clauses.join(" and ");
        if let Some(first) = text.get(..1).map(str::to_uppercase) {
            text.replace_range(..1, &first);
        }
        format!("{text} in {place}.")
    }

    fn commands(&self) -> Vec<Command> {
        let after = Argument::json(&self.after);
        let put_role_policy = |role: &str, policy: &str| {
            Command::aws("iam", "put-role-policy")
                .option("--role-name", role)
                .option("--policy-name", policy)
        };
        let command = match self.document {
            Document::RolePolicy { role } => {
                put_role_policy(role, &self.names.policy).option("--policy-document", after)
            }
            Document::InlinePolicy { role, policy } => {
                put_role_policy(role, policy).option("--policy-document", after)
            }
            Document::ManagedPolicy { arn } => Command::aws("iam", "create-policy-version")
                .option("--policy-arn", arn)
                .flag("--set-as-default")
                .option("--policy-document", after),
            Document::KeyPolicy { key } => Command::aws("kms", "put-key-policy")
                .option("--key-id", key)
                .option("--policy-name", "default")
                .option("--policy", after),
            Document::SecretPolicy { secret } => {
                Command::aws("secretsmanager", "put-resource-policy")
                    .option("--secret-id", secret)
                    .option("--resource-policy", after)
            }
            Document::TrustPolicy { role } => Command::aws("iam", "update-assume-role-policy")
                .option("--role-name", role)
                .option("--policy-document", after),
            Document::EndpointPolicy { endpoint } => Command::aws("ec2", "modify-vpc-endpoint")
                .option("--vpc-endpoint-id", endpoint)
                .option("--policy-document", after),
            Document::FunctionPolicy { function } => {
                return self
                    .edits
                    .iter()
                    .filter_map(|edit| self.permission(function, edit))
                    .collect();
            }
        };
        vec![command]
    }

    fn permission(&self, function: &str, edit: &Edit) -> Option<Command> {
        let Edit::Allow { grants, .. } = edit else { return None };
        let command = Command::aws("lambda", "add-permission")
            .option("--function-name", arn::unqualified(function))
            .option_if("--qualifier", qualifier(function))
            .option("--statement-id", &self.names.statement)
            .option("--action", grants.actions.first()?)
            .option("--principal", grants.principal.as_ref()?["Service"].as_str()?)
            .option("--source-account", source_account(edit)?);
        Some(command)
    }

    fn cloudformation(&self) -> String {
        let statements = self.statements().iter().map(|s| format!("  - {s}\n")).collect::<String>();
        let within = |place: &str| format!("# in {place}\nStatement:\n{statements}");
        match self.document {
            Document::RolePolicy { role } => resource(
                "RotationPolicy",
                "AWS::IAM::RolePolicy",
                &[
                    ("RoleName", json!(role)),
                    ("PolicyName", json!(self.names.policy)),
                    ("PolicyDocument", self.after.clone()),
                ],
            ),
            Document::FunctionPolicy { function } => {
                let account = self.edits.iter().find_map(|edit| source_account(edit));
                resource(
                    "RotationPermission",
                    "AWS::Lambda::Permission",
                    &[
                        ("FunctionName", json!(function)),
                        ("Action", json!("lambda:InvokeFunction")),
                        ("Principal", json!("secretsmanager.amazonaws.com")),
                        ("SourceAccount", json!(account)),
                    ],
                )
            }
            Document::InlinePolicy { policy, .. } => {
                // A comment ends with its line.
                let policy = json_text(&json!(policy));
                let policy = policy.trim_matches('"');
                within(&format!("PolicyDocument of the policy {policy} (AWS::IAM::Role)"))
            }
            Document::ManagedPolicy { .. } => within("PolicyDocument (AWS::IAM::ManagedPolicy)"),
            Document::KeyPolicy { .. } => within("KeyPolicy (AWS::KMS::Key)"),
            Document::SecretPolicy { .. } => {
                within("ResourcePolicy (AWS::SecretsManager::ResourcePolicy)")
            }
            Document::TrustPolicy { .. } => within("AssumeRolePolicyDocument (AWS::IAM::Role)"),
            Document::EndpointPolicy { .. } => within("PolicyDocument (AWS::EC2::VPCEndpoint)"),
        }
    }

    fn widens(&self) -> Vec<String> {
        let mut widens = Vec::new();
        if self.edits.iter().any(|edit| matches!(edit, Edit::Exempt { .. })) {
            widens
                .push("the role is then free of this Deny in every case that it covers".to_owned());
        }
        if let Document::ManagedPolicy { arn } = self.document {
            widens.push(format!("{arn} may apply to other roles too"));
            widens.push(
                "a managed policy keeps five versions: where it has as many, delete one first"
                    .to_owned(),
            );
        }
        let shared = self.edits.iter().any(|edit| match edit {
            Edit::Allow { grants, .. } => {
                matches!(self.document, Document::KeyPolicy { .. }) && grants.principal.is_some()
            }
            Edit::Exempt { .. } | Edit::Amend { .. } => false,
        });
        if shared {
            widens.push("the role may then use the key for any secret under it".to_owned());
        }
        widens
    }
}

fn source_account(edit: &Edit) -> Option<&str> {
    match edit {
        Edit::Allow { grants, .. } => {
            grants.condition.as_ref()?["StringEquals"]["AWS:SourceAccount"].as_str()
        }
        Edit::Exempt { .. } | Edit::Amend { .. } => None,
    }
}

/// Alias or version at the end of a function's ARN.
fn qualifier(function: &str) -> Option<&str> {
    arn::function_qualifier(function)
}

/// A template's resource. A JSON value is YAML as it stands.
fn resource(name: &str, kind: &str, properties: &[(&str, Value)]) -> String {
    let properties: String =
        properties.iter().map(|(key, value)| format!("    {key}: {value}\n")).collect();
    format!("{name}:\n  Type: {kind}\n  Properties:\n{properties}")
}
