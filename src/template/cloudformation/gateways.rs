//! EC2: gateways out of a VPC and connections between VPCs: NAT and internet gateways,
//! peerings, transit gateways.

use std::collections::BTreeMap;

use super::{
    value::{is_opaque, may_be_own},
    world::{Created, World},
};
use crate::{
    evidence::{
        EgressOnlyInternetGateway, Fact, GatewayAttachment, InternetGateway, NatGateway,
        PeeringStatus, PeeringVpcInfo, TransitGateway, TransitGatewayVpcAttachment,
        VpcPeeringConnection,
    },
    template::{aws::Setting, draft::begin},
};

/// Gateways, peerings and transit gateways.
pub(super) fn declare(world: &mut World<'_, '_>) {
    for nat in world.created("AWS::EC2::NatGateway", Fact::NatGateways) {
        nat_gateway(world, &nat);
    }
    internet_gateways(world);
    egress_only(world);
    peerings(world);
    transit_gateways(world);
}

fn available() -> Option<String> {
    Some("available".to_owned())
}

fn nat_gateway(world: &mut World<'_, '_>, nat: &Created<'_, '_>) {
    world.declare_whole(&nat.id, nat.resource);
    let properties = &nat.properties;
    let kind = properties.get("ConnectivityType").text();
    let mode = properties.get("AvailabilityMode").text();
    let (kind, mode) = match (kind, mode) {
        (Setting::Open(open), _) | (_, Setting::Open(open)) => {
            return world.draft.gap(Fact::NatGateways, &nat.id, open);
        }
        (kind, mode) => (kind.known().unwrap_or_else(|| "public".to_owned()), mode.known()),
    };
    let subnet = properties.get("SubnetId").id();
    let vpc = properties.get("VpcId").id().or_else(|| vpc_of(world, subnet.as_deref()?));
    begin(&mut world.draft.evidence.nat_gateways).push(NatGateway {
        nat_gateway_id: Some(nat.id.clone()),
        subnet_id: subnet,
        vpc_id: vpc,
        state: available(),
        connectivity_type: Some(kind),
        availability_mode: mode,
        ..NatGateway::default()
    });
}

/// The VPC of a subnet, where the template says it.
pub(super) fn vpc_of(world: &World<'_, '_>, subnet: &str) -> Option<String> {
    let resource = world.scope.resource(subnet.strip_prefix("subnet-")?)?;
    world.scope.property(resource, "VpcId").id()
}

fn internet_gateways(world: &mut World<'_, '_>) {
    let mut attached: BTreeMap<String, Vec<GatewayAttachment>> = BTreeMap::new();
    for (attachment, open) in world.perhaps("AWS::EC2::VPCGatewayAttachment") {
        let properties = &attachment.properties;
        let Some(gateway) = properties.get("InternetGatewayId").id() else { continue };
        let vpc = properties.get("VpcId").id().unwrap_or_default();
        match open {
            Ok(()) if is_opaque(&gateway) || may_be_own(&vpc) => world.draft.gap(
                Fact::InternetGateways,
                &gateway,
                format!("{gateway} is not declared"),
            ),
            Ok(()) => attached
                .entry(gateway)
                .or_default()
                .push(GatewayAttachment { vpc_id: Some(vpc), state: available() }),
            Err(open) => world.draft.gap(Fact::InternetGateways, &gateway, open),
        }
    }
    for gateway in world.created("AWS::EC2::InternetGateway", Fact::InternetGateways) {
        world.declare_whole(&gateway.id, gateway.resource);
        let attachments = attached.remove(&gateway.id).unwrap_or_default();
        begin(&mut world.draft.evidence.internet_gateways)
            .push(InternetGateway { internet_gateway_id: Some(gateway.id), attachments });
    }
}

fn egress_only(world: &mut World<'_, '_>) {
    let fact = Fact::EgressOnlyInternetGateways;
    for gateway in world.created("AWS::EC2::EgressOnlyInternetGateway", fact) {
        world.declare_whole(&gateway.id, gateway.resource);
        let vpc_id = gateway.properties.get("VpcId").id();
        begin(&mut world.draft.evidence.egress_only_internet_gateways).push(
            EgressOnlyInternetGateway {
                egress_only_internet_gateway_id: Some(gateway.id),
                attachments: vec![GatewayAttachment { vpc_id, state: Some("attached".to_owned()) }],
            },
        );
    }
}

fn peerings(world: &mut World<'_, '_>) {
    let fact = Fact::VpcPeeringConnections;
    for peering in world.created("AWS::EC2::VPCPeeringConnection", fact) {
        world.declare_whole(&peering.id, peering.resource);
        let properties = &peering.properties;
        let place = world.scope.place.clone();
        let owner = match properties.get("PeerOwnerId").text() {
            Setting::Known(owner) => owner,
            Setting::Absent => place.account.clone(),
            Setting::Open(open) => {
                world.draft.gap(fact, &peering.id, open);
                continue;
            }
        };
        if owner != place.account {
            let reason = format!("whether {owner} accepts {} is unknown", peering.id);
            world.draft.gap(fact, &peering.id, reason);
            continue;
        }
        let side = |name: &str, region: Option<String>| {
            let vpc = properties.get(name).id();
            let block = vpc.as_deref().and_then(|id| {
                let resource = world.scope.resource(id.strip_prefix("vpc-")?)?;
                world.scope.property(resource, "CidrBlock").known()
            });
            Some(PeeringVpcInfo {
                vpc_id: vpc,
                owner_id: Some(owner.clone()),
                region: Some(region.unwrap_or_else(|| place.region.clone())),
                cidr_block: block,
                peering_options: None,
            })
        };
        let found = VpcPeeringConnection {
            vpc_peering_connection_id: Some(peering.id.clone()),
            status: Some(PeeringStatus { code: Some("active".to_owned()), message: None }),
            requester_vpc_info: side("VpcId", None),
            accepter_vpc_info: side("PeerVpcId", properties.get("PeerRegion").known()),
        };
        begin(&mut world.draft.evidence.vpc_peering_connections).push(found);
    }
}

/// Attachments are declared; which table each uses and which routes are propagated depends
/// on settings of the gateway that nothing here decides.
fn transit_gateways(world: &mut World<'_, '_>) {
    let fact = Fact::TransitGatewayVpcAttachments;
    for kind in ["AWS::EC2::TransitGatewayAttachment", "AWS::EC2::TransitGatewayVpcAttachment"] {
        for attachment in world.created(kind, fact) {
            world.declare_whole(&attachment.id, attachment.resource);
            let properties = &attachment.properties;
            begin(&mut world.draft.evidence.transit_gateway_vpc_attachments).push(
                TransitGatewayVpcAttachment {
                    transit_gateway_attachment_id: Some(attachment.id),
                    state: available(),
                    transit_gateway_id: properties.get("TransitGatewayId").id(),
                    vpc_id: properties.get("VpcId").id(),
                    subnet_ids: properties.get("SubnetIds").ids(),
                    options: None,
                },
            );
            world.draft.gap(
                Fact::TransitGatewayRouteTables,
                "",
                "which routes a transit gateway propagates is unknown",
            );
        }
    }
    for gateway in world.created("AWS::EC2::TransitGateway", Fact::TransitGateways) {
        world.declare_whole(&gateway.id, gateway.resource);
        let owner_id = Some(world.scope.place.account.clone());
        begin(&mut world.draft.evidence.transit_gateways).push(TransitGateway {
            transit_gateway_id: Some(gateway.id),
            state: available(),
            owner_id,
            options: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::template::cloudformation::testing::{evidence, open_in};

    const VPC: &str = "
  V: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}
  N: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: !Ref V, CidrBlock: 10.0.1.0/24}}
";

    fn with(resources: &str) -> serde_json::Value {
        evidence(&format!("{VPC}{resources}"))
    }

    #[test]
    fn endpoints_have_the_defaults_of_their_kind() {
        let found = with(
            "  E: {Type: 'AWS::EC2::VPCEndpoint', Properties: {VpcId: !Ref V, VpcEndpointType: Interface, ServiceName: com.amazonaws.us-east-1.kms, SubnetIds: [!Ref N]}}
  F3: {Type: 'AWS::EC2::VPCEndpoint', Properties: {VpcId: !Ref V, ServiceName: com.amazonaws.us-east-1.s3}}
",
        );
        let interface = &found["VpcEndpoints"][0];
        assert_eq!(interface["Groups"][0]["GroupId"], "sg-V.DefaultSecurityGroup");
        assert!(interface.get("PrivateDnsEnabled").is_none(), "not said: {interface}");
        assert_eq!(found["VpcEndpoints"][1]["VpcEndpointType"], "Gateway");
        let open = with(
            "  E: {Type: 'AWS::EC2::VPCEndpoint', Properties: {VpcId: !Ref V, VpcEndpointType: !Ref Open, ServiceName: x}}\n",
        );
        assert_eq!(open_in(&open, "VpcEndpoints"), ["vpce-E"]);
    }

    #[test]
    fn gateways_are_attached_and_in_service() {
        let found = with(
            "  G: {Type: 'AWS::EC2::InternetGateway'}
  A: {Type: 'AWS::EC2::VPCGatewayAttachment', Properties: {VpcId: !Ref V, InternetGatewayId: !Ref G}}
  T: {Type: 'AWS::EC2::NatGateway', Properties: {SubnetId: !Ref N, AllocationId: e}}
  P: {Type: 'AWS::EC2::PrefixList', Properties: {Entries: [{Cidr: 10.0.0.0/8}]}}
  Q: {Type: 'AWS::EC2::VPCPeeringConnection', Properties: {VpcId: !Ref V, PeerVpcId: vpc-1, PeerOwnerId: '999999999999'}}
",
        );
        assert_eq!(found["InternetGateways"][0]["Attachments"][0]["VpcId"], "vpc-V");
        let nat = &found["NatGateways"][0];
        assert_eq!((&nat["State"], &nat["VpcId"]), (&"available".into(), &"vpc-V".into()));
        assert_eq!(found["ManagedPrefixListEntries"]["pl-P"][0], "10.0.0.0/8");
        assert_eq!(
            open_in(&found, "VpcPeeringConnections"),
            ["pcx-Q"],
            "the other account accepts"
        );
    }
}
