//! EC2: VPCs, subnets, routes, filters and interfaces, read by VPC.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{self as sdk, VpcAttributeName};

use super::{
    call::Caller,
    convert::{list, word},
    ec2::{FIRST_PAGES, all_pages, by_vpc, filter, put},
    pages::pages,
    scene::{PatchResult, Scene, patch},
    scope,
    session::Clients,
    step::steps,
};
use crate::{aws::limits, evidence::*};

steps! {
    3 "ec2:DescribeSubnets" => Subnets <- [Function]: |tasks| {
        tasks.in_groups_of(limits::EC2_FILTER_VALUES, &scope::function_subnets(tasks.scene), function_subnets)
    };
    4 "ec2:DescribeSubnets" => Subnets <- [Subnets]: |tasks| match tasks.scene.evidence.subnets {
        // Refused once is refused again.
        Observed::NotSeen(_) => Vec::new(),
        _ => by_vpc(tasks, subnets),
    };
    4 "ec2:DescribeVpcs" => Vpcs <- [Subnets]: |tasks| by_vpc(tasks, vpcs);
    4 "ec2:DescribeVpcAttribute" => VpcAttributes <- [Subnets]:
        |tasks| tasks.each(scope::vpcs(tasks.scene), attributes);
    4 "ec2:DescribeRouteTables" => RouteTables <- [Subnets]: |tasks| by_vpc(tasks, route_tables);
    4 "ec2:DescribeNetworkAcls" => NetworkAcls <- [Subnets]: |tasks| by_vpc(tasks, network_acls);
    4 "ec2:DescribeSecurityGroups" => SecurityGroups <- [Subnets]:
        |tasks| by_vpc(tasks, security_groups);
    4 "ec2:DescribeSecurityGroupVpcAssociations" => SecurityGroupVpcAssociations <- [Subnets]:
        |tasks| by_vpc(tasks, group_associations);
    4 "ec2:DescribeNetworkInterfaces" => NetworkInterfaces <- [Subnets]:
        |tasks| by_vpc(tasks, network_interfaces);
    4 "ec2:DescribeVpcBlockPublicAccessOptions" => VpcBlockPublicAccessOptions <- [Subnets]:
        |tasks| match scope::vpcs(tasks.scene).is_empty() {
            true => Vec::new(),
            false => tasks.of_region(block_public_access),
        };
    5 "ec2:DescribeDhcpOptions" => DhcpOptions <- [Vpcs]:
        |tasks| tasks.in_groups_of(limits::EC2_FILTER_VALUES, &dhcp_options_ids(tasks.scene), dhcp_options);
    // The groups of other VPCs that are associated with ours.
    5 "ec2:DescribeSecurityGroups" => SecurityGroups <- [SecurityGroupVpcAssociations]: |tasks| {
        let groups = associated_groups(tasks.scene);
        tasks.in_groups_of(limits::EC2_FILTER_VALUES, &groups, security_groups_by_id)
    };
    // Where it blocks, and exclusions are allowed.
    5 "ec2:DescribeVpcBlockPublicAccessExclusions" => VpcBlockPublicAccessOptions <-
        [VpcBlockPublicAccessOptions]: |tasks| match may_exclude(tasks.scene) {
            true => tasks.of_region(exclusions),
            false => Vec::new(),
        };
}

const VPC_ID: &str = "vpc-id";

/// The function's own subnets, which tell its VPC. A filter and not a list of
/// ids: one subnet that is gone must not hide the others.
async fn function_subnets(caller: &Caller, clients: &Clients, ids: &[String]) -> PatchResult {
    let action = "ec2:DescribeSubnets";
    let request = clients.ec2.describe_subnets().filters(filter("subnet-id", ids));
    let items = all_pages!(caller, action, &ids.join(" "), request, subnets, subnet);
    put(Fact::Subnets, action, |evidence| &mut evidence.subnets, items)
}

async fn subnets(caller: &Caller, clients: &Clients, vpcs: &[String]) -> PatchResult {
    let action = "ec2:DescribeSubnets";
    let request = clients.ec2.describe_subnets().filters(filter(VPC_ID, vpcs));
    let (items, cut) = all_pages!(caller, action, &vpcs.join(" "), request, subnets, subnet);
    patch(move |scene| {
        // The function's own subnets stay, whatever this list held.
        let known = scene.evidence.subnets.known_mut().map(std::mem::take).unwrap_or_default();
        let mut all = items;
        all.extend(known);
        all.sort_by(|a, b| a.subnet_id.cmp(&b.subnet_id));
        all.dedup_by(|a, b| a.subnet_id == b.subnet_id);
        scene.evidence.subnets = Observed::Known(all);
        if cut {
            scene.gap(Fact::Subnets, action, "", Reason::Truncated, FIRST_PAGES);
        }
    })
}

fn subnet(subnet: sdk::Subnet) -> Subnet {
    Subnet {
        subnet_id: subnet.subnet_id,
        vpc_id: subnet.vpc_id,
        cidr_block: subnet.cidr_block,
        availability_zone: subnet.availability_zone,
        available_ip_address_count: subnet.available_ip_address_count.map(i64::from),
        ipv6_cidr_block_association_set: list(subnet.ipv6_cidr_block_association_set, |block| {
            Ipv6CidrBlockAssociation {
                ipv6_cidr_block: block.ipv6_cidr_block,
                ipv6_cidr_block_state: block
                    .ipv6_cidr_block_state
                    .map(|state| CidrBlockState { state: word(state.state) }),
            }
        }),
    }
}

async fn vpcs(caller: &Caller, clients: &Clients, vpcs: &[String]) -> PatchResult {
    let action = "ec2:DescribeVpcs";
    let request = clients.ec2.describe_vpcs().filters(filter(VPC_ID, vpcs));
    let items = all_pages!(caller, action, &vpcs.join(" "), request, vpcs, |vpc: sdk::Vpc| Vpc {
        vpc_id: vpc.vpc_id,
        owner_id: vpc.owner_id,
        cidr_block: vpc.cidr_block,
        dhcp_options_id: vpc.dhcp_options_id,
        cidr_block_association_set: list(vpc.cidr_block_association_set, |block| {
            CidrBlockAssociation {
                cidr_block: block.cidr_block,
                cidr_block_state: block
                    .cidr_block_state
                    .map(|state| CidrBlockState { state: word(state.state) }),
            }
        }),
        ipv6_cidr_block_association_set: list(vpc.ipv6_cidr_block_association_set, |block| {
            Ipv6CidrBlockAssociation {
                ipv6_cidr_block: block.ipv6_cidr_block,
                ipv6_cidr_block_state: block
                    .ipv6_cidr_block_state
                    .map(|state| CidrBlockState { state: word(state.state) }),
            }
        }),
    });
    put(Fact::Vpcs, action, |evidence| &mut evidence.vpcs, items)
}

/// The two attributes that decide how names resolve.
async fn attributes(caller: &Caller, clients: &Clients, vpc: &str) -> PatchResult {
    let action = "ec2:DescribeVpcAttribute";
    let ask = |attribute: VpcAttributeName| {
        let request = clients.ec2.describe_vpc_attribute().vpc_id(vpc).attribute(attribute);
        caller.call(action, vpc, request.send())
    };
    let (support, hostnames) = futures_util::future::join(
        ask(VpcAttributeName::EnableDnsSupport),
        ask(VpcAttributeName::EnableDnsHostnames),
    )
    .await;
    let value = |answer: Option<sdk::AttributeBooleanValue>| {
        answer.map(|attribute| BooleanAttribute { value: attribute.value })
    };
    let attributes = VpcAttributes {
        enable_dns_support: value(support?.enable_dns_support),
        enable_dns_hostnames: value(hostnames?.enable_dns_hostnames),
    };
    let vpc = vpc.to_owned();
    patch(move |scene| match scene.evidence.vpc_attributes.known_mut() {
        Some(map) => {
            map.insert(vpc, attributes);
        }
        None => scene.evidence.vpc_attributes = Observed::Known([(vpc, attributes)].into()),
    })
}

/// The DHCP options that the VPCs name.
fn dhcp_options_ids(scene: &Scene) -> Vec<String> {
    let vpcs = scene.evidence.vpcs.known().into_iter().flatten();
    let mut ids: Vec<String> = vpcs
        .filter_map(|vpc| vpc.dhcp_options_id.clone())
        .filter(|id| !id.is_empty() && id != "default")
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

async fn dhcp_options(caller: &Caller, clients: &Clients, ids: &[String]) -> PatchResult {
    let action = "ec2:DescribeDhcpOptions";
    let request = clients.ec2.describe_dhcp_options().filters(filter("dhcp-options-id", ids));
    let convert = |options: sdk::DhcpOptions| DhcpOptions {
        dhcp_options_id: options.dhcp_options_id,
        dhcp_configurations: list(options.dhcp_configurations, |setting| DhcpConfiguration {
            key: setting.key,
            values: list(setting.values, |value| AttributeValue { value: value.value }),
        }),
    };
    let items = all_pages!(caller, action, &ids.join(" "), request, dhcp_options, convert);
    put(Fact::DhcpOptions, action, |evidence| &mut evidence.dhcp_options, items)
}

async fn route_tables(caller: &Caller, clients: &Clients, vpcs: &[String]) -> PatchResult {
    let action = "ec2:DescribeRouteTables";
    let request = clients.ec2.describe_route_tables().filters(filter(VPC_ID, vpcs));
    let items = all_pages!(caller, action, &vpcs.join(" "), request, route_tables, route_table);
    put(Fact::RouteTables, action, |evidence| &mut evidence.route_tables, items)
}

fn route_table(table: sdk::RouteTable) -> RouteTable {
    RouteTable {
        route_table_id: table.route_table_id,
        vpc_id: table.vpc_id,
        associations: list(table.associations, |association| RouteTableAssociation {
            main: association.main,
            subnet_id: association.subnet_id,
            gateway_id: association.gateway_id,
        }),
        routes: list(table.routes, |route| Route {
            destination_cidr_block: route.destination_cidr_block,
            destination_ipv6_cidr_block: route.destination_ipv6_cidr_block,
            destination_prefix_list_id: route.destination_prefix_list_id,
            gateway_id: route.gateway_id,
            nat_gateway_id: route.nat_gateway_id,
            instance_id: route.instance_id,
            network_interface_id: route.network_interface_id,
            transit_gateway_id: route.transit_gateway_id,
            vpc_peering_connection_id: route.vpc_peering_connection_id,
            egress_only_internet_gateway_id: route.egress_only_internet_gateway_id,
            local_gateway_id: route.local_gateway_id,
            carrier_gateway_id: route.carrier_gateway_id,
            core_network_arn: route.core_network_arn,
            origin: word(route.origin),
            state: word(route.state),
        }),
    }
}

async fn network_acls(caller: &Caller, clients: &Clients, vpcs: &[String]) -> PatchResult {
    let action = "ec2:DescribeNetworkAcls";
    let request = clients.ec2.describe_network_acls().filters(filter(VPC_ID, vpcs));
    let items = all_pages!(caller, action, &vpcs.join(" "), request, network_acls, network_acl);
    put(Fact::NetworkAcls, action, |evidence| &mut evidence.network_acls, items)
}

fn network_acl(acl: sdk::NetworkAcl) -> NetworkAcl {
    NetworkAcl {
        network_acl_id: acl.network_acl_id,
        vpc_id: acl.vpc_id,
        is_default: acl.is_default,
        associations: list(acl.associations, |association| NetworkAclAssociation {
            network_acl_id: association.network_acl_id,
            subnet_id: association.subnet_id,
        }),
        entries: list(acl.entries, |entry| NetworkAclEntry {
            rule_number: entry.rule_number.map(i64::from),
            egress: entry.egress,
            protocol: entry.protocol,
            rule_action: word(entry.rule_action),
            cidr_block: entry.cidr_block,
            ipv6_cidr_block: entry.ipv6_cidr_block,
            port_range: entry.port_range.map(|range| PortRange {
                from: range.from.map(i64::from),
                to: range.to.map(i64::from),
            }),
        }),
    }
}

async fn security_groups(caller: &Caller, clients: &Clients, vpcs: &[String]) -> PatchResult {
    security_groups_with(VPC_ID, caller, clients, vpcs).await
}

async fn security_groups_by_id(caller: &Caller, clients: &Clients, ids: &[String]) -> PatchResult {
    security_groups_with("group-id", caller, clients, ids).await
}

async fn security_groups_with(
    attribute: &str,
    caller: &Caller,
    clients: &Clients,
    values: &[String],
) -> PatchResult {
    let action = "ec2:DescribeSecurityGroups";
    let request = clients.ec2.describe_security_groups().filters(filter(attribute, values));
    let convert = |group: sdk::SecurityGroup| SecurityGroup {
        group_id: group.group_id,
        group_name: group.group_name,
        owner_id: group.owner_id,
        vpc_id: group.vpc_id,
        ip_permissions: list(group.ip_permissions, permission),
        ip_permissions_egress: list(group.ip_permissions_egress, permission),
    };
    let items = all_pages!(caller, action, &values.join(" "), request, security_groups, convert);
    put(Fact::SecurityGroups, action, |evidence| &mut evidence.security_groups, items)
}

async fn group_associations(caller: &Caller, clients: &Clients, vpcs: &[String]) -> PatchResult {
    let action = "ec2:DescribeSecurityGroupVpcAssociations";
    let request = clients.ec2.describe_security_group_vpc_associations();
    let request = request.filters(filter(VPC_ID, vpcs));
    let convert = |association: sdk::SecurityGroupVpcAssociation| SecurityGroupVpcAssociation {
        group_id: association.group_id,
        vpc_id: association.vpc_id,
        state: word(association.state),
    };
    let items = all_pages!(
        caller,
        action,
        &vpcs.join(" "),
        request,
        security_group_vpc_associations,
        convert
    );
    let fact = Fact::SecurityGroupVpcAssociations;
    put(fact, action, |evidence| &mut evidence.security_group_vpc_associations, items)
}

/// The groups that are associated with our VPCs and that their lists do not hold.
fn associated_groups(scene: &Scene) -> Vec<String> {
    let evidence = &scene.evidence;
    let seen: BTreeSet<&String> = evidence
        .security_groups
        .known()
        .into_iter()
        .flatten()
        .filter_map(|g| g.group_id.as_ref())
        .collect();
    let associations = evidence.security_group_vpc_associations.known().into_iter().flatten();
    let named: BTreeSet<&String> = associations.filter_map(|one| one.group_id.as_ref()).collect();
    named.difference(&seen).map(|id| (*id).clone()).collect()
}

fn permission(rule: sdk::IpPermission) -> IpPermission {
    IpPermission {
        ip_protocol: rule.ip_protocol,
        from_port: rule.from_port.map(i64::from),
        to_port: rule.to_port.map(i64::from),
        ip_ranges: list(rule.ip_ranges, |range| IpRange {
            cidr_ip: range.cidr_ip,
            description: range.description,
        }),
        ipv6_ranges: list(rule.ipv6_ranges, |range| Ipv6Range {
            cidr_ipv6: range.cidr_ipv6,
            description: range.description,
        }),
        prefix_list_ids: list(rule.prefix_list_ids, |prefixes| PrefixListId {
            prefix_list_id: prefixes.prefix_list_id,
            description: prefixes.description,
        }),
        user_id_group_pairs: list(rule.user_id_group_pairs, |pair| UserIdGroupPair {
            group_id: pair.group_id,
            user_id: pair.user_id,
            vpc_id: pair.vpc_id,
            vpc_peering_connection_id: pair.vpc_peering_connection_id,
            peering_status: pair.peering_status,
            description: pair.description,
        }),
    }
}

async fn network_interfaces(caller: &Caller, clients: &Clients, vpcs: &[String]) -> PatchResult {
    let action = "ec2:DescribeNetworkInterfaces";
    let request = clients.ec2.describe_network_interfaces().filters(filter(VPC_ID, vpcs));
    let request = request.max_results(1000);
    let items =
        all_pages!(caller, action, &vpcs.join(" "), request, network_interfaces, network_interface);
    put(Fact::NetworkInterfaces, action, |evidence| &mut evidence.network_interfaces, items)
}

fn network_interface(interface: sdk::NetworkInterface) -> NetworkInterface {
    NetworkInterface {
        network_interface_id: interface.network_interface_id,
        vpc_id: interface.vpc_id,
        subnet_id: interface.subnet_id,
        availability_zone: interface.availability_zone,
        description: interface.description,
        interface_type: word(interface.interface_type),
        status: word(interface.status),
        source_dest_check: interface.source_dest_check,
        groups: list(interface.groups, |group| GroupIdentifier {
            group_id: group.group_id,
            group_name: group.group_name,
        }),
        private_ip_addresses: list(interface.private_ip_addresses, |address| PrivateIpAddress {
            private_ip_address: address.private_ip_address,
            primary: address.primary,
        }),
        ipv6_addresses: list(interface.ipv6_addresses, |address| Ipv6Address {
            ipv6_address: address.ipv6_address,
        }),
        association: interface
            .association
            .map(|association| InterfaceAssociation { public_ip: association.public_ip }),
        requester_managed: interface.requester_managed,
    }
}

async fn block_public_access(caller: &Caller, clients: &Clients) -> PatchResult {
    let request = clients.ec2.describe_vpc_block_public_access_options();
    let answer = caller.call("ec2:DescribeVpcBlockPublicAccessOptions", "", request.send()).await?;
    let options =
        answer.vpc_block_public_access_options.map(|options| VpcBlockPublicAccessOptions {
            internet_gateway_block_mode: word(options.internet_gateway_block_mode),
            state: word(options.state),
            exclusions_allowed: word(options.exclusions_allowed),
            exclusions: None,
        });
    patch(move |scene| scene.evidence.vpc_block_public_access_options = options.into())
}

/// Whether there may be exclusions that matter.
fn may_exclude(scene: &Scene) -> bool {
    scene.evidence.vpc_block_public_access_options.known().is_some_and(|options| {
        let mode = options.internet_gateway_block_mode.as_deref();
        mode.is_some_and(|mode| mode != "off")
            && options.exclusions_allowed.as_deref() == Some("allowed")
    })
}

async fn exclusions(caller: &Caller, clients: &Clients) -> PatchResult {
    let action = "ec2:DescribeVpcBlockPublicAccessExclusions";
    let request = clients.ec2.describe_vpc_block_public_access_exclusions();
    let mut pages = pages!(caller, action, "", usize::MAX, request, set_next_token, next_token);
    let mut exclusions = Vec::new();
    while let Some(page) = pages.next().await? {
        exclusions.extend(list(page.vpc_block_public_access_exclusions, |exclusion| {
            VpcBlockPublicAccessExclusion {
                exclusion_id: exclusion.exclusion_id,
                resource_arn: exclusion.resource_arn,
                internet_gateway_exclusion_mode: word(exclusion.internet_gateway_exclusion_mode),
                state: word(exclusion.state),
            }
        }));
    }
    patch(move |scene| {
        if let Some(options) = scene.evidence.vpc_block_public_access_options.known_mut() {
            options.exclusions = Some(exclusions);
        }
    })
}
