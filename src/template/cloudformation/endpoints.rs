//! EC2: VPC endpoints.

use super::{
    ids::default_group,
    policy_documents,
    value::may_be_own,
    world::{Created, World},
};
use crate::{
    evidence::{Fact, GroupIdentifier, PolicyDocument, VpcEndpoint},
    template::{aws::Open, draft::begin},
};

/// Endpoints. One of which a part is open that decides its path is left out.
pub(super) fn declare(world: &mut World<'_, '_>) {
    for endpoint in world.created("AWS::EC2::VPCEndpoint", Fact::VpcEndpoints) {
        world.declare_whole(&endpoint.id, endpoint.resource);
        match one_endpoint(&endpoint) {
            Ok(found) => begin(&mut world.draft.evidence.vpc_endpoints).push(found),
            Err(open) => world.draft.gap(Fact::VpcEndpoints, &endpoint.id, open),
        }
    }
}

fn one_endpoint(endpoint: &Created<'_, '_>) -> Result<VpcEndpoint, Open> {
    let properties = &endpoint.properties;
    let vpc = properties.get("VpcId").id().unwrap_or_default();
    if may_be_own(&vpc) {
        return Err(Open::named(&endpoint.id, "which VPC it is in is unknown"));
    }
    let kind = properties.get("VpcEndpointType").text().settled()?;
    let kind = kind.unwrap_or_else(|| "Gateway".to_owned());
    let interface = kind == "Interface";
    let mut groups = properties.get("SecurityGroupIds").ids();
    if groups.is_empty() && interface {
        groups.push(default_group(&vpc));
    }
    let groups = groups
        .into_iter()
        .map(|id| GroupIdentifier { group_id: Some(id), ..GroupIdentifier::default() });
    let policy = policy_documents::read(properties.get("PolicyDocument")).settled()?;
    // Where it is not said, it is off (CreateVpcEndpoint by CloudFormation).
    let private_dns = properties.get("PrivateDnsEnabled").flag().settled()?;
    let subnets = properties.get("SubnetIds").ids();
    if interface && subnets.is_empty() {
        return Err(Open::named(&endpoint.id, "its subnets are not declared"));
    }
    Ok(VpcEndpoint {
        vpc_endpoint_id: Some(endpoint.id.clone()),
        service_name: properties.get("ServiceName").text().settled()?,
        state: Some("available".to_owned()),
        policy_document: policy.map(PolicyDocument),
        subnet_ids: subnets,
        groups: groups.collect(),
        route_table_ids: properties.get("RouteTableIds").ids(),
        private_dns_enabled: if interface { private_dns } else { Some(false) },
        ip_address_type: properties.get("IpAddressType").known(),
        vpc_endpoint_type: Some(kind),
        vpc_id: Some(vpc),
        ..VpcEndpoint::default()
    })
}
