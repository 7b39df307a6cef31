//! EC2: endpoints, gateways, peerings and transit gateways.

use std::collections::BTreeSet;

use aws_sdk_ec2::types as sdk;

use super::{
    call::Caller,
    convert::{document, list, word},
    ec2::{FIRST_PAGES, all_pages, by_vpc, filter, put},
    scene::{Association, PatchResult, Scene, extend, patch},
    session::Clients,
    step::steps,
};
use crate::{aws::limits, evidence::*};

steps! {
    4 "ec2:DescribeVpcEndpoints" => VpcEndpoints <- [Subnets]: |tasks| by_vpc(tasks, vpc_endpoints);
    4 "ec2:DescribeNatGateways" => NatGateways <- [Subnets]: |tasks| by_vpc(tasks, nat_gateways);
    4 "ec2:DescribeInternetGateways" => InternetGateways <- [Subnets]:
        |tasks| by_vpc(tasks, internet_gateways);
    4 "ec2:DescribeEgressOnlyInternetGateways" => EgressOnlyInternetGateways <- [Subnets]:
        |tasks| by_vpc(tasks, egress_only);
    4 "ec2:DescribeVpcPeeringConnections" => VpcPeeringConnections <- [Subnets]: |tasks| {
        let mut both = by_vpc(tasks, requested_peerings);
        both.extend(by_vpc(tasks, accepted_peerings));
        both
    };
    4 "ec2:DescribeTransitGatewayVpcAttachments" => TransitGatewayVpcAttachments <- [Subnets]:
        |tasks| by_vpc(tasks, vpc_attachments);
    4 "ec2:DescribeTransitGatewayAttachments" => TransitGatewayRouteTables <- [Subnets]:
        |tasks| by_vpc(tasks, associations);
    5 "ec2:DescribeTransitGateways" => TransitGateways <- [TransitGatewayVpcAttachments]: |tasks| {
        tasks.in_groups_of(limits::EC2_FILTER_VALUES, &transit_gateway_ids(tasks.scene), transit_gateways)
    };
    5 "ec2:SearchTransitGatewayRoutes" => TransitGatewayRouteTables <-
        [TransitGatewayVpcAttachments]:
        |tasks| tasks.each(tasks.scene.associations.keys().cloned(), transit_routes);
    5 "ec2:GetManagedPrefixListEntries" => ManagedPrefixListEntries <- [RouteTables, SecurityGroups]:
        |tasks| tasks.each(prefix_lists(tasks.scene), prefix_list);
}

async fn vpc_endpoints(caller: &Caller, clients: &Clients, vpcs: &[String]) -> PatchResult {
    let request = clients.ec2.describe_vpc_endpoints().filters(filter("vpc-id", vpcs));
    let action = "ec2:DescribeVpcEndpoints";
    let items = all_pages!(caller, action, &vpcs.join(" "), request, vpc_endpoints, vpc_endpoint);
    put(Fact::VpcEndpoints, action, |evidence| &mut evidence.vpc_endpoints, items)
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

async fn nat_gateways(caller: &Caller, clients: &Clients, vpcs: &[String]) -> PatchResult {
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
    let action = "ec2:DescribeNatGateways";
    let items = all_pages!(caller, action, &vpcs.join(" "), request, nat_gateways, convert);
    put(Fact::NatGateways, action, |evidence| &mut evidence.nat_gateways, items)
}

fn attachment(vpc_id: Option<String>, state: Option<String>) -> GatewayAttachment {
    GatewayAttachment { state, vpc_id }
}

async fn internet_gateways(caller: &Caller, clients: &Clients, vpcs: &[String]) -> PatchResult {
    let request = clients.ec2.describe_internet_gateways();
    let request = request.filters(filter("attachment.vpc-id", vpcs));
    let convert = |gateway: sdk::InternetGateway| InternetGateway {
        internet_gateway_id: gateway.internet_gateway_id,
        attachments: list(gateway.attachments, |a| attachment(a.vpc_id, word(a.state))),
    };
    let action = "ec2:DescribeInternetGateways";
    let items = all_pages!(caller, action, &vpcs.join(" "), request, internet_gateways, convert);
    put(Fact::InternetGateways, action, |evidence| &mut evidence.internet_gateways, items)
}

/// The API cannot filter these by VPC.
async fn egress_only(caller: &Caller, clients: &Clients, vpcs: &[String]) -> PatchResult {
    let request = clients.ec2.describe_egress_only_internet_gateways();
    let convert = |gateway: sdk::EgressOnlyInternetGateway| EgressOnlyInternetGateway {
        egress_only_internet_gateway_id: gateway.egress_only_internet_gateway_id,
        attachments: list(gateway.attachments, |a| attachment(a.vpc_id, word(a.state))),
    };
    let action = "ec2:DescribeEgressOnlyInternetGateways";
    let (mut items, cut) =
        all_pages!(caller, action, "", request, egress_only_internet_gateways, convert);
    items.retain(|gateway| {
        let attached = gateway.attachments.iter().filter_map(|a| a.vpc_id.as_ref());
        attached.into_iter().any(|vpc| vpcs.contains(vpc))
    });
    let fact = Fact::EgressOnlyInternetGateways;
    put(fact, action, |evidence| &mut evidence.egress_only_internet_gateways, (items, cut))
}

async fn requested_peerings(caller: &Caller, clients: &Clients, vpcs: &[String]) -> PatchResult {
    peerings(caller, clients, "requester-vpc-info.vpc-id", vpcs).await
}

async fn accepted_peerings(caller: &Caller, clients: &Clients, vpcs: &[String]) -> PatchResult {
    peerings(caller, clients, "accepter-vpc-info.vpc-id", vpcs).await
}

/// One side of the peerings: of filters on both sides at once, both would have to match.
async fn peerings(
    caller: &Caller,
    clients: &Clients,
    side: &'static str,
    vpcs: &[String],
) -> PatchResult {
    let request = clients.ec2.describe_vpc_peering_connections().filters(filter(side, vpcs));
    let convert = |peering: sdk::VpcPeeringConnection| VpcPeeringConnection {
        vpc_peering_connection_id: peering.vpc_peering_connection_id,
        requester_vpc_info: peering.requester_vpc_info.map(peering_side),
        accepter_vpc_info: peering.accepter_vpc_info.map(peering_side),
        status: peering
            .status
            .map(|status| PeeringStatus { code: word(status.code), message: status.message }),
    };
    let action = "ec2:DescribeVpcPeeringConnections";
    let (items, cut) =
        all_pages!(caller, action, &vpcs.join(" "), request, vpc_peering_connections, convert);
    patch(move |scene| {
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
        if cut {
            let fact = Fact::VpcPeeringConnections;
            scene.gap(fact, action, "", Reason::Truncated, FIRST_PAGES);
        }
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

async fn vpc_attachments(caller: &Caller, clients: &Clients, vpcs: &[String]) -> PatchResult {
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
    let action = "ec2:DescribeTransitGatewayVpcAttachments";
    let items = all_pages!(
        caller,
        action,
        &vpcs.join(" "),
        request,
        transit_gateway_vpc_attachments,
        convert
    );
    put(
        Fact::TransitGatewayVpcAttachments,
        action,
        |evidence| &mut evidence.transit_gateway_vpc_attachments,
        items,
    )
}

/// Which route table each attachment is associated with. A failure matters only
/// where there are attachments, so it is kept and not yet a gap.
async fn associations(caller: &Caller, clients: &Clients, vpcs: &[String]) -> PatchResult {
    let action = "ec2:DescribeTransitGatewayAttachments";
    let read = async {
        let request = clients.ec2.describe_transit_gateway_attachments();
        let request = request.filters(filter("resource-id", vpcs));
        let keep = |attachment: sdk::TransitGatewayAttachment| attachment;
        let resource = vpcs.join(" ");
        Ok(all_pages!(caller, action, &resource, request, transit_gateway_attachments, keep))
    };
    let answer = read.await;
    patch(move |scene: &mut Scene| match answer {
        Err(failure) => scene.associations_failure = Some(failure),
        Ok((items, cut)) => {
            if cut {
                let fact = Fact::TransitGatewayRouteTables;
                scene.gap(fact, action, "", Reason::Truncated, FIRST_PAGES);
            }
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

async fn transit_gateways(caller: &Caller, clients: &Clients, ids: &[String]) -> PatchResult {
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
    let action = "ec2:DescribeTransitGateways";
    let items = all_pages!(caller, action, &ids.join(" "), request, transit_gateways, convert);
    put(Fact::TransitGateways, action, |evidence| &mut evidence.transit_gateways, items)
}

/// The routes of one transit gateway route table, joined with what is
/// associated with it.
async fn transit_routes(caller: &Caller, clients: &Clients, table: &str) -> PatchResult {
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
    patch(move |scene| {
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
fn prefix_lists(scene: &Scene) -> Vec<String> {
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

async fn prefix_list(caller: &Caller, clients: &Clients, id: &str) -> PatchResult {
    let request = clients.ec2.get_managed_prefix_list_entries().prefix_list_id(id);
    let action = "ec2:GetManagedPrefixListEntries";
    let convert = |entry: sdk::PrefixListEntry| entry.cidr.unwrap_or_default();
    let (entries, cut) = all_pages!(caller, action, id, request, entries, convert);
    let id = id.to_owned();
    patch(move |scene| {
        if cut {
            let fact = Fact::ManagedPrefixListEntries;
            scene.gap(fact, action, &id, Reason::Truncated, FIRST_PAGES);
        }
        match scene.evidence.managed_prefix_list_entries.known_mut() {
            Some(lists) => {
                lists.insert(id, entries);
            }
            None => {
                let lists = [(id, entries)].into();
                scene.evidence.managed_prefix_list_entries = Observed::Known(lists);
            }
        }
    })
}
