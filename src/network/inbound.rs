//! From the Internet to the target: a public address of AWS's own, a database
//! with a public address, or something that cannot be seen. And the paths of a
//! function without a VPC, which begin there.

use std::net::IpAddr;

use super::{
    Direction, HopKind, Layer, Missing, Needed, Path, Via,
    ends::finish,
    filter::{Peer, References},
    internet_gateway,
    place::{Destination, Kind},
    public_access::{Passing, public_access},
    route::{self, Target},
    trace::{Crossing, Stretch, Trace},
    view::{View, text},
};
use crate::evidence::Fact;

/// The target's side of a connection that comes over the Internet from one of
/// the addresses `from`.
pub(super) fn from_internet<'a>(trace: &mut Trace<'_, 'a>, to: &Destination<'a>, from: &[IpAddr]) {
    match to.kind {
        Kind::Service => {
            let line = match &to.shown {
                Some(_) => "a public address of AWS".to_owned(),
                None => format!("public address {}", to.address),
            };
            trace.ok(HopKind::Via, &to.name, line);
        }
        _ if to.inner.is_some() => many(trace, to, from),
        _ => {
            let missing = Missing {
                fact: Fact::NetworkInterfaces,
                action: String::new(),
                resource: to.address.to_string(),
                reason: format!("whether {} admits the connection cannot be seen", to.address),
            };
            trace.opaque(HopKind::Ingress, missing);
        }
    }
}

/// A NAT gateway may take any of its addresses: one that is refused makes the
/// path fail now and then.
fn many<'a>(trace: &mut Trace<'_, 'a>, to: &Destination<'a>, from: &[IpAddr]) {
    if from.is_empty() {
        let missing = trace.view.missing(Fact::NatGateways, "");
        return trace.unknown(HopKind::Ingress, &to.name, missing);
    }
    let before = trace.blockers.len();
    let mut ends: Vec<Trace<'_, 'a>> = Vec::new();
    for &address in from {
        let mut end = trace.clone();
        one(&mut end, to, address);
        ends.push(end);
    }
    let passes = ends.iter().any(|end| end.blockers.len() == before);
    let Some(mut worst) = ends.into_iter().max_by_key(|end| end.blockers.len()) else { return };
    if passes {
        for blocker in &mut worst.blockers[before..] {
            blocker.partial = true;
        }
    }
    *trace = worst;
}

fn one<'a>(trace: &mut Trace<'_, 'a>, to: &Destination<'a>, from: IpAddr) {
    let block = format!("{from}/{}", if from.is_ipv4() { 32 } else { 128 });
    let vpc = to.vpc.unwrap_or_default();
    let subnet = to.subnet.and_then(|subnet| subnet.subnet_id.as_deref());
    public_access(trace, &Passing { vpc, subnet, inbound: true });
    if let Some(subnet) = to.subnet {
        trace.acl(subnet, Crossing::request(Direction::Ingress), from, &block);
    }
    match &to.groups {
        Ok(groups) => {
            let none: [&str; 0] = [];
            let peer = Peer { address: from, groups: Ok(&none), references: References::Lost };
            trace.groups(&groups.clone(), Direction::Ingress, &peer, (None, block.clone()));
        }
        Err(missing) => trace.unknown(HopKind::Ingress, &to.name, missing.clone()),
    }
    let Some(subnet) = to.subnet else {
        let missing = trace.view.missing(Fact::Subnets, &to.name);
        return trace.unknown(HopKind::RouteBack, &to.name, missing);
    };
    back_to_internet(
        trace,
        text(&subnet.vpc_id),
        route::from_subnet(trace.view, subnet, from),
        from,
    );
    trace.acl(subnet, Crossing::reply(Direction::Egress, Stretch::Outer), from, &block);
}

fn back_to_internet(
    trace: &mut Trace<'_, '_>,
    vpc: &str,
    decision: route::Decision<'_>,
    from: IpAddr,
) {
    let (table, line) = match decision {
        route::Decision::Unseen(missing) => return trace.unknown(HopKind::RouteBack, vpc, missing),
        route::Decision::NoRoute(table) => {
            (table, format!("no route back to {}", trace.shown(from)))
        }
        route::Decision::Found(chosen) => {
            let line = chosen.words();
            if matches!(chosen.target, Target::InternetGateway(_)) {
                if !internet_gateway::is_detached(trace.view, vpc, &chosen) {
                    trace.ok(HopKind::RouteBack, chosen.table, line);
                }
                return internet_gateway::through_gateway(trace, vpc, &chosen, HopKind::ViaBack);
            }
            (chosen.table, format!("{line}, which is no internet gateway"))
        }
    };
    let needed = Needed::Route {
        route_table: table.to_owned(),
        destination: "0.0.0.0/0".to_owned(),
        target: "an attached internet gateway".to_owned(),
    };
    trace.stop_at(HopKind::RouteBack, Layer::Route, table, line, Some(needed));
}

/// A path of a function without a VPC, from one of Lambda's own addresses.
pub(super) fn without_vpc<'a>(
    view: &View<'a>,
    function: &str,
    source: IpAddr,
    to: &Destination<'a>,
    port: u16,
) -> Path {
    let mut trace = Trace::new(view, port);
    trace.name(source, "Lambda's own addresses");
    if to.is_inside() {
        let line = format!("{function} has no VPC, and {} is a private address", to.address);
        let vpc = to.vpc.unwrap_or("the target's VPC");
        let needed = Needed::setting(format!("{function} in subnets of {vpc}"));
        trace.stop_at(HopKind::Egress, Layer::LambdaVpcConfig, function, line, needed);
    } else {
        trace.via = Via::Public;
        trace.ok(HopKind::Egress, function, "no VPC: out over Lambda's own network");
        from_internet(&mut trace, to, &[source]);
    }
    finish(trace, None, source, to)
}
