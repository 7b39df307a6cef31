//! VPCs and what EC2 makes with each: its default group, its main route table, its DNS
//! attributes.

use crate::{
    evidence::{
        AttributeValue, BooleanAttribute, CidrBlockAssociation, CidrBlockState, DhcpConfiguration,
        DhcpOptions, Fact, IpPermission, IpRange, Ipv6CidrBlockAssociation, Ipv6Range,
        SecurityGroup, Subnet, UserIdGroupPair, Vpc, VpcAttributes,
    },
    template::{Draft, draft::entries},
};

/// The lists of what is in a VPC: where a file makes the VPC, what is not in a list is not
/// there.
pub(crate) const LISTS: &[Fact] = &[
    Fact::Subnets,
    Fact::SecurityGroups,
    Fact::NetworkAcls,
    Fact::RouteTables,
    Fact::VpcEndpoints,
    Fact::NatGateways,
    Fact::InternetGateways,
    Fact::EgressOnlyInternetGateways,
    Fact::VpcPeeringConnections,
    Fact::TransitGateways,
    Fact::TransitGatewayVpcAttachments,
    Fact::TransitGatewayRouteTables,
    Fact::DhcpOptions,
];

/// Whether an endpoint in a VPC is known that serves Secrets Manager.
pub(crate) fn serves_secrets_manager(draft: &Draft, vpc: &str) -> bool {
    entries(&draft.evidence.vpc_endpoints).iter().any(|endpoint| {
        endpoint.vpc_id.as_deref() == Some(vpc)
            && endpoint
                .service_name
                .as_deref()
                .is_some_and(|name| name.ends_with(".secretsmanager"))
    })
}

/// The id of the DHCP options that a VPC has where none are associated.
pub(crate) const DEFAULT_DHCP_OPTIONS: &str = "default";

fn associated() -> Option<CidrBlockState> {
    Some(CidrBlockState { state: Some("associated".to_owned()) })
}

/// A VPC with its IPv4 blocks, the first of which is its own.
pub(crate) fn vpc(
    id: &str,
    account: &str,
    blocks: Vec<String>,
    ipv6: Option<String>,
    dhcp_options: String,
) -> Vpc {
    let set = |block: &String| CidrBlockAssociation {
        cidr_block: Some(block.clone()),
        cidr_block_state: associated(),
    };
    Vpc {
        vpc_id: Some(id.to_owned()),
        owner_id: Some(account.to_owned()),
        dhcp_options_id: Some(dhcp_options),
        cidr_block_association_set: blocks.iter().map(set).collect(),
        cidr_block: blocks.into_iter().next(),
        ipv6_cidr_block_association_set: ipv6.into_iter().map(ipv6_block).collect(),
    }
}

fn ipv6_block(block: String) -> Ipv6CidrBlockAssociation {
    Ipv6CidrBlockAssociation { ipv6_cidr_block: Some(block), ipv6_cidr_block_state: associated() }
}

/// The DNS attributes of a VPC. Of one that is created, DNS support is on and host names
/// are off where nothing is said (Amazon VPC User Guide, "DNS attributes for your VPC").
pub(crate) fn attributes(support: Option<bool>, hostnames: Option<bool>) -> VpcAttributes {
    let attribute = |value: Option<bool>, default: bool| {
        Some(BooleanAttribute { value: Some(value.unwrap_or(default)) })
    };
    VpcAttributes {
        enable_dns_support: attribute(support, true),
        enable_dns_hostnames: attribute(hostnames, false),
    }
}

/// DHCP options, as far as they name servers.
pub(crate) fn dhcp_options(id: &str, servers: Vec<String>) -> DhcpOptions {
    let values: Vec<AttributeValue> =
        servers.into_iter().map(|server| AttributeValue { value: Some(server) }).collect();
    let servers = (!values.is_empty())
        .then(|| DhcpConfiguration { key: Some("domain-name-servers".to_owned()), values });
    DhcpOptions {
        dhcp_options_id: Some(id.to_owned()),
        dhcp_configurations: servers.into_iter().collect(),
    }
}

/// A subnet with its blocks.
pub(crate) fn subnet(
    id: &str,
    vpc: Option<String>,
    block: Option<String>,
    ipv6: Option<String>,
    zone: Option<String>,
) -> Subnet {
    Subnet {
        subnet_id: Some(id.to_owned()),
        vpc_id: vpc,
        cidr_block: block,
        availability_zone: zone,
        ipv6_cidr_block_association_set: ipv6.into_iter().map(ipv6_block).collect(),
        ..Subnet::default()
    }
}

/// What a new VPC's default group allows: all from itself, all to everywhere (Amazon VPC
/// User Guide, "Default security groups for your VPCs").
pub(crate) fn default_group(id: &str, vpc: &str, account: &str) -> SecurityGroup {
    let own = UserIdGroupPair {
        group_id: Some(id.to_owned()),
        user_id: Some(account.to_owned()),
        ..UserIdGroupPair::default()
    };
    SecurityGroup {
        group_id: Some(id.to_owned()),
        group_name: Some("default".to_owned()),
        owner_id: Some(account.to_owned()),
        vpc_id: Some(vpc.to_owned()),
        ip_permissions: vec![IpPermission {
            ip_protocol: Some("-1".to_owned()),
            user_id_group_pairs: vec![own],
            ..IpPermission::default()
        }],
        ip_permissions_egress: vec![everywhere()],
    }
}

/// The egress rule that EC2 puts into a group for which nobody writes one.
pub(crate) fn everywhere() -> IpPermission {
    IpPermission {
        ip_protocol: Some("-1".to_owned()),
        ip_ranges: vec![IpRange { cidr_ip: Some("0.0.0.0/0".to_owned()), ..IpRange::default() }],
        ipv6_ranges: vec![Ipv6Range { cidr_ipv6: Some("::/0".to_owned()), ..Ipv6Range::default() }],
        ..IpPermission::default()
    }
}
