//! The commands for a change in a network, with the real ids.

use serde_json::{Value, json};

use crate::{
    aws::commands::{Argument, Command, json_text},
    checks::{
        NetworkChange,
        commands::{function_name, on_function, wait_for_function},
    },
    evidence::{Evidence, Function, Observed},
};

/// The commands for a change.
pub(super) fn commands(
    evidence: &Evidence,
    function: &Function,
    change: &NetworkChange,
) -> Vec<Command> {
    let ec2 = |operation| Command::aws("ec2", operation);
    match change {
        NetworkChange::AddSecurityGroupRule { group, egress, port, peer } => {
            let owner = foreign_owner(evidence, group, peer);
            vec![rule_command(group, *egress, *port, peer, owner)]
        }
        NetworkChange::AddAclEntry { acl, egress, number, ports: (from, to), block } => {
            let cidr = if block.contains(':') { "--ipv6-cidr-block" } else { "--cidr-block" };
            vec![
                ec2("create-network-acl-entry")
                    .option("--network-acl-id", acl)
                    .flag(if *egress { "--egress" } else { "--ingress" })
                    .option("--rule-number", *number)
                    .option("--protocol", "tcp")
                    .option("--port-range", Argument::structure(&json!({"From": from, "To": to})))
                    .option(cidr, block)
                    .option("--rule-action", "allow"),
            ]
        }
        NetworkChange::SetRoute { table, destination, target } => {
            let exists = has_route(&evidence.route_tables, table, destination);
            let target_option = match target.split('-').next() {
                Some("nat") => "--nat-gateway-id",
                Some("pcx") => "--vpc-peering-connection-id",
                Some("tgw") => "--transit-gateway-id",
                Some("eigw") => "--egress-only-internet-gateway-id",
                _ => "--gateway-id",
            };
            vec![
                ec2(if exists { "replace-route" } else { "create-route" })
                    .option("--route-table-id", table)
                    .option(destination_option(destination), destination)
                    .option(target_option, target),
            ]
        }
        NetworkChange::DeleteRoute { table, destination } => vec![
            ec2("delete-route")
                .option("--route-table-id", table)
                .option(destination_option(destination), destination),
        ],
        NetworkChange::ResolveOverPeering { connection, requester } => vec![
            ec2("modify-vpc-peering-connection-options")
                .option("--vpc-peering-connection-id", connection)
                .option(
                    match requester {
                        true => "--requester-peering-connection-options",
                        false => "--accepter-peering-connection-options",
                    },
                    "AllowDnsResolutionFromRemoteVpc=true",
                ),
        ],
        NetworkChange::EnablePrivateDns { endpoint } => vec![
            ec2("modify-vpc-endpoint")
                .option("--vpc-endpoint-id", endpoint)
                .flag("--private-dns-enabled"),
        ],
        NetworkChange::SetVpcDnsAttribute { vpc, attribute } => {
            vec![ec2("modify-vpc-attribute").option("--vpc-id", vpc).flag(
                match attribute.as_str() {
                    "enableDnsSupport" => "--enable-dns-support",
                    _ => "--enable-dns-hostnames",
                },
            )]
        }
        NetworkChange::CreateEndpoint { vpc, service, subnets, groups } => vec![
            ec2("create-vpc-endpoint")
                .option("--vpc-id", vpc)
                .option("--vpc-endpoint-type", "Interface")
                .option("--service-name", service)
                .options("--subnet-ids", subnets)
                .options("--security-group-ids", groups)
                .flag("--private-dns-enabled"),
        ],
        NetworkChange::AddEndpointStatements { endpoint, statements } => {
            let added = json_text(&Value::from(statements.clone()));
            vec![
                describe_endpoint_policy(endpoint)
                    .pipe(
                        Command::program("jq")
                            .options("--argjson", [Argument::from("added"), Argument::from(added)])
                            .operand("PROGRAM", ".Statement = ([.Statement] | flatten) + $added"),
                    )
                    .output_file("policy.json"),
                ec2("modify-vpc-endpoint")
                    .option("--vpc-endpoint-id", endpoint)
                    .option("--policy-document", Argument::file("policy.json")),
            ]
        }
        NetworkChange::DisableSourceDestCheck { interface } => vec![
            ec2("modify-network-interface-attribute")
                .option("--network-interface-id", interface)
                .flag("--no-source-dest-check"),
        ],
        NetworkChange::AcceptPeering { connection } => vec![
            ec2("accept-vpc-peering-connection").option("--vpc-peering-connection-id", connection),
        ],
        NetworkChange::SetVpcConfig { subnets, groups, .. } => {
            vec![
                set_vpc_config(function, subnets, groups),
                wait_for_function(function_name(function)),
            ]
        }
    }
}

/// Shows the policy of an endpoint.
pub(super) fn describe_endpoint_policy(endpoint: &str) -> Command {
    Command::aws("ec2", "describe-vpc-endpoints")
        .options("--vpc-endpoint-ids", [endpoint])
        .option("--query", "VpcEndpoints[0].PolicyDocument")
        .option("--output", "text")
}

/// Puts the function into subnets, with security groups.
pub(super) fn set_vpc_config(
    function: &Function,
    subnets: &[String],
    groups: &[String],
) -> Command {
    let config = json!({"SubnetIds": subnets, "SecurityGroupIds": groups});
    on_function(function_name(function), "update-function-configuration")
        .option("--vpc-config", Argument::structure(&config))
}

fn destination_option(destination: &str) -> &'static str {
    if destination.starts_with("pl-") {
        "--destination-prefix-list-id"
    } else if destination.contains(':') {
        "--destination-ipv6-cidr-block"
    } else {
        "--destination-cidr-block"
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
) -> Command {
    let operation = match egress {
        true => "authorize-security-group-egress",
        false => "authorize-security-group-ingress",
    };
    let command = Command::aws("ec2", operation).option("--group-id", group);
    let permission = |command: Command, peers: &str, peer: Value| {
        let permission =
            json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, peers: [peer]});
        command.options("--ip-permissions", [Argument::structure(&permission)])
    };
    let simple = |command: Command| command.option("--protocol", "tcp").option("--port", port);
    if peer.contains(':') {
        permission(command, "Ipv6Ranges", json!({"CidrIpv6": peer}))
    } else if let Some(owner) = peer_owner {
        permission(command, "UserIdGroupPairs", json!({"GroupId": peer, "UserId": owner}))
    } else if peer.starts_with("sg-") && egress {
        permission(command, "UserIdGroupPairs", json!({"GroupId": peer}))
    } else if peer.starts_with("sg-") {
        simple(command).option("--source-group", peer)
    } else {
        simple(command).option("--cidr", peer)
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
    use super::*;

    #[test]
    fn rules_name_groups_and_cidr_blocks_as_the_command_wants_them() {
        let ingress = |peer: &str, owner| rule_command("sg-a", false, 443, peer, owner).plain();
        let egress = |peer: &str| rule_command("sg-a", true, 443, peer, None).plain();
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

    #[test]
    fn an_id_cannot_add_to_a_structure() {
        let function: Function =
            serde_json::from_value(json!({"Configuration": {"FunctionName": "f"}}))
                .expect("function");
        let subnets = ["subnet-1,SecurityGroupIds=sg-other".to_owned()];
        let command = set_vpc_config(&function, &subnets, &["sg-1".to_owned()]);
        let rendered = command.render(Default::default());
        let config: Value = serde_json::from_str(&rendered.pipeline[0][6]).expect("JSON");
        assert_eq!(config, json!({"SubnetIds": subnets, "SecurityGroupIds": ["sg-1"]}));
    }
}
