//! EC2: route tables, their routes and associations. A route of which only the target is
//! open leads to something behind which nothing is visible; a table of which a destination
//! is open is left out. Of what blocks in a table refer to, Terraform writes nothing.

use std::collections::BTreeMap;

use super::{resource::Resource, vpcs::id_of, world::World};
use crate::{
    evidence::{Fact, Route, RouteTable},
    template::{
        Draft,
        aws::{Open, Setting, routes},
        draft::{begin, entries},
    },
};

const TABLES: [&str; 2] = ["aws_route_table", "aws_default_route_table"];
const ROUTE: &str = "aws_route";

/// A table in the making: open, where one of its routes is.
type Table = Result<RouteTable, Open>;

/// Route tables.
pub(super) fn declare(world: &World<'_>, draft: &mut Draft) {
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for vpc in world.created(&["aws_vpc"]) {
        let id = world.default_of(vpc, "default_route_table_id");
        world.declare(draft, &id, vpc);
        let table = empty(draft, &id, world.physical(vpc));
        tables.insert(id, Ok(table));
    }
    for table in world.created(&TABLES) {
        let id = world.physical(table);
        world.declare(draft, &id, table);
        let known = tables.remove(&id);
        let made = one_table(world, draft, table, &id, known);
        tables.insert(id, made);
    }
    for route in world.created(&[ROUTE]) {
        match world.id(route, "route_table_id") {
            Setting::Known(id) => {
                let Some(entry) = tables.get_mut(&id) else { continue };
                let names = ["destination_cidr_block", "destination_ipv6_cidr_block"];
                match (one_route(world, route, "", names), entry) {
                    (Ok(route), Ok(table)) => table.routes.push(route),
                    (Err(open), entry) => *entry = Err(open),
                    _ => {}
                }
            }
            // It may be a route of any table.
            Setting::Open(open) => {
                tables.values_mut().for_each(|table| *table = Err(open.clone()));
            }
            Setting::Absent => {}
        }
    }
    associate(world, draft, &mut tables);
    draft.complete(&[Fact::RouteTables]);
    for (id, table) in tables {
        match table {
            Err(open) => draft.gap(Fact::RouteTables, &id, open),
            Ok(table) => begin(&mut draft.evidence.route_tables).push(table),
        }
    }
}

/// A table with the local route, where the block of its VPC is known.
fn empty(draft: &Draft, id: &str, vpc: String) -> RouteTable {
    let own = entries(&draft.evidence.vpcs).iter().find(|one| one.vpc_id.as_ref() == Some(&vpc));
    let block = own.and_then(|vpc| vpc.cidr_block.as_deref());
    RouteTable {
        route_table_id: Some(id.to_owned()),
        vpc_id: Some(vpc),
        associations: Vec::new(),
        routes: block.map(routes::local).into_iter().collect(),
    }
}

fn one_table<'p>(
    world: &World<'p>,
    draft: &Draft,
    table: &'p Resource,
    id: &str,
    known: Option<Table>,
) -> Table {
    let vpc = match known.and_then(Result::ok).and_then(|table| table.vpc_id) {
        Some(vpc) => Some(vpc),
        None => world.id(table, "vpc_id").settled()?,
    };
    let vpc = vpc.ok_or_else(|| format!("{} names no VPC", table.address))?;
    let mut made = empty(draft, id, vpc);
    let count = world.blocks(table, "route").settled()?.unwrap_or(0);
    for index in 0..count {
        let names = ["cidr_block", "ipv6_cidr_block"];
        let route = one_route(world, table, &format!("route.~{index}."), names)?;
        if !is_removed(world, table, id, &route) {
            made.routes.push(route);
        }
    }
    let propagates = world.ids(table, "propagating_vgws");
    if matches!(&propagates, Setting::Known(gateways) if !gateways.is_empty()) {
        return Err(format!("{} learns routes from a gateway", table.address).into());
    }
    Ok(made)
}

/// Whether a route that the table has now is one that the plan removes.
fn is_removed(world: &World<'_>, table: &Resource, id: &str, route: &Route) -> bool {
    let configured = &world.plan.configuration(table)["expressions"]["route"];
    configured.is_null()
        && world.plan.removed.iter().filter(|one| one.kind == ROUTE).any(|gone| {
            let same = |argument: &str, own: &Option<String>| {
                let gone = gone.known_text(argument);
                gone.is_some() && gone == *own
            };
            gone.known_text("route_table_id").as_deref() == Some(id)
                && (same("destination_cidr_block", &route.destination_cidr_block)
                    || same("destination_ipv6_cidr_block", &route.destination_ipv6_cidr_block))
        })
}

/// A route; `at` is empty or the path of a block.
fn one_route<'p>(
    world: &World<'p>,
    resource: &'p Resource,
    at: &str,
    [ipv4, ipv6]: [&str; 2],
) -> Result<Route, Open> {
    let path = |name: &str| format!("{at}{name}");
    let block = |name: &str| match world.is_left_to_aws(resource, &path(name)) {
        true => Ok(None),
        false => resource.text(&path(name)).settled(),
    };
    let mut route = Route {
        destination_cidr_block: block(ipv4)?,
        destination_ipv6_cidr_block: block(ipv6)?,
        ..Route::default()
    };
    let list = path("destination_prefix_list_id");
    if !world.is_left_to_aws(resource, &list) {
        route.destination_prefix_list_id = world.id(resource, &list).settled()?;
    }
    let (mut has_target, mut is_open) = (false, false);
    for target in routes::TARGETS {
        let path = path(target.argument);
        // Of the targets one is set; AWS fills in the others.
        if world.is_left_to_aws(resource, &path) {
            continue;
        }
        let id = match world.id(resource, &path) {
            Setting::Known(id) => Some(id),
            Setting::Absent => continue,
            Setting::Open(_) => world.only_new(target.kinds),
        };
        is_open |= id.is_none();
        if let Some(id) = id {
            has_target = true;
            *(target.field)(&mut route) = Some(id);
        }
    }
    if !has_target {
        if !is_open {
            return Err(format!("the target of {} is unknown", resource.address).into());
        }
        route.gateway_id = Some(format!("${{{}}}", resource.address));
    }
    Ok(routes::created(route))
}

/// Which subnets have which table, and which table is the main one.
fn associate(world: &World<'_>, draft: &mut Draft, tables: &mut BTreeMap<String, Table>) {
    let mut mains: BTreeMap<String, String> = BTreeMap::new();
    for vpc in world.of(&["aws_vpc"]) {
        let id = match vpc.data {
            true => vpc.known_text("main_route_table_id"),
            false => Some(world.default_of(vpc, "default_route_table_id")),
        };
        if let (Some(id), Some(vpc)) = (id, id_of(world, vpc)) {
            mains.insert(vpc, id);
        }
    }
    for main in world.created(&["aws_main_route_table_association"]) {
        match (world.id(main, "vpc_id"), world.id(main, "route_table_id")) {
            (Setting::Known(vpc), Setting::Known(table)) => drop(mains.insert(vpc, table)),
            (Setting::Known(vpc), Setting::Open(open)) => {
                mains.remove(&vpc);
                draft.gap(Fact::RouteTables, "", open);
            }
            (Setting::Open(open), _) => {
                mains.clear();
                draft.gap(Fact::RouteTables, "", open);
            }
            _ => {}
        }
    }
    for table in mains.values() {
        if let Some(Ok(table)) = tables.get_mut(table) {
            table.associations.push(routes::main_association());
        }
    }
    for association in world.created(&["aws_route_table_association"]) {
        let subnet = world.id(association, "subnet_id");
        let table = world.id(association, "route_table_id");
        match (subnet, table) {
            (Setting::Known(subnet), Setting::Known(id)) => match tables.get_mut(&id) {
                Some(Ok(table)) => table.associations.push(routes::association(subnet)),
                Some(Err(_)) => {}
                None => draft.gap(Fact::RouteTables, &id, format!("{id} is not in the plan")),
            },
            // An edge association has no subnet.
            (Setting::Absent, _) => {}
            (Setting::Open(open), _) | (_, Setting::Open(open)) => {
                draft.gap(Fact::RouteTables, "", open);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::declare;
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
            declare,
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
            evidence(&[own, ("aws_route.r", known, &refers)], declare)
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
