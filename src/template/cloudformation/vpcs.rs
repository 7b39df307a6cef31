//! EC2: VPCs with what comes with each (DNS attributes, DHCP options, the default
//! group), and subnets.

use super::{
    ids::default_group,
    world::{Created, World},
};
use crate::{
    evidence::Fact,
    template::{
        aws::{Open, Setting, vpcs},
        draft::begin,
    },
};

/// VPCs and subnets.
pub(super) fn declare(world: &mut World<'_, '_>) {
    dhcp_options(world);
    for vpc in world.created("AWS::EC2::VPC", Fact::Vpcs) {
        if let Err(open) = one_vpc(world, &vpc) {
            world.draft.gap(Fact::Vpcs, &vpc.id, open);
        }
    }
    for subnet in world.created("AWS::EC2::Subnet", Fact::Subnets) {
        if let Err(open) = one_subnet(world, &subnet) {
            world.draft.gap(Fact::Subnets, &subnet.id, open);
        }
    }
    names(world);
}

/// What changes the meaning of names.
fn names(world: &mut World<'_, '_>) {
    let zones = world.perhaps("AWS::Route53::HostedZone");
    let zone = zones.into_iter().find(|(one, _)| !one.properties.get("VPCs").is_nothing());
    let rules = world.perhaps("AWS::Route53Resolver::ResolverRuleAssociation");
    for (fact, found) in
        [(Fact::HostedZonesByVPC, zone), (Fact::ResolverRules, rules.into_iter().next())]
    {
        match found {
            Some((one, _)) => {
                let reason = format!("{} is not read out of a template", one.resource.name);
                world.draft.gap(fact, "", reason);
            }
            None => world.draft.complete(&[fact]),
        }
    }
}

fn one_vpc(world: &mut World<'_, '_>, vpc: &Created<'_, '_>) -> Result<(), Open> {
    let (id, properties) = (vpc.id.as_str(), &vpc.properties);
    world.declare_whole(id, vpc.resource);
    let block = properties.get("CidrBlock").text().settled()?;
    let mut blocks = vec![block.ok_or_else(|| Open::named(id, "its CidrBlock comes from a pool"))?];
    for (more, open) in world.perhaps("AWS::EC2::VPCCidrBlock") {
        if more.properties.get("VpcId").id().as_deref() == Some(id) {
            open?;
            blocks.extend(more.properties.get("CidrBlock").text().settled()?);
        }
    }
    let options = options_of(world, id)?;
    let account = world.scope.place.account.clone();
    begin(&mut world.draft.evidence.vpcs).push(vpcs::vpc(id, &account, blocks, None, options));
    let flag = |name: &str| properties.get(name).flag();
    match (flag("EnableDnsSupport"), flag("EnableDnsHostnames")) {
        (Setting::Open(open), _) | (_, Setting::Open(open)) => {
            world.draft.gap(Fact::VpcAttributes, id, open);
        }
        (support, hostnames) => {
            let attributes = vpcs::attributes(support.known(), hostnames.known());
            begin(&mut world.draft.evidence.vpc_attributes).insert(id.to_owned(), attributes);
        }
    }
    let group = default_group(id);
    world.declare_whole(&group, vpc.resource);
    begin(&mut world.draft.evidence.security_groups)
        .push(vpcs::default_group(&group, id, &account));
    Ok(())
}

/// The DHCP options of a VPC: Amazon's, where none are associated.
fn options_of(world: &World<'_, '_>, vpc: &str) -> Result<String, Open> {
    for (association, open) in world.perhaps("AWS::EC2::VPCDHCPOptionsAssociation") {
        if association.properties.get("VpcId").id().as_deref() == Some(vpc) {
            open?;
            return Ok(association.properties.get("DhcpOptionsId").id().unwrap_or_default());
        }
    }
    Ok(vpcs::DEFAULT_DHCP_OPTIONS.to_owned())
}

fn dhcp_options(world: &mut World<'_, '_>) {
    for options in world.created("AWS::EC2::DHCPOptions", Fact::DhcpOptions) {
        world.declare_whole(&options.id, options.resource);
        let servers = options.properties.get("DomainNameServers");
        match servers.first_open() {
            Some(open) => world.draft.gap(Fact::DhcpOptions, &options.id, open),
            None => begin(&mut world.draft.evidence.dhcp_options)
                .push(vpcs::dhcp_options(&options.id, servers.ids())),
        }
    }
}

fn one_subnet(world: &mut World<'_, '_>, subnet: &Created<'_, '_>) -> Result<(), Open> {
    let (id, properties) = (subnet.id.as_str(), &subnet.properties);
    world.declare_whole(id, subnet.resource);
    let Some(block) = properties.get("CidrBlock").text().settled()? else {
        return Err(Open::named(id, "its CidrBlock comes from a pool"));
    };
    let ipv6 = match properties.get("Ipv6CidrBlock").text() {
        // It decides nothing where the function does not use it.
        Setting::Open(open) if world.dual_stack => return Err(open),
        setting => setting.known(),
    };
    begin(&mut world.draft.evidence.subnets).push(vpcs::subnet(
        id,
        properties.get("VpcId").id(),
        Some(block),
        ipv6,
        properties.get("AvailabilityZone").known(),
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::template::cloudformation::testing::{evidence, open_in};

    #[test]
    fn a_vpc_comes_with_its_defaults() {
        let found = evidence(
            "
  V: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}
  N: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: !Ref V, CidrBlock: 10.0.1.0/24}}
",
        );
        assert_eq!(found["Vpcs"][0]["DhcpOptionsId"], "default");
        let attributes = &found["VpcAttributes"]["vpc-V"];
        assert_eq!(attributes["EnableDnsSupport"]["Value"], true);
        assert_eq!(attributes["EnableDnsHostnames"]["Value"], false);
        assert_eq!(found["SecurityGroups"][0]["GroupId"], "sg-V.DefaultSecurityGroup");
        assert_eq!(found["RouteTables"][0]["Associations"], json!([{"Main": true}]));
        assert_eq!(found["NetworkAcls"][0]["Associations"][0]["SubnetId"], "subnet-N");
        assert_eq!(found["NatGateways"], json!(null), "looked for, and not there");
    }

    #[test]
    fn what_has_no_block_is_not_there() {
        let found = evidence(
            "
  V: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: !Ref Open}}
  W: {Type: 'AWS::EC2::VPC', Condition: Unsure, Properties: {CidrBlock: 10.0.0.0/16}}
  X: {Type: 'AWS::EC2::VPC', Condition: Never, Properties: {CidrBlock: 10.0.0.0/16}}
  N: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: !Ref V, CidrBlock: [1]}}
  T: {Type: 'AWS::EC2::RouteTable', Properties: {VpcId: !Ref V}}
",
        );
        assert!(found.get("Vpcs").is_none(), "{found}");
        assert_eq!(open_in(&found, "Vpcs"), ["vpc-V", "vpc-W"]);
        assert_eq!(open_in(&found, "Subnets"), ["subnet-N"]);
        assert_eq!(open_in(&found, "RouteTables"), ["rtb-T"], "without a block, no local route");
    }
}
