//! Internet gateways: whether the gateway of a route is attached to its VPC.

use super::{
    HopKind, Layer, Missing, Needed,
    route::{self, Chosen},
    trace::Trace,
    view::{View, items},
};
use crate::evidence::Fact;

/// True where the route's internet gateway is known to be attached no more.
pub(super) fn is_detached(view: &View<'_>, vpc: &str, chosen: &Chosen<'_>) -> bool {
    gateway_state(view, vpc, chosen).is_ok_and(|attached| !attached)
}

/// Whether the route's internet gateway is attached to the VPC.
fn gateway_state(view: &View<'_>, vpc: &str, chosen: &Chosen<'_>) -> Result<bool, Missing> {
    let id = chosen.target.id();
    if route::attached_gateway(view, vpc, Some(id))?.is_some() {
        return Ok(true);
    }
    // An active route to a gateway that is in no list is a list with a hole.
    let listed = items(&view.evidence.internet_gateways);
    let known = listed.iter().any(|gateway| gateway.internet_gateway_id.as_deref() == Some(id));
    if known || chosen.blackhole {
        Ok(false)
    } else {
        Err(view.missing(Fact::InternetGateways, id))
    }
}

/// The internet gateway of a route, as a hop.
pub(super) fn through_gateway(
    trace: &mut Trace<'_, '_>,
    vpc: &str,
    chosen: &Chosen<'_>,
    kind: HopKind,
) {
    let id = chosen.target.id();
    match gateway_state(trace.view, vpc, chosen) {
        Ok(true) if chosen.blackhole => {
            let line = format!("{} → {id} is a blackhole", chosen.destination);
            let needed = Needed::Route {
                route_table: chosen.table.to_owned(),
                destination: chosen.destination.clone(),
                target: id.to_owned(),
            };
            let kind = if kind == HopKind::ViaBack { HopKind::RouteBack } else { HopKind::Route };
            trace.stop_at(kind, Layer::Route, chosen.table, line, Some(needed));
        }
        Ok(true) => trace.ok(kind, id, format!("attached to {vpc}")),
        Ok(false) => {
            let line = format!(
                "{} leads to {id} ({}), which is not attached to {vpc}",
                chosen.table, chosen.destination
            );
            let needed = Needed::setting(format!("an internet gateway attached to {vpc}"));
            trace.stop_at(kind, Layer::InternetGateway, vpc, line, needed);
        }
        Err(missing) => trace.unknown(kind, id, missing),
    }
}
