//! Routes out of the VPC: NAT gateways, NAT instances and other appliances,
//! internet gateways, egress-only gateways.

use std::net::IpAddr;

use super::{
    Direction, HopKind, Layer, Missing, Needed, Via,
    ends::{Back, Connection, arrive, behind, come_home, leave, routed},
    filter::{Peer, References},
    inbound,
    internet_gateway::{is_detached, through_gateway},
    public_access::{Passing, public_access},
    route::{self, Chosen, Target},
    trace::{Crossing, Stretch, Trace, origin_block, target_block},
    view::{View, items, text},
};
use crate::evidence::{Fact, NatGateway, NetworkInterface, Subnet};

fn nat_gateway<'a>(view: &View<'a>, id: &str) -> Option<&'a NatGateway> {
    let list = items(&view.evidence.nat_gateways);
    list.iter().find(|nat| nat.nat_gateway_id.as_deref() == Some(id))
}

/// True where the NAT gateway is known to be a private one.
pub(super) fn is_private(view: &View<'_>, id: &str) -> bool {
    nat_gateway(view, id).is_some_and(|nat| nat.connectivity_type.as_deref() == Some("private"))
}

/// True where what comes to a NAT gateway for an address inside a network goes
/// on to a transit gateway or to something that cannot be seen: it translates
/// on the way there too.
pub(super) fn leads_on(view: &View<'_>, id: &str, to: IpAddr) -> bool {
    let Some(subnet) = nat_gateway(view, id).and_then(|nat| nat.subnet_id.as_deref()) else {
        return false;
    };
    let Ok(subnet) = view.subnet(subnet) else { return true };
    match route::from_subnet(view, subnet, to) {
        route::Decision::Found(chosen) => {
            !chosen.blackhole
                && matches!(
                    chosen.target,
                    Target::TransitGateway(_) | Target::Opaque(_) | Target::Interface(_)
                )
        }
        route::Decision::NoRoute(_) => false,
        route::Decision::Unseen(_) => true,
    }
}

/// From a subnet with a translating hop to the Internet.
fn edge<'a>(trace: &mut Trace<'_, 'a>, subnet: &Subnet, to: IpAddr) {
    let vpc = text(&subnet.vpc_id);
    let target = "an attached internet gateway".to_owned();
    let all = if to.is_ipv4() { "0.0.0.0/0" } else { "::/0" };
    let (table, line) = match route::from_subnet(trace.view, subnet, to) {
        route::Decision::Unseen(missing) => {
            return trace.unknown(HopKind::Route, text(&subnet.subnet_id), missing);
        }
        route::Decision::NoRoute(table) => (table, format!("no route to {}", trace.shown(to))),
        route::Decision::Found(chosen) => {
            let line = chosen.words();
            match chosen.target {
                Target::InternetGateway(_) => {
                    if !is_detached(trace.view, vpc, &chosen) {
                        trace.ok(HopKind::Route, chosen.table, line);
                    }
                    return through_gateway(trace, vpc, &chosen, HopKind::Via);
                }
                _ if chosen.blackhole => (chosen.table, format!("{line} is a blackhole")),
                Target::Opaque(id) | Target::TransitGateway(id) | Target::Interface(id) => {
                    trace.ok(HopKind::Route, chosen.table, line);
                    return trace.opaque(HopKind::Via, behind(id));
                }
                _ => (chosen.table, format!("{line}, which is no internet gateway")),
            }
        }
    };
    let needed =
        Needed::Route { route_table: table.to_owned(), destination: all.to_owned(), target };
    trace.stop_at(HopKind::Route, Layer::Route, table, line, Some(needed));
}

/// Through a NAT gateway.
pub(super) fn nat<'a>(
    trace: &mut Trace<'_, 'a>,
    connection: &Connection<'_, 'a>,
    chosen: &Chosen<'a>,
    id: &str,
) {
    let Connection { origin, to, .. } = *connection;
    trace.via = Via::Public;
    leave(trace, connection, References::Lost, true);
    routed(trace, chosen);
    let Some(nat) = nat_gateway(trace.view, id) else {
        let missing = trace.view.missing(Fact::NatGateways, id);
        trace.unknown(HopKind::Via, id, missing);
        return come_home(trace, connection, Stretch::Inner);
    };
    match nat.state.as_deref() {
        Some("available") => {}
        Some(state) => {
            let why = nat.failure_message.as_deref().map(|m| format!(": {m}")).unwrap_or_default();
            let line = format!("state {state}{why}");
            let needed =
                Needed::setting(format!("a NAT gateway that is available, instead of {id}"));
            trace.stop_at(HopKind::Via, Layer::NatGateway, id, line, needed);
        }
        None => {
            let missing = trace.view.missing(Fact::NatGateways, id);
            trace.unknown(HopKind::Via, id, missing);
        }
    }
    if to.is_inside() {
        trace.opaque(HopKind::Via, behind(id));
        return come_home(trace, connection, Stretch::Inner);
    }
    if nat.connectivity_type.as_deref() == Some("private") {
        let line = "a private NAT gateway does not lead to the Internet";
        let needed = Needed::setting("a public NAT gateway");
        trace.stop_at(HopKind::Via, Layer::NatGateway, id, line, needed);
        return come_home(trace, connection, Stretch::Inner);
    }
    if nat.state.as_deref() == Some("available") {
        trace.ok(HopKind::Via, id, "available, public");
    }
    let own = nat.nat_gateway_addresses.iter();
    let public: Vec<IpAddr> =
        own.filter_map(|address| address.public_ip.as_deref()?.parse().ok()).collect();
    let vpc = nat.vpc_id.as_deref().unwrap_or(origin.vpc);
    let regional = nat.availability_mode.as_deref() == Some("regional");
    let subnet = nat.subnet_id.as_deref().filter(|_| !regional);
    let Some(subnet) = subnet else {
        match route::attached_gateway(trace.view, vpc, None) {
            Ok(Some(gateway)) => trace.ok(HopKind::Via, gateway, format!("attached to {vpc}")),
            Ok(None) => {
                let line = format!("no internet gateway is attached to {vpc}, which {id} needs");
                let needed = Needed::setting(format!("an internet gateway attached to {vpc}"));
                trace.stop_at(HopKind::Via, Layer::InternetGateway, vpc, line, needed);
            }
            Err(missing) => trace.unknown(HopKind::Via, vpc, missing),
        }
        public_access(trace, &Passing { vpc, subnet: None, inbound: false });
        inbound::from_internet(trace, to, &public);
        return come_home(trace, connection, Stretch::Inner);
    };
    let subnet = match trace.view.subnet(subnet) {
        Ok(subnet) => subnet,
        Err(missing) => {
            trace.unknown(HopKind::Via, subnet, missing);
            return come_home(trace, connection, Stretch::Inner);
        }
    };
    translated(trace, connection, subnet, &public, |_| {});
}

/// The legs that a NAT gateway and a NAT instance share: ACLs of its subnet on
/// both sides, its own route, the reply.
fn translated<'v, 'a>(
    trace: &mut Trace<'v, 'a>,
    connection: &Connection<'_, 'a>,
    subnet: &Subnet,
    public: &[IpAddr],
    device: impl FnOnce(&mut Trace<'v, 'a>),
) {
    let Connection { origin, source, to } = *connection;
    let (inner, outer) = (origin_block(origin, source), target_block(to));
    let apart = subnet.subnet_id != origin.subnet.subnet_id;
    if apart {
        trace.acl(subnet, Crossing::request(Direction::Ingress), source, &inner);
    }
    device(trace);
    trace.acl(subnet, Crossing::request(Direction::Egress), to.address, &outer);
    edge(trace, subnet, to.address);
    let own = subnet.subnet_id.as_deref();
    public_access(trace, &Passing { vpc: text(&subnet.vpc_id), subnet: own, inbound: false });
    inbound::from_internet(trace, to, public);
    trace.acl(subnet, Crossing::reply(Direction::Ingress, Stretch::Outer), to.address, &outer);
    if apart {
        let crossing = Crossing::reply(Direction::Egress, Stretch::Inner);
        trace.acl(subnet, crossing, source, &inner);
    }
    come_home(trace, connection, Stretch::Inner);
}

/// Through an interface that a route names: a NAT instance on the path to the
/// Internet, a middlebox on the path to another subnet.
pub(super) fn interface<'a>(
    trace: &mut Trace<'_, 'a>,
    connection: &Connection<'_, 'a>,
    chosen: &Chosen<'a>,
    id: &str,
) {
    let Connection { origin, to, .. } = *connection;
    trace.via = if to.is_inside() { Via::Local } else { Via::Public };
    leave(trace, connection, References::Lost, true);
    routed(trace, chosen);
    let (device, subnet) = match device(trace.view, id) {
        Ok(found) => found,
        Err(missing) => {
            trace.unknown(HopKind::Via, id, missing);
            return arrive(trace, connection, References::Lost, Back::Any);
        }
    };
    if !to.is_inside() {
        let public = device.association.as_ref().and_then(|a| a.public_ip.as_deref());
        let public: Vec<IpAddr> = public.and_then(|text| text.parse().ok()).into_iter().collect();
        let is_v4 = to.address.is_ipv4();
        return translated(trace, connection, subnet, &public.clone(), |trace| {
            forwards(trace, connection, device, id);
            if public.is_empty() && is_v4 {
                let line = "no public address, so replies from the Internet cannot find it";
                let needed = Needed::setting(format!("an Elastic IP address on {id}"));
                trace.stop_at(HopKind::Via, Layer::NatInstance, id, line, needed);
            }
        });
    }
    let inner = origin_block(origin, connection.source);
    let apart = subnet.subnet_id != origin.subnet.subnet_id;
    if apart {
        trace.acl(subnet, Crossing::request(Direction::Ingress), connection.source, &inner);
    }
    forwards(trace, connection, device, id);
    if subnet.subnet_id.as_deref() != to.subnet_id() {
        trace.acl(subnet, Crossing::request(Direction::Egress), to.address, &target_block(to));
    }
    if to.vpc == Some(origin.vpc) {
        arrive(trace, connection, References::Lost, Back::Local);
    } else {
        trace.opaque(HopKind::Via, behind(id));
        arrive(trace, connection, References::Lost, Back::Any);
    }
}

fn device<'a>(view: &View<'a>, id: &str) -> Result<(&'a NetworkInterface, &'a Subnet), Missing> {
    let device = view.interface(id)?;
    Ok((device, view.subnet(text(&device.subnet_id))?))
}

/// Whether an appliance's interface takes and passes on what is not for it.
fn forwards<'a>(
    trace: &mut Trace<'_, 'a>,
    connection: &Connection<'_, 'a>,
    device: &'a NetworkInterface,
    id: &str,
) {
    let Connection { origin, source, to } = *connection;
    let groups: Vec<&str> = device.groups.iter().filter_map(|g| g.group_id.as_deref()).collect();
    let peer = Peer { address: source, groups: Ok(&origin.groups), references: References::Hold };
    let own = origin.groups.first().map(|id| (*id).to_owned());
    trace.groups(&groups, Direction::Ingress, &peer, (own, origin_block(origin, source)));
    match device.source_dest_check {
        Some(false) => trace.ok(HopKind::Via, id, "source/destination check is off"),
        Some(true) => {
            let line = "source/destination check is on: it drops what is not addressed to it";
            let needed = Needed::setting(format!("source/destination check off on {id}"));
            trace.stop_at(HopKind::Via, Layer::NatInstance, id, line, needed);
        }
        None => {
            let missing = trace.view.missing(Fact::NetworkInterfaces, id);
            trace.unknown(HopKind::Via, id, missing);
        }
    }
    let none: [&str; 0] = [];
    let peer = Peer { address: to.address, groups: Ok(&none), references: References::Lost };
    trace.groups(&groups, Direction::Egress, &peer, (None, target_block(to)));
}

/// Straight to an internet gateway.
pub(super) fn internet<'a>(
    trace: &mut Trace<'_, 'a>,
    connection: &Connection<'_, 'a>,
    chosen: &Chosen<'a>,
) {
    let Connection { origin, to, source } = *connection;
    trace.via = Via::Public;
    leave(trace, connection, References::Lost, true);
    let detached = is_detached(trace.view, origin.vpc, chosen);
    if detached {
        through_gateway(trace, origin.vpc, chosen, HopKind::Via);
    } else {
        routed(trace, chosen);
        if to.address.is_ipv4() {
            let line =
                "a function's interface has no public IPv4 address, whatever its subnet says";
            let needed = Needed::setting("a route to a public NAT gateway instead");
            let id = chosen.target.id();
            trace.stop_at(HopKind::Via, Layer::InternetGateway, id, line, needed);
        } else {
            through_gateway(trace, origin.vpc, chosen, HopKind::Via);
        }
    }
    public_access(trace, &Passing::out_of(origin));
    if to.address.is_ipv6() {
        inbound::from_internet(trace, to, &[source]);
    }
    come_home(trace, connection, Stretch::Inner);
}

/// Through an egress-only internet gateway.
pub(super) fn egress_only<'a>(
    trace: &mut Trace<'_, 'a>,
    connection: &Connection<'_, 'a>,
    chosen: &Chosen<'a>,
    id: &str,
) {
    let Connection { origin, to, source } = *connection;
    trace.via = Via::Public;
    leave(trace, connection, References::Lost, true);
    let view = trace.view;
    let evidence = view.evidence;
    let fact = Fact::EgressOnlyInternetGateways;
    match view.list(&evidence.egress_only_internet_gateways, fact, id) {
        Err(missing) => trace.unknown(HopKind::Via, id, missing),
        Ok(list) => {
            let own = Some(id);
            let found = list.iter().find(|g| g.egress_only_internet_gateway_id.as_deref() == own);
            let attached = found.map(|gateway| {
                gateway.attachments.iter().any(|attachment| {
                    attachment.vpc_id.as_deref() == Some(origin.vpc)
                        && matches!(
                            attachment.state.as_deref(),
                            None | Some("attached" | "available" | "attaching")
                        )
                })
            });
            match attached {
                Some(true) => {
                    routed(trace, chosen);
                    trace.ok(HopKind::Via, id, format!("attached to {}", origin.vpc));
                }
                Some(false) => {
                    let line = format!("{} → {id}, which is not attached", chosen.destination);
                    let needed = Needed::setting("an attached egress-only internet gateway");
                    trace.stop_at(HopKind::Route, Layer::Route, chosen.table, line, needed);
                }
                None => trace.unknown(HopKind::Via, id, view.missing(fact, id)),
            }
        }
    }
    public_access(trace, &Passing::out_of(origin));
    inbound::from_internet(trace, to, &[source]);
    come_home(trace, connection, Stretch::Inner);
}
