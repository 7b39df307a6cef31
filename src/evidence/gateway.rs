//! EC2 and Route 53: endpoints, gateways, peerings, and how names resolve.

use std::collections::BTreeSet;

use super::value::{
    ListItem, is_one_of, items_attached_to_vpcs, items_of_no_vpc, items_with_a_vpc_id,
};
use super::{PolicyDocument, shape::shapes, vpc::GroupIdentifier};

shapes! {
    /// DescribeVpcEndpoints.
    VpcEndpoint {
        /// Id.
        vpc_endpoint_id: Option<String>,
        /// `Interface`, `Gateway`, …
        vpc_endpoint_type: Option<String>,
        /// VPC.
        vpc_id: Option<String>,
        /// Such as `com.amazonaws.eu-west-1.secretsmanager`.
        service_name: Option<String>,
        /// `available`, …
        state: Option<String>,
        /// Endpoint policy.
        policy_document: Option<PolicyDocument>,
        /// Subnets.
        subnet_ids: Vec<String>,
        /// Groups.
        groups: Vec<GroupIdentifier>,
        /// Route tables (gateway endpoints).
        route_table_ids: Vec<String>,
        /// Private DNS.
        private_dns_enabled: Option<bool>,
        /// Interfaces.
        network_interface_ids: Vec<String>,
        /// Names.
        dns_entries: Vec<DnsEntry>,
        /// `ipv4`, `ipv6`, `dualstack`.
        ip_address_type: Option<String>,
    }

    /// A name of an endpoint.
    DnsEntry {
        /// Name.
        dns_name: Option<String>,
        /// Zone.
        hosted_zone_id: Option<String>,
    }

    /// DescribeNatGateways.
    NatGateway {
        /// Id.
        nat_gateway_id: Option<String>,
        /// VPC.
        vpc_id: Option<String>,
        /// Subnet.
        subnet_id: Option<String>,
        /// `available`, `failed`, …
        state: Option<String>,
        /// `public` or `private`.
        connectivity_type: Option<String>,
        /// `zonal` or `regional`.
        availability_mode: Option<String>,
        /// Addresses.
        nat_gateway_addresses: Vec<NatGatewayAddress>,
        /// Why it failed.
        failure_message: Option<String>,
    }

    /// An address of a NAT gateway.
    NatGatewayAddress {
        /// Private.
        private_ip: Option<String>,
        /// Public.
        public_ip: Option<String>,
    }

    /// DescribeInternetGateways.
    InternetGateway {
        /// Id.
        internet_gateway_id: Option<String>,
        /// VPCs.
        attachments: Vec<GatewayAttachment>,
    }

    /// DescribeEgressOnlyInternetGateways.
    EgressOnlyInternetGateway {
        /// Id.
        egress_only_internet_gateway_id: Option<String>,
        /// VPCs.
        attachments: Vec<GatewayAttachment>,
    }

    /// A VPC of a gateway.
    GatewayAttachment {
        /// `available`, `attached`, …
        state: Option<String>,
        /// VPC.
        vpc_id: Option<String>,
    }

    /// DescribeVpcPeeringConnections.
    VpcPeeringConnection {
        /// Id.
        vpc_peering_connection_id: Option<String>,
        /// One side.
        requester_vpc_info: Option<PeeringVpcInfo>,
        /// The other.
        accepter_vpc_info: Option<PeeringVpcInfo>,
        /// State.
        status: Option<PeeringStatus>,
    }

    /// One side of a peering.
    PeeringVpcInfo {
        /// VPC.
        vpc_id: Option<String>,
        /// Account.
        owner_id: Option<String>,
        /// Region.
        region: Option<String>,
        /// First block.
        cidr_block: Option<String>,
        /// Options.
        peering_options: Option<PeeringOptions>,
    }

    /// Options of a side.
    PeeringOptions {
        /// Whether names resolve to private addresses across the peering.
        allow_dns_resolution_from_remote_vpc: Option<bool>,
    }

    /// State of a peering.
    PeeringStatus {
        /// `active`, `pending-acceptance`, …
        code: Option<String>,
        /// Why.
        message: Option<String>,
    }

    /// DescribeTransitGateways.
    TransitGateway {
        /// Id.
        transit_gateway_id: Option<String>,
        /// `available`, …
        state: Option<String>,
        /// Account.
        owner_id: Option<String>,
        /// Options.
        options: Option<TransitGatewayOptions>,
    }

    /// Options of a transit gateway or of an attachment.
    TransitGatewayOptions {
        /// `enable` or `disable`.
        security_group_referencing_support: Option<String>,
    }

    /// DescribeTransitGatewayVpcAttachments.
    TransitGatewayVpcAttachment {
        /// Id.
        transit_gateway_attachment_id: Option<String>,
        /// Gateway.
        transit_gateway_id: Option<String>,
        /// VPC.
        vpc_id: Option<String>,
        /// `available`, …
        state: Option<String>,
        /// Subnets.
        subnet_ids: Vec<String>,
        /// Options.
        options: Option<TransitGatewayOptions>,
    }

    /// A transit gateway route table with the joins of ours: its associations
    /// and routes.
    TransitGatewayRouteTable {
        /// Id.
        transit_gateway_route_table_id: Option<String>,
        /// Gateway.
        transit_gateway_id: Option<String>,
        /// Attachments that use it.
        associated_attachments: Vec<String>,
        /// Routes.
        routes: Vec<TransitGatewayRoute>,
    }

    /// A route of a transit gateway route table.
    TransitGatewayRoute {
        /// Destination.
        destination_cidr_block: Option<String>,
        /// Attachment it leads to.
        attachment: Option<String>,
        /// `active` or `blackhole`.
        state: Option<String>,
    }

    /// A private hosted zone with its records, joined by VPC id.
    HostedZone {
        /// Id.
        hosted_zone_id: Option<String>,
        /// Name.
        name: Option<String>,
        /// Records.
        records: Vec<HostedZoneRecord>,
    }

    /// A record.
    HostedZoneRecord {
        /// Name.
        name: Option<String>,
        /// `A`, `AAAA`, `CNAME`.
        record_type as "Type": Option<String>,
        /// Values.
        values: Vec<String>,
    }

    /// A resolver rule with the VPCs it is associated with.
    ResolverRule {
        /// Id.
        resolver_rule_id: Option<String>,
        /// Domain.
        domain_name: Option<String>,
        /// `FORWARD`, `SYSTEM`, `RECURSIVE`.
        rule_type: Option<String>,
        /// Servers.
        target_ips: Vec<String>,
        /// VPCs.
        vpc_ids: Vec<String>,
    }
}

items_attached_to_vpcs!(EgressOnlyInternetGateway, InternetGateway);
items_of_no_vpc!(ResolverRule, TransitGateway, TransitGatewayRouteTable);
items_with_a_vpc_id!(NatGateway, TransitGatewayVpcAttachment, VpcEndpoint);

impl ListItem for VpcPeeringConnection {
    fn is_within(&self, vpcs: &BTreeSet<String>) -> bool {
        let sides = [&self.requester_vpc_info, &self.accepter_vpc_info];
        sides.into_iter().flatten().any(|side| is_one_of(&side.vpc_id, vpcs))
    }
}
