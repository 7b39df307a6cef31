//! From a blocker to the change that it asks for, with the real ids.

use std::collections::BTreeSet;

use crate::{
    aws::limits::LAST_ACL_RULE,
    checks::NetworkChange,
    evidence::{Evidence, NetworkAcl},
    network::{Blocker, Direction, Layer, Needed},
};

/// Where the numbers of new entries start, if no other decides.
const FIRST_ENTRY: i64 = 100;

/// The change that a blocker asks for, where it is known.
pub(super) fn change_of(evidence: &Evidence, blocker: &Blocker) -> Option<NetworkChange> {
    match blocker.needed.as_ref()? {
        Needed::SecurityGroupRule { group, direction, port, peer_group, peer_cidr } => {
            Some(NetworkChange::AddSecurityGroupRule {
                group: group.clone(),
                egress: *direction == Direction::Egress,
                port: *port,
                peer: peer_group.clone().unwrap_or_else(|| peer_cidr.clone()),
            })
        }
        Needed::AclEntry { acl, direction, from_port, to_port, peer_cidr, before_rule } => {
            let egress = *direction == Direction::Egress;
            let all = evidence.network_acls.known()?;
            let found = all.iter().find(|one| one.network_acl_id.as_ref() == Some(acl))?;
            Some(NetworkChange::AddAclEntry {
                acl: acl.clone(),
                egress,
                number: free_number(found, egress, *before_rule)?,
                ports: (*from_port, *to_port),
                block: peer_cidr.clone(),
            })
        }
        Needed::Route { route_table, destination, target } => {
            let known = ["pcx-", "tgw-", "nat-", "igw-"];
            let target = match known.iter().any(|start| target.starts_with(start)) {
                true => target.clone(),
                false => peering(evidence, route_table, destination)?,
            };
            Some(NetworkChange::SetRoute {
                table: route_table.clone(),
                destination: destination.clone(),
                target,
            })
        }
        Needed::Setting { .. } if blocker.layer == Layer::NatInstance => {
            let interface = evidence.network_interfaces.known()?.iter().find(|one| {
                one.network_interface_id.as_ref() == Some(&blocker.resource)
                    && one.source_dest_check == Some(true)
            })?;
            interface
                .network_interface_id
                .clone()
                .map(|interface| NetworkChange::DisableSourceDestCheck { interface })
        }
        Needed::Setting { .. } if blocker.layer == Layer::Peering => {
            let all = evidence.vpc_peering_connections.known()?;
            let found = all
                .iter()
                .find(|one| one.vpc_peering_connection_id.as_ref() == Some(&blocker.resource))?;
            let waits = found.status.as_ref()?.code.as_deref() == Some("pending-acceptance");
            waits.then(|| NetworkChange::AcceptPeering { connection: blocker.resource.clone() })
        }
        Needed::Setting { .. } => None,
    }
}

/// An active peering connection from a table's VPC to the one that holds a
/// block.
fn peering(evidence: &Evidence, table: &str, destination: &str) -> Option<String> {
    let tables = evidence.route_tables.known()?;
    let table = tables.iter().find(|one| one.route_table_id.as_deref() == Some(table))?;
    let own = table.vpc_id.as_deref()?;
    let subnets = evidence.subnets.known()?;
    let target = subnets.iter().find(|one| one.cidr_block.as_deref() == Some(destination))?;
    let other = target.vpc_id.as_deref()?;
    let mut found: Vec<&str> = evidence
        .vpc_peering_connections
        .known()?
        .iter()
        .filter(|one| one.status.as_ref().and_then(|s| s.code.as_deref()) == Some("active"))
        .filter(|one| {
            let side = |info: &Option<crate::evidence::PeeringVpcInfo>| {
                info.as_ref().and_then(|info| info.vpc_id.clone())
            };
            let sides = [side(&one.requester_vpc_info), side(&one.accepter_vpc_info)];
            [own, other].iter().all(|vpc| sides.iter().any(|one| one.as_deref() == Some(vpc)))
        })
        .filter_map(|one| one.vpc_peering_connection_id.as_deref())
        .collect();
    found.sort();
    found.first().map(|id| (*id).to_owned())
}

/// A number that no entry of the direction has, before the entry that denies.
fn free_number(acl: &NetworkAcl, egress: bool, before: Option<i64>) -> Option<i64> {
    let taken: BTreeSet<i64> = acl
        .entries
        .iter()
        .filter(|entry| entry.egress.unwrap_or(false) == egress)
        .filter_map(|entry| entry.rule_number)
        .collect();
    match before {
        Some(denies) => (1..denies).rev().find(|number| !taken.contains(number)),
        None => (FIRST_ENTRY..=LAST_ACL_RULE).find(|number| !taken.contains(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::free_number;
    use crate::evidence::NetworkAcl;

    #[test]
    fn an_entry_gets_a_free_number_before_the_one_that_denies() {
        let acl: NetworkAcl = serde_json::from_value(serde_json::json!({"Entries": [
            {"RuleNumber": 100, "Egress": false}, {"RuleNumber": 99, "Egress": false},
            {"RuleNumber": 1, "Egress": true}, {"RuleNumber": 32767, "Egress": false}]}))
        .expect("acl");
        assert_eq!(free_number(&acl, false, Some(100)), Some(98));
        assert_eq!(free_number(&acl, false, None), Some(101));
        assert_eq!(free_number(&acl, true, Some(1)), None, "there is no number before 1");
    }
}
