//! EC2: network ACLs, their entries and associations. An ACL of which one entry is open is
//! left out.

use std::collections::BTreeMap;

use super::{resource::Resource, world::World};
use crate::{
    evidence::{Fact, NetworkAclEntry},
    template::{
        Draft,
        aws::{Open, Setting, acls},
        draft::begin,
    },
};

const ACLS: [&str; 2] = ["aws_network_acl", DEFAULT_ACL];
const DEFAULT_ACL: &str = "aws_default_network_acl";

/// An ACL in the making.
#[derive(Default)]
struct Acl {
    vpc: String,
    is_default: bool,
    entries: Vec<NetworkAclEntry>,
    subnets: Vec<String>,
    /// Why it is open.
    open: Option<Open>,
}

/// Network ACLs: those of the plan, and the one that comes with each VPC.
pub(super) fn declare(world: &World<'_>, draft: &mut Draft) {
    let mut all: BTreeMap<String, Acl> = BTreeMap::new();
    for vpc in world.created(&["aws_vpc"]) {
        let id = world.default_of(vpc, "default_network_acl_id");
        world.declare(draft, &id, vpc);
        let mut entries = acls::default_entries();
        entries.extend(acls::last_entries());
        let vpc = world.physical(vpc);
        all.insert(id, Acl { vpc, is_default: true, entries, ..Acl::default() });
    }
    for acl in world.created(&ACLS) {
        add_acl(world, draft, acl, &mut all);
    }
    for rule in world.created(&["aws_network_acl_rule"]) {
        match world.id(rule, "network_acl_id") {
            Setting::Known(id) => {
                let Some(acl) = all.get_mut(&id) else { continue };
                match separate(rule) {
                    Ok(entry) => acl.entries.push(entry),
                    Err(open) => acl.open = Some(open),
                }
            }
            Setting::Absent => {}
            // It may be an entry of any ACL.
            Setting::Open(open) => {
                all.values_mut().for_each(|acl| acl.open = Some(open.clone()));
            }
        }
    }
    associate(world, draft, &mut all);
    draft.complete(&[Fact::NetworkAcls]);
    for (id, acl) in all {
        match acl.open {
            Some(open) => draft.gap(Fact::NetworkAcls, &id, open),
            None => begin(&mut draft.evidence.network_acls).push(acls::acl(
                &id,
                Some(acl.vpc),
                acl.is_default,
                acl.entries,
                acl.subnets,
            )),
        }
    }
}

/// The subnets with an ACL of their own; the others of a VPC have its default one.
fn associate(world: &World<'_>, draft: &mut Draft, all: &mut BTreeMap<String, Acl>) {
    let mut is_open = draft.evidence.gap(Fact::NetworkAcls, None).is_some();
    for association in world.created(&["aws_network_acl_association"]) {
        let subnet = world.id(association, "subnet_id");
        match (world.id(association, "network_acl_id"), subnet) {
            (Setting::Known(id), Setting::Known(subnet)) => match all.get_mut(&id) {
                Some(acl) => acl.subnets.push(subnet),
                None => draft.gap(Fact::NetworkAcls, &id, format!("{id} is not in the plan")),
            },
            (Setting::Open(open), _) | (_, Setting::Open(open)) => {
                is_open = true;
                draft.gap(Fact::NetworkAcls, "", open);
            }
            _ => {}
        }
    }
    if is_open {
        return;
    }
    let taken: Vec<String> = all.values().flat_map(|acl| acl.subnets.clone()).collect();
    for subnet in crate::template::draft::entries(&draft.evidence.subnets) {
        let (Some(id), Some(vpc)) = (&subnet.subnet_id, &subnet.vpc_id) else { continue };
        let default = all.values_mut().find(|acl| acl.is_default && acl.vpc == *vpc);
        if let Some(acl) = default.filter(|_| !taken.contains(id)) {
            acl.subnets.push(id.clone());
        }
    }
}

fn add_acl<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    acl: &'p Resource,
    all: &mut BTreeMap<String, Acl>,
) {
    let id = world.physical(acl);
    world.declare(draft, &id, acl);
    let mut made = Acl { is_default: acl.kind == DEFAULT_ACL, ..Acl::default() };
    match (all.remove(&id), world.id(acl, "vpc_id")) {
        (Some(known), _) => made.vpc = known.vpc,
        (None, Setting::Known(vpc)) => made.vpc = vpc,
        (None, Setting::Absent) => made.open = Some(format!("{} names no VPC", acl.address).into()),
        (None, Setting::Open(open)) => made.open = Some(open),
    }
    for egress in [false, true] {
        let name = if egress { "egress" } else { "ingress" };
        match world.blocks(acl, name) {
            Setting::Known(count) => {
                for index in 0..count {
                    match inline(acl, &format!("{name}.~{index}"), egress) {
                        Ok(entry) => made.entries.push(entry),
                        Err(open) => made.open = Some(open),
                    }
                }
            }
            Setting::Absent => {}
            Setting::Open(open) => made.open = Some(open),
        }
    }
    made.entries.extend(acls::last_entries());
    if !world.is_left_to_aws(acl, "subnet_ids") {
        match world.ids(acl, "subnet_ids") {
            Setting::Known(subnets) => made.subnets = subnets,
            Setting::Absent => {}
            // Which subnets have it does not show: then any may.
            Setting::Open(open) => draft.gap(Fact::NetworkAcls, "", open),
        }
    }
    all.insert(id, made);
}

/// An entry in a block of an ACL.
fn inline(acl: &Resource, at: &str, egress: bool) -> Result<NetworkAclEntry, Open> {
    let path = |name: &str| format!("{at}.{name}");
    let settings = acls::EntrySettings {
        number: acl.number(&path("rule_no")),
        egress,
        protocol: acl.text(&path("protocol")),
        action: acl.text(&path("action")),
        ipv4: acl.text(&path("cidr_block")),
        ipv6: acl.text(&path("ipv6_cidr_block")),
        ports: (acl.number(&path("from_port")), acl.number(&path("to_port"))),
    };
    settings.entry(&acl.address)
}

/// An entry that is a resource of its own.
fn separate(rule: &Resource) -> Result<NetworkAclEntry, Open> {
    let settings = acls::EntrySettings {
        number: rule.number("rule_number"),
        egress: rule.flag("egress").settled()?.unwrap_or(false),
        protocol: rule.text("protocol"),
        action: rule.text("rule_action"),
        ipv4: rule.text("cidr_block"),
        ipv6: rule.text("ipv6_cidr_block"),
        ports: (rule.number("from_port"), rule.number("to_port")),
    };
    settings.entry(&rule.address)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::declare;
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
            declare,
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
        assert_eq!((default.is_default, default.entries.len()), (Some(true), 8));
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
            declare,
        );
        assert_eq!(gaps(&found), [("NetworkAcls", "aws_network_acl.a")]);
    }
}
