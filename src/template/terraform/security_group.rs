//! EC2: security groups and their rules, inline and separate. Where the other side of a
//! rule cannot be told, a list of blocks stands for it whose entries nobody knows: what
//! else the group lets through is known. Of what blocks in a group refer to, Terraform
//! writes nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    plan::Resource,
    value::{Seen, items},
    world::World,
};
use crate::{evidence::Fact, template::Draft};

const GROUPS: [&str; 2] = ["aws_security_group", "aws_default_security_group"];
const RULE: &str = "aws_security_group_rule";
const INGRESS: &str = "aws_vpc_security_group_ingress_rule";
const EGRESS: &str = "aws_vpc_security_group_egress_rule";

/// A group in the making.
#[derive(Default)]
struct Group {
    name: String,
    vpc: Option<String>,
    ingress: Vec<Value>,
    egress: Vec<Value>,
    /// Why it cannot be told.
    open: Option<String>,
}

/// Puts the security groups.
pub(super) fn put(world: &World<'_>, draft: &mut Draft) {
    draft.list("SecurityGroups");
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for vpc in world.made(&["aws_vpc"]) {
        let id = world.default_of(vpc, "default_security_group_id");
        world.declare(draft, &id, vpc);
        let group = default_group(world, &id, world.physical(vpc));
        groups.insert(id, group);
    }
    for group in world.made(&GROUPS) {
        let id = world.physical(group);
        world.declare(draft, &id, group);
        let made = read_group(world, draft, group, &id);
        groups.insert(id, made);
    }
    add_rules(world, draft, &mut groups);
    for (id, group) in groups {
        match group.open {
            Some(why) => draft.gap(Fact::SecurityGroups, &id, why),
            None => draft.push(
                "SecurityGroups",
                json!({"GroupId": id, "GroupName": group.name, "VpcId": group.vpc,
                    "OwnerId": world.place.account, "IpPermissions": group.ingress,
                    "IpPermissionsEgress": group.egress}),
            ),
        }
    }
}

/// What a new VPC's default group lets through: all from itself, all to everywhere
/// (Amazon VPC User Guide, "Default security groups for your VPCs").
fn default_group(world: &World<'_>, id: &str, vpc: String) -> Group {
    let own = json!({"GroupId": id, "UserId": world.place.account});
    Group {
        name: "default".to_owned(),
        vpc: Some(vpc),
        ingress: vec![json!({"IpProtocol": "-1", "UserIdGroupPairs": [own]})],
        egress: vec![json!({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            "Ipv6Ranges": [{"CidrIpv6": "::/0"}]})],
        open: None,
    }
}

fn read_group<'p>(world: &World<'p>, draft: &mut Draft, group: &'p Resource, id: &str) -> Group {
    let mut made = Group {
        name: group.known_text("name").unwrap_or_else(|| group.address.clone()),
        ..Group::default()
    };
    // Of one in the default VPC nothing says where that is; what it lets through is known.
    made.vpc = world.id(group, "vpc_id").known();
    for egress in [false, true] {
        let name = if egress { "egress" } else { "ingress" };
        // Terraform takes away the rule that lets everything out: where no block is
        // written, there is none.
        let count = match world.blocks(group, name) {
            Seen::Known(count) => count,
            Seen::Absent => 0,
            Seen::Open(why) => {
                made.open = Some(why);
                continue;
            }
        };
        for index in 0..count {
            match inline(world, draft, group, &format!("{name}.~{index}"), id) {
                Ok(rule) if is_removed(world, group, id, egress, &rule) => {}
                Ok(rule) if egress => made.egress.push(rule),
                Ok(rule) => made.ingress.push(rule),
                Err(why) => made.open = Some(why),
            }
        }
    }
    made
}

/// A rule in the shape of EC2, from blocks, lists and groups.
struct Rule {
    protocol: String,
    ports: (Option<i64>, Option<i64>),
    four: Vec<String>,
    six: Vec<String>,
    lists: Vec<String>,
    groups: Vec<String>,
}

impl Rule {
    fn shape(self, account: &str) -> Value {
        let Self { protocol, ports, four, six, lists, groups } = self;
        let every = matches!(protocol.as_str(), "-1" | "all");
        let protocol = if every { "-1".to_owned() } else { protocol };
        let mut found = json!({"IpProtocol": protocol});
        if let ((Some(from), Some(to)), false) = (ports, every) {
            found["FromPort"] = json!(from);
            found["ToPort"] = json!(to);
        }
        let mut set = |key: &str, name: &str, list: Vec<String>| {
            if !list.is_empty() {
                let items: Vec<Value> = list.into_iter().map(|one| json!({name: one})).collect();
                found[key] = json!(items);
            }
        };
        set("IpRanges", "CidrIp", four);
        set("Ipv6Ranges", "CidrIpv6", six);
        set("PrefixListIds", "PrefixListId", lists);
        if !groups.is_empty() {
            let pairs: Vec<Value> = groups.into_iter().map(|group| pair(&group, account)).collect();
            found["UserIdGroupPairs"] = json!(pairs);
        }
        found
    }
}

/// A group of this account, or `account/group` of another.
fn pair(group: &str, account: &str) -> Value {
    match group.split_once('/') {
        Some((other, id)) if id.starts_with("sg-") => json!({"GroupId": id, "UserId": other}),
        _ => json!({"GroupId": group, "UserId": account}),
    }
}

/// A rule in a block of a group, or in one of the older separate rules.
fn inline<'p>(
    world: &World<'p>,
    draft: &mut Draft,
    resource: &'p Resource,
    at: &str,
    own: &str,
) -> Result<Value, String> {
    let path = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    let mut other = Other::default();
    let [groups, four, six, lists] =
        ["security_groups", "cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids"]
            .map(|name| other.some(world.ids(resource, &path(name))));
    let mut groups = groups.unwrap_or_default();
    if resource.flag(&path("self")).settled()? == Some(true) {
        groups.push(own.to_owned());
    }
    if at.is_empty() && !world.is_left_to_aws(resource, "source_security_group_id") {
        groups.extend(other.some(world.id(resource, "source_security_group_id")));
    }
    let mut rule = Rule {
        protocol: resource.text(&path("protocol")).settled()?.unwrap_or_else(|| "-1".to_owned()),
        ports: (
            resource.number(&path("from_port")).settled()?,
            resource.number(&path("to_port")).settled()?,
        ),
        four: four.unwrap_or_default(),
        six: six.unwrap_or_default(),
        lists: lists.unwrap_or_default(),
        groups,
    };
    other.stand_in(draft, resource, &mut rule);
    Ok(rule.shape(&world.place.account))
}

/// One of the newer separate rules.
fn separate<'p>(world: &World<'p>, draft: &mut Draft, rule: &'p Resource) -> Result<Value, String> {
    let mut other = Other::default();
    let mut some = |seen: Seen<String>| other.some(seen).into_iter().collect::<Vec<_>>();
    let mut read = Rule {
        protocol: rule.text("ip_protocol").settled()?.unwrap_or_else(|| "-1".to_owned()),
        ports: (rule.number("from_port").settled()?, rule.number("to_port").settled()?),
        four: some(rule.text("cidr_ipv4")),
        six: some(rule.text("cidr_ipv6")),
        lists: some(world.id(rule, "prefix_list_id")),
        groups: some(world.id(rule, "referenced_security_group_id")),
    };
    other.stand_in(draft, rule, &mut read);
    Ok(read.shape(&world.place.account))
}

/// The other side of a rule, where it cannot be told.
#[derive(Default)]
struct Other {
    open: Option<String>,
}

impl Other {
    fn some<T>(&mut self, seen: Seen<T>) -> Option<T> {
        match seen.settled() {
            Ok(known) => known,
            Err(why) => {
                self.open = Some(why);
                None
            }
        }
    }

    fn stand_in(self, draft: &mut Draft, resource: &Resource, rule: &mut Rule) {
        if let Some(why) = self.open {
            let id = format!("${{{}}}", resource.address);
            draft.gap(Fact::ManagedPrefixListEntries, &id, why);
            rule.lists.push(id);
        }
    }
}

fn add_rules(world: &World<'_>, draft: &mut Draft, groups: &mut BTreeMap<String, Group>) {
    for rule in world.made(&[RULE, INGRESS, EGRESS]) {
        let id = match world.id(rule, "security_group_id") {
            Seen::Known(id) => id,
            Seen::Absent => continue,
            // It may be a rule of any group.
            Seen::Open(why) => {
                groups.values_mut().for_each(|group| group.open = Some(why.clone()));
                continue;
            }
        };
        let Some(group) = groups.get_mut(&id) else { continue };
        let read = match rule.kind.as_str() {
            RULE => inline(world, draft, rule, "", &id),
            _ => separate(world, draft, rule),
        };
        let egress = match rule.kind.as_str() {
            RULE => rule.known_text("type").as_deref() == Some("egress"),
            kind => kind == EGRESS,
        };
        match read {
            Ok(read) if egress => group.egress.push(read),
            Ok(read) => group.ingress.push(read),
            Err(why) => group.open = Some(why),
        }
    }
}

/// Whether a rule that the group has now is one that the plan takes away.
fn is_removed(world: &World<'_>, group: &Resource, id: &str, egress: bool, rule: &Value) -> bool {
    let name = if egress { "egress" } else { "ingress" };
    if !world.plan.configuration(group)["expressions"][name].is_null() {
        return false;
    }
    world.plan.removed.iter().any(|gone| {
        let same_way = match gone.kind.as_str() {
            RULE => gone.known_text("type").as_deref() == Some(name),
            INGRESS => !egress,
            EGRESS => egress,
            _ => false,
        };
        same_way
            && gone.known_text("security_group_id").as_deref() == Some(id)
            && gone.number("from_port").known() == rule["FromPort"].as_i64()
            && gone.number("to_port").known() == rule["ToPort"].as_i64()
            && peers_of(gone) == peers_in(rule)
    })
}

/// The other side of a separate rule, in order.
fn peers_of(rule: &Resource) -> Vec<String> {
    let mut peers = Vec::new();
    for list in ["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids"] {
        peers.extend(rule.texts(list).known().unwrap_or_default());
    }
    for one in [
        "source_security_group_id",
        "cidr_ipv4",
        "cidr_ipv6",
        "prefix_list_id",
        "referenced_security_group_id",
    ] {
        peers.extend(rule.known_text(one));
    }
    peers.sort();
    peers
}

/// The other side of a rule in the shape of EC2, in order.
fn peers_in(rule: &Value) -> Vec<String> {
    let mut peers = Vec::new();
    for (list, key) in [
        ("IpRanges", "CidrIp"),
        ("Ipv6Ranges", "CidrIpv6"),
        ("PrefixListIds", "PrefixListId"),
        ("UserIdGroupPairs", "GroupId"),
    ] {
        peers.extend(
            items(&rule[list]).iter().filter_map(|one| one[key].as_str().map(str::to_owned)),
        );
    }
    peers.sort();
    peers
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::put;
    use crate::template::terraform::testing::{Given, evidence, gaps};

    fn groups(given: &[Given<'_>]) -> Value {
        let mut all = vec![("aws_vpc.v", json!({"cidr_block": "10.0.0.0/16"}), &[][..])];
        all.extend(given.iter().cloned());
        serde_json::to_value(evidence(&all, put)).expect("JSON")["SecurityGroups"].clone()
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
            put,
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
            put,
        );
        let list = "${aws_vpc_security_group_ingress_rule.b}";
        assert_eq!(gaps(&peer), [("ManagedPrefixListEntries", list)]);
        let rule = &peer.security_groups.known().expect("groups")[0].ip_permissions[0];
        assert_eq!((rule.from_port, rule.to_port), (Some(1), Some(2)));
        assert_eq!(rule.prefix_list_ids[0].prefix_list_id.as_deref(), Some(list));
    }
}
