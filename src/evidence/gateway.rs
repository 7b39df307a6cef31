//! EC2 and Route 53: endpoints, gateways, peerings, and how names resolve.

use std::collections::BTreeSet;

use super::value::{
    ListItem, is_one_of, items_attached_to_vpcs, items_of_no_vpc, items_with_a_vpc_id,
};
use super::{PolicyDocument, shape::shapes, vpc::GroupIdentifier};

shapes! {
    /// DescribeVpcEndpoints.
    VpcEndpoint {
        vpc_endpoint_id: Option<String>,
        /// `Interface`, `Gateway`, …
        vpc_endpoint_type: Option<String>,
        vpc_id: Option<String>,
        /// Such as `com.amazonaws.eu-west-1.secretsmanager`.
        service_name: Option<String>,
        /// `available`, …
        state: Option<String>,
        policy_document: Option<PolicyDocument>,
        subnet_ids: Vec<String>,
        groups: Vec<GroupIdentifier>,
        /// Route tables (gateway endpoints).
        route_table_ids: Vec<String>,
        private_dns_enabled: Option<bool>,
        network_interface_ids: Vec<String>,
        dns_entries: Vec<DnsEntry>,
        /// `ipv4`, `ipv6`, `dualstack`.
        ip_address_type: Option<String>,
    }

    /// A name of an endpoint.
    DnsEntry {
        dns_name: Option<String>,
        hosted_zone_id: Option<String>,
    }

    /// DescribeNatGateways.
    NatGateway {
        nat_gateway_id: Option<String>,
        vpc_id: Option<String>,
        subnet_id: Option<String>,
        /// `available`, `failed`, …
        state: Option<String>,
        /// `public` or `private`.
        connectivity_type: Option<String>,
        /// `zonal` or `regional`.
        availability_mode: Option<String>,
        nat_gateway_addresses: Vec<NatGatewayAddress>,
        /// Why it failed.
        failure_message: Option<String>,
    }

    /// An address of a NAT gateway.
    NatGatewayAddress {
        private_ip: Option<String>,
        public_ip: Option<String>,
    }

    /// DescribeInternetGateways.
    InternetGateway {
        internet_gateway_id: Option<String>,
        attachments: Vec<GatewayAttachment>,
    }

    /// DescribeEgressOnlyInternetGateways.
    EgressOnlyInternetGateway {
        egress_only_internet_gateway_id: Option<String>,
        attachments: Vec<GatewayAttachment>,
    }

    /// A VPC of a gateway.
    GatewayAttachment {
        /// `available`, `attached`, …
        state: Option<String>,
        vpc_id: Option<String>,
    }

    /// DescribeVpcPeeringConnections.
    VpcPeeringConnection {
        vpc_peering_connection_id: Option<String>,
        requester_vpc_info: Option<PeeringVpcInfo>,
        accepter_vpc_info: Option<PeeringVpcInfo>,
        status: Option<PeeringStatus>,
    }

    /// One side of a peering.
    PeeringVpcInfo {
        vpc_id: Option<String>,
        owner_id: Option<String>,
        region: Option<String>,
        cidr_block: Option<String>,
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
        message: Option<String>,
    }

    /// DescribeTransitGateways.
    TransitGateway {
        transit_gateway_id: Option<String>,
        /// `available`, …
        state: Option<String>,
        owner_id: Option<String>,
        options: Option<TransitGatewayOptions>,
    }

    /// Options of a transit gateway or of an attachment.
    TransitGatewayOptions {
        /// `enable` or `disable`.
        security_group_referencing_support: Option<String>,
    }

    /// DescribeTransitGatewayVpcAttachments.
    TransitGatewayVpcAttachment {
        transit_gateway_attachment_id: Option<String>,
        transit_gateway_id: Option<String>,
        vpc_id: Option<String>,
        /// `available`, …
        state: Option<String>,
        subnet_ids: Vec<String>,
        options: Option<TransitGatewayOptions>,
    }

    /// A transit gateway route table with the joins of ours: its associations
    /// and routes.
    TransitGatewayRouteTable {
        transit_gateway_route_table_id: Option<String>,
        transit_gateway_id: Option<String>,
        /// Attachments that use it.
        associated_attachments: Vec<String>,
        routes: Vec<TransitGatewayRoute>,
    }

    /// A route of a transit gateway route table.
    TransitGatewayRoute {
        destination_cidr_block: Option<String>,
        /// The attachment that is the target.
        attachment: Option<String>,
        /// `active` or `blackhole`.
        state: Option<String>,
    }

    /// A private hosted zone with its records, joined by VPC id.
    HostedZone {
        hosted_zone_id: Option<String>,
        name: Option<String>,
        records: Vec<HostedZoneRecord>,
    }

    HostedZoneRecord {
        name: Option<String>,
        /// `A`, `AAAA`, `CNAME`.
        record_type as "Type": Option<String>,
        values: Vec<String>,
    }

    /// A resolver rule with the VPCs it is associated with.
    ResolverRule {
        resolver_rule_id: Option<String>,
        domain_name: Option<String>,
        /// `FORWARD`, `SYSTEM`, `RECURSIVE`.
        rule_type: Option<String>,
        target_ips: Vec<String>,
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
