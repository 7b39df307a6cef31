//! The record of one walk: hops, blockers, what was not seen, and the source ports that the
//! filters leave to replies.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{
    Blocker, Direction, Hop, HopKind, HopOutcome, Layer, Missing, Needed, Phase, Verdict, Via, acl,
    filter::{self, Decision, Peer},
    place::{Destination, Origin},
    ports::PortSet,
    view::{View, text},
};
use crate::evidence::{Fact, Subnet};

/// Replies that reach fewer of the ports than this never really arrive.
const NEXT_TO_NOTHING: f64 = 0.05;
/// Replies that miss fewer of the ports than one in a hundred are not worth a
/// word: the usual ACLs deny a few high ports before they allow the rest.
const NEXT_TO_ALL: f64 = 0.99;

/// A stretch of the path on which the source port stays the same. NAT begins a
/// new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    Inner,
    Outer,
}

/// Which way through an ACL.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crossing {
    pub(super) direction: Direction,
    pub(super) phase: Phase,
    pub(super) stretch: Stretch,
}

impl Crossing {
    pub(super) fn request(direction: Direction) -> Self {
        Self { direction, phase: Phase::Forward, stretch: Stretch::Inner }
    }

    pub(super) fn reply(direction: Direction, stretch: Stretch) -> Self {
        Self { direction, phase: Phase::Return, stretch }
    }

    fn kind(self) -> HopKind {
        match (self.direction, self.phase) {
            (Direction::Egress, Phase::Forward) => HopKind::Out,
            (Direction::Ingress, Phase::Forward) => HopKind::In,
            (Direction::Egress, Phase::Return) => HopKind::OutBack,
            (Direction::Ingress, Phase::Return) => HopKind::InBack,
        }
    }
}

/// The record of one walk.
#[derive(Clone)]
pub(super) struct Trace<'v, 'a> {
    pub(super) view: &'v View<'a>,
    pub(super) port: u16,
    pub(super) hops: Vec<Hop>,
    pub(super) blockers: Vec<Blocker>,
    pub(super) missing: Vec<Missing>,
    pub(super) via: Via,
    /// What stands in texts for addresses that were not seen.
    names: Vec<(IpAddr, String)>,
    /// Ports that reply filters left, with the blocker that lost the others.
    partial: Vec<(Stretch, PortSet, usize)>,
}

impl<'v, 'a> Trace<'v, 'a> {
    pub(super) fn new(view: &'v View<'a>, port: u16) -> Self {
        Self {
            view,
            port,
            hops: Vec::new(),
            blockers: Vec::new(),
            missing: Vec::new(),
            via: Via::None,
            names: Vec::new(),
            partial: Vec::new(),
        }
    }

    /// Has texts speak of an address in these words.
    pub(super) fn name(&mut self, address: IpAddr, words: impl Into<String>) {
        self.names.push((address, words.into()));
    }

    /// An address as texts speak of it.
    pub(super) fn shown(&self, address: IpAddr) -> String {
        let named = self.names.iter().find(|(of, _)| *of == address);
        named.map_or_else(|| address.to_string(), |(_, words)| words.clone())
    }

    fn hop(&mut self, outcome: HopOutcome, kind: HopKind, resource: &str, text: String) {
        self.hops.push(Hop { outcome, kind, resource: resource.to_owned(), text, needed: None });
    }

    pub(super) fn ok(&mut self, kind: HopKind, resource: &str, text: impl Into<String>) {
        self.hop(HopOutcome::Ok, kind, resource, text.into());
    }

    pub(super) fn unknown(&mut self, kind: HopKind, resource: &str, missing: Missing) {
        self.hop(HopOutcome::Unknown, kind, resource, format!("not seen: {missing}"));
        self.missing.push(missing);
    }

    /// Unknown for a reason that no API call settles.
    pub(super) fn opaque(&mut self, kind: HopKind, missing: Missing) {
        let text = missing.reason.clone();
        self.hop(HopOutcome::Unknown, kind, &missing.resource.clone(), text);
        self.missing.push(missing);
    }

    pub(super) fn stop(&mut self, kind: HopKind, blocker: Blocker) {
        self.hops.push(Hop {
            outcome: if blocker.partial { HopOutcome::Partly } else { HopOutcome::Stop },
            kind,
            resource: blocker.resource.clone(),
            text: blocker.text.clone(),
            needed: blocker.needed.clone(),
        });
        self.blockers.push(blocker);
    }

    /// Stops at an element that is no filter.
    pub(super) fn stop_at(
        &mut self,
        kind: HopKind,
        layer: Layer,
        resource: &str,
        text: impl Into<String>,
        needed: Option<Needed>,
    ) {
        let back = matches!(
            kind,
            HopKind::RouteBack | HopKind::ViaBack | HopKind::InBack | HopKind::OutBack
        );
        let phase = if back { Phase::Return } else { Phase::Forward };
        self.stop(
            kind,
            Blocker {
                layer,
                resource: resource.to_owned(),
                direction: None,
                phase,
                partial: false,
                text: text.into(),
                needed,
            },
        );
    }

    /// Holds the request against the groups of one interface.
    pub(super) fn groups(
        &mut self,
        groups: &[&'a str],
        direction: Direction,
        peer: &Peer<'_>,
        advice: (Option<String>, String),
    ) {
        let port = self.port;
        let (kind, word) = match direction {
            Direction::Ingress => (HopKind::Ingress, "from"),
            Direction::Egress => (HopKind::Egress, "to"),
        };
        if groups.is_empty() {
            // Every interface that is asked about has groups; these were not seen.
            let missing = self.view.missing(Fact::SecurityGroups, &peer.address.to_string());
            return self.unknown(kind, "no group", missing);
        }
        match filter::decide(self.view, groups, direction, port, peer) {
            Decision::Allowed { group, rule } => {
                self.ok(
                    kind,
                    &group,
                    format!(
                        "rule \"{rule}\" admits tcp/{port} {word} {}",
                        self.shown(peer.address)
                    ),
                );
            }
            Decision::Undecided(missing) => {
                let resource = groups.join(", ");
                for one in missing {
                    self.unknown(kind, &resource, one);
                }
            }
            Decision::Refused => {
                let elsewhere = filter::admits_port_elsewhere(self.view, groups, direction, port);
                let tail = if elsewhere.is_empty() {
                    String::new()
                } else {
                    format!(" (tcp/{port} only {word} {})", elsewhere.join(", "))
                };
                let peer = self.shown(peer.address);
                let mut groups = groups.to_vec();
                groups.sort();
                groups.dedup();
                for group in groups {
                    self.stop(
                        kind,
                        Blocker {
                            layer: Layer::SecurityGroup,
                            resource: group.to_owned(),
                            direction: Some(direction),
                            phase: Phase::Forward,
                            partial: false,
                            text: format!("no rule admits tcp/{port} {word} {peer}{tail}"),
                            needed: Some(Needed::SecurityGroupRule {
                                group: group.to_owned(),
                                direction,
                                port,
                                peer_group: advice.0.clone(),
                                peer_cidr: advice.1.clone(),
                            }),
                        },
                    );
                }
            }
        }
    }

    /// Holds request or reply against the ACL of a subnet. `peer` is the
    /// address outside the subnet, `peer_block` what a rule about it would name.
    pub(super) fn acl(
        &mut self,
        subnet: &Subnet,
        crossing: Crossing,
        peer: IpAddr,
        peer_block: &str,
    ) {
        let kind = crossing.kind();
        let acl = match self.view.acl(subnet) {
            Ok(acl) => acl,
            Err(missing) => return self.unknown(kind, text(&subnet.subnet_id), missing),
        };
        let id = text(&acl.network_acl_id);
        let wanted = match crossing.phase {
            Phase::Forward => PortSet::one(self.port),
            Phase::Return => PortSet::ephemeral(),
        };
        let word = if crossing.direction == Direction::Ingress { "from" } else { "to" };
        let result = acl::filter(acl, crossing.direction, peer, &wanted);
        let share = result.passed.share_of(&wanted);
        let peer = self.shown(peer);
        if share >= NEXT_TO_ALL {
            let rule = result.allowed_by.map_or("a rule".to_owned(), |n| format!("rule {n}"));
            let mut line = format!("{rule} allows tcp/{} {word} {peer}", result.passed);
            if result.passed != wanted {
                line.push_str("; the few other ports do not matter");
            }
            return self.ok(kind, id, line);
        }
        let denied = match result.denied_by {
            Some(number) => format!("rule {number} denies"),
            None => "no rule allows".to_owned(),
        };
        let lost = wanted.subtract(&result.passed);
        let partial = share >= NEXT_TO_NOTHING;
        let mut line = format!("{denied} tcp/{lost} {word} {peer}");
        if partial {
            line.push_str(&format!(": {:.0} % of the replies pass", share * 100.0));
        }
        let (from_port, to_port) = match crossing.phase {
            Phase::Forward => (self.port, self.port),
            Phase::Return => (1024, u16::MAX),
        };
        if partial {
            self.partial.push((crossing.stretch, result.passed, self.blockers.len()));
        }
        self.stop(
            kind,
            Blocker {
                layer: Layer::Nacl,
                resource: id.to_owned(),
                direction: Some(crossing.direction),
                phase: crossing.phase,
                partial,
                text: line,
                needed: Some(Needed::AclEntry {
                    acl: id.to_owned(),
                    direction: crossing.direction,
                    from_port,
                    to_port,
                    peer_cidr: peer_block.to_owned(),
                    before_rule: result.denied_by,
                }),
            },
        );
    }

    /// The verdict, once the walk is over.
    pub(super) fn verdict(&mut self) -> Verdict {
        for stretch in [Stretch::Inner, Stretch::Outer] {
            let sets = self.partial.iter().filter(|(of, ..)| *of == stretch);
            let left =
                sets.clone().fold(PortSet::ephemeral(), |all, (_, set, _)| all.intersect(set));
            // Two ACLs that each pass a half may together pass nothing.
            if left.share_of(&PortSet::ephemeral()) < NEXT_TO_NOTHING {
                for &(_, _, blocker) in sets {
                    self.blockers[blocker].partial = false;
                }
            }
        }
        if self.blockers.iter().any(|blocker| !blocker.partial) {
            Verdict::Blocked
        } else if !self.missing.is_empty() {
            Verdict::Unknown
        } else if !self.blockers.is_empty() {
            Verdict::Intermittent
        } else {
            Verdict::Reachable
        }
    }
}

/// The block that a rule about the function's subnet would name.
pub(super) fn origin_block(origin: &Origin<'_>, source: IpAddr) -> String {
    subnet_block(origin.subnet, source)
}

/// The block of a subnet in the family of an address.
pub(super) fn subnet_block(subnet: &Subnet, address: IpAddr) -> String {
    let blocks = View::subnet_blocks(subnet);
    let found = blocks.into_iter().find(|net| net.addr().is_ipv4() == address.is_ipv4());
    found.unwrap_or_else(|| IpNet::from(address)).to_string()
}

/// The block that a rule about the target would name.
pub(super) fn target_block(destination: &Destination<'_>) -> String {
    match destination.subnet {
        Some(subnet) if destination.inner.is_none() => subnet_block(subnet, destination.address),
        _ if destination.is_inside() => IpNet::from(destination.address).to_string(),
        _ if destination.address.is_ipv4() => "0.0.0.0/0".to_owned(),
        _ => "::/0".to_owned(),
    }
}
