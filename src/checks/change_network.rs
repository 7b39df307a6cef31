//! What fixes change in a network, and how each alters the evidence.

use serde_json::{Value, json};

use crate::evidence::*;

/// A change to an element on a path.
#[derive(Clone, Debug, PartialEq)]
pub enum NetworkChange {
    /// A security group gets a rule for one TCP port.
    AddSecurityGroupRule {
        /// The group.
        group: String,
        /// Whether the rule is about what leaves.
        egress: bool,
        /// Port.
        port: u16,
        /// The other side: a group's id or a CIDR block.
        peer: String,
    },
    /// A network ACL gets an entry that allows TCP.
    AddAclEntry {
        /// The ACL.
        acl: String,
        /// Whether the entry is about what leaves.
        egress: bool,
        /// Its number.
        number: i64,
        /// First and last port.
        ports: (u16, u16),
        /// The other side's CIDR block.
        block: String,
    },
    /// A route table gets a route, in place of the one to the same destination.
    SetRoute {
        /// The table.
        table: String,
        /// A CIDR block.
        destination: String,
        /// Id of a NAT gateway, peering connection, transit or internet gateway.
        target: String,
    },
    /// A route is deleted from a table.
    DeleteRoute {
        /// The table.
        table: String,
        /// A CIDR block, or the id of a prefix list.
        destination: String,
    },
    /// Names of one side of a peering connection resolve to private addresses
    /// for the other side.
    ResolveOverPeering {
        /// The connection.
        connection: String,
        /// Whether the side is the requester's.
        requester: bool,
    },
    /// Private DNS of an endpoint is switched on.
    EnablePrivateDns {
        /// The endpoint.
        endpoint: String,
    },
    /// A DNS attribute of a VPC is switched on.
    SetVpcDnsAttribute {
        /// The VPC.
        vpc: String,
        /// `enableDnsSupport` or `enableDnsHostnames`.
        attribute: String,
    },
    /// An interface endpoint with private DNS is created.
    CreateEndpoint {
        /// Its VPC.
        vpc: String,
        /// Such as `com.amazonaws.eu-west-1.secretsmanager`.
        service: String,
        /// Its subnets.
        subnets: Vec<String>,
        /// Its groups.
        groups: Vec<String>,
    },
    /// Statements are added to an endpoint's policy.
    AddEndpointStatements {
        /// The endpoint.
        endpoint: String,
        /// The statements.
        statements: Vec<Value>,
    },
    /// An interface forwards packets that are not addressed to it.
    DisableSourceDestCheck {
        /// The interface.
        interface: String,
    },
    /// A peering connection is accepted.
    AcceptPeering {
        /// The connection.
        connection: String,
    },
    /// The function is put into other subnets.
    SetVpcConfig {
        /// The VPC.
        vpc: String,
        /// Subnets.
        subnets: Vec<String>,
        /// Groups.
        groups: Vec<String>,
    },
}

/// The id that a new endpoint has in evidence that was changed.
pub(super) const NEW_ENDPOINT: &str = "vpce-new";

impl NetworkChange {
    /// Applies the change to a copy of the evidence. What the evidence does not
    /// hold is left alone.
    pub fn apply(&self, evidence: &mut Evidence) {
        match self {
            Self::AddSecurityGroupRule { group, egress, port, peer } => {
                let found = item(&mut evidence.security_groups, |g| g.group_id == given(group));
                let Some(found) = found else { return };
                let rules = if *egress {
                    &mut found.ip_permissions_egress
                } else {
                    &mut found.ip_permissions
                };
                rules.push(rule(*port, peer));
            }
            Self::AddAclEntry { acl, egress, number, ports, block } => {
                let found = item(&mut evidence.network_acls, |a| a.network_acl_id == given(acl));
                if let Some(found) = found {
                    found.entries.push(entry(*egress, *number, *ports, block));
                }
            }
            Self::SetRoute { table, destination, target } => {
                let found = item(&mut evidence.route_tables, |t| t.route_table_id == given(table));
                if let Some(found) = found {
                    found.routes.retain(|route| !is_to(route, destination));
                    found.routes.push(route(destination, target));
                }
            }
            Self::DeleteRoute { table, destination } => {
                let found = item(&mut evidence.route_tables, |t| t.route_table_id == given(table));
                if let Some(found) = found {
                    found.routes.retain(|route| !is_to(route, destination));
                }
            }
            Self::ResolveOverPeering { connection, requester } => {
                let found = item(&mut evidence.vpc_peering_connections, |c| {
                    c.vpc_peering_connection_id == given(connection)
                });
                let Some(found) = found else { return };
                let side = if *requester {
                    &mut found.requester_vpc_info
                } else {
                    &mut found.accepter_vpc_info
                };
                let options = side.get_or_insert_default().peering_options.get_or_insert_default();
                options.allow_dns_resolution_from_remote_vpc = Some(true);
            }
            Self::EnablePrivateDns { endpoint } => {
                if let Some(found) = endpoint_of(evidence, endpoint) {
                    found.private_dns_enabled = Some(true);
                }
            }
            Self::SetVpcDnsAttribute { vpc, attribute } => {
                let all = evidence.vpc_attributes.known_mut();
                let Some(found) = all.and_then(|all| all.get_mut(vpc)) else { return };
                let on = Some(BooleanAttribute { value: Some(true) });
                if attribute == "enableDnsSupport" {
                    found.enable_dns_support = on;
                } else {
                    found.enable_dns_hostnames = on;
                }
            }
            Self::AddEndpointStatements { endpoint, statements } => {
                let Some(found) = endpoint_of(evidence, endpoint) else { return };
                let Some(document) = found.policy_document.as_mut() else { return };
                let mut all: Vec<Value> = document.statements().cloned().collect();
                all.extend(statements.iter().cloned());
                document.0["Statement"] = json!(all);
            }
            Self::DisableSourceDestCheck { interface } => {
                let found = item(&mut evidence.network_interfaces, |i| {
                    i.network_interface_id == given(interface)
                });
                if let Some(found) = found {
                    found.source_dest_check = Some(false);
                }
            }
            Self::AcceptPeering { connection } => {
                let found = item(&mut evidence.vpc_peering_connections, |c| {
                    c.vpc_peering_connection_id == given(connection)
                });
                if let Some(found) = found {
                    found.status.get_or_insert_default().code = given("active");
                }
            }
            Self::CreateEndpoint { .. } => self.create_endpoint(evidence),
            Self::SetVpcConfig { vpc, subnets, groups } => {
                let Some(function) = evidence.function.known_mut() else { return };
                let config = function.configuration.vpc_config.get_or_insert_default();
                config.vpc_id = given(vpc);
                config.subnet_ids.clone_from(subnets);
                config.security_group_ids.clone_from(groups);
            }
        }
    }

    fn create_endpoint(&self, evidence: &mut Evidence) {
        let Self::CreateEndpoint { vpc, service, subnets, groups } = self else { return };
        if evidence.vpc_endpoints == Observed::Absent {
            evidence.vpc_endpoints = Observed::Known(Vec::new());
        }
        let Some(all) = evidence.vpc_endpoints.known_mut() else { return };
        let group = |id: &String| GroupIdentifier { group_id: given(id), ..Default::default() };
        all.push(VpcEndpoint {
            vpc_endpoint_id: given(NEW_ENDPOINT),
            vpc_endpoint_type: given("Interface"),
            vpc_id: given(vpc),
            service_name: given(service),
            state: given("available"),
            subnet_ids: subnets.clone(),
            groups: groups.iter().map(group).collect(),
            private_dns_enabled: Some(true),
            ..Default::default()
        });
    }
}

fn given(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn item<T>(list: &mut Observed<Vec<T>>, is: impl Fn(&T) -> bool) -> Option<&mut T> {
    list.known_mut()?.iter_mut().find(|one| is(one))
}

fn endpoint_of<'e>(evidence: &'e mut Evidence, id: &str) -> Option<&'e mut VpcEndpoint> {
    item(&mut evidence.vpc_endpoints, |e| e.vpc_endpoint_id.as_deref() == Some(id))
}

/// Whether a route is the one to a destination.
fn is_to(route: &Route, destination: &str) -> bool {
    [
        &route.destination_cidr_block,
        &route.destination_ipv6_cidr_block,
        &route.destination_prefix_list_id,
    ]
    .into_iter()
    .any(|own| own.as_deref() == Some(destination))
}

fn rule(port: u16, peer: &str) -> IpPermission {
    let mut rule = IpPermission {
        ip_protocol: given("tcp"),
        from_port: Some(i64::from(port)),
        to_port: Some(i64::from(port)),
        ..Default::default()
    };
    if peer.starts_with("sg-") {
        rule.user_id_group_pairs =
            vec![UserIdGroupPair { group_id: given(peer), ..Default::default() }];
    } else if peer.contains(':') {
        rule.ipv6_ranges = vec![Ipv6Range { cidr_ipv6: given(peer), ..Default::default() }];
    } else {
        rule.ip_ranges = vec![IpRange { cidr_ip: given(peer), ..Default::default() }];
    }
    rule
}

fn entry(egress: bool, number: i64, (from, to): (u16, u16), block: &str) -> NetworkAclEntry {
    let (v4, v6) = if block.contains(':') { (None, given(block)) } else { (given(block), None) };
    NetworkAclEntry {
        rule_number: Some(number),
        egress: Some(egress),
        protocol: given("6"),
        rule_action: given("allow"),
        cidr_block: v4,
        ipv6_cidr_block: v6,
        port_range: Some(PortRange { from: Some(i64::from(from)), to: Some(i64::from(to)) }),
    }
}

fn route(destination: &str, target: &str) -> Route {
    let mut route =
        Route { state: given("active"), origin: given("CreateRoute"), ..Default::default() };
    if destination.contains(':') {
        route.destination_ipv6_cidr_block = given(destination);
    } else {
        route.destination_cidr_block = given(destination);
    }
    let field = match target.split('-').next() {
        Some("nat") => &mut route.nat_gateway_id,
        Some("pcx") => &mut route.vpc_peering_connection_id,
        Some("tgw") => &mut route.transit_gateway_id,
        _ => &mut route.gateway_id,
    };
    *field = given(target);
    route
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::NetworkChange as Change;
    use crate::network::tests::worlds::{
        database, read, secrets_manager, short, with_endpoint, world,
    };

    fn changed(world: &serde_json::Value, changes: &[Change]) -> serde_json::Value {
        let mut evidence = read(world);
        for change in changes {
            change.apply(&mut evidence);
        }
        serde_json::to_value(&evidence).expect("bundle")
    }

    #[test]
    fn each_change_opens_what_it_is_for() {
        let open = |world: serde_json::Value, changes: &[Change]| {
            assert!(short(&secrets_manager(&world)).starts_with("blocked"), "{changes:?}");
            assert_eq!(
                short(&secrets_manager(&changed(&world, changes))),
                "reachable",
                "{changes:?}"
            );
        };
        open(
            world(),
            &[
                Change::CreateEndpoint {
                    vpc: "vpc-a".into(),
                    service: "com.amazonaws.eu-west-1.secretsmanager".into(),
                    subnets: vec!["subnet-l1".into()],
                    groups: vec!["sg-fn".into()],
                },
                Change::AddSecurityGroupRule {
                    group: "sg-fn".into(),
                    egress: false,
                    port: 443,
                    peer: "sg-fn".into(),
                },
            ],
        );
        open(with_endpoint(false), &[Change::EnablePrivateDns { endpoint: "vpce-1".into() }]);
        let mut hostnames = with_endpoint(true);
        hostnames["VpcAttributes"]["vpc-a"]["EnableDnsHostnames"] = json!({"Value": false});
        let attribute = "enableDnsHostnames".to_owned();
        open(hostnames, &[Change::SetVpcDnsAttribute { vpc: "vpc-a".into(), attribute }]);
    }

    #[test]
    fn a_route_takes_the_place_of_the_one_to_the_same_destination() {
        let set = |target: &str| Change::SetRoute {
            table: "rtb-fn".into(),
            destination: "0.0.0.0/0".into(),
            target: target.into(),
        };
        let world = changed(&world(), &[set("nat-1"), set("nat-2")]);
        let routes = world["RouteTables"][1]["Routes"].as_array().expect("routes");
        let to: Vec<_> = routes.iter().filter_map(|r| r["NatGatewayId"].as_str()).collect();
        assert_eq!(to, ["nat-2"]);
    }

    #[test]
    fn a_function_that_moves_starts_from_its_new_subnets() {
        let mut outside = world();
        outside["Function"]["Configuration"]["VpcConfig"] = json!(null);
        assert!(short(&database(&outside)).starts_with("blocked; lambda_vpc_config"));
        let change = Change::SetVpcConfig {
            vpc: "vpc-a".into(),
            subnets: vec!["subnet-d1".into()],
            groups: vec!["sg-fn".into()],
        };
        assert_eq!(short(&database(&changed(&outside, &[change]))), "reachable");
    }
}
