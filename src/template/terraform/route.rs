//! EC2: route tables, their routes and associations. A route of which only the target
//! cannot be told leads to something behind which nothing is seen; a table of which a
//! destination cannot be told is left out. Of what blocks in a table refer to, Terraform
//! writes nothing.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{plan::Resource, value::Seen, world::World};
use crate::{evidence::Fact, template::Draft};

const TABLES: [&str; 2] = ["aws_route_table", "aws_default_route_table"];
const ROUTE: &str = "aws_route";

/// Where a route may lead: the argument, and its name in EC2.
const GATEWAYS: [(&str, &str); 11] = [
    ("gateway_id", "GatewayId"),
    ("nat_gateway_id", "NatGatewayId"),
    ("network_interface_id", "NetworkInterfaceId"),
    ("instance_id", "InstanceId"),
    ("transit_gateway_id", "TransitGatewayId"),
    ("vpc_peering_connection_id", "VpcPeeringConnectionId"),
    ("egress_only_gateway_id", "EgressOnlyInternetGatewayId"),
    ("carrier_gateway_id", "CarrierGatewayId"),
    ("local_gateway_id", "LocalGatewayId"),
    ("core_network_arn", "CoreNetworkArn"),
    // A gateway load balancer's endpoint; EC2 tells it as a gateway.
    ("vpc_endpoint_id", "GatewayId"),
];

/// What an argument of a route may name.
fn kinds_behind(argument: &str) -> &'static [&'static str] {
    match argument {
        "gateway_id" => &["aws_internet_gateway", "aws_vpn_gateway"],
        "nat_gateway_id" => &["aws_nat_gateway"],
        "transit_gateway_id" => &["aws_ec2_transit_gateway"],
        "vpc_peering_connection_id" => &["aws_vpc_peering_connection"],
        "egress_only_gateway_id" => &["aws_egress_only_internet_gateway"],
        _ => &[],
    }
}

/// A table in the making.
struct Table {
    vpc: String,
    routes: Vec<Value>,
    associations: Vec<Value>,
    /// Why it cannot be told.
    open: Option<String>,
}

/// Puts the route tables.
pub(super) fn put(world: &World<'_>, draft: &mut Draft) {
    draft.list("RouteTables");
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for vpc in world.made(&["aws_vpc"]) {
        let id = world.default_of(vpc, "default_route_table_id");
        let vpc_id = world.physical(vpc);
        world.declare(draft, &id, vpc);
        tables.insert(
            id,
            Table { vpc: vpc_id, routes: Vec::new(), associations: Vec::new(), open: None },
        );
    }
    for table in world.made(&TABLES) {
        add_table(world, draft, table, &mut tables);
    }
    for route in world.made(&[ROUTE]) {
        match world.id(route, "route_table_id") {
            Seen::Known(id) => {
                let Some(table) = tables.get_mut(&id) else { continue };
                let names = ["destination_cidr_block", "destination_ipv6_cidr_block"];
                match read(world, route, "", names) {
                    Ok(read) => table.routes.push(read),
                    Err(why) => table.open = Some(why),
                }
            }
            // It may be a route of any table.
            Seen::Open(why) => {
                tables.values_mut().for_each(|table| table.open = Some(why.clone()));
            }
            Seen::Absent => {}
        }
    }
    associate(world, draft, &mut tables);
    for (id, table) in tables {
        match table.open {
            Some(why) => draft.gap(Fact::RouteTables, &id, why),
            None => draft.push(
                "RouteTables",
                json!({"RouteTableId": id, "VpcId": table.vpc, "Routes": table.routes,
                    "Associations": table.associations}),
            ),
        }
    }
}

fn add_table<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    table: &'p Resource,
    tables: &mut BTreeMap<String, Table>,
) {
    let id = world.physical(table);
    world.declare(draft, &id, table);
    let known = tables.remove(&id);
    let vpc =
        known.map(|table| Seen::Known(table.vpc)).unwrap_or_else(|| world.id(table, "vpc_id"));
    let mut made =
        Table { vpc: String::new(), routes: Vec::new(), associations: Vec::new(), open: None };
    match vpc {
        Seen::Known(vpc) => made.vpc = vpc,
        Seen::Absent => made.open = Some(format!("{} names no VPC", table.address)),
        Seen::Open(why) => made.open = Some(why),
    }
    match world.blocks(table, "route") {
        Seen::Known(count) => {
            for index in 0..count {
                match read(
                    world,
                    table,
                    &format!("route.~{index}."),
                    ["cidr_block", "ipv6_cidr_block"],
                ) {
                    Ok(route) if !is_removed(world, table, &id, &route) => made.routes.push(route),
                    Ok(_) => {}
                    Err(why) => made.open = Some(why),
                }
            }
        }
        Seen::Absent => {}
        Seen::Open(why) => made.open = Some(why),
    }
    let propagates = world.ids(table, "propagating_vgws");
    if matches!(&propagates, Seen::Known(gateways) if !gateways.is_empty()) {
        made.open = Some(format!("{} learns routes from a gateway", table.address));
    }
    tables.insert(id, made);
}

/// Whether a route that the table has now is one that the plan takes away.
fn is_removed(world: &World<'_>, table: &Resource, id: &str, route: &Value) -> bool {
    let configured = &world.plan.configuration(table)["expressions"]["route"];
    configured.is_null()
        && world.plan.removed.iter().filter(|one| one.kind == ROUTE).any(|gone| {
            let same = |ours: &str, theirs: &str| {
                let gone = gone.known_text(ours);
                gone.is_some() && gone.as_deref() == route[theirs].as_str()
            };
            gone.known_text("route_table_id").as_deref() == Some(id)
                && (same("destination_cidr_block", "DestinationCidrBlock")
                    || same("destination_ipv6_cidr_block", "DestinationIpv6CidrBlock"))
        })
}

/// A route; `at` is empty or the path of a block.
fn read<'p>(
    world: &World<'p>,
    resource: &'p Resource,
    at: &str,
    [four, six]: [&str; 2],
) -> Result<Value, String> {
    let mut found = Map::new();
    let path = |name: &str| format!("{at}{name}");
    for (ours, theirs) in [(four, "DestinationCidrBlock"), (six, "DestinationIpv6CidrBlock")] {
        if !world.is_left_to_aws(resource, &path(ours))
            && let Some(block) = resource.text(&path(ours)).settled()?
        {
            found.insert(theirs.to_owned(), json!(block));
        }
    }
    let list = path("destination_prefix_list_id");
    if !world.is_left_to_aws(resource, &list)
        && let Some(list) = world.id(resource, &list).settled()?
    {
        found.insert("DestinationPrefixListId".to_owned(), json!(list));
    }
    let mut is_open = false;
    for (ours, theirs) in GATEWAYS {
        let path = path(ours);
        // Of the targets one is set; AWS fills in the others.
        if world.is_left_to_aws(resource, &path) {
            continue;
        }
        let only = || world.only_new(kinds_behind(ours));
        match world.id(resource, &path) {
            Seen::Known(id) => drop(found.insert(theirs.to_owned(), json!(id))),
            Seen::Absent => {}
            Seen::Open(_) => match only() {
                Some(id) => drop(found.insert(theirs.to_owned(), json!(id))),
                None => is_open = true,
            },
        }
    }
    let leads = GATEWAYS.iter().any(|(_, theirs)| found.contains_key(*theirs));
    if !leads {
        if !is_open {
            return Err(format!("{} leads nowhere that is known", resource.address));
        }
        found.insert("GatewayId".to_owned(), json!(format!("${{{}}}", resource.address)));
    }
    found.insert("State".to_owned(), json!("active"));
    found.insert("Origin".to_owned(), json!("CreateRoute"));
    Ok(Value::Object(found))
}

/// Which subnets have which table, and which table is the main one.
fn associate(world: &World<'_>, draft: &mut Draft, tables: &mut BTreeMap<String, Table>) {
    let mut mains: BTreeMap<String, String> = BTreeMap::new();
    for vpc in world.of(&["aws_vpc"]) {
        let id = match vpc.data {
            true => vpc.known_text("main_route_table_id"),
            false => Some(world.default_of(vpc, "default_route_table_id")),
        };
        if let (Some(id), Some(vpc)) = (id, super::vpc::id_of(world, vpc)) {
            mains.insert(vpc, id);
        }
    }
    for main in world.made(&["aws_main_route_table_association"]) {
        match (world.id(main, "vpc_id"), world.id(main, "route_table_id")) {
            (Seen::Known(vpc), Seen::Known(table)) => drop(mains.insert(vpc, table)),
            (Seen::Known(vpc), Seen::Open(why)) => {
                mains.remove(&vpc);
                draft.gap(Fact::RouteTables, "", why);
            }
            (Seen::Open(why), _) => {
                mains.clear();
                draft.gap(Fact::RouteTables, "", why);
            }
            _ => {}
        }
    }
    for table in mains.values() {
        if let Some(table) = tables.get_mut(table) {
            table.associations.push(json!({"Main": true}));
        }
    }
    for association in world.made(&["aws_route_table_association"]) {
        let subnet = world.id(association, "subnet_id");
        let table = world.id(association, "route_table_id");
        match (subnet, table) {
            (Seen::Known(subnet), Seen::Known(id)) => match tables.get_mut(&id) {
                Some(table) => table.associations.push(json!({"SubnetId": subnet})),
                None => {
                    draft.gap(Fact::RouteTables, &id, format!("{id} lies outside the plan"));
                }
            },
            // Of an edge association the subnets are no business.
            (Seen::Absent, _) => {}
            (Seen::Open(why), _) | (_, Seen::Open(why)) => draft.gap(Fact::RouteTables, "", why),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::put;
    use crate::template::terraform::testing::{evidence, gaps};

    #[test]
    fn tables_have_their_routes_and_subnets_and_the_vpc_a_main_one() {
        let vpc: (&str, &[&str]) = ("vpc_id", &["aws_vpc.v.id"]);
        let found = evidence(
            &[
                ("aws_vpc.v", json!({"cidr_block": "10.0.0.0/16"}), &[]),
                ("aws_route_table.a", json!({}), &[vpc]),
                (
                    "aws_route.r",
                    json!({"destination_cidr_block": "0.0.0.0/0"}),
                    &[
                        ("route_table_id", &["aws_route_table.a.id"]),
                        ("nat_gateway_id", &["aws_nat_gateway.n.id"]),
                    ],
                ),
                ("aws_nat_gateway.n", json!({}), &[]),
                ("aws_subnet.s", json!({}), &[vpc]),
                (
                    "aws_route_table_association.s",
                    json!({}),
                    &[
                        ("subnet_id", &["aws_subnet.s.id"]),
                        ("route_table_id", &["aws_route_table.a.id"]),
                    ],
                ),
            ],
            put,
        );
        assert!(found.gaps.is_empty(), "{:?}", found.gaps);
        let all = found.route_tables.known().expect("tables");
        let [own, main] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!(own.routes[0].nat_gateway_id.as_deref(), Some("aws_nat_gateway.n"));
        assert_eq!(own.associations[0].subnet_id.as_deref(), Some("aws_subnet.s"));
        assert_eq!(main.associations[0].main, Some(true));
        assert_eq!(main.vpc_id.as_deref(), Some("aws_vpc.v"));
    }

    #[test]
    fn a_target_that_does_not_show_is_something_and_a_destination_leaves_the_table_open() {
        let table: (&str, &[&str]) = ("route_table_id", &["aws_route_table.a.id"]);
        let given = |known, refer: (&str, &[&str])| {
            let refers = [table, refer];
            let own = ("aws_route_table.a", json!({"vpc_id": "vpc-1"}), &[][..]);
            evidence(&[own, ("aws_route.r", known, &refers)], put)
        };
        let target =
            given(json!({"destination_cidr_block": "0.0.0.0/0"}), ("gateway_id", &["local.x"]));
        let route = &target.route_tables.known().expect("tables")[0].routes[0];
        assert_eq!(route.gateway_id.as_deref(), Some("${aws_route.r}"));
        let destination =
            given(json!({"gateway_id": "igw-1"}), ("destination_cidr_block", &["local.x"]));
        assert_eq!(gaps(&destination), [("RouteTables", "aws_route_table.a")]);
    }
}
