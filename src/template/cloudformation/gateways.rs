//! EC2: ways out of a VPC and between VPCs (endpoints, NAT and internet gateways,
//! peerings, transit gateways) and prefix lists.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{
    identity::default_group,
    policy_text::{self, Reading},
    resolved::{Unknown, is_opaque, may_be_own},
    world::{Made, World, compact},
};
use crate::evidence::Fact;

/// Endpoints, gateways, peerings, prefix lists.
pub(super) fn declare(world: &mut World<'_, '_>) {
    for endpoint in world.made("AWS::EC2::VPCEndpoint", Fact::VpcEndpoints) {
        world.declare(&endpoint.id, endpoint.resource, endpoint.resource.node.at);
        match one_endpoint(&endpoint) {
            Ok(found) => world.draft.push("VpcEndpoints", found),
            Err(unknown) => world.open(Fact::VpcEndpoints, &endpoint.id, &unknown),
        }
    }
    for nat in world.made("AWS::EC2::NatGateway", Fact::NatGateways) {
        nat_gateway(world, &nat);
    }
    internet_gateways(world);
    egress_only(world);
    peerings(world);
    transit_gateways(world);
    for list in world.made("AWS::EC2::PrefixList", Fact::ManagedPrefixListEntries) {
        let entries = list.properties.get("Entries");
        match entries.first_unknown() {
            Some(unknown) => world.open(Fact::ManagedPrefixListEntries, &list.id, unknown),
            None => {
                let items = entries.items().unwrap_or_default();
                let blocks: Json =
                    items.iter().filter_map(|entry| entry.get("Cidr").known()).collect();
                world.draft.insert("ManagedPrefixListEntries", &list.id, blocks);
            }
        }
    }
}

fn one_endpoint(endpoint: &Made<'_, '_>) -> Result<Json, Unknown> {
    let properties = &endpoint.properties;
    let vpc = properties.get("VpcId").id().unwrap_or_default();
    if may_be_own(&vpc) {
        return Err(Unknown::named(&endpoint.id, "which VPC it is in is not told"));
    }
    let kind = properties.get("VpcEndpointType").text()?.unwrap_or_else(|| "Gateway".to_owned());
    let interface = kind == "Interface";
    let service = properties.get("ServiceName").text()?;
    let mut groups = properties.get("SecurityGroupIds").ids();
    if groups.is_empty() && interface {
        groups.push(default_group(&vpc));
    }
    let groups: Vec<Json> = groups.iter().map(|id| json!({"GroupId": id})).collect();
    let document = properties.get("PolicyDocument");
    let policy = match policy_text::read(document) {
        Reading::Nothing => None,
        Reading::Document(document) => Some(document),
        Reading::Open(unknown) => return Err(unknown),
    };
    // Where it is not said, this depends on who is asked.
    let private_dns = properties.get("PrivateDnsEnabled").flag()?;
    let subnets = properties.get("SubnetIds").ids();
    if interface && subnets.is_empty() {
        return Err(Unknown::named(&endpoint.id, "its subnets are not declared"));
    }
    Ok(compact(json!({"VpcEndpointId": endpoint.id, "VpcEndpointType": kind, "VpcId": vpc,
        "ServiceName": service, "State": "available", "PolicyDocument": policy,
        "SubnetIds": subnets, "Groups": groups,
        "RouteTableIds": properties.get("RouteTableIds").ids(),
        "PrivateDnsEnabled": if interface { private_dns } else { Some(false) },
        "IpAddressType": properties.get("IpAddressType").known()})))
}

fn nat_gateway(world: &mut World<'_, '_>, nat: &Made<'_, '_>) {
    world.declare(&nat.id, nat.resource, nat.resource.node.at);
    let properties = &nat.properties;
    let kind = properties.get("ConnectivityType").text();
    let mode = properties.get("AvailabilityMode").text();
    let (kind, mode) = match (kind, mode) {
        (Ok(kind), Ok(mode)) => (kind.unwrap_or_else(|| "public".to_owned()), mode),
        (Err(unknown), _) | (_, Err(unknown)) => {
            return world.open(Fact::NatGateways, &nat.id, &unknown);
        }
    };
    let subnet = properties.get("SubnetId").id();
    let vpc = properties.get("VpcId").id().or_else(|| vpc_of(world, subnet.as_deref()?));
    world.draft.push(
        "NatGateways",
        compact(json!({"NatGatewayId": nat.id, "SubnetId": subnet, "VpcId": vpc,
            "State": "available", "ConnectivityType": kind, "AvailabilityMode": mode})),
    );
}

/// The VPC of a subnet, where the template says it.
pub(super) fn vpc_of(world: &World<'_, '_>, subnet: &str) -> Option<String> {
    let resource = world.scope.resource(subnet.strip_prefix("subnet-")?)?;
    world.scope.property(resource, "VpcId").id()
}

fn internet_gateways(world: &mut World<'_, '_>) {
    let mut attached: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for (attachment, open) in world.perhaps("AWS::EC2::VPCGatewayAttachment") {
        let properties = &attachment.properties;
        let Some(gateway) = properties.get("InternetGatewayId").id() else { continue };
        let vpc = properties.get("VpcId").id().unwrap_or_default();
        match open {
            Ok(()) if is_opaque(&gateway) || may_be_own(&vpc) => world.draft.gap(
                Fact::InternetGateways,
                &gateway,
                format!("{gateway} is not in the template"),
            ),
            Ok(()) => {
                let one = json!({"VpcId": vpc, "State": "available"});
                attached.entry(gateway).or_default().push(one);
            }
            Err(why) => world.draft.gap(Fact::InternetGateways, &gateway, why),
        }
    }
    for gateway in world.made("AWS::EC2::InternetGateway", Fact::InternetGateways) {
        world.declare(&gateway.id, gateway.resource, gateway.resource.node.at);
        let attachments = attached.remove(&gateway.id).unwrap_or_default();
        world.draft.push(
            "InternetGateways",
            json!({"InternetGatewayId": gateway.id, "Attachments": attachments}),
        );
    }
}

fn egress_only(world: &mut World<'_, '_>) {
    let fact = Fact::EgressOnlyInternetGateways;
    for gateway in world.made("AWS::EC2::EgressOnlyInternetGateway", fact) {
        world.declare(&gateway.id, gateway.resource, gateway.resource.node.at);
        let vpc = gateway.properties.get("VpcId").id();
        world.draft.push(
            "EgressOnlyInternetGateways",
            json!({"EgressOnlyInternetGatewayId": gateway.id,
                "Attachments": [{"VpcId": vpc, "State": "attached"}]}),
        );
    }
}

fn peerings(world: &mut World<'_, '_>) {
    let fact = Fact::VpcPeeringConnections;
    for peering in world.made("AWS::EC2::VPCPeeringConnection", fact) {
        world.declare(&peering.id, peering.resource, peering.resource.node.at);
        let properties = &peering.properties;
        let place = world.scope.place.clone();
        let owner = match properties.get("PeerOwnerId").text() {
            Ok(owner) => owner.unwrap_or_else(|| place.account.clone()),
            Err(unknown) => {
                world.open(fact, &peering.id, &unknown);
                continue;
            }
        };
        if owner != place.account {
            let why = format!("whether {owner} accepts {} is not told", peering.id);
            world.draft.gap(fact, &peering.id, why);
            continue;
        }
        let side = |name: &str, region: Option<String>| {
            let vpc = properties.get(name).id();
            let region = region.unwrap_or_else(|| place.region.clone());
            let block = vpc.as_deref().and_then(|id| {
                let resource = world.scope.resource(id.strip_prefix("vpc-")?)?;
                world.scope.property(resource, "CidrBlock").known()
            });
            compact(json!({"VpcId": vpc, "OwnerId": owner, "Region": region, "CidrBlock": block}))
        };
        let found = json!({"VpcPeeringConnectionId": peering.id, "Status": {"Code": "active"},
            "RequesterVpcInfo": side("VpcId", None),
            "AccepterVpcInfo": side("PeerVpcId", properties.get("PeerRegion").known())});
        world.draft.push("VpcPeeringConnections", found);
    }
}

/// Attachments are declared; which table each uses and which routes come of themselves
/// hangs on settings of the gateway that nothing here decides.
fn transit_gateways(world: &mut World<'_, '_>) {
    let fact = Fact::TransitGatewayVpcAttachments;
    for kind in ["AWS::EC2::TransitGatewayAttachment", "AWS::EC2::TransitGatewayVpcAttachment"] {
        for attachment in world.made(kind, fact) {
            world.declare(&attachment.id, attachment.resource, attachment.resource.node.at);
            let properties = &attachment.properties;
            world.draft.push(
                "TransitGatewayVpcAttachments",
                json!({"TransitGatewayAttachmentId": attachment.id, "State": "available",
                    "TransitGatewayId": properties.get("TransitGatewayId").id(),
                    "VpcId": properties.get("VpcId").id(),
                    "SubnetIds": properties.get("SubnetIds").ids()}),
            );
            world.draft.gap(
                Fact::TransitGatewayRouteTables,
                "",
                "which routes a transit gateway takes over by itself is not told",
            );
        }
    }
    for gateway in world.made("AWS::EC2::TransitGateway", Fact::TransitGateways) {
        world.declare(&gateway.id, gateway.resource, gateway.resource.node.at);
        let account = world.scope.place.account.clone();
        world.draft.push(
            "TransitGateways",
            json!({"TransitGatewayId": gateway.id, "State": "available", "OwnerId": account}),
        );
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
