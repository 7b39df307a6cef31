//! EC2: VPC endpoints, with what is associated with them. One of which a part cannot be
//! told is left out: whether a name leads to it, and past what, is not known then.

use serde_json::{Value, json};

use super::{
    plan::Resource,
    policy_document::{Document, document},
    value::Seen,
    world::World,
};
use crate::{evidence::Fact, template::Draft};

const ENDPOINT: &str = "aws_vpc_endpoint";

/// Puts the endpoints.
pub(super) fn put(world: &World<'_>, draft: &mut Draft) {
    draft.list("VpcEndpoints");
    for endpoint in world.of(&[ENDPOINT]) {
        let Some(id) = super::vpc::id_of(world, endpoint) else { continue };
        world.declare(draft, &id, endpoint);
        match read(world, endpoint, &id) {
            Ok(found) => draft.push("VpcEndpoints", found),
            Err(why) => draft.gap(Fact::VpcEndpoints, &id, why),
        }
    }
}

/// Whether private DNS is on where nobody said: never for what Terraform makes.
const PRIVATE_DNS: bool = false;

fn read<'p>(world: &World<'p>, endpoint: &'p Resource, id: &str) -> Result<Value, String> {
    let address = &endpoint.address;
    let kind = endpoint.text("vpc_endpoint_type").settled()?;
    let kind = kind.unwrap_or_else(|| "Gateway".to_owned());
    let vpc = world.id(endpoint, "vpc_id").settled()?;
    let vpc = vpc.ok_or_else(|| format!("{address} names no VPC"))?;
    let service = endpoint.text("service_name").settled()?;
    let service = service.ok_or_else(|| format!("{address} names no service"))?;
    let mut found = json!({"VpcEndpointId": id, "VpcEndpointType": kind, "VpcId": vpc,
        "ServiceName": service, "State": "available"});
    if kind == "Interface" || kind == "GatewayLoadBalancer" {
        let subnets = with_associated(
            world,
            list(world, endpoint, "subnet_ids")?,
            ("aws_vpc_endpoint_subnet_association", "subnet_id"),
            id,
        )?;
        let groups = with_associated(
            world,
            groups(world, endpoint, &vpc)?,
            ("aws_vpc_endpoint_security_group_association", "security_group_id"),
            id,
        )?;
        let groups: Vec<Value> = groups.iter().map(|id| json!({"GroupId": id})).collect();
        found["SubnetIds"] = json!(subnets);
        found["Groups"] = json!(groups);
        let private = endpoint.flag("private_dns_enabled");
        found["PrivateDnsEnabled"] = match private {
            Seen::Known(on) => json!(on),
            // Computed: off, if nothing asks for it.
            _ if world.is_left_to_aws(endpoint, "private_dns_enabled") => json!(PRIVATE_DNS),
            Seen::Absent => json!(PRIVATE_DNS),
            Seen::Open(why) => return Err(why),
        };
    } else {
        let tables = list(world, endpoint, "route_table_ids").unwrap_or_default();
        found["RouteTableIds"] = json!(tables);
    }
    match policy(world, endpoint, id) {
        Document::Known(policy) => found["PolicyDocument"] = policy,
        Document::Absent => {}
        Document::Open(why) => return Err(why),
    }
    Ok(found)
}

fn list<'p>(world: &World<'p>, endpoint: &'p Resource, path: &str) -> Result<Vec<String>, String> {
    if world.is_left_to_aws(endpoint, path) {
        return Ok(Vec::new());
    }
    Ok(world.ids(endpoint, path).settled()?.unwrap_or_default())
}

/// Its groups: the VPC's default one where none is named.
fn groups<'p>(world: &World<'p>, endpoint: &'p Resource, vpc: &str) -> Result<Vec<String>, String> {
    let named = list(world, endpoint, "security_group_ids")?;
    let kinds = ["aws_vpc_endpoint_security_group_association"];
    let id = world.physical(endpoint);
    let replaced = world.made(&kinds).any(|association| {
        association.flag("replace_default_association").known() == Some(true)
            && world.id(association, "vpc_endpoint_id").known().as_ref() == Some(&id)
    });
    if !named.is_empty() || replaced || endpoint.data {
        return Ok(named);
    }
    match world.called(&["aws_vpc"], vpc).filter(|vpc| !vpc.data) {
        Some(vpc) => Ok(vec![world.default_of(vpc, "default_security_group_id")]),
        None => Err(format!("{} has the default group of {vpc}", endpoint.address)),
    }
}

fn with_associated(
    world: &World<'_>,
    mut list: Vec<String>,
    (kind, path): (&str, &str),
    id: &str,
) -> Result<Vec<String>, String> {
    for association in world.made(&[kind]) {
        let own = world.id(association, "vpc_endpoint_id").settled()?;
        if own.as_deref() == Some(id)
            && let Some(one) = world.id(association, path).settled()?
            && !list.contains(&one)
        {
            list.push(one);
        }
    }
    Ok(list)
}

/// The policy; none where the endpoint has the one that lets everything through.
fn policy<'p>(world: &World<'p>, endpoint: &'p Resource, id: &str) -> Document {
    for policy in world.made(&["aws_vpc_endpoint_policy"]) {
        match world.id(policy, "vpc_endpoint_id") {
            Seen::Known(own) if own == id => return document(world, policy, "policy"),
            Seen::Open(why) => return Document::Open(why),
            _ => {}
        }
    }
    if world.is_left_to_aws(endpoint, "policy") {
        return Document::Absent;
    }
    document(world, endpoint, "policy")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::put;
    use crate::template::terraform::testing::{Given, evidence, gaps};

    fn endpoint<'g>(refers: &'g [(&'g str, &'g [&'g str])]) -> Given<'g> {
        let known = json!({"vpc_endpoint_type": "Interface",
            "service_name": "com.amazonaws.eu-west-1.secretsmanager"});
        ("aws_vpc_endpoint.e", known, refers)
    }

    #[test]
    fn an_endpoint_has_what_is_associated_with_it_and_the_default_group_without_one() {
        let vpc: (&str, &[&str]) = ("vpc_id", &["aws_vpc.v.id"]);
        let own: (&str, &[&str]) = ("vpc_endpoint_id", &["aws_vpc_endpoint.e.id"]);
        let found = evidence(
            &[
                endpoint(&[vpc]),
                ("aws_vpc.v", json!({}), &[]),
                ("aws_vpc_endpoint_subnet_association.s", json!({"subnet_id": "subnet-1"}), &[own]),
                ("aws_vpc_endpoint_policy.p", json!({"policy": "{\"Statement\": []}"}), &[own]),
            ],
            put,
        );
        let one = &found.vpc_endpoints.known().expect("endpoints")[0];
        assert_eq!(one.subnet_ids, ["subnet-1"]);
        assert_eq!(one.groups[0].group_id.as_deref(), Some("aws_vpc.v.default_security_group_id"));
        assert_eq!(one.private_dns_enabled, Some(false), "nothing asks for it");
        assert!(one.policy_document.is_some());
    }

    #[test]
    fn one_of_which_a_part_does_not_show_is_left_out() {
        let parts: &[(&str, &[&str])] =
            &[("vpc_id", &["aws_vpc.v.id"]), ("security_group_ids", &["local.groups"])];
        let found = evidence(&[endpoint(parts), ("aws_vpc.v", json!({}), &[])], put);
        assert_eq!(gaps(&found), [("VpcEndpoints", "aws_vpc_endpoint.e")]);
    }
}
