//! EC2: VPCs, subnets, routes, filters and interfaces.

use super::shape::shapes;
use super::value::{items_of_no_vpc, items_with_a_vpc_id, single_values};

shapes! {
    /// DescribeVpcs.
    Vpc {
        /// Id.
        vpc_id: Option<String>,
        /// Account.
        owner_id: Option<String>,
        /// First IPv4 block.
        cidr_block: Option<String>,
        /// DHCP options.
        dhcp_options_id: Option<String>,
        /// IPv4 blocks.
        cidr_block_association_set: Vec<CidrBlockAssociation>,
        /// IPv6 blocks.
        ipv6_cidr_block_association_set: Vec<Ipv6CidrBlockAssociation>,
    }

    /// An IPv4 block.
    CidrBlockAssociation {
        /// Block.
        cidr_block: Option<String>,
        /// `associated`, …
        cidr_block_state: Option<CidrBlockState>,
    }

    /// An IPv6 block.
    Ipv6CidrBlockAssociation {
        /// Block.
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

    /// An attribute.
    BooleanAttribute {
        /// Value.
        value: Option<bool>,
    }

    /// DescribeDhcpOptions.
    DhcpOptions {
        /// Id.
        dhcp_options_id: Option<String>,
        /// Settings.
        dhcp_configurations: Vec<DhcpConfiguration>,
    }

    /// One setting, such as `domain-name-servers`.
    DhcpConfiguration {
        /// Name.
        key: Option<String>,
        /// Values.
        values: Vec<AttributeValue>,
    }

    /// A value.
    AttributeValue {
        /// Text.
        value: Option<String>,
    }

    /// DescribeSubnets.
    Subnet {
        /// Id.
        subnet_id: Option<String>,
        /// VPC.
        vpc_id: Option<String>,
        /// IPv4 block.
        cidr_block: Option<String>,
        /// Zone.
        availability_zone: Option<String>,
        /// Free addresses.
        available_ip_address_count: Option<i64>,
        /// IPv6 blocks.
        ipv6_cidr_block_association_set: Vec<Ipv6CidrBlockAssociation>,
    }

    /// DescribeRouteTables.
    RouteTable {
        /// Id.
        route_table_id: Option<String>,
        /// VPC.
        vpc_id: Option<String>,
        /// Subnets.
        associations: Vec<RouteTableAssociation>,
        /// Routes.
        routes: Vec<Route>,
    }

    /// An association of a route table.
    RouteTableAssociation {
        /// Whether this is the VPC's main table.
        main: Option<bool>,
        /// Subnet.
        subnet_id: Option<String>,
        /// Gateway.
        gateway_id: Option<String>,
    }

    /// A route.
    Route {
        /// IPv4 destination.
        destination_cidr_block: Option<String>,
        /// IPv6 destination.
        destination_ipv6_cidr_block: Option<String>,
        /// Prefix list.
        destination_prefix_list_id: Option<String>,
        /// Internet, virtual private or `local`; gateway endpoints too.
        gateway_id: Option<String>,
        /// NAT gateway.
        nat_gateway_id: Option<String>,
        /// NAT instance.
        instance_id: Option<String>,
        /// Interface.
        network_interface_id: Option<String>,
        /// Transit gateway.
        transit_gateway_id: Option<String>,
        /// Peering.
        vpc_peering_connection_id: Option<String>,
        /// Egress-only gateway.
        egress_only_internet_gateway_id: Option<String>,
        /// Local gateway.
        local_gateway_id: Option<String>,
        /// Carrier gateway.
        carrier_gateway_id: Option<String>,
        /// Core network.
        core_network_arn: Option<String>,
        /// How it came to be.
        origin: Option<String>,
        /// `active` or `blackhole`.
        state: Option<String>,
    }

    /// DescribeNetworkAcls.
    NetworkAcl {
        /// Id.
        network_acl_id: Option<String>,
        /// VPC.
        vpc_id: Option<String>,
        /// Whether it is the VPC's default.
        is_default: Option<bool>,
        /// Subnets.
        associations: Vec<NetworkAclAssociation>,
        /// Rules.
        entries: Vec<NetworkAclEntry>,
    }

    /// A subnet of a network ACL.
    NetworkAclAssociation {
        /// ACL.
        network_acl_id: Option<String>,
        /// Subnet.
        subnet_id: Option<String>,
    }

    /// A rule of a network ACL.
    NetworkAclEntry {
        /// Order.
        rule_number: Option<i64>,
        /// Direction.
        egress: Option<bool>,
        /// Number, or `-1`.
        protocol: Option<String>,
        /// `allow` or `deny`.
        rule_action: Option<String>,
        /// IPv4.
        cidr_block: Option<String>,
        /// IPv6.
        ipv6_cidr_block: Option<String>,
        /// Ports.
        port_range: Option<PortRange>,
    }

    /// Ports, both ends included.
    PortRange {
        /// First.
        from: Option<i64>,
        /// Last.
        to: Option<i64>,
    }

    /// DescribeSecurityGroups.
    SecurityGroup {
        /// Id.
        group_id: Option<String>,
        /// Name.
        group_name: Option<String>,
        /// Account.
        owner_id: Option<String>,
        /// VPC.
        vpc_id: Option<String>,
        /// Ingress.
        ip_permissions: Vec<IpPermission>,
        /// Egress.
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
        /// First port.
        from_port: Option<i64>,
        /// Last port.
        to_port: Option<i64>,
        /// IPv4.
        ip_ranges: Vec<IpRange>,
        /// IPv6.
        ipv6_ranges: Vec<Ipv6Range>,
        /// Prefix lists.
        prefix_list_ids: Vec<PrefixListId>,
        /// Groups.
        user_id_group_pairs: Vec<UserIdGroupPair>,
    }

    /// An IPv4 range.
    IpRange {
        /// Range.
        cidr_ip: Option<String>,
        /// Description.
        description: Option<String>,
    }

    /// An IPv6 range.
    Ipv6Range {
        /// Range.
        cidr_ipv6: Option<String>,
        /// Description.
        description: Option<String>,
    }

    /// A prefix list.
    PrefixListId {
        /// Id.
        prefix_list_id: Option<String>,
        /// Description.
        description: Option<String>,
    }

    /// A referenced group.
    UserIdGroupPair {
        /// Group.
        group_id: Option<String>,
        /// Account.
        user_id: Option<String>,
        /// VPC, for a peered group.
        vpc_id: Option<String>,
        /// Peering.
        vpc_peering_connection_id: Option<String>,
        /// `active`, `deleted`, …
        peering_status: Option<String>,
        /// Description.
        description: Option<String>,
    }

    /// DescribeNetworkInterfaces.
    NetworkInterface {
        /// Id.
        network_interface_id: Option<String>,
        /// VPC.
        vpc_id: Option<String>,
        /// Subnet.
        subnet_id: Option<String>,
        /// Zone.
        availability_zone: Option<String>,
        /// Description.
        description: Option<String>,
        /// `lambda`, `vpc_endpoint`, …
        interface_type: Option<String>,
        /// `in-use`, …
        status: Option<String>,
        /// Whether it drops transit traffic.
        source_dest_check: Option<bool>,
        /// Groups.
        groups: Vec<GroupIdentifier>,
        /// IPv4 addresses.
        private_ip_addresses: Vec<PrivateIpAddress>,
        /// IPv6 addresses.
        ipv6_addresses: Vec<Ipv6Address>,
        /// Public address.
        association: Option<InterfaceAssociation>,
        /// Whether an AWS service made it.
        requester_managed: Option<bool>,
    }

    /// A group, by id.
    GroupIdentifier {
        /// Id.
        group_id: Option<String>,
        /// Name.
        group_name: Option<String>,
    }

    /// A private address.
    PrivateIpAddress {
        /// Address.
        private_ip_address: Option<String>,
        /// Whether it is the first.
        primary: Option<bool>,
    }

    /// An IPv6 address.
    Ipv6Address {
        /// Address.
        ipv6_address: Option<String>,
    }

    /// A public address of an interface.
    InterfaceAssociation {
        /// Address.
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
