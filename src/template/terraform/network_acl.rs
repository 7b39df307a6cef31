//! EC2: network ACLs, their entries and associations. An ACL of which one entry cannot be
//! told is left out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{plan::Resource, value::Seen, world::World};
use crate::{evidence::Fact, template::Draft};

const ACLS: [&str; 2] = ["aws_network_acl", "aws_default_network_acl"];
/// The number of the entry that ends every ACL.
const LAST: i64 = 32767;

/// An ACL in the making.
#[derive(Default)]
struct Acl {
    vpc: String,
    is_default: bool,
    entries: Vec<Value>,
    subnets: Vec<String>,
    /// Why it cannot be told.
    open: Option<String>,
}

/// Puts the network ACLs.
pub(super) fn put(world: &World<'_>, draft: &mut Draft) {
    draft.list("NetworkAcls");
    let mut acls: BTreeMap<String, Acl> = BTreeMap::new();
    for vpc in world.made(&["aws_vpc"]) {
        let id = world.default_of(vpc, "default_network_acl_id");
        world.declare(draft, &id, vpc);
        let open = |number: i64, action: &str, egress: bool| {
            json!({"RuleNumber": number, "Egress": egress, "Protocol": "-1",
                "RuleAction": action, "CidrBlock": "0.0.0.0/0"})
        };
        let six = |egress: bool| {
            json!({"RuleNumber": 101, "Egress": egress, "Protocol": "-1",
                "RuleAction": "allow", "Ipv6CidrBlock": "::/0"})
        };
        // What comes with a VPC lets everything through.
        let mut entries = Vec::new();
        for egress in [false, true] {
            entries.extend([open(100, "allow", egress), six(egress), open(LAST, "deny", egress)]);
        }
        let vpc = world.physical(vpc);
        acls.insert(id, Acl { vpc, is_default: true, entries, ..Acl::default() });
    }
    for acl in world.made(&ACLS) {
        add_acl(world, draft, acl, &mut acls);
    }
    for rule in world.made(&["aws_network_acl_rule"]) {
        match world.id(rule, "network_acl_id") {
            Seen::Known(id) => {
                let Some(acl) = acls.get_mut(&id) else { continue };
                match separate(rule) {
                    Ok(entry) => acl.entries.push(entry),
                    Err(why) => acl.open = Some(why),
                }
            }
            Seen::Absent => {}
            // It may be an entry of any ACL.
            Seen::Open(why) => acls.values_mut().for_each(|acl| acl.open = Some(why.clone())),
        }
    }
    for association in world.made(&["aws_network_acl_association"]) {
        let subnet = world.id(association, "subnet_id");
        match (world.id(association, "network_acl_id"), subnet) {
            (Seen::Known(id), Seen::Known(subnet)) => match acls.get_mut(&id) {
                Some(acl) => acl.subnets.push(subnet),
                None => draft.gap(Fact::NetworkAcls, &id, format!("{id} lies outside the plan")),
            },
            (Seen::Open(why), _) | (_, Seen::Open(why)) => draft.gap(Fact::NetworkAcls, "", why),
            _ => {}
        }
    }
    for (id, acl) in acls {
        let associations: Vec<Value> = acl
            .subnets
            .iter()
            .map(|subnet| json!({"NetworkAclId": id, "SubnetId": subnet}))
            .collect();
        match acl.open {
            Some(why) => draft.gap(Fact::NetworkAcls, &id, why),
            None => draft.push(
                "NetworkAcls",
                json!({"NetworkAclId": id, "VpcId": acl.vpc, "IsDefault": acl.is_default,
                    "Entries": acl.entries, "Associations": associations}),
            ),
        }
    }
}

fn add_acl<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    acl: &'p Resource,
    acls: &mut BTreeMap<String, Acl>,
) {
    let id = world.physical(acl);
    world.declare(draft, &id, acl);
    let is_default = acl.kind == "aws_default_network_acl";
    let mut made = Acl { is_default, ..Acl::default() };
    match (acls.remove(&id), world.id(acl, "vpc_id")) {
        (Some(known), _) => made.vpc = known.vpc,
        (None, Seen::Known(vpc)) => made.vpc = vpc,
        (None, Seen::Absent) => made.open = Some(format!("{} names no VPC", acl.address)),
        (None, Seen::Open(why)) => made.open = Some(why),
    }
    for egress in [false, true] {
        let name = if egress { "egress" } else { "ingress" };
        match world.blocks(acl, name) {
            Seen::Known(count) => {
                for index in 0..count {
                    match inline(acl, &format!("{name}.~{index}"), egress) {
                        Ok(entry) => made.entries.push(entry),
                        Err(why) => made.open = Some(why),
                    }
                }
            }
            Seen::Absent => {}
            Seen::Open(why) => made.open = Some(why),
        }
        made.entries.push(json!({"RuleNumber": LAST, "Egress": egress, "Protocol": "-1",
            "RuleAction": "deny", "CidrBlock": "0.0.0.0/0"}));
    }
    if !world.is_left_to_aws(acl, "subnet_ids") {
        match world.ids(acl, "subnet_ids") {
            Seen::Known(subnets) => made.subnets = subnets,
            Seen::Absent => {}
            // Which subnets have it does not show: then any may.
            Seen::Open(why) => draft.gap(Fact::NetworkAcls, "", why),
        }
    }
    acls.insert(id, made);
}

/// An entry in a block of an ACL.
fn inline(acl: &Resource, at: &str, egress: bool) -> Result<Value, String> {
    let path = |name: &str| format!("{at}.{name}");
    entry(
        acl,
        egress,
        [path("rule_no"), path("protocol"), path("action"), path("cidr_block")],
        [path("ipv6_cidr_block"), path("from_port"), path("to_port")],
    )
}

/// An entry of its own.
fn separate(rule: &Resource) -> Result<Value, String> {
    let egress = rule.flag("egress").settled()?.unwrap_or(false);
    let names = ["rule_number", "protocol", "rule_action", "cidr_block"];
    let more = ["ipv6_cidr_block", "from_port", "to_port"];
    entry(rule, egress, names.map(str::to_owned), more.map(str::to_owned))
}

fn entry(
    resource: &Resource,
    egress: bool,
    [number, protocol, action, four]: [String; 4],
    [six, from, to]: [String; 3],
) -> Result<Value, String> {
    let needed = |what: &str| format!("{} does not show its {what}", resource.address);
    let number = resource.number(&number).settled()?.ok_or_else(|| needed("number"))?;
    let protocol = resource.text(&protocol).settled()?.unwrap_or_else(|| "-1".to_owned());
    // EC2 tells protocols by their numbers.
    let protocol = match protocol.to_ascii_lowercase().as_str() {
        "all" => "-1".to_owned(),
        "tcp" => "6".to_owned(),
        "udp" => "17".to_owned(),
        "icmp" => "1".to_owned(),
        other => other.to_owned(),
    };
    let action = resource.text(&action).settled()?.ok_or_else(|| needed("action"))?;
    let mut found = json!({"RuleNumber": number, "Egress": egress, "Protocol": protocol,
        "RuleAction": action.to_ascii_lowercase()});
    for (path, key) in [(four, "CidrBlock"), (six, "Ipv6CidrBlock")] {
        if let Some(block) = resource.text(&path).settled()? {
            found[key] = json!(block);
        }
    }
    if let (Some(from), Some(to), false) =
        (resource.number(&from).settled()?, resource.number(&to).settled()?, protocol == "-1")
    {
        found["PortRange"] = json!({"From": from, "To": to});
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::put;
    use crate::template::terraform::testing::{evidence, gaps};

    #[test]
    fn an_acl_denies_what_it_does_not_name_and_the_default_one_nothing() {
        let entry = json!({"rule_no": 100, "action": "ALLOW", "protocol": "tcp", "from_port": 443,
            "to_port": 443, "cidr_block": "10.0.0.0/8"});
        let found = evidence(
            &[
                ("aws_vpc.v", json!({"cidr_block": "10.0.0.0/16"}), &[]),
                (
                    "aws_network_acl.a",
                    json!({"egress": [entry]}),
                    &[("vpc_id", &["aws_vpc.v.id"]), ("subnet_ids", &["aws_subnet.s.id"])],
                ),
                ("aws_subnet.s", json!({}), &[]),
                (
                    "aws_network_acl_rule.r",
                    json!({"rule_number": 90, "egress": false,
                    "protocol": "-1", "rule_action": "deny", "cidr_block": "0.0.0.0/0"}),
                    &[("network_acl_id", &["aws_network_acl.a.id"])],
                ),
            ],
            put,
        );
        assert!(found.gaps.is_empty(), "{:?}", found.gaps);
        let all = found.network_acls.known().expect("ACLs");
        let [own, default] = all.as_slice() else { panic!("{all:?}") };
        let read: Vec<_> = own
            .entries
            .iter()
            .map(|e| (e.rule_number, e.egress, e.protocol.as_deref(), e.rule_action.as_deref()))
            .collect();
        assert!(read.contains(&(Some(100), Some(true), Some("6"), Some("allow"))), "{read:?}");
        assert!(read.contains(&(Some(90), Some(false), Some("-1"), Some("deny"))), "{read:?}");
        assert_eq!(read.iter().filter(|entry| entry.0 == Some(32767)).count(), 2);
        assert_eq!(own.associations[0].subnet_id.as_deref(), Some("aws_subnet.s"));
        assert_eq!((default.is_default, default.entries.len()), (Some(true), 6));
    }

    #[test]
    fn an_entry_that_does_not_show_leaves_the_acl_open() {
        let found = evidence(
            &[
                ("aws_network_acl.a", json!({"vpc_id": "vpc-1"}), &[]),
                (
                    "aws_network_acl_rule.r",
                    json!({"rule_number": 90, "rule_action": "deny"}),
                    &[("network_acl_id", &["aws_network_acl.a.id"]), ("cidr_block", &["local.x"])],
                ),
            ],
            put,
        );
        assert_eq!(gaps(&found), [("NetworkAcls", "aws_network_acl.a")]);
    }
}
