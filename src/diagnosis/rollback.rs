//! The way back from a fix that can hurt others: what to keep before it, and what takes
//! it back. Fixes that only admit one more connection have none.

use crate::{
    checks::{Change, NetworkChange, quoted},
    policy::Document,
};

/// The way back from a fix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollback {
    /// Whom the fix can hurt.
    pub summary: String,
    /// Commands that keep what stands, to be run before the fix.
    pub before: Vec<String>,
    /// Commands that take the fix back.
    pub undo: Vec<String>,
}

/// The ways back from a change, one for each of its parts that can hurt.
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
                Some(format!(
                    "aws ec2 delete-network-acl-entry --network-acl-id {acl} {side} --rule-number \
                     {number}"
                )),
            )
        }
        NetworkChange::SetRoute { table, destination, .. }
        | NetworkChange::DeleteRoute { table, destination } => (
            format!("{table} carries all that its subnets send to {destination}."),
            Some(format!(
                "aws ec2 describe-route-tables --route-table-ids {table} --query \
                 'RouteTables[].Routes' > routes-before.json"
            )),
            // What stood there before says which call brings it back.
            None,
        ),
        NetworkChange::EnablePrivateDns { endpoint } => (
            format!("Private DNS of {endpoint} moves every client in the VPC to it."),
            None,
            Some(format!(
                "aws ec2 modify-vpc-endpoint --vpc-endpoint-id {endpoint} --no-private-dns-enabled"
            )),
        ),
        _ => return None,
    };
    Some(Rollback {
        summary,
        before: before.into_iter().collect(),
        undo: undo.into_iter().collect(),
    })
}

fn of_policy(document: &Document) -> Option<Rollback> {
    let (summary, before, undo) = match document {
        Document::KeyPolicy { key } => (
            format!("The policy of {key} is replaced whole, and a wrong one can lock the key."),
            format!(
                "aws kms get-key-policy --key-id {key} --policy-name default --query Policy --output \
                 text > key-policy-before.json"
            ),
            format!(
                "aws kms put-key-policy --key-id {key} --policy-name default --policy \
                 file://key-policy-before.json"
            ),
        ),
        Document::SecretPolicy { secret } => (
            "The secret's policy is replaced whole, for all who read the secret.".to_owned(),
            format!(
                "aws secretsmanager get-resource-policy --secret-id {secret} --query ResourcePolicy \
                 --output text > secret-policy-before.json"
            ),
            format!(
                "aws secretsmanager put-resource-policy --secret-id {secret} --resource-policy \
                 file://secret-policy-before.json"
            ),
        ),
        Document::InlinePolicy { role, policy } => (
            format!("The policy {policy} of {role} is replaced whole."),
            format!(
                "aws iam get-role-policy --role-name {} --policy-name {} --query PolicyDocument > \
                 role-policy-before.json",
                quoted(role),
                quoted(policy)
            ),
            format!(
                "aws iam put-role-policy --role-name {} --policy-name {} --policy-document \
                 file://role-policy-before.json",
                quoted(role),
                quoted(policy)
            ),
        ),
        _ => return None,
    };
    Some(Rollback { summary, before: vec![before], undo: vec![undo] })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::rollback;
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
            ways[0].undo,
            ["aws ec2 delete-network-acl-entry --network-acl-id acl-1 --ingress --rule-number 90"]
        );
        let document = Document::KeyPolicy { key: "k".to_owned() };
        let policies = vec![Replacement { document, name: String::new(), after: json!({}) }];
        let ways = rollback(&Change::ReplacePolicies { policies });
        assert!(ways[0].before[0].contains("get-key-policy --key-id k"));
        assert!(ways[0].undo[0].contains("put-key-policy --key-id k"));
        assert!(rollback(&Change::RestoreSecret).is_empty());
    }
}
