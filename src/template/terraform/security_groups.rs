//! EC2: security groups and their rules, inline and separate. Of what blocks in a group
//! refer to, Terraform writes nothing.

use std::collections::BTreeMap;

use super::{resource::Resource, world::World};
use crate::{
    evidence::{Fact, IpPermission, SecurityGroup},
    template::{
        Draft,
        aws::{Open, Setting, rules, vpcs},
        draft::begin,
    },
};

const GROUPS: [&str; 2] = ["aws_security_group", "aws_default_security_group"];
const RULE: &str = "aws_security_group_rule";
const INGRESS: &str = "aws_vpc_security_group_ingress_rule";
const EGRESS: &str = "aws_vpc_security_group_egress_rule";

/// A group in the making: open, where one of its rules is.
type Group = Result<SecurityGroup, Open>;

/// Security groups.
pub(super) fn declare(world: &World<'_>, draft: &mut Draft) {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for vpc in world.created(&["aws_vpc"]) {
        let id = world.default_of(vpc, "default_security_group_id");
        world.declare(draft, &id, vpc);
        let group = vpcs::default_group(&id, &world.physical(vpc), &world.place.account);
        groups.insert(id, Ok(group));
    }
    for group in world.created(&GROUPS) {
        let id = world.physical(group);
        world.declare(draft, &id, group);
        let made = one_group(world, draft, group, &id);
        groups.insert(id, made);
    }
    add_rules(world, draft, &mut groups);
    draft.complete(&[Fact::SecurityGroups]);
    for (id, group) in groups {
        match group {
            Err(open) => draft.gap(Fact::SecurityGroups, &id, open),
            Ok(group) => begin(&mut draft.evidence.security_groups).push(group),
        }
    }
}

fn one_group<'p>(world: &World<'p>, draft: &mut Draft, group: &'p Resource, id: &str) -> Group {
    let rules = |draft: &mut Draft, name: &str| -> Result<Vec<IpPermission>, Open> {
        // Terraform removes the rule that allows everything out: where no block is written,
        // there is none.
        let count = world.blocks(group, name).settled()?.unwrap_or(0);
        let mut found = Vec::new();
        for index in 0..count {
            let rule = inline(world, draft, group, &format!("{name}.~{index}"), id)?;
            if !is_removed(world, group, id, name, &rule) {
                found.push(rule);
            }
        }
        Ok(found)
    };
    Ok(SecurityGroup {
        group_id: Some(id.to_owned()),
        group_name: Some(group.known_text("name").unwrap_or_else(|| group.address.clone())),
        owner_id: Some(world.place.account.clone()),
        // Of one in the default VPC nothing says where that is; what it allows is known.
        vpc_id: world.id(group, "vpc_id").known(),
        ip_permissions: rules(draft, "ingress")?,
        ip_permissions_egress: rules(draft, "egress")?,
    })
}

/// A rule in the making. A side that is open stands in it as a prefix list.
#[derive(Default)]
struct Rule {
    rule: rules::Rule,
    open: Option<Open>,
}

impl Rule {
    fn known<T>(&mut self, setting: Setting<T>) -> Option<T> {
        match setting.settled() {
            Ok(known) => known,
            Err(open) => {
                self.open = Some(open);
                None
            }
        }
    }

    /// Groups, each of this account or `account/group` of another.
    fn add_groups(&mut self, groups: impl IntoIterator<Item = String>, account: &str) {
        for group in groups {
            self.rule.groups.push(match group.split_once('/') {
                Some((other, id)) if id.starts_with("sg-") => (id.to_owned(), other.to_owned()),
                _ => (group, account.to_owned()),
            });
        }
    }

    fn permission(mut self, draft: &mut Draft, resource: &Resource) -> IpPermission {
        if let Some(open) = self.open {
            let id = format!("${{{}}}", resource.address);
            draft.gap(Fact::ManagedPrefixListEntries, &id, open);
            self.rule.prefix_lists.push(id);
        }
        self.rule.permission()
    }
}

/// A rule in a block of a group, or in one of the older separate rules.
fn inline<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    resource: &'p Resource,
    at: &str,
    own: &str,
) -> Result<IpPermission, Open> {
    let path = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    let account = &world.place.account;
    let mut made = Rule::default();
    let [groups, ipv4, ipv6, lists] =
        ["security_groups", "cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids"]
            .map(|name| made.known(world.ids(resource, &path(name))).unwrap_or_default());
    (made.rule.ipv4, made.rule.ipv6, made.rule.prefix_lists) = (ipv4, ipv6, lists);
    made.add_groups(groups, account);
    if resource.flag(&path("self")).settled()? == Some(true) {
        made.add_groups([own.to_owned()], account);
    }
    if at.is_empty() && !world.is_left_to_aws(resource, "source_security_group_id") {
        let source = made.known(world.id(resource, "source_security_group_id"));
        made.add_groups(source, account);
    }
    made.rule.protocol = resource.text(&path("protocol")).settled()?;
    made.rule.ports = (
        resource.number(&path("from_port")).settled()?,
        resource.number(&path("to_port")).settled()?,
    );
    Ok(made.permission(draft, resource))
}

/// One of the newer separate rules.
fn separate<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    rule: &'p Resource,
) -> Result<IpPermission, Open> {
    let mut made = Rule::default();
    let ipv4 = made.known(rule.text("cidr_ipv4"));
    let ipv6 = made.known(rule.text("cidr_ipv6"));
    let list = made.known(world.id(rule, "prefix_list_id"));
    let group = made.known(world.id(rule, "referenced_security_group_id"));
    made.rule.ipv4.extend(ipv4);
    made.rule.ipv6.extend(ipv6);
    made.rule.prefix_lists.extend(list);
    made.add_groups(group, &world.place.account);
    made.rule.protocol = rule.text("ip_protocol").settled()?;
    made.rule.ports = (rule.number("from_port").settled()?, rule.number("to_port").settled()?);
    Ok(made.permission(draft, rule))
}

fn add_rules(world: &World<'_>, draft: &mut Draft, groups: &mut BTreeMap<String, Group>) {
    for rule in world.created(&[RULE, INGRESS, EGRESS]) {
        let id = match world.id(rule, "security_group_id") {
            Setting::Known(id) => id,
            Setting::Absent => continue,
            // It may be a rule of any group.
            Setting::Open(open) => {
                groups.values_mut().for_each(|group| *group = Err(open.clone()));
                continue;
            }
        };
        let Some(entry) = groups.get_mut(&id) else { continue };
        let read = match rule.kind.as_str() {
            RULE => inline(world, draft, rule, "", &id),
            _ => separate(world, draft, rule),
        };
        let egress = match rule.kind.as_str() {
            RULE => rule.known_text("type").as_deref() == Some("egress"),
            kind => kind == EGRESS,
        };
        match (read, entry) {
            (Ok(rule), Ok(group)) if egress => group.ip_permissions_egress.push(rule),
            (Ok(rule), Ok(group)) => group.ip_permissions.push(rule),
            (Err(open), entry) => *entry = Err(open),
            _ => {}
        }
    }
}

/// Whether a rule that the group has now is one that the plan removes.
fn is_removed(
    world: &World<'_>,
    group: &Resource,
    id: &str,
    name: &str,
    rule: &IpPermission,
) -> bool {
    if !world.plan.configuration(group)["expressions"][name].is_null() {
        return false;
    }
    world.plan.removed.iter().any(|gone| {
        let same_direction = match gone.kind.as_str() {
            RULE => gone.known_text("type").as_deref() == Some(name),
            INGRESS => name == "ingress",
            EGRESS => name == "egress",
            _ => false,
        };
        same_direction
            && gone.known_text("security_group_id").as_deref() == Some(id)
            && gone.number("from_port").known() == rule.from_port
            && gone.number("to_port").known() == rule.to_port
            && sources_of(gone) == sources_in(rule)
    })
}

/// The other side of a separate rule, in order.
fn sources_of(rule: &Resource) -> Vec<String> {
    let mut sources = Vec::new();
    for list in ["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids"] {
        sources.extend(rule.texts(list).known().unwrap_or_default());
    }
    for one in [
        "source_security_group_id",
        "cidr_ipv4",
        "cidr_ipv6",
        "prefix_list_id",
        "referenced_security_group_id",
    ] {
        sources.extend(rule.known_text(one));
    }
    sources.sort();
    sources
}

/// The other side of a rule in the shape of EC2, in order.
fn sources_in(rule: &IpPermission) -> Vec<String> {
    let ipv4 = rule.ip_ranges.iter().filter_map(|one| one.cidr_ip.clone());
    let ipv6 = rule.ipv6_ranges.iter().filter_map(|one| one.cidr_ipv6.clone());
    let lists = rule.prefix_list_ids.iter().filter_map(|one| one.prefix_list_id.clone());
    let groups = rule.user_id_group_pairs.iter().filter_map(|one| one.group_id.clone());
    let mut sources: Vec<String> = ipv4.chain(ipv6).chain(lists).chain(groups).collect();
    sources.sort();
    sources
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::declare;
    use crate::template::terraform::testing::{Given, evidence, gaps};

    fn groups(given: &[Given<'_>]) -> Value {
        let mut all = vec![("aws_vpc.v", json!({"cidr_block": "10.0.0.0/16"}), &[][..])];
        all.extend(given.iter().cloned());
        serde_json::to_value(evidence(&all, declare)).expect("JSON")["SecurityGroups"].clone()
    }

    #[test]
    fn a_group_without_blocks_lets_nothing_out_and_the_default_one_all() {
        let found = groups(&[("aws_security_group.a", json!({"vpc_id": "vpc-1"}), &[])]);
        assert_eq!(found[0]["GroupId"], "aws_security_group.a");
        assert_eq!(found[0].get("IpPermissionsEgress"), None);
        assert_eq!(found[1]["GroupId"], "aws_vpc.v.default_security_group_id");
        assert_eq!(found[1]["IpPermissionsEgress"][0]["IpProtocol"], "-1");
    }

    #[test]
    fn a_group_of_a_vpc_that_does_not_show_still_has_its_rules() {
        let found = groups(&[("aws_security_group.a", json!({}), &[("vpc_id", &["local.x"])])]);
        assert_eq!(found[0]["GroupId"], "aws_security_group.a");
    }

    #[test]
    fn rules_of_all_three_kinds_are_rules_of_their_group() {
        let group: &[(&str, &[&str])] = &[("security_group_id", &["aws_security_group.a.id"])];
        let block = json!({"from_port": 80, "to_port": 80, "protocol": "tcp",
            "cidr_blocks": ["10.1.0.0/16"], "self": true});
        let old = json!({"type": "ingress", "from_port": 443, "to_port": 443, "protocol": "tcp",
            "ipv6_cidr_blocks": ["::/0"]});
        let new = json!({"ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0"});
        let found = groups(&[
            ("aws_security_group.a", json!({"vpc_id": "vpc-1", "ingress": [block]}), &[]),
            ("aws_security_group_rule.b", old, group),
            ("aws_vpc_security_group_egress_rule.c", new, group),
        ]);
        let ingress = &found[0]["IpPermissions"];
        assert_eq!(ingress[0]["IpRanges"][0]["CidrIp"], "10.1.0.0/16");
        assert_eq!(ingress[0]["UserIdGroupPairs"][0]["GroupId"], "aws_security_group.a");
        assert_eq!(
            (&ingress[1]["FromPort"], &ingress[1]["Ipv6Ranges"][0]["CidrIpv6"]),
            (&json!(443), &json!("::/0"))
        );
        assert_eq!(found[0]["IpPermissionsEgress"][0]["IpRanges"][0]["CidrIp"], "0.0.0.0/0");
    }

    #[test]
    fn an_unknown_port_leaves_the_group_open_and_an_unknown_peer_only_the_rule() {
        let group: (&str, &[&str]) = ("security_group_id", &["aws_security_group.a.id"]);
        let port = evidence(
            &[
                ("aws_security_group.a", json!({"vpc_id": "vpc-1"}), &[]),
                (
                    "aws_vpc_security_group_ingress_rule.b",
                    json!({"ip_protocol": "tcp"}),
                    &[group, ("from_port", &["random_integer.p.result"])],
                ),
            ],
            declare,
        );
        assert_eq!(gaps(&port), [("SecurityGroups", "aws_security_group.a")]);
        let peer = evidence(
            &[
                ("aws_security_group.a", json!({"vpc_id": "vpc-1"}), &[]),
                (
                    "aws_vpc_security_group_ingress_rule.b",
                    json!({"ip_protocol": "tcp", "from_port": 1, "to_port": 2}),
                    &[group, ("cidr_ipv4", &["aws_eip.x.public_ip"])],
                ),
            ],
            declare,
        );
        let list = "${aws_vpc_security_group_ingress_rule.b}";
        assert_eq!(gaps(&peer), [("ManagedPrefixListEntries", list)]);
        let rule = &peer.security_groups.known().expect("groups")[0].ip_permissions[0];
        assert_eq!((rule.from_port, rule.to_port), (Some(1), Some(2)));
        assert_eq!(rule.prefix_list_ids[0].prefix_list_id.as_deref(), Some(list));
    }
}
