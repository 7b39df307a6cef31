//! EC2: security groups with their rules, and network ACLs. A rule of a group that is
//! open may admit what it does not say: it stands as one for a prefix list that nobody
//! saw. An ACL with an entry that is open is not there at all.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::{
    document::Mark,
    identity::default_acl,
    resolved::{Resolved, Unknown, is_opaque, may_be_own},
    scope::Resource,
    world::{Made, World},
};
use crate::evidence::Fact;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Ingress,
    Egress,
}

impl Direction {
    fn inline(self) -> &'static str {
        match self {
            Self::Ingress => "SecurityGroupIngress",
            Self::Egress => "SecurityGroupEgress",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Ingress => "AWS::EC2::SecurityGroupIngress",
            Self::Egress => "AWS::EC2::SecurityGroupEgress",
        }
    }

    /// The properties that name the other side: a group, and a prefix list.
    fn other_side(self) -> (&'static str, &'static str) {
        match self {
            Self::Ingress => ("SourceSecurityGroupId", "SourcePrefixListId"),
            Self::Egress => ("DestinationSecurityGroupId", "DestinationPrefixListId"),
        }
    }
}

/// Security groups and network ACLs.
pub(super) fn declare(world: &mut World<'_, '_>) {
    let groups = world.made("AWS::EC2::SecurityGroup", Fact::SecurityGroups);
    let known: BTreeSet<String> = groups.iter().map(|group| group.id.clone()).collect();
    for group in groups {
        one_group(world, &group);
    }
    rules_of_default_groups(world, &known);
    network_acls(world);
}

fn one_group(world: &mut World<'_, '_>, group: &Made<'_, '_>) {
    world.declare(&group.id, group.resource, group.resource.node.at);
    let ingress = rules(world, group.resource, &group.id, &group.properties, Direction::Ingress);
    let mut egress = rules(world, group.resource, &group.id, &group.properties, Direction::Egress);
    let inline = group.properties.get(Direction::Egress.inline());
    let none_inline = inline.items().is_ok_and(|items| items.is_empty());
    if egress.is_empty() {
        // What EC2 puts into each group that is made without egress rules.
        egress.push(json!({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}));
    } else if none_inline {
        // Whether that rule goes with rules that are resources of their own is told
        // differently in different places.
        let why = format!("whether the default egress rule of {} stays is not told", group.id);
        let token = open_rule(world, &format!("egress of {}", group.id), &why);
        egress.push(json!({"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": token}]}));
    }
    let properties = &group.properties;
    let name =
        properties.get("GroupName").known().unwrap_or_else(|| group.resource.name.to_owned());
    let account = world.scope.place.account.clone();
    world.draft.push(
        "SecurityGroups",
        json!({"GroupId": group.id, "GroupName": name, "OwnerId": account,
            "VpcId": properties.get("VpcId").id(), "IpPermissions": ingress,
            "IpPermissionsEgress": egress}),
    );
}

/// Rules that are resources of their own may belong to a group that came with a VPC.
fn rules_of_default_groups(world: &mut World<'_, '_>, known: &BTreeSet<String>) {
    let defaults: Vec<String> = world
        .draft
        .get("SecurityGroups")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(|group| group["GroupId"].as_str().map(str::to_owned))
        .filter(|id| !known.contains(id))
        .collect();
    for id in defaults {
        for (direction, key) in
            [(Direction::Ingress, "IpPermissions"), (Direction::Egress, "IpPermissionsEgress")]
        {
            let more = separate_rules(world, &id, direction);
            let groups = world.draft.get_mut("SecurityGroups").and_then(Json::as_array_mut);
            let group = groups.into_iter().flatten().find(|group| group["GroupId"] == *id);
            if let Some(list) = group.and_then(|group| group[key].as_array_mut()) {
                list.extend(more);
            }
        }
    }
}

fn rules(
    world: &mut World<'_, '_>,
    resource: &Resource<'_>,
    id: &str,
    properties: &Resolved,
    direction: Direction,
) -> Vec<Json> {
    let mut found = Vec::new();
    match properties.get(direction.inline()).items() {
        Ok(items) => {
            for (at, item) in items.into_iter().enumerate() {
                let name = format!("{} {} of {id}", word(direction), at + 1);
                found.push(one_rule(world, &name, item, direction));
                world.declare(&name, resource, item.at);
            }
        }
        Err(unknown) => {
            let token = open_rule(world, &format!("{} of {id}", word(direction)), &unknown.why);
            found.push(json!({"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": token}]}));
        }
    }
    found.extend(separate_rules(world, id, direction));
    found
}

fn separate_rules(world: &mut World<'_, '_>, id: &str, direction: Direction) -> Vec<Json> {
    let mut found = Vec::new();
    for (rule, open) in world.perhaps(direction.kind()) {
        let group = rule.properties.get("GroupId").id().unwrap_or_default();
        let open = match group == id {
            true => open,
            false if may_be_own(&group) => Err(format!("whether it is a rule of {id} is not told")),
            false => continue,
        };
        let name = rule.resource.name;
        found.push(match open {
            Ok(()) => one_rule(world, name, &rule.properties, direction),
            Err(why) => {
                let token = open_rule(world, name, &why);
                json!({"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": token}]})
            }
        });
        world.declare(name, rule.resource, rule.resource.node.at);
    }
    found
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "ingress rule",
        Direction::Egress => "egress rule",
    }
}

/// What stands in a rule for a side that is open.
fn open_rule(world: &mut World<'_, '_>, name: &str, why: &str) -> String {
    let token = format!("${{{name}}}");
    world.draft.gap(Fact::ManagedPrefixListEntries, &token, why);
    token
}

fn one_rule(world: &mut World<'_, '_>, name: &str, rule: &Resolved, direction: Direction) -> Json {
    if let Some(unknown) = rule.unknown() {
        let token = open_rule(world, name, &unknown.why);
        return json!({"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": token}]});
    }
    let mut found = Map::new();
    let mut open: Option<Unknown> = None;
    let mut note = |unknown: Unknown| {
        open.get_or_insert(unknown);
    };
    match rule.get("IpProtocol").text() {
        Ok(protocol) => {
            found.insert("IpProtocol".to_owned(), json!(protocol.unwrap_or_else(|| "-1".into())));
        }
        Err(unknown) => {
            found.insert("IpProtocol".to_owned(), json!("-1"));
            note(unknown);
        }
    }
    let ports = (rule.get("FromPort").number(), rule.get("ToPort").number());
    match ports {
        (Ok(from), Ok(to)) => {
            found.extend(from.map(|port| ("FromPort".to_owned(), json!(port))));
            found.extend(to.map(|port| ("ToPort".to_owned(), json!(port))));
        }
        (Err(unknown), _) | (_, Err(unknown)) => note(unknown),
    }
    let (group, list) = direction.other_side();
    for (property, key, inner) in
        [("CidrIp", "IpRanges", "CidrIp"), ("CidrIpv6", "Ipv6Ranges", "CidrIpv6")]
    {
        match rule.get(property).text() {
            Ok(Some(block)) if block.parse::<ipnet::IpNet>().is_ok() => {
                found.insert(key.to_owned(), json!([{inner: block}]));
            }
            Ok(Some(block)) => {
                note(Unknown::named(&block, format!("{block} is no block of addresses")))
            }
            Ok(None) => {}
            Err(unknown) => note(unknown),
        }
    }
    if let Some(other) = rule.get(group).id() {
        let both_open = is_opaque(&other) && world.groups.iter().any(|own| is_opaque(own));
        if both_open {
            note(Unknown::named(&other, format!("whether the function is in {other} is not told")));
        } else {
            let owner = rule.get("SourceSecurityGroupOwnerId").known();
            let owner = owner.unwrap_or_else(|| world.scope.place.account.clone());
            let pair = json!([{"GroupId": other, "UserId": owner}]);
            found.insert("UserIdGroupPairs".to_owned(), pair);
        }
    }
    if let Some(other) = rule.get("SourceSecurityGroupName").id() {
        note(Unknown::named(&other, format!("{other} is a group by name")));
    }
    let mut lists: Vec<Json> =
        rule.get(list).id().map(|id| json!({"PrefixListId": id})).into_iter().collect();
    if let Some(unknown) = open {
        lists.push(json!({"PrefixListId": open_rule(world, name, &unknown.why)}));
        // The ports of what is open are not held against the rest.
        if found.get("FromPort").is_none() && found["IpProtocol"] != "-1" {
            found.insert("IpProtocol".to_owned(), json!("-1"));
        }
        for key in ["IpRanges", "Ipv6Ranges", "UserIdGroupPairs"] {
            found.remove(key);
        }
    }
    if !lists.is_empty() {
        found.insert("PrefixListIds".to_owned(), Json::Array(lists));
    }
    Json::Object(found)
}

fn network_acls(world: &mut World<'_, '_>) {
    let mut associated: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for (association, open) in world.perhaps("AWS::EC2::SubnetNetworkAclAssociation") {
        let subnet = association.properties.get("SubnetId").id().unwrap_or_default();
        let acl = association.properties.get("NetworkAclId").id().unwrap_or_default();
        taken.insert(subnet.clone());
        let why = match open {
            Ok(()) if !is_opaque(&acl) => {
                associated
                    .entry(acl.clone())
                    .or_default()
                    .push(json!({"NetworkAclId": acl, "SubnetId": subnet}));
                continue;
            }
            Ok(()) => format!("the network ACL of {subnet}, {acl}, is not in the template"),
            Err(why) => why,
        };
        world.draft.gap(Fact::NetworkAcls, &subnet, why);
    }
    let entries = world.perhaps("AWS::EC2::NetworkAclEntry");
    for acl in world.made("AWS::EC2::NetworkAcl", Fact::NetworkAcls) {
        world.declare(&acl.id, acl.resource, acl.resource.node.at);
        match entries_of(world, &acl.id, &entries) {
            Ok(found) => {
                let associations = associated.remove(&acl.id).unwrap_or_default();
                world.draft.push(
                    "NetworkAcls",
                    json!({"NetworkAclId": acl.id, "VpcId": acl.properties.get("VpcId").id(),
                        "IsDefault": false, "Associations": associations, "Entries": found}),
                );
            }
            Err(unknown) => world.open(Fact::NetworkAcls, &acl.id, &unknown),
        }
    }
    default_acls(world, &taken, &entries, &mut associated);
}

type Entries<'s, 't> = [(Made<'s, 't>, Result<(), String>)];

/// The ACL that comes with each VPC lets everything through.
fn default_acls(
    world: &mut World<'_, '_>,
    taken: &BTreeSet<String>,
    entries: &Entries<'_, '_>,
    associated: &mut BTreeMap<String, Vec<Json>>,
) {
    for vpc in world.made("AWS::EC2::VPC", Fact::Vpcs) {
        let acl = default_acl(&vpc.id);
        world.declare(&acl, vpc.resource, Mark::default());
        let mut found = match entries_of(world, &acl, entries) {
            Ok(found) => found,
            Err(unknown) => {
                world.open(Fact::NetworkAcls, &acl, &unknown);
                continue;
            }
        };
        for egress in [true, false] {
            found.push(json!({"RuleNumber": 100, "Egress": egress, "Protocol": "-1",
                "RuleAction": "allow", "CidrBlock": "0.0.0.0/0"}));
            found.push(json!({"RuleNumber": 101, "Egress": egress, "Protocol": "-1",
                "RuleAction": "allow", "Ipv6CidrBlock": "::/0"}));
        }
        let mut own = associated.remove(&acl).unwrap_or_default();
        let subnets = world.draft.get("Subnets").and_then(Json::as_array).into_iter().flatten();
        let rest = subnets.filter(|subnet| subnet["VpcId"] == *vpc.id).filter_map(|subnet| {
            let id = subnet["SubnetId"].as_str()?;
            (!taken.contains(id)).then(|| json!({"NetworkAclId": acl, "SubnetId": id}))
        });
        own.extend(rest);
        world.draft.push(
            "NetworkAcls",
            json!({"NetworkAclId": acl, "VpcId": vpc.id, "IsDefault": true,
                "Associations": own, "Entries": found}),
        );
    }
}

/// The entries of an ACL, with those that end each.
fn entries_of(
    world: &mut World<'_, '_>,
    acl: &str,
    entries: &Entries<'_, '_>,
) -> Result<Vec<Json>, Unknown> {
    let mut found = Vec::new();
    for (entry, open) in entries {
        let properties = &entry.properties;
        if properties.get("NetworkAclId").id().as_deref() != Some(acl) {
            continue;
        }
        if let Err(why) = open {
            return Err(Unknown::named(acl, why.clone()));
        }
        let egress = properties.get("Egress").flag()?.unwrap_or(false);
        let mut one = Map::new();
        one.insert("RuleNumber".to_owned(), json!(properties.get("RuleNumber").number()?));
        one.insert("Egress".to_owned(), json!(egress));
        one.insert("Protocol".to_owned(), json!(properties.get("Protocol").text()?));
        one.insert("RuleAction".to_owned(), json!(properties.get("RuleAction").text()?));
        for name in ["CidrBlock", "Ipv6CidrBlock"] {
            one.extend(properties.get(name).text()?.map(|block| (name.to_owned(), json!(block))));
        }
        let range = properties.get("PortRange");
        if let (Some(from), Some(to)) = (range.get("From").number()?, range.get("To").number()?) {
            one.insert("PortRange".to_owned(), json!({"From": from, "To": to}));
        }
        found.push(Json::Object(one));
        world.declare(
            &format!("{acl} entry {}", entry.resource.name),
            entry.resource,
            entry.resource.node.at,
        );
    }
    for egress in [true, false] {
        found.push(json!({"RuleNumber": 32767, "Egress": egress, "Protocol": "-1",
            "RuleAction": "deny", "CidrBlock": "0.0.0.0/0"}));
        found.push(json!({"RuleNumber": 32768, "Egress": egress, "Protocol": "-1",
            "RuleAction": "deny", "Ipv6CidrBlock": "::/0"}));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::template::cloudformation::testing::{evidence, open_in};

    const VPC: &str = "
  V: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}
";

    fn group(found: &Value) -> &Value {
        let groups = found["SecurityGroups"].as_array().into_iter().flatten();
        groups.into_iter().find(|group| group["GroupId"] == "sg-G").expect("a group")
    }

    fn with(properties: &str, more: &str) -> Value {
        evidence(&format!(
            "{VPC}  G: {{Type: 'AWS::EC2::SecurityGroup', Properties: {{VpcId: !Ref V, {properties}}}}}\n{more}"
        ))
    }

    #[test]
    fn rules_are_those_of_the_group_and_those_beside_it() {
        let found = with(
            "SecurityGroupIngress: [{IpProtocol: tcp, FromPort: '443', ToPort: 443, CidrIp: 10.0.0.0/8}]",
            "  I: {Type: 'AWS::EC2::SecurityGroupIngress', Properties: {GroupId: !GetAtt G.GroupId, IpProtocol: -1, SourceSecurityGroupId: !Ref G}}\n",
        );
        let group = group(&found);
        assert_eq!(
            group["IpPermissions"],
            json!([
                {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
                    "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
                {"IpProtocol": "-1",
                    "UserIdGroupPairs": [{"GroupId": "sg-G", "UserId": "123456789012"}]}
            ])
        );
        assert_eq!(group["IpPermissionsEgress"][0]["IpRanges"][0]["CidrIp"], "0.0.0.0/0");
    }

    #[test]
    fn a_rule_that_is_open_admits_what_nobody_saw() {
        for rule in [
            "{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: !Ref Open}",
            "{IpProtocol: tcp, FromPort: !Ref Open, ToPort: 443, CidrIp: 10.0.0.0/8}",
            "{IpProtocol: !Ref Open, CidrIp: 10.0.0.0/8}",
            "{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: nowhere}",
            "!If [Unsure, {IpProtocol: tcp, FromPort: 1, ToPort: 1, CidrIp: 10.0.0.0/8}, !Ref 'AWS::NoValue']",
        ] {
            let found = with(&format!("SecurityGroupIngress: [{rule}]"), "");
            let admitted = &group(&found)["IpPermissions"][0];
            let list = admitted["PrefixListIds"][0]["PrefixListId"].as_str().unwrap_or_default();
            assert_eq!(open_in(&found, "ManagedPrefixListEntries"), [list], "{rule}: {found}");
            assert!(admitted.get("IpRanges").is_none(), "{rule}");
        }
    }

    #[test]
    fn an_egress_rule_beside_a_group_leaves_the_default_rule_open() {
        let beside = "  E: {Type: 'AWS::EC2::SecurityGroupEgress', Properties: {GroupId: !Ref G, IpProtocol: tcp, FromPort: 1, ToPort: 1, CidrIp: 10.0.0.0/8}}\n";
        let found = with("GroupDescription: g", beside);
        assert_eq!(group(&found)["IpPermissionsEgress"].as_array().map(Vec::len), Some(2));
        assert_eq!(open_in(&found, "ManagedPrefixListEntries"), ["${egress of sg-G}"]);
        let inline =
            "SecurityGroupEgress: [{IpProtocol: tcp, FromPort: 1, ToPort: 1, CidrIp: 10.0.0.0/8}]";
        let found = with(inline, "");
        assert_eq!(group(&found)["IpPermissionsEgress"].as_array().map(Vec::len), Some(1));
        assert!(open_in(&found, "ManagedPrefixListEntries").is_empty());
    }

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
