//! VPC peering: from one VPC into the other and no further.

use super::{
    HopKind, Layer, Missing, Needed, Via,
    address::holds,
    ends::{Back, Connection, arrive, leave, routed},
    filter::References,
    route::Chosen,
    trace::Trace,
    view::{View, text},
};
use crate::evidence::{Fact, PeeringVpcInfo, VpcPeeringConnection};

/// The connection of that id.
pub(super) fn peering_connection<'a>(
    view: &View<'a>,
    id: &str,
) -> Result<&'a VpcPeeringConnection, Missing> {
    let fact = Fact::VpcPeeringConnections;
    let list = view.list(&view.evidence.vpc_peering_connections, fact, id)?;
    list.iter()
        .find(|connection| connection.vpc_peering_connection_id.as_deref() == Some(id))
        .ok_or_else(|| view.missing(fact, id))
}

pub(super) fn is_active(connection: &VpcPeeringConnection) -> bool {
    status(connection) == "active"
}

fn status(connection: &VpcPeeringConnection) -> &str {
    let code = connection.status.as_ref().and_then(|status| status.code.as_deref());
    code.unwrap_or("unknown")
}

/// The two sides, the one in `vpc` first; `None` where neither is.
pub(super) fn sides<'a>(
    connection: &'a VpcPeeringConnection,
    vpc: &str,
) -> Option<(&'a PeeringVpcInfo, &'a PeeringVpcInfo)> {
    let requester = connection.requester_vpc_info.as_ref()?;
    let accepter = connection.accepter_vpc_info.as_ref()?;
    if requester.vpc_id.as_deref() == Some(vpc) {
        Some((requester, accepter))
    } else if accepter.vpc_id.as_deref() == Some(vpc) {
        Some((accepter, requester))
    } else {
        None
    }
}

/// Whether the address belongs to the other side; an error where the VPC was
/// not seen, since the peering connection names one CIDR block only.
fn belongs(
    view: &View<'_>,
    other: &PeeringVpcInfo,
    connection: &Connection<'_, '_>,
) -> Result<bool, Missing> {
    let vpc = text(&other.vpc_id);
    if !connection.to.is_inside() {
        return Ok(false);
    }
    if let Some(known) = connection.to.vpc {
        return Ok(known == vpc);
    }
    if holds(other.cidr_block.as_deref(), connection.to.address) {
        return Ok(true);
    }
    view.vpc(vpc).map(|_| view.in_vpc(vpc, connection.to.address))
}

/// Over a peering connection.
pub(super) fn cross<'a>(
    trace: &mut Trace<'_, 'a>,
    connection: &Connection<'_, 'a>,
    chosen: &Chosen<'a>,
    id: &'a str,
) {
    trace.via = Via::Peering;
    let found = peering_connection(trace.view, id);
    let pair = found.as_ref().ok().and_then(|peering| sides(peering, connection.origin.vpc));
    let regions = pair.map(|(own, other)| (own.region.as_deref(), other.region.as_deref()));
    let other_region = matches!(regions, Some((Some(a), Some(b))) if a != b);
    let references = if other_region { References::Lost } else { References::Hold };
    leave(trace, connection, references, true);
    routed(trace, chosen);
    let peering = match found {
        Ok(peering) => peering,
        Err(missing) => {
            trace.unknown(HopKind::Via, id, missing);
            return arrive(trace, connection, references, Back::Peering(id));
        }
    };
    if is_active(peering) {
        trace.ok(HopKind::Via, id, "active");
    } else if peering.status.as_ref().is_none_or(|status| status.code.is_none()) {
        let missing = trace.view.missing(Fact::VpcPeeringConnections, id);
        trace.unknown(HopKind::Via, id, missing);
    } else {
        let line = format!("status {}", status(peering));
        let needed = Needed::setting(format!("{id} accepted and active, or a new connection"));
        trace.stop_at(HopKind::Via, Layer::Peering, id, line, needed);
    }
    let Some((_, other)) = pair else {
        trace.unknown(HopKind::Via, id, trace.view.missing(Fact::VpcPeeringConnections, id));
        return arrive(trace, connection, references, Back::Peering(id));
    };
    match belongs(trace.view, other, connection) {
        Ok(true) => arrive(trace, connection, references, Back::Peering(id)),
        Ok(false) => {
            let line = format!(
                "leads to {} and no further, and {} is not in it",
                text(&other.vpc_id),
                connection.to.address,
            );
            let needed = Needed::setting(match connection.to.vpc {
                Some(vpc) => {
                    format!(
                        "a direct peering connection between {} and {vpc}",
                        connection.origin.vpc
                    )
                }
                None => "another path than through a peered VPC".to_owned(),
            });
            trace.stop_at(HopKind::Via, Layer::Peering, id, line, needed);
            arrive(trace, connection, references, Back::Skip);
        }
        Err(missing) => {
            trace.unknown(HopKind::Via, id, missing);
            arrive(trace, connection, references, Back::Peering(id));
        }
    }
}
