//! The commands for a change in a network, with the real ids.

use crate::{
    checks::{NetworkChange, command::quoted},
    evidence::{Evidence, Observed},
};

/// The commands for a change.
pub(super) fn commands(evidence: &Evidence, function: &str, change: &NetworkChange) -> Vec<String> {
    match change {
        NetworkChange::AddSecurityGroupRule { group, egress, port, peer } => {
            let owner = foreign_owner(evidence, group, peer);
            vec![rule_command(group, *egress, *port, peer, owner)]
        }
        NetworkChange::AddAclEntry { acl, egress, number, ports: (from, to), block } => {
            let direction = if *egress { "--egress" } else { "--ingress" };
            let cidr = if block.contains(':') { "--ipv6-cidr-block" } else { "--cidr-block" };
            vec![format!(
                "aws ec2 create-network-acl-entry --network-acl-id {acl} {direction} --rule-number \
                 {number} --protocol tcp --port-range From={from},To={to} {cidr} {block} \
                 --rule-action allow"
            )]
        }
        NetworkChange::SetRoute { table, destination, target } => {
            let there = has_route(&evidence.route_tables, table, destination);
            let verb = if there { "replace-route" } else { "create-route" };
            let v6 = destination.contains(':');
            let to = if v6 { "--destination-ipv6-cidr-block" } else { "--destination-cidr-block" };
            let option = match target.split('-').next() {
                Some("nat") => "--nat-gateway-id",
                Some("pcx") => "--vpc-peering-connection-id",
                Some("tgw") => "--transit-gateway-id",
                Some("eigw") => "--egress-only-internet-gateway-id",
                _ => "--gateway-id",
            };
            vec![format!(
                "aws ec2 {verb} --route-table-id {table} {to} {destination} {option} {target}"
            )]
        }
        NetworkChange::DeleteRoute { table, destination } => {
            let option = if destination.starts_with("pl-") {
                "--destination-prefix-list-id"
            } else if destination.contains(':') {
                "--destination-ipv6-cidr-block"
            } else {
                "--destination-cidr-block"
            };
            vec![format!("aws ec2 delete-route --route-table-id {table} {option} {destination}")]
        }
        NetworkChange::ResolveOverPeering { connection, requester } => {
            let side = if *requester { "requester" } else { "accepter" };
            vec![format!(
                "aws ec2 modify-vpc-peering-connection-options --vpc-peering-connection-id \
                 {connection} --{side}-peering-connection-options \
                 AllowDnsResolutionFromRemoteVpc=true"
            )]
        }
        NetworkChange::EnablePrivateDns { endpoint } => vec![format!(
            "aws ec2 modify-vpc-endpoint --vpc-endpoint-id {endpoint} --private-dns-enabled"
        )],
        NetworkChange::SetVpcDnsAttribute { vpc, attribute } => {
            let option = if attribute == "enableDnsSupport" {
                "--enable-dns-support"
            } else {
                "--enable-dns-hostnames"
            };
            vec![format!("aws ec2 modify-vpc-attribute --vpc-id {vpc} {option}")]
        }
        NetworkChange::CreateEndpoint { vpc, service, subnets, groups } => vec![format!(
            "aws ec2 create-vpc-endpoint --vpc-id {vpc} --vpc-endpoint-type Interface \
             --service-name {service} --subnet-ids {} --security-group-ids {} \
             --private-dns-enabled",
            subnets.join(" "),
            groups.join(" "),
        )],
        NetworkChange::AddEndpointStatements { endpoint, statements } => {
            let added = serde_json::to_string(statements).unwrap_or_default();
            vec![
                format!(
                    "aws ec2 describe-vpc-endpoints --vpc-endpoint-ids {endpoint} --query \
                     'VpcEndpoints[0].PolicyDocument' --output text | jq --argjson added {} \
                     '.Statement = ([.Statement] | flatten) + $added' > policy.json",
                    quoted(&added)
                ),
                format!(
                    "aws ec2 modify-vpc-endpoint --vpc-endpoint-id {endpoint} --policy-document \
                     file://policy.json"
                ),
            ]
        }
        NetworkChange::DisableSourceDestCheck { interface } => vec![format!(
            "aws ec2 modify-network-interface-attribute --network-interface-id {interface} \
             --no-source-dest-check"
        )],
        NetworkChange::AcceptPeering { connection } => vec![format!(
            "aws ec2 accept-vpc-peering-connection --vpc-peering-connection-id {connection}"
        )],
        NetworkChange::SetVpcConfig { subnets, groups, .. } => vec![
            format!(
                "aws lambda update-function-configuration --function-name {} --vpc-config \
                 SubnetIds={},SecurityGroupIds={}",
                quoted(function),
                subnets.join(","),
                groups.join(",")
            ),
            format!("aws lambda wait function-updated --function-name {}", quoted(function)),
        ],
    }
}

/// The account of a peer's group, where that is another one than the group's.
fn foreign_owner<'e>(evidence: &'e Evidence, group: &str, peer: &str) -> Option<&'e str> {
    let groups = evidence.security_groups.known()?;
    let owner = |id: &str| {
        let found = groups.iter().find(|one| one.group_id.as_deref() == Some(id))?;
        found.owner_id.as_deref()
    };
    owner(peer).filter(|peer| owner(group).is_some_and(|own| own != *peer))
}

fn rule_command(
    group: &str,
    egress: bool,
    port: u16,
    peer: &str,
    peer_owner: Option<&str>,
) -> String {
    let verb = if egress { "egress" } else { "ingress" };
    let start = format!("aws ec2 authorize-security-group-{verb} --group-id {group}");
    let permission = |what: &str| {
        format!("{start} --ip-permissions 'IpProtocol=tcp,FromPort={port},ToPort={port},{what}'")
    };
    if peer.contains(':') {
        permission(&format!("Ipv6Ranges=[{{CidrIpv6={peer}}}]"))
    } else if let Some(owner) = peer_owner {
        permission(&format!("UserIdGroupPairs=[{{GroupId={peer},UserId={owner}}}]"))
    } else if peer.starts_with("sg-") && egress {
        permission(&format!("UserIdGroupPairs=[{{GroupId={peer}}}]"))
    } else if peer.starts_with("sg-") {
        format!("{start} --protocol tcp --port {port} --source-group {peer}")
    } else {
        format!("{start} --protocol tcp --port {port} --cidr {peer}")
    }
}

fn has_route(
    tables: &Observed<Vec<crate::evidence::RouteTable>>,
    table: &str,
    destination: &str,
) -> bool {
    tables.known().into_iter().flatten().any(|one| {
        one.route_table_id.as_deref() == Some(table)
            && one.routes.iter().any(|route| {
                route.destination_cidr_block.as_deref() == Some(destination)
                    || route.destination_ipv6_cidr_block.as_deref() == Some(destination)
            })
    })
}

#[cfg(test)]
mod tests {
    use super::rule_command;

    #[test]
    fn rules_name_groups_and_blocks_as_the_command_wants_them() {
        let ingress = |peer: &str, owner| rule_command("sg-a", false, 443, peer, owner);
        let egress = |peer: &str| rule_command("sg-a", true, 443, peer, None);
        assert!(ingress("sg-b", None).ends_with("--port 443 --source-group sg-b"));
        assert!(egress("sg-b").contains("UserIdGroupPairs=[{GroupId=sg-b}]"));
        assert!(egress("10.0.0.0/16").ends_with("--cidr 10.0.0.0/16"));
        assert!(ingress("::/0", None).contains("Ipv6Ranges=[{CidrIpv6=::/0}]"));
        assert!(
            ingress("sg-b", Some("222222222222"))
                .contains("UserIdGroupPairs=[{GroupId=sg-b,UserId=222222222222}]"),
            "a group of another account is named with it"
        );
    }
}
