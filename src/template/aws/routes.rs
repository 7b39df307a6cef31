//! Routes: the targets that a route may have, and the local route of every table.

use crate::evidence::{Route, RouteTableAssociation};

/// A target that a route may have.
pub(crate) struct RouteTarget {
    /// The property of CloudFormation.
    pub(crate) property: &'static str,
    /// The argument of Terraform.
    pub(crate) argument: &'static str,
    /// The kinds of Terraform that the argument may name, where few do.
    pub(crate) kinds: &'static [&'static str],
    /// The field of EC2's shape.
    pub(crate) field: fn(&mut Route) -> &mut Option<String>,
}

/// Every target that a route may have.
pub(crate) const TARGETS: &[RouteTarget] = &[
    RouteTarget {
        property: "GatewayId",
        argument: "gateway_id",
        kinds: &["aws_internet_gateway", "aws_vpn_gateway"],
        field: |route| &mut route.gateway_id,
    },
    RouteTarget {
        property: "NatGatewayId",
        argument: "nat_gateway_id",
        kinds: &["aws_nat_gateway"],
        field: |route| &mut route.nat_gateway_id,
    },
    RouteTarget {
        property: "InstanceId",
        argument: "instance_id",
        kinds: &[],
        field: |route| &mut route.instance_id,
    },
    RouteTarget {
        property: "NetworkInterfaceId",
        argument: "network_interface_id",
        kinds: &[],
        field: |route| &mut route.network_interface_id,
    },
    RouteTarget {
        property: "TransitGatewayId",
        argument: "transit_gateway_id",
        kinds: &["aws_ec2_transit_gateway"],
        field: |route| &mut route.transit_gateway_id,
    },
    RouteTarget {
        property: "VpcPeeringConnectionId",
        argument: "vpc_peering_connection_id",
        kinds: &["aws_vpc_peering_connection"],
        field: |route| &mut route.vpc_peering_connection_id,
    },
    RouteTarget {
        property: "EgressOnlyInternetGatewayId",
        argument: "egress_only_gateway_id",
        kinds: &["aws_egress_only_internet_gateway"],
        field: |route| &mut route.egress_only_internet_gateway_id,
    },
    RouteTarget {
        property: "LocalGatewayId",
        argument: "local_gateway_id",
        kinds: &[],
        field: |route| &mut route.local_gateway_id,
    },
    RouteTarget {
        property: "CarrierGatewayId",
        argument: "carrier_gateway_id",
        kinds: &[],
        field: |route| &mut route.carrier_gateway_id,
    },
    RouteTarget {
        property: "CoreNetworkArn",
        argument: "core_network_arn",
        kinds: &[],
        field: |route| &mut route.core_network_arn,
    },
    // EC2 shows the endpoint of a Gateway Load Balancer among the gateways.
    RouteTarget {
        property: "VpcEndpointId",
        argument: "vpc_endpoint_id",
        kinds: &[],
        field: |route| &mut route.gateway_id,
    },
];

/// The route that every table has, to its own VPC.
pub(crate) fn local(block: &str) -> Route {
    Route {
        destination_cidr_block: Some(block.to_owned()),
        gateway_id: Some("local".to_owned()),
        state: Some("active".to_owned()),
        origin: Some("CreateRouteTable".to_owned()),
        ..Route::default()
    }
}

/// A route that somebody creates: active.
pub(crate) fn created(route: Route) -> Route {
    Route { state: Some("active".to_owned()), origin: Some("CreateRoute".to_owned()), ..route }
}

/// The association of the main table of a VPC.
pub(crate) fn main_association() -> RouteTableAssociation {
    RouteTableAssociation { main: Some(true), ..RouteTableAssociation::default() }
}

/// The association of a table with a subnet.
pub(crate) fn association(subnet: String) -> RouteTableAssociation {
    RouteTableAssociation { subnet_id: Some(subnet), ..RouteTableAssociation::default() }
}
