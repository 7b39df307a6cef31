//! EC2: route tables with their routes and associations, and the main table that comes
//! with each VPC.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ids::main_table,
    value::{Resolved, may_be_own},
    world::{Created, Perhaps, World},
};
use crate::{
    evidence::{Fact, Route, RouteTable, RouteTableAssociation},
    template::{
        aws::{Open, routes},
        draft::{begin, entries},
    },
};

/// Route tables.
pub(super) fn declare(world: &mut World<'_, '_>) {
    // A table without the block of its VPC lacks the local route.
    let vpcs: BTreeMap<String, String> = entries(&world.draft.evidence.vpcs)
        .iter()
        .filter_map(|vpc| Some((vpc.vpc_id.clone()?, vpc.cidr_block.clone()?)))
        .collect();
    let mut associations = associations(world);
    let all = world.perhaps("AWS::EC2::Route");
    let propagated = propagated(world);
    for table in world.created("AWS::EC2::RouteTable", Fact::RouteTables) {
        world.declare_whole(&table.id, table.resource);
        let vpc = table.properties.get("VpcId").id().unwrap_or_default();
        let made = match vpcs.get(&vpc) {
            _ if propagated.contains(&table.id) => {
                Err(Open::named(&table.id, "a virtual private gateway adds routes to it"))
            }
            Some(block) => routes_of(world, &table, block, &all),
            None => Err(Open::named(&vpc, format!("the CIDR blocks of {vpc} are not declared"))),
        };
        match made {
            Ok(routes) => {
                let associations = associations.remove(&table.id).unwrap_or_default();
                begin(&mut world.draft.evidence.route_tables).push(RouteTable {
                    route_table_id: Some(table.id),
                    vpc_id: Some(vpc),
                    associations,
                    routes,
                });
            }
            Err(open) => world.draft.gap(Fact::RouteTables, &table.id, open),
        }
    }
    for (vpc, block) in vpcs {
        let id = main_table(&vpc);
        if let Some(resource) = world.scope.resource(vpc.trim_start_matches("vpc-")) {
            world.declare_whole(&id, resource);
        }
        begin(&mut world.draft.evidence.route_tables).push(RouteTable {
            route_table_id: Some(id),
            vpc_id: Some(vpc),
            associations: vec![routes::main_association()],
            routes: vec![routes::local(&block)],
        });
    }
}

/// By table, the associations of its subnets. One that is open leaves the subnet without
/// any: it is not in the main table either.
fn associations(world: &mut World<'_, '_>) -> BTreeMap<String, Vec<RouteTableAssociation>> {
    let mut found: BTreeMap<String, Vec<RouteTableAssociation>> = BTreeMap::new();
    for (association, open) in world.perhaps("AWS::EC2::SubnetRouteTableAssociation") {
        let subnet = association.properties.get("SubnetId").id().unwrap_or_default();
        match open {
            Ok(()) if may_be_own(&subnet) => {
                let reason = "which subnet a route table is for is unknown";
                world.draft.gap(Fact::RouteTables, &subnet, reason);
            }
            Ok(()) => {
                let table = association.properties.get("RouteTableId").id().unwrap_or_default();
                if world.scope.resources().iter().all(|one| world.scope.id_of(one) != table) {
                    let reason = format!("the route table of {subnet}, {table}, is not declared");
                    world.draft.gap(Fact::RouteTables, &subnet, reason);
                }
                found.entry(table).or_default().push(routes::association(subnet));
            }
            Err(open) => world.draft.gap(Fact::RouteTables, &subnet, open),
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
    table: &Created<'_, '_>,
    block: &str,
    all: &[Perhaps<'_, '_>],
) -> Result<Vec<Route>, Open> {
    let mut found = vec![routes::local(block)];
    for (route, open) in all {
        let of = route.properties.get("RouteTableId").id().unwrap_or_default();
        if may_be_own(&of) {
            return Err(Open::named(&table.id, "whether a route is in it is unknown"));
        }
        if of == table.id {
            open.clone()?;
            found.push(one_route(world, &route.properties)?);
        }
    }
    Ok(found)
}

fn one_route(world: &World<'_, '_>, properties: &Resolved) -> Result<Route, Open> {
    let block = |name: &str| match properties.get(name).text().settled()? {
        Some(block) if block.parse::<ipnet::IpNet>().is_err() => {
            Err(Open::named(&block, format!("{block} is no CIDR block")))
        }
        block => Ok(block),
    };
    let mut route = Route {
        destination_cidr_block: block("DestinationCidrBlock")?,
        destination_ipv6_cidr_block: block("DestinationIpv6CidrBlock")?,
        destination_prefix_list_id: properties.get("DestinationPrefixListId").id(),
        ..Route::default()
    };
    if route == Route::default() {
        return Err(Open::named("a route", "a route has no destination"));
    }
    let mut has_target = false;
    for target in routes::TARGETS {
        if let Some(id) = properties.get(target.property).id() {
            *(target.field)(&mut route) = Some(id);
            has_target = true;
        }
    }
    match &world.hidden {
        Some(reason) if !has_target => Err(Open::named("a route", reason.clone())),
        _ => Ok(routes::created(route)),
    }
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
