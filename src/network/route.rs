//! Route tables: which route decides for an address, and what it leads to.

use std::net::IpAddr;

use super::{
    Missing,
    address::block,
    view::{View, items, text},
};
use crate::evidence::{Fact, Route, RouteTable, Subnet};

/// What a route leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    Local,
    InternetGateway(&'a str),
    EgressOnlyGateway(&'a str),
    NatGateway(&'a str),
    /// An interface: NAT instance or middlebox.
    Interface(&'a str),
    Peering(&'a str),
    TransitGateway(&'a str),
    /// What lies behind it cannot be seen: virtual private gateway, Gateway
    /// Load Balancer endpoint, local gateway, carrier gateway, core network.
    Opaque(&'a str),
}

impl<'a> Target<'a> {
    pub(super) fn id(&self) -> &'a str {
        match self {
            Self::Local => "local",
            Self::InternetGateway(id)
            | Self::EgressOnlyGateway(id)
            | Self::NatGateway(id)
            | Self::Interface(id)
            | Self::Peering(id)
            | Self::TransitGateway(id)
            | Self::Opaque(id) => id,
        }
    }
}

/// The route that decides.
#[derive(Clone, Debug)]
pub(super) struct Chosen<'a> {
    pub(super) table: &'a str,
    pub(super) destination: String,
    pub(super) target: Target<'a>,
    pub(super) blackhole: bool,
    /// Whether the table is the VPC's main one, and not the subnet's own.
    pub(super) main: bool,
}

impl Chosen<'_> {
    /// The route as it reads: destination, target, which table.
    pub(super) fn words(&self) -> String {
        let main = if self.main { " (the VPC's main table)" } else { "" };
        format!("{} → {}{main}", self.destination, self.target.id())
    }
}

/// What a table says about an address.
#[derive(Clone, Debug)]
pub(super) enum Decision<'a> {
    Found(Chosen<'a>),
    /// No route: the table's id.
    NoRoute(&'a str),
    Unseen(Missing),
}

/// Where equal prefixes meet: static before prefix list before propagated.
fn rank(route: &Route) -> u8 {
    match (route.origin.as_deref(), &route.destination_prefix_list_id) {
        (Some("EnableVgwRoutePropagation"), _) => 2,
        (_, Some(_)) => 1,
        _ => 0,
    }
}

fn target<'a>(view: &View<'a>, route: &'a Route) -> Option<Target<'a>> {
    let first = [
        (&route.nat_gateway_id, Target::NatGateway as fn(&'a str) -> Target<'a>),
        (&route.vpc_peering_connection_id, Target::Peering),
        (&route.transit_gateway_id, Target::TransitGateway),
        (&route.egress_only_internet_gateway_id, Target::EgressOnlyGateway),
        (&route.network_interface_id, Target::Interface),
        (&route.instance_id, Target::Opaque),
        (&route.local_gateway_id, Target::Opaque),
        (&route.carrier_gateway_id, Target::Opaque),
        (&route.core_network_arn, Target::Opaque),
    ]
    .into_iter()
    .find_map(|(id, make)| id.as_deref().map(make));
    if first.is_some() {
        return first;
    }
    let gateway = route.gateway_id.as_deref()?;
    if gateway == "local" {
        return Some(Target::Local);
    }
    if gateway.starts_with("igw-") {
        return Some(Target::InternetGateway(gateway));
    }
    if gateway.starts_with("vpce-") {
        // Gateway endpoints carry S3 and DynamoDB and nothing that we ask for.
        let endpoints = items(&view.evidence.vpc_endpoints);
        let found = endpoints.iter().find(|e| e.vpc_endpoint_id.as_deref() == Some(gateway));
        let kind = found.and_then(|endpoint| endpoint.vpc_endpoint_type.as_deref());
        let is_gateway =
            kind.map_or(route.destination_prefix_list_id.is_some(), |k| k == "Gateway");
        return (!is_gateway).then_some(Target::Opaque(gateway));
    }
    Some(Target::Opaque(gateway))
}

/// The route of a subnet that decides for an address.
pub(super) fn from_subnet<'a>(view: &View<'a>, subnet: &Subnet, address: IpAddr) -> Decision<'a> {
    match view.table(subnet) {
        Ok((table, main)) => match choose(view, table, address) {
            Decision::Found(chosen) => Decision::Found(Chosen { main, ..chosen }),
            other => other,
        },
        Err(missing) => Decision::Unseen(missing),
    }
}

/// The route of a table that decides for an address: longest prefix, blackhole
/// or not.
fn choose<'a>(view: &View<'a>, table: &'a RouteTable, address: IpAddr) -> Decision<'a> {
    let id = text(&table.route_table_id);
    let mut candidates: Vec<(u8, u8, Chosen<'a>)> = Vec::new();
    let mut unseen: Vec<(Missing, Target<'a>)> = Vec::new();
    for route in &table.routes {
        let Some(target) = target(view, route) else { continue };
        let destination = route
            .destination_cidr_block
            .as_deref()
            .or(route.destination_ipv6_cidr_block.as_deref())
            .and_then(block);
        let (blocks, name) = match (destination, route.destination_prefix_list_id.as_deref()) {
            (Some(net), _) => (vec![net], None),
            (None, Some(list)) => match view.prefix_list(list) {
                Ok(entries) => (entries, Some(list)),
                Err(missing) => {
                    unseen.push((missing, target));
                    continue;
                }
            },
            (None, None) => continue,
        };
        let longest = blocks
            .into_iter()
            .filter(|net| net.contains(&address))
            .max_by_key(ipnet::IpNet::prefix_len);
        if let Some(net) = longest {
            let destination = match name {
                Some(list) => format!("{net} of {list}"),
                None => net.to_string(),
            };
            let blackhole = route.state.as_deref() == Some("blackhole");
            let chosen = Chosen { table: id, destination, target, blackhole, main: false };
            candidates.push((net.prefix_len(), rank(route), chosen));
        }
    }
    // Each block of the VPC has a local route, listed or not.
    if let Some(vpc) = table.vpc_id.as_deref().and_then(|vpc| view.vpc(vpc).ok()) {
        for net in view.vpc_blocks(vpc).into_iter().filter(|net| net.contains(&address)) {
            let (target, destination) = (Target::Local, net.to_string());
            let chosen = Chosen { table: id, destination, target, blackhole: false, main: false };
            candidates.push((net.prefix_len(), 3, chosen));
        }
    }
    candidates.sort_by(|a, b| {
        let names = a.2.target.id().cmp(b.2.target.id());
        b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(names)
    });
    let best = candidates.into_iter().next();
    // An unread prefix list may hold a longer prefix that leads elsewhere.
    let other = unseen.into_iter().find(|(_, target)| {
        best.as_ref().is_none_or(|(length, _, chosen)| {
            let longest = if address.is_ipv4() { 32 } else { 128 };
            *length < longest && chosen.target != *target
        })
    });
    match (other, best) {
        (Some((missing, _)), _) => Decision::Unseen(missing),
        (None, Some((_, _, chosen))) => Decision::Found(chosen),
        (None, None) => Decision::NoRoute(id),
    }
}

/// True where an internet gateway is attached to the VPC; which one, where one
/// is. An error where gateways were not seen.
pub(super) fn attached_gateway<'a>(
    view: &View<'a>,
    vpc: &str,
    wanted: Option<&str>,
) -> Result<Option<&'a str>, Missing> {
    let evidence = view.evidence;
    let list =
        view.list(&evidence.internet_gateways, Fact::InternetGateways, wanted.unwrap_or(vpc))?;
    let found = list.iter().find(|gateway| {
        let id = gateway.internet_gateway_id.as_deref();
        (wanted.is_none() || id == wanted)
            && gateway.attachments.iter().any(|attachment| {
                attachment.vpc_id.as_deref() == Some(vpc)
                    && matches!(attachment.state.as_deref(), None | Some("available" | "attached"))
            })
    });
    if found.is_none() {
        view.whole(Fact::InternetGateways, vpc)?;
    }
    Ok(found.and_then(|gateway| gateway.internet_gateway_id.as_deref()))
}
