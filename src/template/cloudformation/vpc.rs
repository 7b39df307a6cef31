//! EC2: VPCs with what comes with each (DNS attributes, DHCP options, the default
//! group), and subnets.

use serde_json::{Value as Json, json};

use super::{
    identity::default_group,
    resolved::Unknown,
    world::{Made, World, compact},
};
use crate::evidence::Fact;

/// VPCs and subnets.
pub(super) fn declare(world: &mut World<'_, '_>) {
    dhcp_options(world);
    for vpc in world.made("AWS::EC2::VPC", Fact::Vpcs) {
        if let Err(unknown) = one_vpc(world, &vpc) {
            world.open(Fact::Vpcs, &vpc.id, &unknown);
        }
    }
    for subnet in world.made("AWS::EC2::Subnet", Fact::Subnets) {
        if let Err(unknown) = one_subnet(world, &subnet) {
            world.open(Fact::Subnets, &subnet.id, &unknown);
        }
    }
}

fn one_vpc(world: &mut World<'_, '_>, vpc: &Made<'_, '_>) -> Result<(), Unknown> {
    let (id, properties) = (vpc.id.as_str(), &vpc.properties);
    world.declare(id, vpc.resource, vpc.resource.node.at);
    let Some(block) = properties.get("CidrBlock").text()? else {
        return Err(Unknown::named(id, "its CidrBlock comes from a pool"));
    };
    let associated =
        |block: &str| json!({"CidrBlock": block, "CidrBlockState": {"State": "associated"}});
    let mut blocks = vec![associated(&block)];
    for (more, open) in world.perhaps("AWS::EC2::VPCCidrBlock") {
        if more.properties.get("VpcId").id().as_deref() != Some(id) {
            continue;
        }
        open.map_err(|why| Unknown::named(id, why))?;
        blocks.extend(more.properties.get("CidrBlock").text()?.map(|block| associated(&block)));
    }
    let dhcp = dhcp_of(world, id)?;
    let account = world.scope.place.account.clone();
    world.draft.push(
        "Vpcs",
        json!({"VpcId": id, "OwnerId": account, "CidrBlock": block, "DhcpOptionsId": dhcp,
            "CidrBlockAssociationSet": blocks}),
    );
    // CreateVpc: DNS support is on, host names are off, where nothing is said.
    let flag = |name: &str, default: bool| {
        properties.get(name).flag().map(|told| json!({"Value": told.unwrap_or(default)}))
    };
    match (flag("EnableDnsSupport", true), flag("EnableDnsHostnames", false)) {
        (Ok(support), Ok(hostnames)) => world.draft.insert(
            "VpcAttributes",
            id,
            json!({"EnableDnsSupport": support, "EnableDnsHostnames": hostnames}),
        ),
        (Err(unknown), _) | (_, Err(unknown)) => world.open(Fact::VpcAttributes, id, &unknown),
    }
    let group = default_group(id);
    world.declare(&group, vpc.resource, vpc.resource.node.at);
    world.draft.push(
        "SecurityGroups",
        json!({"GroupId": group, "GroupName": "default", "OwnerId": account, "VpcId": id,
            "IpPermissions": [{"IpProtocol": "-1",
                "UserIdGroupPairs": [{"GroupId": group, "UserId": account}]}],
            "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}),
    );
    Ok(())
}

/// The DHCP options of a VPC: Amazon's, where none are associated.
fn dhcp_of(world: &World<'_, '_>, vpc: &str) -> Result<String, Unknown> {
    for (association, open) in world.perhaps("AWS::EC2::VPCDHCPOptionsAssociation") {
        if association.properties.get("VpcId").id().as_deref() == Some(vpc) {
            open.map_err(|why| Unknown::named(vpc, why))?;
            return Ok(association.properties.get("DhcpOptionsId").id().unwrap_or_default());
        }
    }
    Ok("default".to_owned())
}

fn dhcp_options(world: &mut World<'_, '_>) {
    for options in world.made("AWS::EC2::DHCPOptions", Fact::DhcpOptions) {
        world.declare(&options.id, options.resource, options.resource.node.at);
        let servers = options.properties.get("DomainNameServers");
        if let Some(unknown) = servers.first_unknown() {
            world.open(Fact::DhcpOptions, &options.id, unknown);
            continue;
        }
        let values: Vec<Json> =
            servers.ids().iter().map(|server| json!({"Value": server})).collect();
        world.draft.push(
            "DhcpOptions",
            json!({"DhcpOptionsId": options.id,
                "DhcpConfigurations": [{"Key": "domain-name-servers", "Values": values}]}),
        );
    }
}

fn one_subnet(world: &mut World<'_, '_>, subnet: &Made<'_, '_>) -> Result<(), Unknown> {
    let (id, properties) = (subnet.id.as_str(), &subnet.properties);
    world.declare(id, subnet.resource, subnet.resource.node.at);
    let Some(block) = properties.get("CidrBlock").text()? else {
        return Err(Unknown::named(id, "its CidrBlock comes from a pool"));
    };
    let ipv6 = match properties.get("Ipv6CidrBlock").text() {
        Ok(ipv6) => ipv6,
        // It decides nothing where the function does not use it.
        Err(unknown) if world.dual_stack => return Err(unknown),
        Err(_) => None,
    };
    let ipv6 = ipv6.map(
        |block| json!([{"Ipv6CidrBlock": block, "Ipv6CidrBlockState": {"State": "associated"}}]),
    );
    world.draft.push(
        "Subnets",
        compact(json!({"SubnetId": id, "VpcId": properties.get("VpcId").id(), "CidrBlock": block,
            "AvailabilityZone": properties.get("AvailabilityZone").known(),
            "Ipv6CidrBlockAssociationSet": ipv6})),
    );
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
