//! The two ends of a connection: the request leaves the function and arrives at the target,
//! the reply finds its route back and returns.

use std::net::IpAddr;

use super::{
    Direction, HopKind, Layer, Missing, Needed, Path,
    filter::{Peer, References},
    place::{Destination, Origin},
    route::{self, Chosen, Target},
    trace::{Crossing, Stretch, Trace, origin_block, target_block},
    view::text,
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

/// What lies behind a gateway that no API shows.
pub(super) fn behind(id: &str) -> Missing {
    Missing {
        fact: Fact::RouteTables,
        action: String::new(),
        resource: id.to_owned(),
        reason: format!("what lies behind {id} cannot be seen from here"),
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
pub(super) fn enter<'a>(
    trace: &mut Trace<'_, 'a>,
    connection: &Connection<'_, 'a>,
    references: References,
) {
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
