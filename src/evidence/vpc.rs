//! EC2: VPCs, subnets, routes, filters and interfaces.

use super::shape::shapes;
use super::value::{items_of_no_vpc, items_with_a_vpc_id, single_values};

shapes! {
    /// DescribeVpcs.
    Vpc {
        vpc_id: Option<String>,
        owner_id: Option<String>,
        /// First IPv4 block.
        cidr_block: Option<String>,
        dhcp_options_id: Option<String>,
        /// IPv4 blocks.
        cidr_block_association_set: Vec<CidrBlockAssociation>,
        /// IPv6 blocks.
        ipv6_cidr_block_association_set: Vec<Ipv6CidrBlockAssociation>,
    }

    /// An IPv4 block.
    CidrBlockAssociation {
        cidr_block: Option<String>,
        /// `associated`, …
        cidr_block_state: Option<CidrBlockState>,
    }

    /// An IPv6 block.
    Ipv6CidrBlockAssociation {
        ipv6_cidr_block: Option<String>,
        /// `associated`, …
        ipv6_cidr_block_state: Option<CidrBlockState>,
    }

    /// State of a block.
    CidrBlockState {
        /// `associated`, …
        state: Option<String>,
    }

    /// DescribeVpcAttribute, joined by VPC id.
    VpcAttributes {
        /// Whether the VPC's resolver answers.
        enable_dns_support: Option<BooleanAttribute>,
        /// Whether private names of endpoints are served.
        enable_dns_hostnames: Option<BooleanAttribute>,
    }

    BooleanAttribute {
        value: Option<bool>,
    }

    /// DescribeDhcpOptions.
    DhcpOptions {
        dhcp_options_id: Option<String>,
        dhcp_configurations: Vec<DhcpConfiguration>,
    }

    /// One setting, such as `domain-name-servers`.
    DhcpConfiguration {
        key: Option<String>,
        values: Vec<AttributeValue>,
    }

    AttributeValue {
        value: Option<String>,
    }

    /// DescribeSubnets.
    Subnet {
        subnet_id: Option<String>,
        vpc_id: Option<String>,
        /// IPv4 block.
        cidr_block: Option<String>,
        availability_zone: Option<String>,
        available_ip_address_count: Option<i64>,
        /// IPv6 blocks.
        ipv6_cidr_block_association_set: Vec<Ipv6CidrBlockAssociation>,
    }

    /// DescribeRouteTables.
    RouteTable {
        route_table_id: Option<String>,
        vpc_id: Option<String>,
        associations: Vec<RouteTableAssociation>,
        routes: Vec<Route>,
    }

    /// An association of a route table.
    RouteTableAssociation {
        /// Whether this is the VPC's main table.
        main: Option<bool>,
        subnet_id: Option<String>,
        gateway_id: Option<String>,
    }

    Route {
        /// IPv4 destination.
        destination_cidr_block: Option<String>,
        /// IPv6 destination.
        destination_ipv6_cidr_block: Option<String>,
        destination_prefix_list_id: Option<String>,
        /// Internet, virtual private or `local`; gateway endpoints too.
        gateway_id: Option<String>,
        nat_gateway_id: Option<String>,
        instance_id: Option<String>,
        network_interface_id: Option<String>,
        transit_gateway_id: Option<String>,
        vpc_peering_connection_id: Option<String>,
        egress_only_internet_gateway_id: Option<String>,
        local_gateway_id: Option<String>,
        carrier_gateway_id: Option<String>,
        core_network_arn: Option<String>,
        /// How it came to be.
        origin: Option<String>,
        /// `active` or `blackhole`.
        state: Option<String>,
    }

    /// DescribeNetworkAcls.
    NetworkAcl {
        network_acl_id: Option<String>,
        vpc_id: Option<String>,
        /// Whether it is the VPC's default.
        is_default: Option<bool>,
        associations: Vec<NetworkAclAssociation>,
        entries: Vec<NetworkAclEntry>,
    }

    /// A subnet of a network ACL.
    NetworkAclAssociation {
        network_acl_id: Option<String>,
        subnet_id: Option<String>,
    }

    /// A rule of a network ACL.
    NetworkAclEntry {
        rule_number: Option<i64>,
        egress: Option<bool>,
        /// Number, or `-1`.
        protocol: Option<String>,
        /// `allow` or `deny`.
        rule_action: Option<String>,
        /// IPv4.
        cidr_block: Option<String>,
        /// IPv6.
        ipv6_cidr_block: Option<String>,
        port_range: Option<PortRange>,
    }

    /// Ports, both ends included.
    PortRange {
        from: Option<i64>,
        to: Option<i64>,
    }

    /// DescribeSecurityGroups.
    SecurityGroup {
        group_id: Option<String>,
        group_name: Option<String>,
        owner_id: Option<String>,
        vpc_id: Option<String>,
        ip_permissions: Vec<IpPermission>,
        ip_permissions_egress: Vec<IpPermission>,
    }

    /// DescribeSecurityGroupVpcAssociations: a group that acts in a VPC which is not its own.
    SecurityGroupVpcAssociation {
        /// Id of the group.
        group_id: Option<String>,
        /// The VPC that it is associated with.
        vpc_id: Option<String>,
        /// `associated`, `associating`, `association-failed`, `disassociating`, …
        state: Option<String>,
    }

    /// A rule of a security group.
    IpPermission {
        /// `tcp`, a number, or `-1`.
        ip_protocol: Option<String>,
        from_port: Option<i64>,
        to_port: Option<i64>,
        /// IPv4.
        ip_ranges: Vec<IpRange>,
        /// IPv6.
        ipv6_ranges: Vec<Ipv6Range>,
        prefix_list_ids: Vec<PrefixListId>,
        user_id_group_pairs: Vec<UserIdGroupPair>,
    }

    /// An IPv4 range.
    IpRange {
        cidr_ip: Option<String>,
        description: Option<String>,
    }

    /// An IPv6 range.
    Ipv6Range {
        cidr_ipv6: Option<String>,
        description: Option<String>,
    }

    PrefixListId {
        prefix_list_id: Option<String>,
        description: Option<String>,
    }

    /// A referenced group.
    UserIdGroupPair {
        group_id: Option<String>,
        user_id: Option<String>,
        /// VPC, for a peered group.
        vpc_id: Option<String>,
        vpc_peering_connection_id: Option<String>,
        /// `active`, `deleted`, …
        peering_status: Option<String>,
        description: Option<String>,
    }

    /// DescribeNetworkInterfaces.
    NetworkInterface {
        network_interface_id: Option<String>,
        vpc_id: Option<String>,
        subnet_id: Option<String>,
        availability_zone: Option<String>,
        description: Option<String>,
        /// `lambda`, `vpc_endpoint`, …
        interface_type: Option<String>,
        /// `in-use`, …
        status: Option<String>,
        /// Whether it drops transit traffic.
        source_dest_check: Option<bool>,
        groups: Vec<GroupIdentifier>,
        /// IPv4 addresses.
        private_ip_addresses: Vec<PrivateIpAddress>,
        /// IPv6 addresses.
        ipv6_addresses: Vec<Ipv6Address>,
        association: Option<InterfaceAssociation>,
        /// Whether an AWS service made it.
        requester_managed: Option<bool>,
    }

    /// A group, by id.
    GroupIdentifier {
        group_id: Option<String>,
        group_name: Option<String>,
    }

    PrivateIpAddress {
        private_ip_address: Option<String>,
        /// Whether it is the first.
        primary: Option<bool>,
    }

    /// An IPv6 address.
    Ipv6Address {
        ipv6_address: Option<String>,
    }

    /// A public address of an interface.
    InterfaceAssociation {
        public_ip: Option<String>,
    }

    /// DescribeVpcBlockPublicAccessOptions.
    VpcBlockPublicAccessOptions {
        /// `off`, `block-bidirectional`, `block-ingress`.
        internet_gateway_block_mode: Option<String>,
        /// `default-state`, `update-complete`, …
        state: Option<String>,
        /// `allowed`, `not-allowed`.
        exclusions_allowed: Option<String>,
        /// DescribeVpcBlockPublicAccessExclusions; missing where that was not asked.
        exclusions: Option<Vec<VpcBlockPublicAccessExclusion>>,
    }

    /// A VPC or a subnet that is excluded from VPC Block Public Access.
    VpcBlockPublicAccessExclusion {
        /// `eepbe-…`.
        exclusion_id: Option<String>,
        /// ARN of the VPC or the subnet.
        resource_arn: Option<String>,
        /// `allow-bidirectional`, `allow-egress`.
        internet_gateway_exclusion_mode: Option<String>,
        /// `create-complete`, `delete-in-progress`, …
        state: Option<String>,
    }
}

items_of_no_vpc!(DhcpOptions);
items_with_a_vpc_id!(
    NetworkAcl,
    NetworkInterface,
    RouteTable,
    SecurityGroup,
    SecurityGroupVpcAssociation,
    Subnet,
    Vpc
);
single_values!(VpcBlockPublicAccessOptions);
