//! Security groups: allow only, the union of all groups on an interface,
//! stateful, so that only the request has to match.

use std::net::IpAddr;

use super::{
    Direction, Missing,
    address::{block, holds},
    view::{View, text},
};
use crate::evidence::{IpPermission, SecurityGroup};

/// Whether a rule that names a group can match on this path. It matches the
/// private addresses of interfaces in the group, so it is lost after NAT, on a
/// public address, through a middlebox, across regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum References {
    Hold,
    Lost,
}

/// The other side of a connection, as a rule sees it.
pub(super) struct Peer<'a> {
    pub(super) address: IpAddr,
    /// Its groups; an error where its interface was not seen.
    pub(super) groups: Result<&'a [&'a str], &'a Missing>,
    pub(super) references: References,
}

/// What the groups of an interface say.
pub(super) enum Decision {
    Allowed { group: String, rule: String },
    Refused,
    Undecided(Vec<Missing>),
}

/// Holds a TCP connection to `port` against the groups of one interface.
pub(super) fn decide(
    view: &View<'_>,
    groups: &[&str],
    direction: Direction,
    port: u16,
    peer: &Peer<'_>,
) -> Decision {
    let mut missing = Vec::new();
    let mut ids = groups.to_vec();
    ids.sort();
    ids.dedup();
    for id in ids {
        let group = match view.group(id) {
            Ok(group) => group,
            Err(unseen) => {
                missing.push(unseen);
                continue;
            }
        };
        match one_group(view, group, direction, port, peer) {
            Decision::Refused => {}
            Decision::Undecided(more) => missing.extend(more),
            allowed @ Decision::Allowed { .. } => return allowed,
        }
    }
    if missing.is_empty() { Decision::Refused } else { Decision::Undecided(missing) }
}

fn one_group(
    view: &View<'_>,
    group: &SecurityGroup,
    direction: Direction,
    port: u16,
    peer: &Peer<'_>,
) -> Decision {
    let rules = match direction {
        Direction::Ingress => &group.ip_permissions,
        Direction::Egress => &group.ip_permissions_egress,
    };
    let (mut missing, mut allowed) = (Vec::new(), Vec::new());
    for rule in rules.iter().filter(|rule| admits_port(rule, port)) {
        match matched(view, rule, peer) {
            Ok(Some(peer)) => allowed.push(format!("{} {peer}", ports_in_words(rule))),
            Ok(None) => {}
            Err(unseen) => missing.push(unseen),
        }
    }
    // Of several the same one is quoted, however the rules are listed.
    if let Some(rule) = allowed.into_iter().min() {
        return Decision::Allowed { group: text(&group.group_id).to_owned(), rule };
    }
    if missing.is_empty() { Decision::Refused } else { Decision::Undecided(missing) }
}

/// The part of a rule that the peer matches; an error where only what was not
/// seen could match.
fn matched(
    view: &View<'_>,
    rule: &IpPermission,
    peer: &Peer<'_>,
) -> Result<Option<String>, Missing> {
    let blocks = if peer.address.is_ipv4() {
        rule.ip_ranges.iter().filter_map(|r| r.cidr_ip.as_deref()).collect::<Vec<_>>()
    } else {
        rule.ipv6_ranges.iter().filter_map(|r| r.cidr_ipv6.as_deref()).collect()
    };
    if let Some(found) = blocks.into_iter().filter(|text| holds(Some(text), peer.address)).min() {
        return Ok(Some(found.to_owned()));
    }
    let mut unseen = None;
    let pairs = rule.user_id_group_pairs.iter().filter(|pair| {
        peer.references == References::Hold
            && matches!(pair.peering_status.as_deref(), None | Some("active"))
    });
    let mut ids: Vec<&str> = pairs.filter_map(|pair| pair.group_id.as_deref()).collect();
    ids.sort();
    for id in ids {
        match peer.groups {
            Ok(groups) if groups.contains(&id) => return Ok(Some(id.to_owned())),
            Ok(_) => {}
            Err(missing) => unseen = Some(missing.clone()),
        }
    }
    let lists = rule.prefix_list_ids.iter().filter_map(|list| list.prefix_list_id.as_deref());
    let mut lists: Vec<&str> = lists.collect();
    lists.sort();
    for id in lists {
        match view.prefix_list(id) {
            Ok(entries) if entries.iter().any(|net| net.contains(&peer.address)) => {
                return Ok(Some(id.to_owned()));
            }
            Ok(_) => {}
            Err(missing) => unseen = Some(missing),
        }
    }
    unseen.map_or(Ok(None), Err)
}

fn admits_port(rule: &IpPermission, port: u16) -> bool {
    match rule.ip_protocol.as_deref().unwrap_or_default() {
        "-1" | "all" => true,
        "tcp" | "6" => {
            let (from, to) = (rule.from_port.unwrap_or(-1), rule.to_port.unwrap_or(-1));
            // -1 stands for "no port given", which for TCP means every port.
            let from = if from == -1 { 0 } else { from };
            let to = if to == -1 { i64::from(u16::MAX) } else { to };
            (from..=to).contains(&i64::from(port))
        }
        _ => false,
    }
}

fn ports_in_words(rule: &IpPermission) -> String {
    match (rule.ip_protocol.as_deref(), rule.from_port, rule.to_port) {
        (Some("-1" | "all"), ..) | (None, ..) => "all traffic".to_owned(),
        (Some(protocol), Some(from), Some(to)) if from == to => format!("{protocol} {from}"),
        (Some(protocol), Some(from), Some(to)) => format!("{protocol} {from}-{to}"),
        (Some(protocol), ..) => format!("{protocol}, every port"),
    }
}

/// True where some rule of the direction admits the port from or to anywhere
/// else: the port is right and only the other side is not.
pub(super) fn admits_port_elsewhere(
    view: &View<'_>,
    groups: &[&str],
    direction: Direction,
    port: u16,
) -> Vec<String> {
    let mut peers = Vec::new();
    for group in groups.iter().filter_map(|id| view.group(id).ok()) {
        let rules = match direction {
            Direction::Ingress => &group.ip_permissions,
            Direction::Egress => &group.ip_permissions_egress,
        };
        for rule in rules.iter().filter(|rule| admits_port(rule, port)) {
            peers.extend(rule.ip_ranges.iter().filter_map(|r| r.cidr_ip.clone()));
            peers.extend(rule.ipv6_ranges.iter().filter_map(|r| r.cidr_ipv6.clone()));
            peers.extend(rule.user_id_group_pairs.iter().filter_map(|p| p.group_id.clone()));
            peers.extend(rule.prefix_list_ids.iter().filter_map(|p| p.prefix_list_id.clone()));
        }
    }
    peers.sort();
    peers.dedup();
    peers
}

/// The longest prefix among the rules that admit this peer; used to tell a rule
/// for the world from a rule for a few addresses.
pub(super) fn admitting_prefix(
    view: &View<'_>,
    groups: &[&str],
    port: u16,
    address: IpAddr,
) -> Option<u8> {
    let rules = groups.iter().filter_map(|id| view.group(id).ok());
    let rules = rules.flat_map(|group| &group.ip_permissions).filter(|r| admits_port(r, port));
    let texts = rules.flat_map(|rule| {
        let v4 = rule.ip_ranges.iter().filter_map(|r| r.cidr_ip.as_deref());
        v4.chain(rule.ipv6_ranges.iter().filter_map(|r| r.cidr_ipv6.as_deref()))
    });
    texts.filter_map(block).filter(|n| n.contains(&address)).map(|n| n.prefix_len()).min()
}
