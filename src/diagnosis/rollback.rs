//! How to undo a fix that can hurt others: what to save before it, and what reverts
//! it. Fixes that only admit one more connection have none.

use crate::{
    aws::commands::{Argument, Command},
    checks::{Change, NetworkChange},
    policy::Document,
};

/// How to undo a fix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollback {
    /// Whom the fix can hurt.
    pub summary: String,
    /// Commands that save the present state, to be run before the fix.
    pub before: Vec<Command>,
    /// Commands that take the fix back.
    pub undo: Vec<Command>,
}

/// How to undo a change, one for each of its parts that can hurt.
pub fn rollback(change: &Change) -> Vec<Rollback> {
    match change {
        Change::Network(changes) => changes.iter().filter_map(of_network).collect(),
        Change::ReplacePolicies { policies } => {
            policies.iter().filter_map(|policy| of_policy(&policy.document)).collect()
        }
        _ => Vec::new(),
    }
}

fn of_network(change: &NetworkChange) -> Option<Rollback> {
    let (summary, before, undo) = match change {
        NetworkChange::AddAclEntry { acl, egress, number, .. } => {
            let side = if *egress { "--egress" } else { "--ingress" };
            (
                format!("{acl} filters everything in its subnets."),
                None,
                Some(
                    Command::aws("ec2", "delete-network-acl-entry")
                        .option("--network-acl-id", acl)
                        .flag(side)
                        .option("--rule-number", *number),
                ),
            )
        }
        NetworkChange::SetRoute { table, destination, .. }
        | NetworkChange::DeleteRoute { table, destination } => (
            format!("{table} carries all that its subnets send to {destination}."),
            Some(
                Command::aws("ec2", "describe-route-tables")
                    .option("--route-table-ids", table)
                    .option("--query", "RouteTables[].Routes")
                    .output_file(saved_file("routes", table)),
            ),
            // What stood there before says which call brings it back.
            None,
        ),
        NetworkChange::EnablePrivateDns { endpoint } => (
            format!("Private DNS of {endpoint} moves every client in the VPC to it."),
            None,
            Some(
                Command::aws("ec2", "modify-vpc-endpoint")
                    .option("--vpc-endpoint-id", endpoint)
                    .flag("--no-private-dns-enabled"),
            ),
        ),
        _ => return None,
    };
    Some(Rollback {
        summary,
        before: before.into_iter().collect(),
        undo: undo.into_iter().map(Command::undo).collect(),
    })
}

/// The file for what stands before a fix: one for each resource, so that a second fix
/// does not overwrite what was saved before the first.
fn saved_file(kind: &str, resource: &str) -> String {
    let name = resource.rsplit([':', '/']).next().unwrap_or(resource);
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    format!("{kind}-{}-before.json", name.chars().map(plain).collect::<String>())
}

fn of_policy(document: &Document) -> Option<Rollback> {
    let (summary, before, undo) = match document {
        Document::KeyPolicy { key } => (
            format!("The policy of {key} is replaced whole, and a wrong one can lock the key."),
            Command::aws("kms", "get-key-policy")
                .option("--key-id", key)
                .option("--policy-name", "default")
                .option("--query", "Policy")
                .option("--output", "text")
                .output_file(saved_file("key-policy", key)),
            Command::aws("kms", "put-key-policy")
                .option("--key-id", key)
                .option("--policy-name", "default")
                .option("--policy", Argument::file(saved_file("key-policy", key))),
        ),
        Document::SecretPolicy { secret } => (
            "The secret's policy is replaced whole, for all who read the secret.".to_owned(),
            Command::aws("secretsmanager", "get-resource-policy")
                .option("--secret-id", secret)
                .option("--query", "ResourcePolicy")
                .option("--output", "text")
                .output_file("secret-policy-before.json"),
            Command::aws("secretsmanager", "put-resource-policy")
                .option("--secret-id", secret)
                .option("--resource-policy", Argument::file("secret-policy-before.json")),
        ),
        Document::InlinePolicy { role, policy } => (
            format!("The policy {policy} of {role} is replaced whole."),
            Command::aws("iam", "get-role-policy")
                .option("--role-name", role)
                .option("--policy-name", policy)
                .option("--query", "PolicyDocument")
                .output_file(saved_file("role-policy", policy)),
            Command::aws("iam", "put-role-policy")
                .option("--role-name", role)
                .option("--policy-name", policy)
                .option("--policy-document", Argument::file(saved_file("role-policy", policy))),
        ),
        _ => return None,
    };
    Some(Rollback { summary, before: vec![before], undo: vec![undo.undo()] })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{rollback, saved_file};
    use crate::{
        checks::{Change, NetworkChange},
        policy::{Document, Replacement},
    };

    #[test]
    fn an_access_list_and_a_key_policy_have_a_way_back() {
        let entry = NetworkChange::AddAclEntry {
            acl: "acl-1".to_owned(),
            egress: false,
            number: 90,
            ports: (443, 443),
            block: "10.0.0.0/16".to_owned(),
        };
        let rule = NetworkChange::AddSecurityGroupRule {
            group: "sg-1".to_owned(),
            egress: false,
            port: 443,
            peer: "sg-2".to_owned(),
        };
        let ways = rollback(&Change::Network(vec![entry, rule]));
        assert_eq!(ways.len(), 1);
        assert_eq!(
            ways[0].undo[0].plain(),
            "aws ec2 delete-network-acl-entry --network-acl-id acl-1 --ingress --rule-number 90"
        );
        let document = Document::KeyPolicy { key: "k".to_owned() };
        let policies = vec![Replacement { document, name: String::new(), after: json!({}) }];
        let ways = rollback(&Change::ReplacePolicies { policies });
        assert!(ways[0].before[0].plain().contains("get-key-policy --key-id k"));
        assert!(ways[0].before[0].plain().ends_with("> key-policy-k-before.json"));
        assert!(ways[0].undo[0].plain().contains("put-key-policy --key-id k"));
        assert!(ways[0].undo[0].plain().ends_with("file://key-policy-k-before.json"));
        assert!(rollback(&Change::RestoreSecret).is_empty());
    }

    #[test]
    fn each_resource_is_saved_into_a_file_of_its_own() {
        let arn = "arn:aws:kms:eu-west-1:123456789012:key/1-2";
        assert_eq!(saved_file("key-policy", arn), "key-policy-1-2-before.json");
        assert_eq!(saved_file("role-policy", "a b;c"), "role-policy-a-b-c-before.json");
    }
}
