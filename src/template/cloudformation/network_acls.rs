//! EC2: network ACLs with their entries and associations. An ACL with an entry that is
//! open is not in the evidence at all.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    document::Mark,
    ids::default_acl,
    value::is_opaque,
    world::{Perhaps, World},
};
use crate::{
    evidence::{Fact, NetworkAclEntry},
    template::{
        aws::{Open, acls},
        draft::{begin, entries},
    },
};

/// Network ACLs: those of the template, and the one that comes with each VPC.
pub(super) fn declare(world: &mut World<'_, '_>) {
    let mut associated: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for (association, open) in world.perhaps("AWS::EC2::SubnetNetworkAclAssociation") {
        let subnet = association.properties.get("SubnetId").id().unwrap_or_default();
        let acl = association.properties.get("NetworkAclId").id().unwrap_or_default();
        taken.insert(subnet.clone());
        let open = match open {
            Ok(()) if !is_opaque(&acl) => {
                associated.entry(acl).or_default().push(subnet);
                continue;
            }
            Ok(()) => format!("the network ACL of {subnet}, {acl}, is not declared").into(),
            Err(open) => open,
        };
        world.draft.gap(Fact::NetworkAcls, &subnet, open);
    }
    let all = world.perhaps("AWS::EC2::NetworkAclEntry");
    for acl in world.created("AWS::EC2::NetworkAcl", Fact::NetworkAcls) {
        world.declare_whole(&acl.id, acl.resource);
        match entries_of(world, &acl.id, &all) {
            Ok(found) => {
                let subnets = associated.remove(&acl.id).unwrap_or_default();
                let vpc = acl.properties.get("VpcId").id();
                begin(&mut world.draft.evidence.network_acls)
                    .push(acls::acl(&acl.id, vpc, false, found, subnets));
            }
            Err(open) => world.draft.gap(Fact::NetworkAcls, &acl.id, open),
        }
    }
    for vpc in world.created("AWS::EC2::VPC", Fact::Vpcs) {
        let id = default_acl(&vpc.id);
        world.declare(&id, vpc.resource, Mark::default());
        let mut found = match entries_of(world, &id, &all) {
            Ok(found) => found,
            Err(open) => {
                world.draft.gap(Fact::NetworkAcls, &id, open);
                continue;
            }
        };
        found.extend(acls::default_entries());
        let mut subnets = associated.remove(&id).unwrap_or_default();
        let own = entries(&world.draft.evidence.subnets)
            .iter()
            .filter(|subnet| subnet.vpc_id.as_ref() == Some(&vpc.id))
            .filter_map(|subnet| subnet.subnet_id.clone());
        subnets.extend(own.filter(|subnet| !taken.contains(subnet)));
        begin(&mut world.draft.evidence.network_acls).push(acls::acl(
            &id,
            Some(vpc.id),
            true,
            found,
            subnets,
        ));
    }
}

/// The entries of an ACL, with those that end it.
fn entries_of(
    world: &mut World<'_, '_>,
    acl: &str,
    all: &[Perhaps<'_, '_>],
) -> Result<Vec<NetworkAclEntry>, Open> {
    let mut found = Vec::new();
    for (entry, open) in all {
        let properties = &entry.properties;
        if properties.get("NetworkAclId").id().as_deref() != Some(acl) {
            continue;
        }
        open.clone()?;
        let ports = properties.get("PortRange");
        let settings = acls::EntrySettings {
            number: properties.get("RuleNumber").number(),
            egress: properties.get("Egress").flag().settled()?.unwrap_or(false),
            protocol: properties.get("Protocol").text(),
            action: properties.get("RuleAction").text(),
            ipv4: properties.get("CidrBlock").text(),
            ipv6: properties.get("Ipv6CidrBlock").text(),
            ports: (ports.get("From").number(), ports.get("To").number()),
        };
        found.push(settings.entry(entry.resource.name)?);
        world.declare_whole(&format!("{acl} entry {}", entry.resource.name), entry.resource);
    }
    found.extend(acls::last_entries());
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::template::cloudformation::testing::{evidence, open_in};

    const VPC: &str = "
  V: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}
";

    #[test]
    fn an_acl_with_an_open_entry_is_not_there() {
        let acl = |rule: &str| {
            evidence(&format!(
                "{VPC}  A: {{Type: 'AWS::EC2::NetworkAcl', Properties: {{VpcId: !Ref V}}}}
  E: {{Type: 'AWS::EC2::NetworkAclEntry', Properties: {{NetworkAclId: !Ref A, Protocol: 6, RuleAction: allow, CidrBlock: 0.0.0.0/0, {rule}}}}}
"
            ))
        };
        let found = acl("RuleNumber: 10, PortRange: {From: 1, To: 2}");
        let own = &found["NetworkAcls"][0];
        assert_eq!(
            (&own["NetworkAclId"], own["Entries"].as_array().map(Vec::len)),
            (&json!("acl-A"), Some(5))
        );
        assert_eq!(own["Entries"][0]["PortRange"], json!({"From": 1, "To": 2}));
        assert_eq!(open_in(&acl("RuleNumber: !Ref Open"), "NetworkAcls"), ["acl-A"]);
    }
}
