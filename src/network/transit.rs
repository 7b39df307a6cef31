//! Transit gateways: attachment, availability zone, the attachment's route
//! table, and the same on the reply's way.

use std::net::IpAddr;

use super::{
    Direction, HopKind, Layer, Missing, Needed, Via,
    address::{block, holds},
    ends::{Back, Connection, arrive, behind, leave, routed},
    filter::References,
    route::Chosen,
    trace::{Crossing, Stretch, Trace, origin_block, subnet_block},
    view::{View, text},
};
use crate::evidence::{
    Fact, Subnet, TransitGatewayOptions, TransitGatewayRoute, TransitGatewayRouteTable,
    TransitGatewayVpcAttachment as Attachment,
};

fn attachments<'a>(view: &View<'a>, gateway: &str) -> Result<&'a [Attachment], Missing> {
    let evidence = view.evidence;
    let fact = Fact::TransitGatewayVpcAttachments;
    view.list(&evidence.transit_gateway_vpc_attachments, fact, gateway)
}

/// The attachment of a VPC to a gateway.
fn attachment<'a>(
    view: &View<'a>,
    gateway: &str,
    vpc: &str,
) -> Result<Option<&'a Attachment>, Missing> {
    let found = attachments(view, gateway)?
        .iter()
        .filter(|attachment| {
            attachment.transit_gateway_id.as_deref() == Some(gateway)
                && attachment.vpc_id.as_deref() == Some(vpc)
        })
        // A deleted attachment stays in the list for a while.
        .min_by_key(|a| {
            (a.state.as_deref() != Some("available"), &a.transit_gateway_attachment_id)
        });
    if found.is_none() {
        view.whole(Fact::TransitGatewayVpcAttachments, vpc)?;
    }
    Ok(found)
}

fn supports_references(options: Option<&TransitGatewayOptions>) -> bool {
    options.and_then(|o| o.security_group_referencing_support.as_deref()) == Some("enable")
}

/// Rules about groups match across the gateway only where it and both
/// attachments are told to, and only in ingress rules.
fn references(view: &View<'_>, gateway: &str, ends: [Option<&Attachment>; 2]) -> References {
    let gateways = view.evidence.transit_gateways.known().map_or(&[][..], Vec::as_slice);
    let own = gateways.iter().find(|g| g.transit_gateway_id.as_deref() == Some(gateway));
    let all = supports_references(own.and_then(|gateway| gateway.options.as_ref()))
        && ends.iter().all(|end| supports_references(end.and_then(|a| a.options.as_ref())));
    if all { References::Hold } else { References::Lost }
}

/// Over a transit gateway.
pub(super) fn cross<'a>(
    trace: &mut Trace<'_, 'a>,
    way: &Connection<'_, 'a>,
    chosen: &Chosen<'a>,
    id: &'a str,
) {
    let Connection { origin, source, to } = *way;
    let view = trace.view;
    trace.via = Via::TransitGateway;
    leave(trace, way, References::Lost, true);
    routed(trace, chosen);
    let near = attachment(view, id, origin.vpc);
    let Some(near) = end(trace, id, origin.vpc, near, HopKind::Via) else {
        return arrive(trace, way, References::Hold, Back::TransitGateway(id));
    };
    let inner = origin_block(origin, source);
    if let Some(subnet) = zone(trace, near, origin.subnet, HopKind::Via) {
        trace.acl(subnet, Crossing::request(Direction::Ingress), source, &inner);
    }
    let leads = lookup(trace, near, to.address, HopKind::Via);
    let far = match leads {
        Some(target) => attachments(view, id).map(|list| {
            list.iter().find(|a| a.transit_gateway_attachment_id.as_deref() == Some(target))
        }),
        None => to.vpc.map_or(Ok(None), |vpc| attachment(view, id, vpc)),
    };
    let far = match far {
        Ok(Some(far)) => far,
        Ok(None) => {
            if let Some(target) = leads {
                trace.opaque(HopKind::Via, behind(target));
            }
            return arrive(trace, way, References::Hold, Back::TransitGateway(id));
        }
        Err(missing) => {
            trace.unknown(HopKind::Via, id, missing);
            return arrive(trace, way, References::Hold, Back::TransitGateway(id));
        }
    };
    if far.vpc_id.as_deref() != to.vpc || !to.is_inside() {
        let attachment = text(&far.transit_gateway_attachment_id);
        trace.opaque(HopKind::Via, behind(attachment));
        return arrive(trace, way, References::Lost, Back::Any);
    }
    end(trace, id, text(&far.vpc_id), Ok(Some(far)), HopKind::Via);
    let references = references(view, id, [Some(near), Some(far)]);
    let landing = landing(trace, far, to.subnet);
    if let Some(subnet) = landing {
        let block = to.subnet.map_or(String::new(), |s| subnet_block(s, to.address));
        trace.acl(subnet, Crossing::request(Direction::Egress), to.address, &block);
    }
    // The reply's route table is examined by `arrive`; the gateway's own part of
    // the reply comes after it.
    arrive_and_return(trace, way, references, id, (near, far), landing);
}

fn arrive_and_return<'a>(
    trace: &mut Trace<'_, 'a>,
    way: &Connection<'_, 'a>,
    references: References,
    id: &'a str,
    (near, far): (&'a Attachment, &'a Attachment),
    landing: Option<&'a Subnet>,
) {
    let Connection { origin, source, to } = *way;
    arrive(trace, way, references, Back::TransitGateway(id));
    let Some(subnet) = to.subnet else { return };
    let block = subnet_block(subnet, to.address);
    if zone(trace, far, subnet, HopKind::ViaBack).is_some()
        && let Some(landing) = landing
    {
        let crossing = Crossing::reply(Direction::Ingress, Stretch::Inner);
        trace.acl(landing, crossing, to.address, &block);
    }
    if let Some(target) = lookup(trace, far, source, HopKind::ViaBack)
        && near.transit_gateway_attachment_id.as_deref() != Some(target)
    {
        let table = table_of(trace.view, far).ok().flatten();
        let name = table.map_or(target, |table| text(&table.transit_gateway_route_table_id));
        let line = format!("the reply to {} goes to {target}", trace.shown(source));
        let needed = Needed::setting(format!("a route for the reply in {name}"));
        trace.stop_at(HopKind::ViaBack, Layer::TransitGateway, name, line, needed);
    }
    let own = same_zone(trace.view, near, origin.subnet)
        .filter(|s| s.subnet_id != origin.subnet.subnet_id);
    if let Some(subnet) = own {
        let crossing = Crossing::reply(Direction::Egress, Stretch::Inner);
        trace.acl(subnet, crossing, source, &origin_block(origin, source));
    }
}

/// One end of the gateway: is there an attachment, and is it available?
fn end<'a>(
    trace: &mut Trace<'_, 'a>,
    gateway: &str,
    vpc: &str,
    found: Result<Option<&'a Attachment>, Missing>,
    kind: HopKind,
) -> Option<&'a Attachment> {
    match found {
        Err(missing) => {
            trace.unknown(kind, gateway, missing);
            None
        }
        Ok(None) => {
            // The route would be a blackhole if there were no attachment.
            let missing = trace.view.missing(Fact::TransitGatewayVpcAttachments, vpc);
            trace.unknown(kind, gateway, missing);
            None
        }
        Ok(Some(attachment)) => {
            let id = text(&attachment.transit_gateway_attachment_id);
            match attachment.state.as_deref() {
                // An attachment works on while it is being changed.
                Some("available" | "modifying") => {}
                Some(state) => {
                    let needed = Needed::setting(format!("{id} available"));
                    let line = format!("state {state}");
                    trace.stop_at(kind, Layer::TransitGateway, id, line, needed);
                }
                None => {
                    let missing = trace.view.missing(Fact::TransitGatewayVpcAttachments, id);
                    trace.unknown(kind, id, missing);
                }
            }
            Some(attachment)
        }
    }
}

/// The attachment's subnet in the zone of a subnet.
fn same_zone<'a>(
    view: &View<'a>,
    attachment: &'a Attachment,
    subnet: &Subnet,
) -> Option<&'a Subnet> {
    let own = attachment.subnet_ids.iter().filter_map(|id| view.subnet(id).ok());
    own.filter(|s| s.availability_zone == subnet.availability_zone).min_by_key(|s| &s.subnet_id)
}

/// What leaves a zone enters the gateway through the attachment's subnet in the
/// same zone. Returns that subnet where it has an ACL of its own to pass.
fn zone<'a>(
    trace: &mut Trace<'_, 'a>,
    attachment: &'a Attachment,
    subnet: &Subnet,
    kind: HopKind,
) -> Option<&'a Subnet> {
    let id = text(&attachment.transit_gateway_attachment_id);
    let zone = subnet.availability_zone.as_deref().unwrap_or("the subnet's zone");
    if let Some(found) = same_zone(trace.view, attachment, subnet) {
        trace.ok(kind, id, format!("has a subnet in {zone}"));
        return Some(found).filter(|found| found.subnet_id != subnet.subnet_id);
    }
    let unseen = attachment.subnet_ids.iter().find_map(|id| trace.view.subnet(id).err());
    if let Some(missing) = unseen {
        trace.unknown(kind, id, missing);
    } else {
        let line =
            format!("no subnet of the attachment in {zone}, where {} is", text(&subnet.subnet_id));
        let needed = Needed::setting(format!("a subnet of {zone} on {id}"));
        trace.stop_at(kind, Layer::TransitGateway, id, line, needed);
    }
    None
}

/// The subnet by which the gateway comes into the target's VPC, where it is not
/// the target's own.
fn landing<'a>(
    trace: &Trace<'_, 'a>,
    far: &'a Attachment,
    target: Option<&'a Subnet>,
) -> Option<&'a Subnet> {
    let target = target?;
    let subnet = same_zone(trace.view, far, target).or_else(|| {
        let own = far.subnet_ids.iter().filter_map(|id| trace.view.subnet(id).ok());
        own.min_by_key(|subnet| &subnet.subnet_id)
    });
    subnet.filter(|subnet| subnet.subnet_id != target.subnet_id)
}

fn table_of<'a>(
    view: &View<'a>,
    attachment: &Attachment,
) -> Result<Option<&'a TransitGatewayRouteTable>, Missing> {
    let id = text(&attachment.transit_gateway_attachment_id);
    let fact = Fact::TransitGatewayRouteTables;
    let tables = view.list(&view.evidence.transit_gateway_route_tables, fact, id)?;
    let own = tables.iter().filter(|t| t.associated_attachments.iter().any(|a| a == id));
    let found = own.min_by_key(|table| &table.transit_gateway_route_table_id);
    if found.is_none() {
        view.whole(fact, "")?;
        if let Some(missing) = shared(view, attachment) {
            return Err(missing);
        }
    }
    Ok(found)
}

/// What hides the tables of a gateway that another account shares: they show
/// in that account only.
fn shared(view: &View<'_>, attachment: &Attachment) -> Option<Missing> {
    let id = attachment.transit_gateway_id.as_deref()?;
    let gateways = view.evidence.transit_gateways.known()?;
    let found = gateways.iter().find(|g| g.transit_gateway_id.as_deref() == Some(id))?;
    let owner = found.owner_id.as_deref()?;
    let account = view.evidence.account_id()?;
    (owner != account).then(|| Missing {
        fact: Fact::TransitGatewayRouteTables,
        action: String::new(),
        resource: id.to_owned(),
        reason: format!("{id} belongs to account {owner}, and its route tables show only there"),
    })
}

/// The attachment that the gateway's table for `from` leads an address to.
fn lookup<'a>(
    trace: &mut Trace<'_, 'a>,
    from: &Attachment,
    address: IpAddr,
    kind: HopKind,
) -> Option<&'a str> {
    let id = text(&from.transit_gateway_attachment_id);
    let table = match table_of(trace.view, from) {
        Ok(Some(table)) => table,
        Ok(None) => {
            let line = "associated with no transit gateway route table";
            let needed = Needed::setting(format!("a route table associated with {id}"));
            trace.stop_at(kind, Layer::TransitGateway, id, line, needed);
            return None;
        }
        Err(missing) => {
            trace.unknown(kind, id, missing);
            return None;
        }
    };
    let name = text(&table.transit_gateway_route_table_id);
    let shown = trace.shown(address);
    let best: Option<&TransitGatewayRoute> = table
        .routes
        .iter()
        .filter(|route| holds(route.destination_cidr_block.as_deref(), address))
        .max_by_key(|route| {
            let length = route.destination_cidr_block.as_deref().and_then(block);
            (length.map(|net| net.prefix_len()), &route.attachment)
        });
    let needed = Needed::setting(format!("an active route to {shown} in {name}"));
    match best {
        Some(route)
            if matches!(route.state.as_deref(), None | Some("active"))
                && route.attachment.is_some() =>
        {
            let target = text(&route.attachment);
            let destination = text(&route.destination_cidr_block);
            trace.ok(kind, name, format!("{destination} → {target}"));
            Some(target)
        }
        Some(route) => {
            let state = route.state.as_deref().unwrap_or("without an attachment");
            let line = format!("{} is {state}", text(&route.destination_cidr_block));
            trace.stop_at(kind, Layer::TransitGateway, name, line, needed);
            None
        }
        None if trace.view.whole(Fact::TransitGatewayRouteTables, "").is_err() => {
            let missing = trace.view.missing(Fact::TransitGatewayRouteTables, name);
            trace.unknown(kind, name, missing);
            None
        }
        None => {
            let line = format!("no route to {shown}");
            trace.stop_at(kind, Layer::TransitGateway, name, line, needed);
            None
        }
    }
}
