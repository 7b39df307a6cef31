//! One path from an address of the function to an address of the target: every
//! filter and every route, request and reply, past the first that stops it.

use std::net::IpAddr;

use super::{
    HopKind, Layer, Needed, Path, Via,
    ends::{Back, Connection, arrive, behind, come_home, enter, finish, leave, routed},
    filter::References,
    gateway, internet_gateway, peering,
    place::{Destination, Kind, Origin},
    route::{self, Chosen, Target},
    trace::{Stretch, Trace, origin_block, target_block},
    transit,
    view::View,
};

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
    if chosen.blackhole
        && !(detached && internet_gateway::is_detached(trace.view, origin.vpc, &chosen))
    {
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
/// private addresses. The rest is still examined, to name all there is to fix.
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
