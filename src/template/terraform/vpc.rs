//! EC2: VPCs, their attributes and DHCP options, subnets; and which networks the plan
//! does not hold.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    plan::Resource,
    value::{Seen, items},
    world::World,
};
use crate::{evidence::Fact, template::Draft};

/// What makes a VPC; a default VPC is only taken over, with all that is in it.
const VPC: &str = "aws_vpc";
const DEFAULT_VPC: &str = "aws_default_vpc";
const SUBNETS: [&str; 2] = ["aws_subnet", "aws_default_subnet"];

/// Puts VPCs and subnets.
pub(super) fn put(world: &World<'_>, draft: &mut Draft) {
    for fact in ["Vpcs", "Subnets", "DhcpOptions", "NetworkInterfaces"] {
        draft.list(fact);
    }
    for vpc in world.of(&[VPC, DEFAULT_VPC]) {
        put_vpc(world, draft, vpc);
    }
    for options in world.made(&["aws_vpc_dhcp_options", "aws_default_vpc_dhcp_options"]) {
        put_options(world, draft, options);
    }
    for subnet in world.of(&SUBNETS) {
        put_subnet(world, draft, subnet);
    }
    put_names(world, draft);
}

/// The id of a thing that is there for certain: a data source that is not read yet has
/// none.
pub(super) fn id_of<'p>(world: &World<'p>, resource: &'p Resource) -> Option<String> {
    if resource.data { resource.known_text("id") } else { Some(world.physical(resource)) }
}

fn put_vpc<'p>(world: &World<'p>, draft: &mut Draft, vpc: &'p Resource) {
    let Some(id) = id_of(world, vpc) else { return };
    world.declare(draft, &id, vpc);
    let Seen::Known(block) = vpc.text("cidr_block") else {
        return draft.gap(Fact::Vpcs, &id, format!("{}.cidr_block is not known yet", vpc.address));
    };
    let mut blocks = vec![block.clone()];
    for more in world.made(&["aws_vpc_ipv4_cidr_block_association"]) {
        match (world.id(more, "vpc_id"), more.text("cidr_block")) {
            (Seen::Known(own), _) if own != id => {}
            (Seen::Known(_), Seen::Known(block)) => blocks.push(block),
            (Seen::Open(why), _) | (_, Seen::Open(why)) => {
                return draft.gap(Fact::Vpcs, &id, why);
            }
            _ => {}
        }
    }
    let options = match options_of(world, vpc, &id) {
        Ok(options) => options,
        Err(why) => return draft.gap(Fact::Vpcs, &id, why),
    };
    let state = json!({"State": "associated"});
    let set: Vec<Value> =
        blocks.iter().map(|block| json!({"CidrBlock": block, "CidrBlockState": state})).collect();
    let mut found = json!({"VpcId": id, "OwnerId": world.place.account, "CidrBlock": block,
        "DhcpOptionsId": options, "CidrBlockAssociationSet": set});
    if let Some(block) = vpc.known_text("ipv6_cidr_block") {
        found["Ipv6CidrBlockAssociationSet"] =
            json!([{"Ipv6CidrBlock": block, "Ipv6CidrBlockState": state}]);
    }
    draft.push("Vpcs", found);
    put_attributes(world, draft, vpc, &id);
}

/// DescribeVpcAttribute. Of a VPC that is made, support is on and host names are off,
/// unless it says otherwise (Amazon VPC User Guide, "DNS attributes for your VPC").
fn put_attributes(world: &World<'_>, draft: &mut Draft, vpc: &Resource, id: &str) {
    let made = vpc.kind == VPC && !vpc.data;
    let flag = |path: &str, default: bool| match vpc.flag(path) {
        Seen::Known(flag) => Some(flag),
        Seen::Absent if made => Some(default),
        Seen::Open(_) if made && world.is_left_to_aws(vpc, path) => Some(default),
        _ => None,
    };
    let default_names = vpc.kind == DEFAULT_VPC;
    match (flag("enable_dns_support", true), flag("enable_dns_hostnames", default_names)) {
        (Some(support), Some(names)) => draft.insert(
            "VpcAttributes",
            id,
            json!({"EnableDnsSupport": {"Value": support}, "EnableDnsHostnames": {"Value": names}}),
        ),
        _ => draft.gap(
            Fact::VpcAttributes,
            id,
            format!("{} does not show its DNS attributes", vpc.address),
        ),
    }
}

/// The DHCP options of a VPC: those associated with it, else the region's own.
fn options_of<'p>(world: &World<'p>, vpc: &'p Resource, id: &str) -> Result<String, String> {
    for association in world.made(&["aws_vpc_dhcp_options_association"]) {
        if world.id(association, "vpc_id").settled()?.as_deref() == Some(id) {
            let options = world.id(association, "dhcp_options_id").settled()?;
            return Ok(options.unwrap_or_else(|| "default".to_owned()));
        }
    }
    let known = vpc.known_text("dhcp_options_id");
    // A VPC that the plan holds has the options that the plan gives it.
    Ok(known.filter(|_| vpc.data).unwrap_or_else(|| "default".to_owned()))
}

fn put_options<'p>(world: &World<'p>, draft: &mut Draft, options: &'p Resource) {
    let id = world.physical(options);
    world.declare(draft, &id, options);
    match options.texts("domain_name_servers") {
        Seen::Open(why) => draft.gap(Fact::DhcpOptions, &id, why),
        Seen::Known(servers) if !servers.is_empty() => {
            let values: Vec<Value> = servers.iter().map(|one| json!({"Value": one})).collect();
            let settings = json!([{"Key": "domain-name-servers", "Values": values}]);
            draft.push("DhcpOptions", json!({"DhcpOptionsId": id, "DhcpConfigurations": settings}));
        }
        _ => draft.push("DhcpOptions", json!({"DhcpOptionsId": id, "DhcpConfigurations": []})),
    }
}

fn put_subnet<'p>(world: &World<'p>, draft: &mut Draft, subnet: &'p Resource) {
    let Some(id) = id_of(world, subnet) else { return };
    world.declare(draft, &id, subnet);
    let vpc = match world.id(subnet, "vpc_id") {
        Seen::Known(vpc) => vpc,
        Seen::Open(why) => return draft.gap(Fact::Subnets, &id, why),
        Seen::Absent => {
            return draft.gap(Fact::Subnets, &id, format!("{} names no VPC", subnet.address));
        }
    };
    let six = subnet.known_text("ipv6_cidr_block");
    let block = match subnet.text("cidr_block") {
        Seen::Open(why) => return draft.gap(Fact::Subnets, &id, why),
        seen => seen.known(),
    };
    if block.is_none() && six.is_none() {
        return draft.gap(Fact::Subnets, &id, format!("{} names no block", subnet.address));
    }
    let mut found = json!({"SubnetId": id, "VpcId": vpc});
    if let Some(block) = block {
        found["CidrBlock"] = json!(block);
    }
    if let Some(zone) = subnet.known_text("availability_zone") {
        found["AvailabilityZone"] = json!(zone);
    }
    if let Some(block) = six {
        found["Ipv6CidrBlockAssociationSet"] = json!([
            {"Ipv6CidrBlock": block, "Ipv6CidrBlockState": {"State": "associated"}}]);
    }
    draft.push("Subnets", found);
}

/// What changes the meaning of names, and what stops internet gateways.
fn put_names(world: &World<'_>, draft: &mut Draft) {
    let private = |zone: &&Resource| zone.blocks("vpc") != Seen::Absent;
    let zone = world.made(&["aws_route53_zone"]).find(private);
    match zone.or_else(|| world.made(&["aws_route53_zone_association"]).next()) {
        Some(zone) => draft.gap(
            Fact::HostedZonesByVPC,
            "",
            format!("{} is not read out of a plan", zone.address),
        ),
        None => draft.put("HostedZonesByVPC", json!({})),
    }
    match world.made(&["aws_route53_resolver_rule_association"]).next() {
        Some(rule) => draft.gap(
            Fact::ResolverRules,
            "",
            format!("{} is not read out of a plan", rule.address),
        ),
        None => drop(draft.list("ResolverRules")),
    }
    let options = world.made(&["aws_vpc_block_public_access_options"]).next();
    match options.map(|options| (options, options.text("internet_gateway_block_mode"))) {
        Some((_, Seen::Known(mode))) => {
            let mut found = json!({"InternetGatewayBlockMode": mode, "State": "update-complete"});
            // Exclusions name what they exclude by ids of EC2.
            if world.made(&["aws_vpc_block_public_access_exclusion"]).next().is_none() {
                found["Exclusions"] = json!([]);
            }
            draft.put("VpcBlockPublicAccessOptions", found);
        }
        Some((_, Seen::Open(why))) => draft.gap(Fact::VpcBlockPublicAccessOptions, "", why),
        _ => draft.put("VpcBlockPublicAccessOptions", Value::Null),
    }
}

/// The VPCs that the plan holds whole: those that it makes or keeps.
fn whole(world: &World<'_>) -> BTreeSet<String> {
    world.made(&[VPC]).map(|vpc| world.physical(vpc)).collect()
}

/// Names the subnets, groups and VPCs that are referred to and lie outside the plan, and
/// what else may be in such a VPC.
pub(super) fn outside(world: &World<'_>, draft: &mut Draft) {
    let texts = |draft: &Draft, fact: &str, key: &str| -> BTreeSet<String> {
        let list = draft.get(fact).map_or(&[][..], items);
        list.iter().filter_map(|item| item[key].as_str().map(str::to_owned)).collect()
    };
    let strings = |value: &Value| -> Vec<String> {
        items(value).iter().filter_map(|id| id.as_str().map(str::to_owned)).collect()
    };
    let known_subnets = texts(draft, "Subnets", "SubnetId");
    let known_groups = texts(draft, "SecurityGroups", "GroupId");
    let mut subnets: BTreeSet<String> = BTreeSet::new();
    let mut groups: BTreeSet<String> = BTreeSet::new();
    let config = draft.get("Function").map(|f| f["Configuration"]["VpcConfig"].clone());
    let config = config.unwrap_or_default();
    subnets.extend(strings(&config["SubnetIds"]));
    groups.extend(strings(&config["SecurityGroupIds"]));
    let endpoints = draft.get("VpcEndpoints").map_or(&[][..], items);
    for endpoint in endpoints {
        subnets.extend(strings(&endpoint["SubnetIds"]));
        let own = items(&endpoint["Groups"]).iter().filter_map(|group| group["GroupId"].as_str());
        groups.extend(own.map(str::to_owned));
    }
    for (fact, known, named, what) in [
        (Fact::Subnets, &known_subnets, subnets, "subnet"),
        (Fact::SecurityGroups, &known_groups, groups, "security group"),
    ] {
        for id in named.difference(known).filter(|id| !id.starts_with("${")) {
            draft.gap(fact, id, format!("the {what} {id} lies outside the plan"));
        }
    }
    let whole = whole(world);
    hide_endpoints(world, draft, config["VpcId"].as_str(), &whole);
    let known_vpcs = texts(draft, "Vpcs", "VpcId");
    for vpc in texts(draft, "Subnets", "VpcId").difference(&whole) {
        if !known_vpcs.contains(vpc) {
            for fact in [Fact::Vpcs, Fact::VpcAttributes] {
                draft.gap(fact, vpc, format!("{vpc} lies outside the plan"));
            }
        }
        for fact in [
            Fact::VpcEndpoints,
            Fact::RouteTables,
            Fact::NetworkAcls,
            Fact::InternetGateways,
            Fact::TransitGatewayVpcAttachments,
        ] {
            draft.gap(fact, vpc, format!("{vpc} lies outside the plan, and what else is in it"));
        }
    }
}

/// Of a VPC that the plan does not hold whole, that no endpoint is known says nothing.
/// Nor does it of one that is there already and has no other way out: then there must be
/// one, or nothing has worked so far.
fn hide_endpoints(
    world: &World<'_>,
    draft: &mut Draft,
    vpc: Option<&str>,
    whole: &BTreeSet<String>,
) {
    let Some(vpc) = vpc else { return };
    let list = |key: &str| draft.get(key).map_or(&[][..], items);
    let serves = |endpoint: &Value| {
        endpoint["VpcId"] == vpc
            && endpoint["ServiceName"].as_str().is_some_and(|s| s.ends_with(".secretsmanager"))
    };
    let leads_out = |table: &Value| {
        table["VpcId"] == vpc
            && items(&table["Routes"]).iter().any(|r| r["DestinationCidrBlock"] == "0.0.0.0/0")
    };
    let exists = world.called(&[VPC], vpc).is_some_and(|vpc| vpc.exists);
    let ways = ["aws_vpc_endpoint", "aws_route", "aws_nat_gateway"];
    let takes_away = world.plan.removed.iter().any(|one| ways.contains(&one.kind.as_str()));
    let may_be_elsewhere =
        !whole.contains(vpc) || exists && !takes_away && !list("RouteTables").iter().any(leads_out);
    if may_be_elsewhere && !list("VpcEndpoints").iter().any(serves) {
        draft.take("VpcEndpoints");
        draft.gap(
            Fact::VpcEndpoints,
            vpc,
            format!("no endpoint of {vpc} for Secrets Manager is in the plan"),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::put;
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
            put,
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
            put,
        );
        let wanted = [("HostedZonesByVPC", ""), ("Subnets", "aws_subnet.s"), ("Vpcs", "aws_vpc.v")];
        assert_eq!(gaps(&found), wanted);
    }
}
