//! Network ACLs: ordered, stateless, one per subnet. Answers which ports an
//! ACL lets through for one direction and one address of the other side.

use std::net::IpAddr;

use super::{Direction, address::holds, ports::PortSet};
use crate::evidence::{NetworkAcl, NetworkAclEntry};

/// What an ACL does with a set of ports.
pub(super) struct Filtered {
    /// The ports that pass.
    pub(super) passed: PortSet,
    /// Number of the first entry that allowed some.
    pub(super) allowed_by: Option<i64>,
    /// Number of the first entry that denied some; `None` where nothing but
    /// the entry at the end (`*`) did.
    pub(super) denied_by: Option<i64>,
}

/// The numbers of the entry at the end, `*` on the console, for each family.
const LAST_RULES: [i64; 2] = [32767, 32768];

/// Passes TCP `ports` through the ACL's entries of one direction. `peer` is
/// the address outside the subnet.
pub(super) fn filter(
    acl: &NetworkAcl,
    direction: Direction,
    peer: IpAddr,
    ports: &PortSet,
) -> Filtered {
    let egress = direction == Direction::Egress;
    let mut entries: Vec<&NetworkAclEntry> = acl
        .entries
        .iter()
        .filter(|entry| entry.egress.unwrap_or(false) == egress)
        .filter(|entry| {
            let text = if peer.is_ipv4() { &entry.cidr_block } else { &entry.ipv6_cidr_block };
            holds(text.as_deref(), peer)
        })
        .collect();
    // Without a number an entry cannot be placed: last, before the end.
    entries.sort_by_key(|entry| entry.rule_number.unwrap_or(LAST_RULES[0]));
    let mut result = Filtered { passed: PortSet::empty(), allowed_by: None, denied_by: None };
    let mut left = ports.clone();
    for entry in entries {
        let Some(range) = tcp_ports(entry) else { continue };
        let taken = left.intersect(&range);
        if taken.is_empty() {
            continue;
        }
        left = left.subtract(&taken);
        if entry.rule_action.as_deref().is_some_and(|a| a.eq_ignore_ascii_case("allow")) {
            result.passed = result.passed.union(&taken);
            result.allowed_by = result.allowed_by.or(entry.rule_number);
        } else if result.denied_by.is_none() {
            result.denied_by = entry.rule_number.filter(|number| !LAST_RULES.contains(number));
        }
        if left.is_empty() {
            break;
        }
    }
    result
}

/// The TCP ports that an entry is about; `None` where it is about another
/// protocol.
fn tcp_ports(entry: &NetworkAclEntry) -> Option<PortSet> {
    let all = PortSet::range(0, u16::MAX);
    match entry.protocol.as_deref().unwrap_or("-1") {
        "-1" | "all" => Some(all),
        "6" | "tcp" => {
            let Some(range) = &entry.port_range else { return Some(all) };
            let port = |n: Option<i64>, or: u16| n.map_or(Some(or), |n| u16::try_from(n).ok());
            Some(PortSet::range(port(range.from, 0)?, port(range.to, u16::MAX)?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Direction, PortSet, filter};
    use crate::evidence::NetworkAcl;

    fn acl(entries: &str) -> NetworkAcl {
        serde_json::from_str(&format!(r#"{{"NetworkAclId":"acl","Entries":{entries}}}"#))
            .expect("acl")
    }

    fn passed(acl: &NetworkAcl, direction: Direction, ports: &PortSet) -> String {
        filter(acl, direction, "10.0.1.40".parse().expect("ip"), ports).passed.to_string()
    }

    #[test]
    fn entries_are_tried_by_number_and_the_first_match_decides() {
        let acl = acl(r#"[
            {"RuleNumber":200,"Egress":false,"Protocol":"-1","RuleAction":"allow","CidrBlock":"0.0.0.0/0"},
            {"RuleNumber":32767,"Egress":false,"Protocol":"-1","RuleAction":"deny","CidrBlock":"0.0.0.0/0"},
            {"RuleNumber":100,"Egress":false,"Protocol":"6","RuleAction":"deny","CidrBlock":"10.0.1.0/24","PortRange":{"From":5432,"To":5432}}]"#);
        assert_eq!(passed(&acl, Direction::Ingress, &PortSet::one(5432)), "none");
        assert_eq!(passed(&acl, Direction::Ingress, &PortSet::one(443)), "443");
        assert_eq!(passed(&acl, Direction::Egress, &PortSet::one(443)), "none");
        let decided =
            filter(&acl, Direction::Ingress, "10.0.1.40".parse().expect("ip"), &PortSet::one(5432));
        assert_eq!(decided.denied_by, Some(100));
    }

    #[test]
    fn protocols_are_numbers_and_only_all_ignores_ports() {
        let of = |protocol: &str| {
            acl(&format!(
                r#"[{{"RuleNumber":1,"Egress":true,"Protocol":"{protocol}","RuleAction":"allow",
                     "CidrBlock":"0.0.0.0/0","PortRange":{{"From":1024,"To":2047}}}}]"#
            ))
        };
        let ports = PortSet::ephemeral();
        assert_eq!(passed(&of("6"), Direction::Egress, &ports), "1024-2047");
        assert_eq!(passed(&of("-1"), Direction::Egress, &ports), "1024-65535");
        for other in ["17", "1", "58", "47", "nonsense"] {
            assert_eq!(passed(&of(other), Direction::Egress, &ports), "none", "{other}");
        }
    }

    #[test]
    fn families_are_apart_and_odd_ports_do_no_harm() {
        let v6 = acl(
            r#"[{"RuleNumber":1,"Egress":true,"Protocol":"-1","RuleAction":"allow","Ipv6CidrBlock":"::/0"}]"#,
        );
        assert_eq!(passed(&v6, Direction::Egress, &PortSet::one(443)), "none");
        let odd = acl(
            r#"[{"RuleNumber":1,"Egress":true,"Protocol":"6","RuleAction":"allow","CidrBlock":"0.0.0.0/0","PortRange":{"From":-1,"To":99999}},
            {"Egress":true,"Protocol":"6","RuleAction":"allow","CidrBlock":"0.0.0.0/0","PortRange":{"From":443}}]"#,
        );
        assert_eq!(passed(&odd, Direction::Egress, &PortSet::one(443)), "443");
    }
}
