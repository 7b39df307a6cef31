//! EC2: security groups with their rules. A rule that is open may allow what it does not
//! say: it stands as one for a prefix list whose entries nobody knows.

use std::collections::BTreeSet;

use super::{
    scope::Resource,
    value::{Resolved, is_opaque, may_be_own},
    world::{Created, World},
};
use crate::{
    evidence::{Fact, IpPermission, SecurityGroup},
    template::{
        aws::{Open, Setting, rules::Rule, vpcs},
        draft::{begin, entries},
    },
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Ingress,
    Egress,
}

impl Direction {
    /// The property of a group that has such rules.
    fn inline(self) -> &'static str {
        match self {
            Self::Ingress => "SecurityGroupIngress",
            Self::Egress => "SecurityGroupEgress",
        }
    }

    /// The kind of resource that is such a rule.
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

    fn words(self) -> &'static str {
        match self {
            Self::Ingress => "ingress rule",
            Self::Egress => "egress rule",
        }
    }
}

/// Security groups.
pub(super) fn declare(world: &mut World<'_, '_>) {
    let groups = world.created("AWS::EC2::SecurityGroup", Fact::SecurityGroups);
    let known: BTreeSet<String> = groups.iter().map(|group| group.id.clone()).collect();
    for group in groups {
        one_group(world, &group);
    }
    rules_of_default_groups(world, &known);
}

fn one_group(world: &mut World<'_, '_>, group: &Created<'_, '_>) {
    world.declare_whole(&group.id, group.resource);
    let ingress = rules(world, group.resource, &group.id, &group.properties, Direction::Ingress);
    let mut egress = rules(world, group.resource, &group.id, &group.properties, Direction::Egress);
    let inline = group.properties.get(Direction::Egress.inline());
    let none_inline = inline.items().is_ok_and(|items| items.is_empty());
    if egress.is_empty() {
        egress.push(vpcs::everywhere());
    } else if none_inline {
        // Whether that rule goes with rules that are resources of their own is described
        // differently in different places.
        let reason = format!("whether the default egress rule of {} stays is unknown", group.id);
        let token = open_rule(world, &format!("egress of {}", group.id), reason);
        egress.push(Rule::open(token));
    }
    let properties = &group.properties;
    let name = properties.get("GroupName").known();
    let found = SecurityGroup {
        group_id: Some(group.id.clone()),
        group_name: Some(name.unwrap_or_else(|| group.resource.name.to_owned())),
        owner_id: Some(world.scope.place.account.clone()),
        vpc_id: properties.get("VpcId").id(),
        ip_permissions: ingress,
        ip_permissions_egress: egress,
    };
    begin(&mut world.draft.evidence.security_groups).push(found);
}

/// Rules that are resources of their own may belong to a group that came with a VPC.
fn rules_of_default_groups(world: &mut World<'_, '_>, known: &BTreeSet<String>) {
    let defaults: Vec<String> = entries(&world.draft.evidence.security_groups)
        .iter()
        .filter_map(|group| group.group_id.clone())
        .filter(|id| !known.contains(id))
        .collect();
    for id in defaults {
        let ingress = separate_rules(world, &id, Direction::Ingress);
        let egress = separate_rules(world, &id, Direction::Egress);
        let mut groups = begin(&mut world.draft.evidence.security_groups).iter_mut();
        if let Some(group) = groups.find(|group| group.group_id.as_ref() == Some(&id)) {
            group.ip_permissions.extend(ingress);
            group.ip_permissions_egress.extend(egress);
        }
    }
}

fn rules(
    world: &mut World<'_, '_>,
    resource: &Resource<'_>,
    id: &str,
    properties: &Resolved,
    direction: Direction,
) -> Vec<IpPermission> {
    let mut found = Vec::new();
    match properties.get(direction.inline()).items() {
        Ok(items) => {
            for (at, item) in items.into_iter().enumerate() {
                let name = format!("{} {} of {id}", direction.words(), at + 1);
                found.push(one_rule(world, &name, item, direction));
                world.declare(&name, resource, item.at);
            }
        }
        Err(open) => {
            let token = open_rule(world, &format!("{} of {id}", direction.words()), open);
            found.push(Rule::open(token));
        }
    }
    found.extend(separate_rules(world, id, direction));
    found
}

fn separate_rules(world: &mut World<'_, '_>, id: &str, direction: Direction) -> Vec<IpPermission> {
    let mut found = Vec::new();
    for (rule, open) in world.perhaps(direction.kind()) {
        let group = rule.properties.get("GroupId").id().unwrap_or_default();
        let open = match group == id {
            true => open,
            false if may_be_own(&group) => {
                Err(format!("whether it is a rule of {id} is unknown").into())
            }
            false => continue,
        };
        let name = rule.resource.name;
        found.push(match open {
            Ok(()) => one_rule(world, name, &rule.properties, direction),
            Err(open) => Rule::open(open_rule(world, name, open)),
        });
        world.declare_whole(name, rule.resource);
    }
    found
}

/// What stands in a rule for a side that is open.
fn open_rule(world: &mut World<'_, '_>, name: &str, reason: impl Into<Open>) -> String {
    let token = format!("${{{name}}}");
    world.draft.gap(Fact::ManagedPrefixListEntries, &token, reason);
    token
}

fn one_rule(
    world: &mut World<'_, '_>,
    name: &str,
    properties: &Resolved,
    direction: Direction,
) -> IpPermission {
    if let Some(open) = properties.open() {
        let token = open_rule(world, name, open);
        return Rule::open(token);
    }
    let mut open: Option<Open> = None;
    let mut rule = Rule::default();
    match properties.get("IpProtocol").text() {
        Setting::Open(reason) => open = Some(reason),
        setting => rule.protocol = setting.known(),
    }
    match (properties.get("FromPort").number(), properties.get("ToPort").number()) {
        (Setting::Open(reason), _) | (_, Setting::Open(reason)) => {
            open.get_or_insert(reason);
            // Which ports it allows is open: so all may be meant.
            rule.protocol = None;
        }
        (from, to) => rule.ports = (from.known(), to.known()),
    }
    for (property, blocks) in [("CidrIp", &mut rule.ipv4), ("CidrIpv6", &mut rule.ipv6)] {
        match properties.get(property).text() {
            Setting::Known(block) if block.parse::<ipnet::IpNet>().is_ok() => blocks.push(block),
            Setting::Known(block) => {
                open.get_or_insert(Open::named(&block, format!("{block} is no CIDR block")));
            }
            Setting::Absent => {}
            Setting::Open(reason) => drop(open.get_or_insert(reason)),
        }
    }
    let (group, list) = direction.other_side();
    if let Some(other) = properties.get(group).id() {
        if is_opaque(&other) && world.groups.iter().any(|own| is_opaque(own) && *own != other) {
            let reason = format!("whether the function is in {other} is unknown");
            open.get_or_insert(Open::named(&other, reason));
        } else {
            let owner = properties.get("SourceSecurityGroupOwnerId").known();
            rule.groups.push((other, owner.unwrap_or_else(|| world.scope.place.account.clone())));
        }
    }
    if let Some(other) = properties.get("SourceSecurityGroupName").id() {
        open.get_or_insert(Open::named(&other, format!("{other} is a group by name")));
    }
    rule.prefix_lists.extend(properties.get(list).id());
    if let Some(open) = open {
        rule.prefix_lists.push(open_rule(world, name, open));
        (rule.ipv4, rule.ipv6, rule.groups) = (Vec::new(), Vec::new(), Vec::new());
    }
    rule.permission()
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
}
