//! EC2: gateways out of a VPC and connections between VPCs: NAT and internet gateways,
//! peering connections, transit gateways.

use super::{
    resource::Resource,
    vpcs::{id_of, vpc_of_subnet},
    world::World,
};
use crate::{
    evidence::{
        EgressOnlyInternetGateway, Fact, GatewayAttachment, InternetGateway, NatGateway,
        NatGatewayAddress, Observed, PeeringOptions, PeeringStatus, PeeringVpcInfo, TransitGateway,
        TransitGatewayOptions, TransitGatewayVpcAttachment, VpcPeeringConnection,
    },
    template::{Draft, aws::Open, draft::begin},
};

/// The kinds of what belongs to a transit gateway.
const TRANSIT: [&str; 2] = ["aws_ec2_transit_gateway", "aws_ec2_transit_gateway_vpc_attachment"];

/// Gateways, peerings and transit gateways.
pub(super) fn declare(world: &World<'_>, draft: &mut Draft) {
    add(world, draft, "aws_nat_gateway", Fact::NatGateways, nat_gateway, |draft| {
        &mut draft.evidence.nat_gateways
    });
    let fact = Fact::InternetGateways;
    add(world, draft, "aws_internet_gateway", fact, internet_gateway, |draft| {
        &mut draft.evidence.internet_gateways
    });
    let fact = Fact::EgressOnlyInternetGateways;
    add(world, draft, "aws_egress_only_internet_gateway", fact, egress_only, |draft| {
        &mut draft.evidence.egress_only_internet_gateways
    });
    let fact = Fact::VpcPeeringConnections;
    add(world, draft, "aws_vpc_peering_connection", fact, peering, |draft| {
        &mut draft.evidence.vpc_peering_connections
    });
    add(world, draft, TRANSIT[0], Fact::TransitGateways, transit_gateway, |draft| {
        &mut draft.evidence.transit_gateways
    });
    let fact = Fact::TransitGatewayVpcAttachments;
    add(world, draft, TRANSIT[1], fact, transit_attachment, |draft| {
        &mut draft.evidence.transit_gateway_vpc_attachments
    });
    draft.complete(&[Fact::TransitGatewayRouteTables]);
    // Routes of transit gateways come by propagation too, which depends on more than a
    // plan says.
    if let Some(gateway) = world.of(&TRANSIT).next() {
        draft.gap(
            Fact::TransitGatewayRouteTables,
            "",
            format!("the routes behind {} are not read out of a plan", gateway.address),
        );
    }
}

/// Adds all resources of a kind; one of which a part is open is left out.
fn add<'p, T>(
    world: &World<'p>,
    draft: &mut Draft,
    kind: &str,
    fact: Fact,
    read: fn(&World<'p>, &'p Resource, &str) -> Result<T, Open>,
    list: fn(&mut Draft) -> &mut Observed<Vec<T>>,
) {
    draft.complete(&[fact]);
    for resource in world.of(&[kind]) {
        let Some(id) = id_of(world, resource) else { continue };
        world.declare(draft, &id, resource);
        match read(world, resource, &id) {
            Ok(found) => begin(list(draft)).push(found),
            Err(open) => draft.gap(fact, &id, open),
        }
    }
}

fn available() -> Option<String> {
    Some("available".to_owned())
}

fn nat_gateway<'p>(world: &World<'p>, nat: &'p Resource, id: &str) -> Result<NatGateway, Open> {
    let kind = nat.text("connectivity_type").settled()?;
    let subnet = world.id(nat, "subnet_id").settled()?;
    let address = nat.known_text("public_ip");
    let (vpc, mode) = match &subnet {
        Some(subnet) => (vpc_of_subnet(world, subnet), None),
        None => (world.id(nat, "vpc_id").settled()?, Some("regional".to_owned())),
    };
    Ok(NatGateway {
        nat_gateway_id: Some(id.to_owned()),
        vpc_id: vpc,
        subnet_id: subnet,
        state: available(),
        connectivity_type: Some(kind.unwrap_or_else(|| "public".to_owned())),
        availability_mode: mode,
        nat_gateway_addresses: address
            .into_iter()
            .map(|address| NatGatewayAddress { public_ip: Some(address), private_ip: None })
            .collect(),
        failure_message: None,
    })
}

fn internet_gateway<'p>(
    world: &World<'p>,
    gateway: &'p Resource,
    id: &str,
) -> Result<InternetGateway, Open> {
    let mut vpcs = Vec::new();
    if gateway.data {
        vpcs.extend(gateway.known_text("attachments.0.vpc_id"));
    } else if !world.is_left_to_aws(gateway, "vpc_id") {
        vpcs.extend(world.id(gateway, "vpc_id").settled()?);
    }
    for attachment in world.created(&["aws_internet_gateway_attachment"]) {
        let own = world.id(attachment, "internet_gateway_id").settled()?;
        if own.as_deref() == Some(id) {
            vpcs.extend(world.id(attachment, "vpc_id").settled()?);
        }
    }
    let attachments = vpcs
        .into_iter()
        .map(|vpc| GatewayAttachment { state: available(), vpc_id: Some(vpc) })
        .collect();
    Ok(InternetGateway { internet_gateway_id: Some(id.to_owned()), attachments })
}

fn egress_only<'p>(
    world: &World<'p>,
    gateway: &'p Resource,
    id: &str,
) -> Result<EgressOnlyInternetGateway, Open> {
    let vpc_id = world.id(gateway, "vpc_id").settled()?;
    let state = Some("attached".to_owned());
    Ok(EgressOnlyInternetGateway {
        egress_only_internet_gateway_id: Some(id.to_owned()),
        attachments: vec![GatewayAttachment { state, vpc_id }],
    })
}

/// A peering connection is active once the other side has accepted it: at once where the
/// plan does so, later where nobody in it does.
fn peering<'p>(
    world: &World<'p>,
    peering: &'p Resource,
    id: &str,
) -> Result<VpcPeeringConnection, Open> {
    let side = |path: &str| -> Result<PeeringVpcInfo, Open> {
        let vpc = world.id(peering, path).settled()?;
        let known = vpc.as_deref().and_then(|vpc| world.called(&["aws_vpc"], vpc));
        Ok(PeeringVpcInfo {
            owner_id: Some(world.place.account.clone()),
            region: Some(world.place.region.clone()),
            cidr_block: known.and_then(|vpc| vpc.known_text("cidr_block")),
            vpc_id: vpc,
            peering_options: None,
        })
    };
    let (mut requester, mut accepter) = (side("vpc_id")?, side("peer_vpc_id")?);
    accepter.region = peering.known_text("peer_region").or(accepter.region);
    accepter.owner_id = world.id(peering, "peer_owner_id").known().or(accepter.owner_id);
    let is_of = |one: &&'p Resource| {
        world.id(one, "vpc_peering_connection_id").known().as_deref() == Some(id)
    };
    let accepts = |one: &Resource| one.flag("auto_accept").known() == Some(true);
    let accepted = world
        .created(&["aws_vpc_peering_connection_accepter"])
        .find(|one| is_of(one) && accepts(one));
    let active = accepts(peering)
        || accepted.is_some()
        || peering.known_text("accept_status").as_deref() == Some("active");
    if !active {
        let reason = format!("{} waits for the other side to accept it", peering.address);
        return Err(reason.into());
    }
    let options = world.created(&["aws_vpc_peering_connection_options"]).filter(is_of);
    for source in options.chain(accepted).chain([peering]) {
        for (block, info) in [("requester", &mut requester), ("accepter", &mut accepter)] {
            let path = format!("{block}.0.allow_remote_vpc_dns_resolution");
            if let Some(allow) = source.flag(&path).known() {
                info.peering_options =
                    Some(PeeringOptions { allow_dns_resolution_from_remote_vpc: Some(allow) });
            }
        }
    }
    Ok(VpcPeeringConnection {
        vpc_peering_connection_id: Some(id.to_owned()),
        requester_vpc_info: Some(requester),
        accepter_vpc_info: Some(accepter),
        status: Some(PeeringStatus { code: Some("active".to_owned()), message: None }),
    })
}

fn options(resource: &Resource) -> Option<TransitGatewayOptions> {
    let support = resource.known_text("security_group_referencing_support")?;
    Some(TransitGatewayOptions { security_group_referencing_support: Some(support) })
}

fn transit_gateway<'p>(
    world: &World<'p>,
    gateway: &'p Resource,
    id: &str,
) -> Result<TransitGateway, Open> {
    Ok(TransitGateway {
        transit_gateway_id: Some(id.to_owned()),
        state: available(),
        owner_id: Some(world.place.account.clone()),
        options: options(gateway),
    })
}

fn transit_attachment<'p>(
    world: &World<'p>,
    attachment: &'p Resource,
    id: &str,
) -> Result<TransitGatewayVpcAttachment, Open> {
    Ok(TransitGatewayVpcAttachment {
        transit_gateway_attachment_id: Some(id.to_owned()),
        state: available(),
        subnet_ids: world.ids(attachment, "subnet_ids").settled()?.unwrap_or_default(),
        vpc_id: world.id(attachment, "vpc_id").settled()?,
        transit_gateway_id: world.id(attachment, "transit_gateway_id").settled()?,
        options: options(attachment),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::declare;
    use crate::template::terraform::testing::{evidence, gaps};

    #[test]
    fn gateways_are_there_once_the_plan_is_carried_out() {
        let found = evidence(
            &[
                ("aws_vpc.v", json!({"cidr_block": "10.0.0.0/16"}), &[]),
                ("aws_internet_gateway.i", json!({}), &[("vpc_id", &["aws_vpc.v.id"])]),
                ("aws_subnet.s", json!({}), &[("vpc_id", &["aws_vpc.v.id"])]),
                ("aws_nat_gateway.n", json!({}), &[("subnet_id", &["aws_subnet.s.id"])]),
                (
                    "aws_vpc_peering_connection.p",
                    json!({"peer_vpc_id": "vpc-2", "auto_accept": true}),
                    &[("vpc_id", &["aws_vpc.v.id"])],
                ),
            ],
            declare,
        );
        let nat = &found.nat_gateways.known().expect("NAT gateways")[0];
        assert_eq!(
            (nat.vpc_id.as_deref(), nat.state.as_deref()),
            (Some("aws_vpc.v"), Some("available"))
        );
        let gateway = &found.internet_gateways.known().expect("gateways")[0];
        assert_eq!(gateway.internet_gateway_id.as_deref(), Some("igw-aws_internet_gateway.i"));
        assert_eq!(gateway.attachments[0].vpc_id.as_deref(), Some("aws_vpc.v"));
        let peering = &found.vpc_peering_connections.known().expect("peerings")[0];
        assert_eq!(peering.status.as_ref().and_then(|s| s.code.as_deref()), Some("active"));
    }

    #[test]
    fn what_another_side_must_accept_and_what_a_transit_gateway_routes_is_open() {
        let found = evidence(
            &[
                (
                    "aws_vpc_peering_connection.p",
                    json!({"vpc_id": "vpc-1", "peer_vpc_id": "vpc-2"}),
                    &[],
                ),
                ("aws_ec2_transit_gateway.t", json!({}), &[]),
            ],
            declare,
        );
        let wanted = [
            ("TransitGatewayRouteTables", ""),
            ("VpcPeeringConnections", "aws_vpc_peering_connection.p"),
        ];
        assert_eq!(gaps(&found), wanted);
    }
}
