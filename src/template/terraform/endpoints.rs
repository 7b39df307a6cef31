//! EC2: VPC endpoints, with what is associated with them. One of which a part is open is
//! left out: which path leads to it is not known then.

use serde_json::Value;

use super::{policy_documents::document, resource::Resource, vpcs::id_of, world::World};
use crate::{
    evidence::{Fact, GroupIdentifier, PolicyDocument, VpcEndpoint},
    template::{
        Draft,
        aws::{Open, Setting},
        draft::begin,
    },
};

const ENDPOINT: &str = "aws_vpc_endpoint";
/// Whether private DNS is on where nothing is said: never for what Terraform creates.
const PRIVATE_DNS: bool = false;

/// Endpoints.
pub(super) fn declare(world: &World<'_>, draft: &mut Draft) {
    draft.complete(&[Fact::VpcEndpoints]);
    for endpoint in world.of(&[ENDPOINT]) {
        let Some(id) = id_of(world, endpoint) else { continue };
        world.declare(draft, &id, endpoint);
        match one_endpoint(world, endpoint, &id) {
            Ok(found) => begin(&mut draft.evidence.vpc_endpoints).push(found),
            Err(open) => draft.gap(Fact::VpcEndpoints, &id, open),
        }
    }
}

fn one_endpoint<'p>(
    world: &World<'p>,
    endpoint: &'p Resource,
    id: &str,
) -> Result<VpcEndpoint, Open> {
    let address = &endpoint.address;
    let kind = endpoint.text("vpc_endpoint_type").settled()?;
    let kind = kind.unwrap_or_else(|| "Gateway".to_owned());
    let vpc = world.id(endpoint, "vpc_id").settled()?;
    let vpc = vpc.ok_or_else(|| format!("{address} names no VPC"))?;
    let service = endpoint.text("service_name").settled()?;
    let mut found = VpcEndpoint {
        vpc_endpoint_id: Some(id.to_owned()),
        service_name: Some(service.ok_or_else(|| format!("{address} names no service"))?),
        state: Some("available".to_owned()),
        private_dns_enabled: Some(PRIVATE_DNS),
        ip_address_type: endpoint.known_text("ip_address_type"),
        policy_document: policy(world, endpoint, id).settled()?.map(PolicyDocument),
        ..VpcEndpoint::default()
    };
    if kind == "Interface" || kind == "GatewayLoadBalancer" {
        found.subnet_ids = with_associated(
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
        let group = |id| GroupIdentifier { group_id: Some(id), ..GroupIdentifier::default() };
        found.groups = groups.into_iter().map(group).collect();
        if !world.is_left_to_aws(endpoint, "private_dns_enabled") {
            let private = endpoint.flag("private_dns_enabled").settled()?;
            found.private_dns_enabled = Some(private.unwrap_or(PRIVATE_DNS));
        }
    } else {
        found.route_table_ids = list(world, endpoint, "route_table_ids").unwrap_or_default();
    }
    found.vpc_endpoint_type = Some(kind);
    found.vpc_id = Some(vpc);
    Ok(found)
}

fn list<'p>(world: &World<'p>, endpoint: &'p Resource, path: &str) -> Result<Vec<String>, Open> {
    if world.is_left_to_aws(endpoint, path) {
        return Ok(Vec::new());
    }
    Ok(world.ids(endpoint, path).settled()?.unwrap_or_default())
}

/// Its groups: the VPC's default one where none is named.
fn groups<'p>(world: &World<'p>, endpoint: &'p Resource, vpc: &str) -> Result<Vec<String>, Open> {
    let named = list(world, endpoint, "security_group_ids")?;
    let kinds = ["aws_vpc_endpoint_security_group_association"];
    let id = world.physical(endpoint);
    let replaced = world.created(&kinds).any(|association| {
        association.flag("replace_default_association").known() == Some(true)
            && world.id(association, "vpc_endpoint_id").known().as_ref() == Some(&id)
    });
    if !named.is_empty() || replaced || endpoint.data {
        return Ok(named);
    }
    match world.called(&["aws_vpc"], vpc).filter(|vpc| !vpc.data) {
        Some(vpc) => Ok(vec![world.default_of(vpc, "default_security_group_id")]),
        None => Err(format!("{} has the default group of {vpc}", endpoint.address).into()),
    }
}

fn with_associated(
    world: &World<'_>,
    mut list: Vec<String>,
    (kind, path): (&str, &str),
    id: &str,
) -> Result<Vec<String>, Open> {
    for association in world.created(&[kind]) {
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

/// The policy; absent where the endpoint has the one that allows everything.
fn policy<'p>(world: &World<'p>, endpoint: &'p Resource, id: &str) -> Setting<Value> {
    for policy in world.created(&["aws_vpc_endpoint_policy"]) {
        match world.id(policy, "vpc_endpoint_id") {
            Setting::Known(own) if own == id => return document(world, policy, "policy"),
            Setting::Open(open) => return Setting::Open(open),
            _ => {}
        }
    }
    document(world, endpoint, "policy")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::declare;
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
            declare,
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
        let found = evidence(&[endpoint(parts), ("aws_vpc.v", json!({}), &[])], declare);
        assert_eq!(gaps(&found), [("VpcEndpoints", "aws_vpc_endpoint.e")]);
    }
}
