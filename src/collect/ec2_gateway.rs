//! EC2: endpoints, gateways, peerings and transit gateways.

use std::collections::BTreeSet;

use aws_sdk_ec2::types as sdk;

use super::{
    call::Caller,
    convert::{document, list, word},
    ec2::{all_pages, filter},
    scene::{Association, Found, Scene, extend, found},
    session::Clients,
};
use crate::evidence::*;

pub(super) async fn vpc_endpoints(caller: &Caller, clients: &Clients, vpcs: &[String]) -> Found {
    let request = clients.ec2.describe_vpc_endpoints().filters(filter("vpc-id", vpcs));
    let (items, _) = all_pages!(
        caller,
        "ec2:DescribeVpcEndpoints",
        &vpcs.join(" "),
        request,
        vpc_endpoints,
        vpc_endpoint
    );
    found(move |scene| extend(&mut scene.evidence.vpc_endpoints, items))
}

fn vpc_endpoint(endpoint: sdk::VpcEndpoint) -> VpcEndpoint {
    VpcEndpoint {
        vpc_endpoint_id: endpoint.vpc_endpoint_id,
        vpc_endpoint_type: word(endpoint.vpc_endpoint_type),
        vpc_id: endpoint.vpc_id,
        service_name: endpoint.service_name,
        state: word(endpoint.state),
        policy_document: endpoint
            .policy_document
            .filter(|text| !text.trim().is_empty())
            .as_deref()
            .map(document),
        subnet_ids: endpoint.subnet_ids.unwrap_or_default(),
        groups: list(endpoint.groups, |group| GroupIdentifier {
            group_id: group.group_id,
            group_name: group.group_name,
        }),
        route_table_ids: endpoint.route_table_ids.unwrap_or_default(),
        private_dns_enabled: endpoint.private_dns_enabled,
        network_interface_ids: endpoint.network_interface_ids.unwrap_or_default(),
        dns_entries: list(endpoint.dns_entries, |entry| DnsEntry {
            dns_name: entry.dns_name,
            hosted_zone_id: entry.hosted_zone_id,
        }),
        ip_address_type: word(endpoint.ip_address_type),
    }
}

pub(super) async fn nat_gateways(caller: &Caller, clients: &Clients, vpcs: &[String]) -> Found {
    let request = clients.ec2.describe_nat_gateways().filter(filter("vpc-id", vpcs));
    let convert = |gateway: sdk::NatGateway| NatGateway {
        nat_gateway_id: gateway.nat_gateway_id,
        vpc_id: gateway.vpc_id,
        subnet_id: gateway.subnet_id,
        state: word(gateway.state),
        connectivity_type: word(gateway.connectivity_type),
        availability_mode: word(gateway.availability_mode),
        nat_gateway_addresses: list(gateway.nat_gateway_addresses, |address| NatGatewayAddress {
            private_ip: address.private_ip,
            public_ip: address.public_ip,
        }),
        failure_message: gateway.failure_message,
    };
    let (items, _) = all_pages!(
        caller,
        "ec2:DescribeNatGateways",
        &vpcs.join(" "),
        request,
        nat_gateways,
        convert
    );
    found(move |scene| extend(&mut scene.evidence.nat_gateways, items))
}

fn attachment(vpc_id: Option<String>, state: Option<String>) -> GatewayAttachment {
    GatewayAttachment { state, vpc_id }
}

pub(super) async fn internet_gateways(
    caller: &Caller,
    clients: &Clients,
    vpcs: &[String],
) -> Found {
    let request = clients.ec2.describe_internet_gateways();
    let request = request.filters(filter("attachment.vpc-id", vpcs));
    let convert = |gateway: sdk::InternetGateway| InternetGateway {
        internet_gateway_id: gateway.internet_gateway_id,
        attachments: list(gateway.attachments, |a| attachment(a.vpc_id, word(a.state))),
    };
    let (items, _) = all_pages!(
        caller,
        "ec2:DescribeInternetGateways",
        &vpcs.join(" "),
        request,
        internet_gateways,
        convert
    );
    found(move |scene| extend(&mut scene.evidence.internet_gateways, items))
}

/// The API cannot filter these by VPC.
pub(super) async fn egress_only(caller: &Caller, clients: &Clients, vpcs: &[String]) -> Found {
    let request = clients.ec2.describe_egress_only_internet_gateways();
    let convert = |gateway: sdk::EgressOnlyInternetGateway| EgressOnlyInternetGateway {
        egress_only_internet_gateway_id: gateway.egress_only_internet_gateway_id,
        attachments: list(gateway.attachments, |a| attachment(a.vpc_id, word(a.state))),
    };
    let (mut items, _) = all_pages!(
        caller,
        "ec2:DescribeEgressOnlyInternetGateways",
        "",
        request,
        egress_only_internet_gateways,
        convert
    );
    items.retain(|gateway| {
        let attached = gateway.attachments.iter().filter_map(|a| a.vpc_id.as_ref());
        attached.into_iter().any(|vpc| vpcs.contains(vpc))
    });
    found(move |scene| extend(&mut scene.evidence.egress_only_internet_gateways, items))
}

/// One side of the peerings; filters on both sides at once would have to hold
/// both.
pub(super) async fn peerings(
    caller: &Caller,
    clients: &Clients,
    side: &'static str,
    vpcs: &[String],
) -> Found {
    let request = clients.ec2.describe_vpc_peering_connections().filters(filter(side, vpcs));
    let convert = |peering: sdk::VpcPeeringConnection| VpcPeeringConnection {
        vpc_peering_connection_id: peering.vpc_peering_connection_id,
        requester_vpc_info: peering.requester_vpc_info.map(peering_side),
        accepter_vpc_info: peering.accepter_vpc_info.map(peering_side),
        status: peering
            .status
            .map(|status| PeeringStatus { code: word(status.code), message: status.message }),
    };
    let (items, _) = all_pages!(
        caller,
        "ec2:DescribeVpcPeeringConnections",
        &vpcs.join(" "),
        request,
        vpc_peering_connections,
        convert
    );
    found(move |scene| {
        let known = &mut scene.evidence.vpc_peering_connections;
        let seen: BTreeSet<Option<String>> = known
            .known()
            .into_iter()
            .flatten()
            .map(|peering| peering.vpc_peering_connection_id.clone())
            .collect();
        let fresh = items
            .into_iter()
            .filter(|peering| !seen.contains(&peering.vpc_peering_connection_id))
            .collect();
        extend(known, fresh);
    })
}

fn peering_side(side: sdk::VpcPeeringConnectionVpcInfo) -> PeeringVpcInfo {
    PeeringVpcInfo {
        vpc_id: side.vpc_id,
        owner_id: side.owner_id,
        region: side.region,
        cidr_block: side.cidr_block,
        peering_options: side.peering_options.map(|options| PeeringOptions {
            allow_dns_resolution_from_remote_vpc: options.allow_dns_resolution_from_remote_vpc,
        }),
    }
}

pub(super) async fn vpc_attachments(caller: &Caller, clients: &Clients, vpcs: &[String]) -> Found {
    let request = clients.ec2.describe_transit_gateway_vpc_attachments();
    let request = request.filters(filter("vpc-id", vpcs));
    let convert = |attachment: sdk::TransitGatewayVpcAttachment| TransitGatewayVpcAttachment {
        transit_gateway_attachment_id: attachment.transit_gateway_attachment_id,
        transit_gateway_id: attachment.transit_gateway_id,
        vpc_id: attachment.vpc_id,
        state: word(attachment.state),
        subnet_ids: attachment.subnet_ids.unwrap_or_default(),
        options: attachment.options.map(|options| TransitGatewayOptions {
            security_group_referencing_support: word(options.security_group_referencing_support),
        }),
    };
    let (items, _) = all_pages!(
        caller,
        "ec2:DescribeTransitGatewayVpcAttachments",
        &vpcs.join(" "),
        request,
        transit_gateway_vpc_attachments,
        convert
    );
    found(move |scene| extend(&mut scene.evidence.transit_gateway_vpc_attachments, items))
}

/// Which route table each attachment is associated with. A failure matters only
/// where there are attachments, so it is kept and not yet a gap.
pub(super) async fn associations(caller: &Caller, clients: &Clients, vpcs: &[String]) -> Found {
    let read = async {
        let request = clients.ec2.describe_transit_gateway_attachments();
        let request = request.filters(filter("resource-id", vpcs));
        let keep = |attachment: sdk::TransitGatewayAttachment| attachment;
        let (items, _) = all_pages!(
            caller,
            "ec2:DescribeTransitGatewayAttachments",
            &vpcs.join(" "),
            request,
            transit_gateway_attachments,
            keep
        );
        Ok(items)
    };
    let answer = read.await;
    found(move |scene: &mut Scene| match answer {
        Err(failure) => scene.associations_failure = Some(failure),
        Ok(items) => {
            for attachment in items {
                let table = attachment
                    .association
                    .and_then(|association| association.transit_gateway_route_table_id);
                let (Some(table), Some(id)) = (table, attachment.transit_gateway_attachment_id)
                else {
                    continue;
                };
                let association = scene.associations.entry(table).or_insert_with(|| Association {
                    transit_gateway_id: attachment.transit_gateway_id,
                    attachments: Vec::new(),
                });
                association.attachments.push(id);
            }
        }
    })
}

/// The transit gateways that our VPCs are attached to.
pub(super) fn transit_gateway_ids(scene: &Scene) -> Vec<String> {
    let attachments = scene.evidence.transit_gateway_vpc_attachments.known().into_iter().flatten();
    let ids: BTreeSet<String> =
        attachments.filter_map(|attachment| attachment.transit_gateway_id.clone()).collect();
    ids.into_iter().collect()
}

pub(super) async fn transit_gateways(caller: &Caller, clients: &Clients, ids: &[String]) -> Found {
    let request = clients.ec2.describe_transit_gateways();
    let request = request.filters(filter("transit-gateway-id", ids));
    let convert = |gateway: sdk::TransitGateway| TransitGateway {
        transit_gateway_id: gateway.transit_gateway_id,
        state: word(gateway.state),
        owner_id: gateway.owner_id,
        options: gateway.options.map(|options| TransitGatewayOptions {
            security_group_referencing_support: word(options.security_group_referencing_support),
        }),
    };
    let (items, _) = all_pages!(
        caller,
        "ec2:DescribeTransitGateways",
        &ids.join(" "),
        request,
        transit_gateways,
        convert
    );
    found(move |scene| extend(&mut scene.evidence.transit_gateways, items))
}

/// The routes of one transit gateway route table, joined with what is
/// associated with it.
pub(super) async fn transit_routes(caller: &Caller, clients: &Clients, table: &str) -> Found {
    let action = "ec2:SearchTransitGatewayRoutes";
    let states = ["active".to_owned(), "blackhole".to_owned()];
    let request = clients
        .ec2
        .search_transit_gateway_routes()
        .transit_gateway_route_table_id(table)
        .filters(filter("state", &states));
    // One answer holds a thousand routes, more than a table here ever needs.
    let answer = caller.call(action, table, request.send()).await?;
    let cut = answer.additional_routes_available.unwrap_or(false);
    let routes = list(answer.routes, |route| TransitGatewayRoute {
        destination_cidr_block: route.destination_cidr_block,
        attachment: route
            .transit_gateway_attachments
            .unwrap_or_default()
            .into_iter()
            .find_map(|attachment| attachment.transit_gateway_attachment_id),
        state: word(route.state),
    });
    let table = table.to_owned();
    found(move |scene| {
        let association = scene.associations.remove(&table).unwrap_or_default();
        let found = TransitGatewayRouteTable {
            transit_gateway_route_table_id: Some(table.clone()),
            transit_gateway_id: association.transit_gateway_id,
            associated_attachments: association.attachments,
            routes,
        };
        extend(&mut scene.evidence.transit_gateway_route_tables, vec![found]);
        if cut {
            let message = "only the first thousand routes were read";
            scene.gap(Fact::TransitGatewayRouteTables, action, &table, Reason::Truncated, message);
        }
    })
}

/// The prefix lists that routes and security groups name.
pub(super) fn prefix_lists(scene: &Scene) -> Vec<String> {
    let evidence = &scene.evidence;
    let tables = evidence.route_tables.known().into_iter().flatten();
    let routed = tables
        .flat_map(|table| &table.routes)
        .filter_map(|route| route.destination_prefix_list_id.clone());
    let groups = evidence.security_groups.known().into_iter().flatten();
    let allowed = groups
        .flat_map(|group| group.ip_permissions.iter().chain(&group.ip_permissions_egress))
        .flat_map(|rule| &rule.prefix_list_ids)
        .filter_map(|prefixes| prefixes.prefix_list_id.clone());
    let ids: BTreeSet<String> = routed.chain(allowed).collect();
    ids.into_iter().collect()
}

pub(super) async fn prefix_list(caller: &Caller, clients: &Clients, id: &str) -> Found {
    let request = clients.ec2.get_managed_prefix_list_entries().prefix_list_id(id);
    let (entries, _) = all_pages!(
        caller,
        "ec2:GetManagedPrefixListEntries",
        id,
        request,
        entries,
        |entry: sdk::PrefixListEntry| entry.cidr.unwrap_or_default()
    );
    let id = id.to_owned();
    found(move |scene| match scene.evidence.managed_prefix_list_entries.known_mut() {
        Some(lists) => {
            lists.insert(id, entries);
        }
        None => {
            scene.evidence.managed_prefix_list_entries = Observed::Known([(id, entries)].into());
        }
    })
}
