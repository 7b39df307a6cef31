//! EC2: route tables with their routes and associations, and the main table that comes
//! with each VPC.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::{
    identity::main_table,
    resolved::{Resolved, Unknown, may_be_own},
    world::{Made, World},
};
use crate::evidence::Fact;

/// Where a route may lead: the property, and the key of the evidence.
const TARGETS: &[(&str, &str)] = &[
    ("GatewayId", "GatewayId"),
    ("NatGatewayId", "NatGatewayId"),
    ("InstanceId", "InstanceId"),
    ("NetworkInterfaceId", "NetworkInterfaceId"),
    ("TransitGatewayId", "TransitGatewayId"),
    ("VpcPeeringConnectionId", "VpcPeeringConnectionId"),
    ("EgressOnlyInternetGatewayId", "EgressOnlyInternetGatewayId"),
    ("LocalGatewayId", "LocalGatewayId"),
    ("CarrierGatewayId", "CarrierGatewayId"),
    ("CoreNetworkArn", "CoreNetworkArn"),
    // A Gateway Load Balancer's endpoint stands among the gateways.
    ("VpcEndpointId", "GatewayId"),
];

/// Route tables.
pub(super) fn declare(world: &mut World<'_, '_>) {
    // A table without the blocks of its VPC lacks the local routes.
    let vpcs: BTreeMap<String, String> = world
        .draft
        .get("Vpcs")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(|vpc| {
            Some((vpc["VpcId"].as_str()?.to_owned(), vpc["CidrBlock"].as_str()?.to_owned()))
        })
        .collect();
    let mut associations = associations(world);
    let routes = world.perhaps("AWS::EC2::Route");
    let propagated = propagated(world);
    for table in world.made("AWS::EC2::RouteTable", Fact::RouteTables) {
        world.declare(&table.id, table.resource, table.resource.node.at);
        let vpc = table.properties.get("VpcId").id().unwrap_or_default();
        let made = match vpcs.get(&vpc) {
            _ if propagated.contains(&table.id) => {
                Err(Unknown::named(&table.id, "a virtual private gateway adds routes to it"))
            }
            Some(block) => routes_of(world, &table, block, &routes),
            None => Err(Unknown::named(&vpc, format!("the blocks of {vpc} are not declared"))),
        };
        match made {
            Ok(routes) => {
                let subnets = associations.remove(&table.id).unwrap_or_default();
                world.draft.push(
                    "RouteTables",
                    json!({"RouteTableId": table.id, "VpcId": vpc, "Associations": subnets,
                        "Routes": routes}),
                );
            }
            Err(unknown) => world.open(Fact::RouteTables, &table.id, &unknown),
        }
    }
    for (vpc, block) in vpcs {
        world.draft.push(
            "RouteTables",
            json!({"RouteTableId": main_table(&vpc), "VpcId": vpc,
                "Associations": [{"Main": true}], "Routes": [local(&block)]}),
        );
        if let Some(resource) = world.scope.resource(vpc.trim_start_matches("vpc-")) {
            world.declare(&main_table(&vpc), resource, resource.node.at);
        }
    }
}

fn local(block: &str) -> Json {
    json!({"DestinationCidrBlock": block, "GatewayId": "local", "State": "active",
        "Origin": "CreateRouteTable"})
}

/// By table, the associations of its subnets. One that is open leaves the subnet without
/// any: it is not in the main table either.
fn associations(world: &mut World<'_, '_>) -> BTreeMap<String, Vec<Json>> {
    let mut found: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for (association, open) in world.perhaps("AWS::EC2::SubnetRouteTableAssociation") {
        let subnet = association.properties.get("SubnetId").id().unwrap_or_default();
        match open {
            Ok(()) if may_be_own(&subnet) => {
                let why = "which subnet a route table is for is not told";
                world.draft.gap(Fact::RouteTables, &subnet, why);
            }
            Ok(()) => {
                let table = association.properties.get("RouteTableId").id().unwrap_or_default();
                if world.scope.resources().iter().all(|one| world.scope.id_of(one) != table) {
                    let why =
                        format!("the route table of {subnet}, {table}, is not in the template");
                    world.draft.gap(Fact::RouteTables, &subnet, why);
                }
                found.entry(table).or_default().push(json!({"SubnetId": subnet}));
            }
            Err(why) => world.draft.gap(Fact::RouteTables, &subnet, why),
        }
    }
    found
}

/// The tables to which a virtual private gateway adds routes.
fn propagated(world: &World<'_, '_>) -> BTreeSet<String> {
    let all = world.perhaps("AWS::EC2::VPNGatewayRoutePropagation");
    all.iter().flat_map(|(one, _)| one.properties.get("RouteTableIds").ids()).collect()
}

fn routes_of(
    world: &World<'_, '_>,
    table: &Made<'_, '_>,
    block: &str,
    routes: &[(Made<'_, '_>, Result<(), String>)],
) -> Result<Vec<Json>, Unknown> {
    let mut found = vec![local(block)];
    for (route, open) in routes {
        let of = route.properties.get("RouteTableId").id().unwrap_or_default();
        if may_be_own(&of) {
            return Err(Unknown::named(&table.id, "whether a route is in it is not told"));
        }
        if of != table.id {
            continue;
        }
        if let Err(why) = open {
            return Err(Unknown::named(&table.id, why.clone()));
        }
        found.push(one_route(world, &route.properties)?);
    }
    Ok(found)
}

fn one_route(world: &World<'_, '_>, properties: &Resolved) -> Result<Json, Unknown> {
    let mut route = Map::new();
    for (name, key) in [
        ("DestinationCidrBlock", "DestinationCidrBlock"),
        ("DestinationIpv6CidrBlock", "DestinationIpv6CidrBlock"),
    ] {
        if let Some(block) = properties.get(name).text()? {
            if block.parse::<ipnet::IpNet>().is_err() {
                return Err(Unknown::named(&block, format!("{block} is no block of addresses")));
            }
            route.insert(key.to_owned(), Json::String(block));
        }
    }
    if let Some(list) = properties.get("DestinationPrefixListId").id() {
        route.insert("DestinationPrefixListId".to_owned(), Json::String(list));
    }
    if route.is_empty() {
        return Err(Unknown::named("a route", "a route has no destination"));
    }
    for (name, key) in TARGETS {
        if let Some(id) = properties.get(name).id() {
            route.insert((*key).to_owned(), Json::String(id));
        }
    }
    if let Some(why) = world.hidden.as_ref().filter(|_| route.len() == 1) {
        return Err(Unknown::named("a route", why.clone()));
    }
    route.insert("State".to_owned(), json!("active"));
    route.insert("Origin".to_owned(), json!("CreateRoute"));
    Ok(Json::Object(route))
}

#[cfg(test)]
mod tests {
    use crate::template::cloudformation::testing::{evidence, open_in};

    const VPC: &str = "
  V: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}
  N: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: !Ref V, CidrBlock: 10.0.1.0/24}}
  G: {Type: 'AWS::EC2::InternetGateway'}
  T: {Type: 'AWS::EC2::RouteTable', Properties: {VpcId: !Ref V}}
";

    fn table(found: &serde_json::Value) -> &serde_json::Value {
        let tables = found["RouteTables"].as_array().into_iter().flatten();
        tables.into_iter().find(|table| table["RouteTableId"] == "rtb-T").expect("a table")
    }

    #[test]
    fn routes_and_associations_are_joined() {
        let found = evidence(&format!(
            "{VPC}
  R: {{Type: 'AWS::EC2::Route', Properties: {{RouteTableId: !Ref T, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref G}}}}
  A: {{Type: 'AWS::EC2::SubnetRouteTableAssociation', Properties: {{RouteTableId: !Ref T, SubnetId: !Ref N}}}}
"
        ));
        let table = table(&found);
        assert_eq!(table["Routes"][1]["GatewayId"], "igw-G");
        assert_eq!(table["Routes"][0]["DestinationCidrBlock"], "10.0.0.0/16");
        assert_eq!(table["Associations"][0]["SubnetId"], "subnet-N");
    }

    #[test]
    fn a_route_that_is_open_opens_its_table_and_an_open_table_leaves_its_subnet_without() {
        for route in [
            "DestinationCidrBlock: !Ref Open, GatewayId: !Ref G",
            "DestinationCidrBlock: everywhere, GatewayId: !Ref G",
            "GatewayId: !Ref G",
        ] {
            let found = evidence(&format!(
                "{VPC}  R: {{Type: 'AWS::EC2::Route', Properties: {{RouteTableId: !Ref T, {route}}}}}\n"
            ));
            assert_eq!(open_in(&found, "RouteTables"), ["rtb-T"], "{route}");
        }
        let found = evidence(&format!(
            "{VPC}  A: {{Type: 'AWS::EC2::SubnetRouteTableAssociation', Properties: {{RouteTableId: !Ref Open, SubnetId: !Ref N}}}}\n"
        ));
        assert_eq!(open_in(&found, "RouteTables"), ["subnet-N"]);
    }
}
