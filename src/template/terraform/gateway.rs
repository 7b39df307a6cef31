//! EC2: ways out of a VPC and into others: NAT gateways, internet gateways, peering
//! connections, transit gateways.

use serde_json::{Value, json};

use super::{plan::Resource, value::Seen, world::World};
use crate::{evidence::Fact, template::Draft};

/// Puts the gateways.
pub(super) fn put(world: &World<'_>, draft: &mut Draft) {
    for fact in [
        "NatGateways",
        "InternetGateways",
        "EgressOnlyInternetGateways",
        "VpcPeeringConnections",
        "TransitGateways",
        "TransitGatewayVpcAttachments",
        "TransitGatewayRouteTables",
    ] {
        draft.list(fact);
    }
    add(world, draft, ("aws_nat_gateway", "NatGateways", Fact::NatGateways), nat);
    let internet = ("aws_internet_gateway", "InternetGateways", Fact::InternetGateways);
    add(world, draft, internet, internet_gateway);
    let fact = Fact::EgressOnlyInternetGateways;
    let egress = ("aws_egress_only_internet_gateway", "EgressOnlyInternetGateways", fact);
    add(world, draft, egress, egress_only);
    let fact = Fact::VpcPeeringConnections;
    add(world, draft, ("aws_vpc_peering_connection", "VpcPeeringConnections", fact), peering);
    let fact = Fact::TransitGateways;
    add(world, draft, ("aws_ec2_transit_gateway", "TransitGateways", fact), transit);
    let fact = Fact::TransitGatewayVpcAttachments;
    let attachment =
        ("aws_ec2_transit_gateway_vpc_attachment", "TransitGatewayVpcAttachments", fact);
    add(world, draft, attachment, transit_attachment);
    // Routes of transit gateways come by propagation too, which depends on more than a
    // plan says.
    if let Some(gateway) = world.of(&["aws_ec2_transit_gateway", attachment.0]).next() {
        draft.gap(
            Fact::TransitGatewayRouteTables,
            "",
            format!("the routes behind {} are not read out of a plan", gateway.address),
        );
    }
}

type Reader<'p> = fn(&World<'p>, &'p Resource, &str) -> Result<Value, String>;

/// Adds all resources of a kind; one of which a part cannot be told is left out.
fn add<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    (kind, key, fact): (&str, &str, Fact),
    read: Reader<'p>,
) {
    for resource in world.of(&[kind]) {
        let Some(id) = super::vpc::id_of(world, resource) else { continue };
        world.declare(draft, &id, resource);
        match read(world, resource, &id) {
            Ok(found) => draft.push(key, found),
            Err(why) => draft.gap(fact, &id, why),
        }
    }
}

fn nat<'p>(world: &World<'p>, nat: &'p Resource, id: &str) -> Result<Value, String> {
    let kind = nat.text("connectivity_type").settled()?;
    let subnet = world.id(nat, "subnet_id").settled()?;
    let mut found = json!({"NatGatewayId": id, "State": "available",
        "ConnectivityType": kind.unwrap_or_else(|| "public".to_owned())});
    if let Some(subnet) = subnet {
        if let Some(own) = world.called(&["aws_subnet", "aws_default_subnet"], &subnet)
            && let Seen::Known(vpc) = world.id(own, "vpc_id")
        {
            found["VpcId"] = json!(vpc);
        }
        found["SubnetId"] = json!(subnet);
    } else {
        found["AvailabilityMode"] = json!("regional");
        if let Some(vpc) = world.id(nat, "vpc_id").settled()? {
            found["VpcId"] = json!(vpc);
        }
    }
    if let Some(address) = nat.known_text("public_ip") {
        found["NatGatewayAddresses"] = json!([{"PublicIp": address}]);
    }
    Ok(found)
}

fn internet_gateway<'p>(
    world: &World<'p>,
    gateway: &'p Resource,
    id: &str,
) -> Result<Value, String> {
    let mut vpcs = Vec::new();
    if gateway.data {
        let known = gateway.known_text("attachments.0.vpc_id");
        vpcs.extend(known);
    } else if !world.is_left_to_aws(gateway, "vpc_id") {
        vpcs.extend(world.id(gateway, "vpc_id").settled()?);
    }
    for attachment in world.made(&["aws_internet_gateway_attachment"]) {
        let own = world.id(attachment, "internet_gateway_id").settled()?;
        if own.as_deref() == Some(id) {
            vpcs.extend(world.id(attachment, "vpc_id").settled()?);
        }
    }
    Ok(json!({"InternetGatewayId": id, "Attachments": attachments(&vpcs)}))
}

fn attachments(vpcs: &[String]) -> Vec<Value> {
    vpcs.iter().map(|vpc| json!({"State": "available", "VpcId": vpc})).collect()
}

fn egress_only<'p>(world: &World<'p>, gateway: &'p Resource, id: &str) -> Result<Value, String> {
    let vpc: Vec<String> = world.id(gateway, "vpc_id").settled()?.into_iter().collect();
    Ok(json!({"EgressOnlyInternetGatewayId": id, "Attachments": attachments(&vpc)}))
}

/// A peering connection is active once the other side has accepted it: at once where the
/// plan does so, later where nobody in it does.
fn peering<'p>(world: &World<'p>, peering: &'p Resource, id: &str) -> Result<Value, String> {
    let side = |path: &str| -> Result<Value, String> {
        let vpc = world.id(peering, path).settled()?;
        let mut info = json!({"OwnerId": world.place.account, "Region": world.place.region});
        if let Some(vpc) = vpc {
            if let Some(known) = world.called(&["aws_vpc"], &vpc)
                && let Some(block) = known.known_text("cidr_block")
            {
                info["CidrBlock"] = json!(block);
            }
            info["VpcId"] = json!(vpc);
        }
        Ok(info)
    };
    let (mut requester, mut accepter) = (side("vpc_id")?, side("peer_vpc_id")?);
    if let Some(region) = peering.known_text("peer_region") {
        accepter["Region"] = json!(region);
    }
    if let Some(owner) = world.id(peering, "peer_owner_id").known() {
        accepter["OwnerId"] = json!(owner);
    }
    let accepts = world.made(&["aws_vpc_peering_connection_accepter"]).find(|one| {
        world.id(one, "vpc_peering_connection_id").known().as_deref() == Some(id)
            && one.flag("auto_accept").known() == Some(true)
    });
    let active = peering.flag("auto_accept").known() == Some(true)
        || accepts.is_some()
        || peering.known_text("accept_status").as_deref() == Some("active");
    let options = world
        .made(&["aws_vpc_peering_connection_options"])
        .filter(|one| world.id(one, "vpc_peering_connection_id").known().as_deref() == Some(id));
    for source in options.chain(accepts).chain([peering]) {
        for (block, info) in [("requester", &mut requester), ("accepter", &mut accepter)] {
            let path = format!("{block}.0.allow_remote_vpc_dns_resolution");
            if let Seen::Known(allow) = source.flag(&path) {
                info["PeeringOptions"] = json!({"AllowDnsResolutionFromRemoteVpc": allow});
            }
        }
    }
    if !active {
        return Err(format!("{} waits for the other side to accept it", peering.address));
    }
    Ok(json!({"VpcPeeringConnectionId": id, "Status": {"Code": "active"},
        "RequesterVpcInfo": requester, "AccepterVpcInfo": accepter}))
}

fn transit<'p>(world: &World<'p>, gateway: &'p Resource, id: &str) -> Result<Value, String> {
    let mut found = json!({"TransitGatewayId": id, "State": "available",
        "OwnerId": world.place.account});
    if let Some(referencing) = gateway.known_text("security_group_referencing_support") {
        found["Options"] = json!({"SecurityGroupReferencingSupport": referencing});
    }
    Ok(found)
}

fn transit_attachment<'p>(
    world: &World<'p>,
    attachment: &'p Resource,
    id: &str,
) -> Result<Value, String> {
    let subnets = world.ids(attachment, "subnet_ids").settled()?.unwrap_or_default();
    let mut found = json!({"TransitGatewayAttachmentId": id, "State": "available",
        "SubnetIds": subnets});
    for (path, key) in [("vpc_id", "VpcId"), ("transit_gateway_id", "TransitGatewayId")] {
        if let Some(id) = world.id(attachment, path).settled()? {
            found[key] = json!(id);
        }
    }
    if let Some(referencing) = attachment.known_text("security_group_referencing_support") {
        found["Options"] = json!({"SecurityGroupReferencingSupport": referencing});
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::put;
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
            put,
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
            put,
        );
        let wanted = [
            ("TransitGatewayRouteTables", ""),
            ("VpcPeeringConnections", "aws_vpc_peering_connection.p"),
        ];
        assert_eq!(gaps(&found), wanted);
    }
}
