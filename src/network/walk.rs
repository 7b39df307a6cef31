//! One path from an address of the function to an address of the target: every
//! filter and every route, request and reply, past the first that stops it.

use std::net::IpAddr;

use super::{
    Direction, HopKind, Layer, Missing, Needed, Path, Via,
    filter::{Peer, References},
    gateway, peering,
    place::{Destination, Kind, Origin},
    route::{self, Chosen, Target},
    trace::{Crossing, Stretch, Trace, origin_block, target_block},
    transit,
    view::{View, text},
};
use crate::evidence::Fact;

/// Which route of the reply leads back over the request's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Back<'a> {
    Local,
    Peering(&'a str),
    TransitGateway(&'a str),
    /// No way was found for the request: any way back will do.
    Any,
    /// Not to be judged, since the request needs another way first.
    Skip,
}

/// A connection: where from, where to.
#[derive(Clone, Copy)]
pub(super) struct Connection<'c, 'a> {
    pub(super) origin: &'c Origin<'a>,
    pub(super) source: IpAddr,
    pub(super) to: &'c Destination<'a>,
}

/// Walks one path.
pub(super) fn walk<'a>(
    view: &View<'a>,
    origin: &Origin<'a>,
    source: IpAddr,
    to: &Destination<'a>,
    port: u16,
) -> Path {
    let mut trace = Trace::new(view, port);
    if origin.whole.contains(&source) {
        trace.name(source, origin_block(origin, source));
    }
    if let Some(words) = &to.shown {
        trace.name(to.address, words);
    }
    let connection = Connection { origin, source, to };
    let same_subnet = to.inner.is_none() && to.subnet_id() == Some(origin.subnet_id());
    if same_subnet && to.vpc == Some(origin.vpc) {
        trace.via = inside(to);
        leave(&mut trace, &connection, References::Hold, false);
        trace.ok(
            HopKind::Route,
            origin.subnet_id(),
            "inside one subnet, past route tables and ACLs",
        );
        enter(&mut trace, &connection, References::Hold);
    } else {
        between_subnets(&mut trace, &connection);
    }
    finish(trace, Some(origin.subnet_id()), source, to)
}

/// Makes the path out of what was recorded.
pub(super) fn finish(
    mut trace: Trace<'_, '_>,
    subnet: Option<&str>,
    source: IpAddr,
    to: &Destination<'_>,
) -> Path {
    let verdict = trace.verdict();
    Path {
        subnet: subnet.map(str::to_owned),
        from: trace.shown(source),
        to: trace.shown(to.address),
        target: to.name.clone(),
        family: super::Family::of(to.address),
        verdict,
        hops: trace.hops,
        blockers: trace.blockers,
        missing: trace.missing,
        via: trace.via,
    }
}

fn inside(to: &Destination<'_>) -> Via {
    if matches!(to.kind, Kind::Endpoint(_)) { Via::Endpoint } else { Via::Local }
}

fn between_subnets<'a>(trace: &mut Trace<'_, 'a>, connection: &Connection<'_, 'a>) {
    let Connection { origin, to, .. } = *connection;
    let chosen = match route::from_subnet(trace.view, origin.subnet, to.address) {
        route::Decision::Found(chosen) => chosen,
        route::Decision::NoRoute(table) => return no_way(trace, connection, table, None),
        route::Decision::Unseen(missing) => {
            leave(trace, connection, References::Hold, true);
            trace.unknown(HopKind::Route, origin.subnet_id(), missing);
            return arrive(trace, connection, References::Hold, Back::Any);
        }
    };
    let detached = matches!(chosen.target, Target::InternetGateway(_));
    if chosen.blackhole && !(detached && gateway::is_detached(trace.view, origin.vpc, &chosen)) {
        return no_way(trace, connection, chosen.table, Some(&chosen));
    }
    let leads_outside = matches!(
        chosen.target,
        Target::InternetGateway(_) | Target::NatGateway(_) | Target::EgressOnlyGateway(_)
    );
    let leads_on = matches!(chosen.target, Target::NatGateway(id)
        if gateway::is_private(trace.view, id) || gateway::leads_on(trace.view, id, to.address));
    if leads_outside && to.is_inside() && !leads_on {
        return no_way(trace, connection, chosen.table, Some(&chosen));
    }
    match chosen.target {
        Target::Local => local(trace, connection, &chosen),
        Target::Interface(id) => gateway::interface(trace, connection, &chosen, id),
        Target::NatGateway(id) => gateway::nat(trace, connection, &chosen, id),
        Target::InternetGateway(_) => gateway::internet(trace, connection, &chosen),
        Target::EgressOnlyGateway(id) => gateway::egress_only(trace, connection, &chosen, id),
        Target::Peering(id) => peering::cross(trace, connection, &chosen, id),
        Target::TransitGateway(id) => transit::cross(trace, connection, &chosen, id),
        Target::Opaque(id) => {
            leave(trace, connection, References::Hold, true);
            routed(trace, &chosen);
            trace.opaque(HopKind::Via, behind(id));
            arrive(trace, connection, References::Hold, Back::Any);
        }
    }
}

/// What lies behind a gateway that no API shows.
pub(super) fn behind(id: &str) -> Missing {
    Missing {
        fact: Fact::RouteTables,
        action: String::new(),
        resource: id.to_owned(),
        reason: format!("what lies behind {id} cannot be seen from here"),
    }
}

fn local<'a>(trace: &mut Trace<'_, 'a>, connection: &Connection<'_, 'a>, chosen: &Chosen<'a>) {
    let Connection { origin, to, .. } = *connection;
    trace.via = inside(to);
    leave(trace, connection, References::Hold, true);
    if to.vpc.is_some_and(|vpc| vpc != origin.vpc) {
        let line = format!(
            "{} is local to {}, while the target lives in {}",
            chosen.destination,
            origin.vpc,
            to.vpc.unwrap_or("another VPC"),
        );
        let needed = Needed::setting("VPCs whose blocks do not overlap");
        trace.stop_at(HopKind::Route, Layer::Route, chosen.table, line, needed);
        return arrive(trace, connection, References::Hold, Back::Skip);
    }
    routed(trace, chosen);
    arrive(trace, connection, References::Hold, Back::Local);
}

/// Nothing leads there: no route, a blackhole, or a gateway that cannot carry
/// private addresses. The rest is still examined, to name all there is to mend.
fn no_way<'a>(
    trace: &mut Trace<'_, 'a>,
    connection: &Connection<'_, 'a>,
    table: &str,
    chosen: Option<&Chosen<'a>>,
) {
    let Connection { origin, to, .. } = *connection;
    leave(trace, connection, References::Hold, true);
    let line = match chosen {
        None => format!("no route to {}", trace.shown(to.address)),
        Some(chosen) if chosen.blackhole => {
            format!("{} → {} is a blackhole", chosen.destination, chosen.target.id())
        }
        Some(chosen) => format!(
            "{} → {} leads to the Internet, where {} is not routed",
            chosen.destination,
            chosen.target.id(),
            trace.shown(to.address),
        ),
    };
    let (destination, target) = if to.is_inside() {
        let block = target_block(to);
        (
            block,
            format!(
                "a peering connection or transit gateway to {}",
                to.vpc.unwrap_or("its network")
            ),
        )
    } else if to.address.is_ipv4() {
        ("0.0.0.0/0".to_owned(), "a public NAT gateway".to_owned())
    } else {
        ("::/0".to_owned(), "an egress-only internet gateway".to_owned())
    };
    let needed = Needed::Route { route_table: table.to_owned(), destination, target };
    trace.stop_at(HopKind::Route, Layer::Route, table, line, Some(needed));
    if to.is_inside() && to.vpc != Some(origin.vpc) {
        arrive(trace, connection, References::Hold, Back::Any);
    } else if to.is_inside() {
        arrive(trace, connection, References::Hold, Back::Local);
    } else {
        come_home(trace, connection, Stretch::Inner);
    }
}

/// Notes the route that was taken.
pub(super) fn routed(trace: &mut Trace<'_, '_>, chosen: &Chosen<'_>) {
    let line = chosen.words();
    trace.ok(HopKind::Route, chosen.table, line);
}

/// The function's side of the request: its groups, its subnet's ACL.
pub(super) fn leave<'a>(
    trace: &mut Trace<'_, 'a>,
    connection: &Connection<'_, 'a>,
    references: References,
    past_acl: bool,
) {
    let Connection { origin, to, .. } = *connection;
    // Rules about groups match private addresses only.
    let references = if to.is_inside() { references } else { References::Lost };
    let groups = to.groups.as_deref();
    let peer = Peer { address: to.address, groups, references };
    let known = groups.ok().and_then(<[&str]>::first).filter(|_| references == References::Hold);
    let advice = (known.map(|id| (*id).to_owned()), target_block(to));
    trace.groups(&origin.groups, Direction::Egress, &peer, advice);
    if past_acl {
        let crossing = Crossing::request(Direction::Egress);
        trace.acl(origin.subnet, crossing, to.address, &target_block(to));
    }
}

/// The request at the target's interface: its groups.
fn enter<'a>(trace: &mut Trace<'_, 'a>, connection: &Connection<'_, 'a>, references: References) {
    let Connection { origin, source, to } = *connection;
    match &to.groups {
        Ok(groups) => {
            let peer = Peer { address: source, groups: Ok(&origin.groups), references };
            let own = origin.groups.first().filter(|_| references == References::Hold);
            let advice = (own.map(|id| (*id).to_owned()), origin_block(origin, source));
            trace.groups(&groups.clone(), Direction::Ingress, &peer, advice);
        }
        Err(missing) => trace.unknown(HopKind::Ingress, &to.name, missing.clone()),
    }
}

/// The far side of a path between private addresses, and the reply: ACL, groups,
/// route back, ACLs back.
pub(super) fn arrive<'a>(
    trace: &mut Trace<'_, 'a>,
    connection: &Connection<'_, 'a>,
    references: References,
    back: Back<'a>,
) {
    let Connection { origin, source, to } = *connection;
    if !to.is_inside() {
        return come_home(trace, connection, Stretch::Inner);
    }
    let block = origin_block(origin, source);
    let Some(subnet) = to.subnet else {
        let resource = to.address.to_string();
        let missing = trace.view.missing(Fact::Subnets, &resource);
        trace.unknown(HopKind::In, &resource, missing);
        enter(trace, connection, references);
        return come_home(trace, connection, Stretch::Inner);
    };
    trace.acl(subnet, Crossing::request(Direction::Ingress), source, &block);
    enter(trace, connection, references);
    route_back(trace, connection, back);
    trace.acl(subnet, Crossing::reply(Direction::Egress, Stretch::Inner), source, &block);
    come_home(trace, connection, Stretch::Inner);
}

/// The reply at the function's subnet.
pub(super) fn come_home<'a>(
    trace: &mut Trace<'_, 'a>,
    connection: &Connection<'_, 'a>,
    stretch: Stretch,
) {
    let Connection { origin, to, .. } = *connection;
    let crossing = Crossing::reply(Direction::Ingress, stretch);
    trace.acl(origin.subnet, crossing, to.address, &target_block(to));
}

fn route_back<'a>(trace: &mut Trace<'_, 'a>, connection: &Connection<'_, 'a>, back: Back<'a>) {
    let Connection { origin, source, to } = *connection;
    let Some(subnet) = to.subnet.filter(|_| back != Back::Skip) else { return };
    let chosen = match route::from_subnet(trace.view, subnet, source) {
        route::Decision::Found(chosen) => chosen,
        route::Decision::Unseen(missing) => {
            return trace.unknown(HopKind::RouteBack, text(&subnet.subnet_id), missing);
        }
        route::Decision::NoRoute(table) => {
            let line = format!("no route back to {}", trace.shown(source));
            return lost_reply(trace, table, &line, &origin_block(origin, source), back);
        }
    };
    let line = chosen.words();
    if chosen.blackhole {
        let line = format!("{line} is a blackhole");
        return lost_reply(trace, chosen.table, &line, &origin_block(origin, source), back);
    }
    match (back, &chosen.target) {
        (Back::Local, Target::Local | Target::Interface(_)) | (Back::Any, _) => {
            trace.ok(HopKind::RouteBack, chosen.table, line);
        }
        (Back::Peering(id), Target::Peering(found)) if id == *found => {
            trace.ok(HopKind::RouteBack, chosen.table, line);
        }
        (Back::TransitGateway(id), Target::TransitGateway(found)) if id == *found => {
            trace.ok(HopKind::RouteBack, chosen.table, line);
        }
        (_, Target::Opaque(id) | Target::TransitGateway(id) | Target::Interface(id)) => {
            trace.ok(HopKind::RouteBack, chosen.table, line);
            trace.opaque(HopKind::ViaBack, behind(id));
        }
        _ => {
            let line = format!("{line}, which does not lead back to {}", trace.shown(source));
            lost_reply(trace, chosen.table, &line, &origin_block(origin, source), back);
        }
    }
}

fn lost_reply(trace: &mut Trace<'_, '_>, table: &str, line: &str, block: &str, back: Back<'_>) {
    let target = match back {
        Back::Peering(id) | Back::TransitGateway(id) => id.to_owned(),
        Back::Local => "local".to_owned(),
        Back::Any | Back::Skip => "the function's VPC".to_owned(),
    };
    let needed =
        Needed::Route { route_table: table.to_owned(), destination: block.to_owned(), target };
    trace.stop_at(HopKind::RouteBack, Layer::Route, table, line, Some(needed));
}
