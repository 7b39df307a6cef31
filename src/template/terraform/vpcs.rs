//! EC2: VPCs, their attributes and DHCP options, subnets; and which networks the plan
//! does not hold.

use std::collections::BTreeSet;

use super::{resource::Resource, world::World};
use crate::{
    evidence::{Fact, Observed, RouteTable, VpcBlockPublicAccessOptions},
    template::{
        Draft,
        aws::{Open, Setting, vpcs},
        draft::{begin, entries},
    },
};

/// What makes a VPC; a default VPC is only adopted, with all that is in it.
const VPC: &str = "aws_vpc";
const DEFAULT_VPC: &str = "aws_default_vpc";
pub(super) const SUBNETS: [&str; 2] = ["aws_subnet", "aws_default_subnet"];

/// VPCs and subnets.
pub(super) fn declare(world: &World<'_>, draft: &mut Draft) {
    for vpc in world.of(&[VPC, DEFAULT_VPC]) {
        one_vpc(world, draft, vpc);
    }
    for options in world.created(&["aws_vpc_dhcp_options", "aws_default_vpc_dhcp_options"]) {
        dhcp_options(world, draft, options);
    }
    for subnet in world.of(&SUBNETS) {
        let Some(id) = id_of(world, subnet) else { continue };
        world.declare(draft, &id, subnet);
        if let Err(open) = one_subnet(world, draft, subnet, &id) {
            draft.gap(Fact::Subnets, &id, open);
        }
    }
    draft.complete(&[Fact::Vpcs, Fact::Subnets, Fact::DhcpOptions, Fact::NetworkInterfaces]);
    names(world, draft);
}

/// The id of a resource that is there for certain: a data source that is not read yet has
/// none.
pub(super) fn id_of<'p>(world: &World<'p>, resource: &'p Resource) -> Option<String> {
    if resource.data { resource.known_text("id") } else { Some(world.physical(resource)) }
}

/// The VPC of a subnet, where the plan says it.
pub(super) fn vpc_of_subnet(world: &World<'_>, id: &str) -> Option<String> {
    world.id(world.called(&SUBNETS, id)?, "vpc_id").known()
}

fn one_vpc<'p>(world: &World<'p>, draft: &mut Draft, vpc: &'p Resource) {
    let Some(id) = id_of(world, vpc) else { return };
    world.declare(draft, &id, vpc);
    let blocks = blocks_of(world, vpc, &id);
    match blocks.and_then(|blocks| Ok((blocks, options_of(world, vpc, &id)?))) {
        Err(open) => draft.gap(Fact::Vpcs, &id, open),
        Ok((blocks, options)) => {
            let ipv6 = vpc.known_text("ipv6_cidr_block");
            let found = vpcs::vpc(&id, &world.place.account, blocks, ipv6, options);
            begin(&mut draft.evidence.vpcs).push(found);
            attributes(world, draft, vpc, &id);
        }
    }
}

fn blocks_of<'p>(world: &World<'p>, vpc: &'p Resource, id: &str) -> Result<Vec<String>, Open> {
    let own = vpc.text("cidr_block").settled()?;
    let mut blocks = vec![own.ok_or_else(|| format!("{} has no CIDR block", vpc.address))?];
    for more in world.created(&["aws_vpc_ipv4_cidr_block_association"]) {
        if world.id(more, "vpc_id").settled()?.as_deref() == Some(id) {
            blocks.extend(more.text("cidr_block").settled()?);
        }
    }
    Ok(blocks)
}

/// DescribeVpcAttribute.
fn attributes(world: &World<'_>, draft: &mut Draft, vpc: &Resource, id: &str) {
    let is_new = vpc.kind == VPC && !vpc.data;
    let flag = |path: &str| match vpc.flag(path) {
        Setting::Open(open) if is_new && world.is_left_to_aws(vpc, path) => {
            drop(open);
            Setting::Absent
        }
        setting => setting,
    };
    let is_default = vpc.kind == DEFAULT_VPC;
    let (support, hostnames) = match (flag("enable_dns_support"), flag("enable_dns_hostnames")) {
        (Setting::Known(support), Setting::Known(hostnames)) => (Some(support), Some(hostnames)),
        // A default VPC has both.
        (Setting::Known(support), _) if is_default => (Some(support), Some(true)),
        (Setting::Open(_), _) | (_, Setting::Open(_)) => {
            return no_attributes(draft, vpc, id);
        }
        (support, hostnames) if is_new => (support.known(), hostnames.known()),
        _ => return no_attributes(draft, vpc, id),
    };
    let found = vpcs::attributes(support, hostnames);
    begin(&mut draft.evidence.vpc_attributes).insert(id.to_owned(), found);
}

fn no_attributes(draft: &mut Draft, vpc: &Resource, id: &str) {
    let reason = format!("{} does not show its DNS attributes", vpc.address);
    draft.gap(Fact::VpcAttributes, id, reason);
}

/// The DHCP options of a VPC: those associated with it, else the region's own.
fn options_of<'p>(world: &World<'p>, vpc: &'p Resource, id: &str) -> Result<String, Open> {
    let default = || vpcs::DEFAULT_DHCP_OPTIONS.to_owned();
    for association in world.created(&["aws_vpc_dhcp_options_association"]) {
        if world.id(association, "vpc_id").settled()?.as_deref() == Some(id) {
            let options = world.id(association, "dhcp_options_id").settled()?;
            return Ok(options.unwrap_or_else(default));
        }
    }
    let known = vpc.known_text("dhcp_options_id");
    // A VPC that the plan holds has the options that the plan gives it.
    Ok(known.filter(|_| vpc.data).unwrap_or_else(default))
}

fn dhcp_options<'p>(world: &World<'p>, draft: &mut Draft, options: &'p Resource) {
    let id = world.physical(options);
    world.declare(draft, &id, options);
    match options.texts("domain_name_servers") {
        Setting::Open(open) => draft.gap(Fact::DhcpOptions, &id, open),
        servers => begin(&mut draft.evidence.dhcp_options)
            .push(vpcs::dhcp_options(&id, servers.known().unwrap_or_default())),
    }
}

fn one_subnet<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    subnet: &'p Resource,
    id: &str,
) -> Result<(), Open> {
    let vpc = world.id(subnet, "vpc_id").settled()?;
    let vpc = vpc.ok_or_else(|| format!("{} names no VPC", subnet.address))?;
    let ipv6 = subnet.known_text("ipv6_cidr_block");
    let block = subnet.text("cidr_block").settled()?;
    if block.is_none() && ipv6.is_none() {
        return Err(format!("{} names no CIDR block", subnet.address).into());
    }
    let zone = subnet.known_text("availability_zone");
    begin(&mut draft.evidence.subnets).push(vpcs::subnet(id, Some(vpc), block, ipv6, zone));
    Ok(())
}

/// What changes the meaning of names, and what stops internet gateways.
fn names(world: &World<'_>, draft: &mut Draft) {
    let private = |zone: &&Resource| !zone.blocks("vpc").is_absent();
    let zone = world.created(&["aws_route53_zone"]).find(private);
    let zone = zone.or_else(|| world.created(&["aws_route53_zone_association"]).next());
    let rule = world.created(&["aws_route53_resolver_rule_association"]).next();
    for (fact, resource) in [(Fact::HostedZonesByVPC, zone), (Fact::ResolverRules, rule)] {
        match resource {
            Some(one) => {
                draft.gap(fact, "", format!("{} is not read out of a plan", one.address));
            }
            None => draft.complete(&[fact]),
        }
    }
    let options = world.created(&["aws_vpc_block_public_access_options"]).next();
    match options.map(|options| options.text("internet_gateway_block_mode")) {
        Some(Setting::Known(mode)) => {
            // Exclusions name what they exclude by ids of EC2.
            let excludes = world.created(&["aws_vpc_block_public_access_exclusion"]).next();
            let found = VpcBlockPublicAccessOptions {
                internet_gateway_block_mode: Some(mode),
                state: Some("update-complete".to_owned()),
                exclusions: excludes.is_none().then(Vec::new),
                ..VpcBlockPublicAccessOptions::default()
            };
            draft.evidence.vpc_block_public_access_options = Observed::Known(found);
        }
        Some(Setting::Open(open)) => draft.gap(Fact::VpcBlockPublicAccessOptions, "", open),
        _ => draft.complete(&[Fact::VpcBlockPublicAccessOptions]),
    }
}

/// The VPCs that the plan holds whole: those that it creates or keeps.
fn whole(world: &World<'_>) -> BTreeSet<String> {
    world.created(&[VPC]).map(|vpc| world.physical(vpc)).collect()
}

/// Names the subnets, groups and VPCs that are referred to and are not in the plan, and
/// what else may be in such a VPC.
pub(super) fn outside(world: &World<'_>, draft: &mut Draft) {
    let evidence = &draft.evidence;
    let config = evidence.function.known().and_then(|one| one.configuration.vpc_config.clone());
    let config = config.unwrap_or_default();
    let mut subnets: BTreeSet<String> = config.subnet_ids.into_iter().collect();
    let mut groups: BTreeSet<String> = config.security_group_ids.into_iter().collect();
    for endpoint in entries(&evidence.vpc_endpoints) {
        subnets.extend(endpoint.subnet_ids.iter().cloned());
        groups.extend(endpoint.groups.iter().filter_map(|group| group.group_id.clone()));
    }
    let all_subnets = entries(&evidence.subnets);
    let known_subnets = all_subnets.iter().filter_map(|one| one.subnet_id.clone()).collect();
    let all_groups = entries(&evidence.security_groups);
    let known_groups = all_groups.iter().filter_map(|one| one.group_id.clone()).collect();
    let vpcs_of_subnets: BTreeSet<String> =
        all_subnets.iter().filter_map(|one| one.vpc_id.clone()).collect();
    let known_vpcs: BTreeSet<String> =
        entries(&evidence.vpcs).iter().filter_map(|one| one.vpc_id.clone()).collect();
    let unknown = |named: &BTreeSet<String>, known: &BTreeSet<String>| -> Vec<String> {
        named.difference(known).filter(|id| !id.starts_with("${")).cloned().collect()
    };
    for (fact, ids, what) in [
        (Fact::Subnets, unknown(&subnets, &known_subnets), "subnet"),
        (Fact::SecurityGroups, unknown(&groups, &known_groups), "security group"),
    ] {
        for id in ids {
            draft.gap(fact, &id, format!("the {what} {id} is not in the plan"));
        }
    }
    let whole = whole(world);
    if let Some(vpc) = config.vpc_id {
        hide_endpoints(world, draft, &vpc, &whole);
    }
    for vpc in vpcs_of_subnets.difference(&whole) {
        if !known_vpcs.contains(vpc) {
            for fact in [Fact::Vpcs, Fact::VpcAttributes] {
                draft.gap(fact, vpc, format!("{vpc} is not in the plan"));
            }
        }
        for fact in [
            Fact::VpcEndpoints,
            Fact::RouteTables,
            Fact::NetworkAcls,
            Fact::InternetGateways,
            Fact::TransitGatewayVpcAttachments,
        ] {
            draft.gap(fact, vpc, format!("{vpc} is not in the plan, nor what else is in it"));
        }
    }
}

/// Of a VPC that the plan does not hold whole, that no endpoint is known says nothing.
/// Nor does it of one that is there already and has no other path out: then there must be
/// one, or nothing has worked so far.
fn hide_endpoints(world: &World<'_>, draft: &mut Draft, vpc: &str, whole: &BTreeSet<String>) {
    let to_internet = |table: &RouteTable| {
        table.vpc_id.as_deref() == Some(vpc)
            && table
                .routes
                .iter()
                .any(|one| one.destination_cidr_block.as_deref() == Some(EVERYWHERE))
    };
    let exists = world.called(&[VPC], vpc).is_some_and(|vpc| vpc.exists);
    let paths = ["aws_vpc_endpoint", "aws_route", "aws_nat_gateway"];
    let removes = world.plan.removed.iter().any(|one| paths.contains(&one.kind.as_str()));
    let may_be_elsewhere = !whole.contains(vpc)
        || exists && !removes && !entries(&draft.evidence.route_tables).iter().any(to_internet);
    if may_be_elsewhere && !vpcs::serves_secrets_manager(draft, vpc) {
        draft.forget(Fact::VpcEndpoints);
        let reason = format!("no endpoint of {vpc} for Secrets Manager is in the plan");
        draft.gap(Fact::VpcEndpoints, vpc, reason);
    }
}

const EVERYWHERE: &str = "0.0.0.0/0";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::declare;
    use crate::template::terraform::testing::{evidence, gaps};

    #[test]
    fn a_vpc_has_the_attributes_that_aws_gives_it() {
        let found = evidence(
            &[
                ("aws_vpc.v", json!({"cidr_block": "10.0.0.0/16"}), &[]),
                ("aws_vpc_dhcp_options.o", json!({"domain_name_servers": ["10.0.0.9"]}), &[]),
                (
                    "aws_vpc_dhcp_options_association.o",
                    json!({}),
                    &[
                        ("vpc_id", &["aws_vpc.v.id"]),
                        ("dhcp_options_id", &["aws_vpc_dhcp_options.o.id"]),
                    ],
                ),
                (
                    "aws_subnet.s",
                    json!({"cidr_block": "10.0.1.0/24"}),
                    &[("vpc_id", &["aws_vpc.v.id"])],
                ),
            ],
            declare,
        );
        let vpc = &found.vpcs.known().expect("VPCs")[0];
        assert_eq!(vpc.dhcp_options_id.as_deref(), Some("aws_vpc_dhcp_options.o"));
        let attributes = &found.vpc_attributes.known().expect("attributes")["aws_vpc.v"];
        let value =
            |one: &Option<crate::evidence::BooleanAttribute>| one.as_ref().and_then(|a| a.value);
        assert_eq!(value(&attributes.enable_dns_support), Some(true));
        assert_eq!(value(&attributes.enable_dns_hostnames), Some(false));
        let subnet = &found.subnets.known().expect("subnets")[0];
        assert_eq!(subnet.vpc_id.as_deref(), Some("aws_vpc.v"));
    }

    #[test]
    fn blocks_that_do_not_show_and_zones_are_gaps() {
        let found = evidence(
            &[
                (
                    "aws_vpc.v",
                    json!({}),
                    &[("cidr_block", &["aws_vpc_ipam_preview_next_cidr.x.cidr"])],
                ),
                ("aws_subnet.s", json!({"vpc_id": "vpc-1"}), &[("cidr_block", &["local.x"])]),
                ("aws_route53_zone.z", json!({"name": "x", "vpc": [{"vpc_id": "vpc-1"}]}), &[]),
            ],
            declare,
        );
        let wanted = [("HostedZonesByVPC", ""), ("Subnets", "aws_subnet.s"), ("Vpcs", "aws_vpc.v")];
        assert_eq!(gaps(&found), wanted);
    }
}
