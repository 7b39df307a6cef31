//! Fixes for what blocks a path, each tried on the evidence while it is built,
//! so that it opens the path and nothing else.

use std::collections::BTreeSet;

use super::{
    change_commands::commands,
    needed_changes::change_of,
    reachability::{Obstacle, Reachability, ask},
};
use crate::{
    aws::partitions,
    checks::{Change, Fix, NetworkChange},
    evidence::{Evidence, RouteTable, Subnet},
    network::{self, Answer, Blocker, Layer, Needed, Target, Verdict},
};

/// A fix with more changes than this is not worth pasting.
const MOST_CHANGES: usize = 12;
/// How many other subnets are tried for the function.
const SUBNETS_TRIED: usize = 16;
/// In how many subnets a function that moves is put.
const SUBNETS_WANTED: usize = 2;

impl Reachability<'_> {
    /// The answer after some changes.
    fn after(&self, changes: &[NetworkChange]) -> (Evidence, Answer) {
        let mut evidence = self.evidence.clone();
        for change in changes {
            change.apply(&mut evidence);
        }
        let answer = ask(&evidence, &self.question);
        (evidence, answer)
    }

    /// Adds what is still needed, one after the other, until nothing that
    /// `wanted` picks blocks. What is no longer needed is left out.
    fn complete(
        &self,
        mut changes: Vec<NetworkChange>,
        wanted: impl Fn(&Blocker) -> bool,
    ) -> (Vec<NetworkChange>, Answer) {
        loop {
            let (evidence, answer) = self.after(&changes);
            let next = answer
                .blockers
                .iter()
                .filter(|blocker| wanted(blocker))
                .find_map(|blocker| change_of(&evidence, blocker))
                .filter(|change| changes.len() < MOST_CHANGES && !changes.contains(change));
            match next {
                Some(change) => changes.push(change),
                None => return (changes, answer),
            }
        }
    }

    fn fix(&self, summary: impl Into<String>, changes: Vec<NetworkChange>) -> Fix {
        Fix {
            template: None,
            summary: summary.into(),
            commands: changes
                .iter()
                .flat_map(|change| commands(self.evidence, self.function, change))
                .collect(),
            change: Some(Change::Network(changes)),
        }
    }

    /// The rules and entries that an obstacle of filters lacks.
    pub(super) fn admit(&self, obstacle: &Obstacle) -> Vec<Fix> {
        let same = |one: &Blocker| {
            obstacle.blockers.iter().any(|blocker| {
                (blocker.layer, &blocker.resource, blocker.direction)
                    == (one.layer, &one.resource, one.direction)
            })
        };
        let (changes, _) = self.complete(Vec::new(), same);
        if changes.is_empty() {
            return self.described_only(obstacle);
        }
        let summary = match obstacle.layer {
            Layer::SecurityGroup => {
                "Add the rule that is missing; it admits this connection and no other."
            }
            _ => "Add these entries; network ACLs keep no state, so each direction needs its own.",
        };
        vec![self.fix(summary, changes)]
    }

    /// Adds a route where an obstacle of routes names the gateway that it needs.
    pub(super) fn reroute(&self, obstacle: &Obstacle) -> Option<Fix> {
        let (changes, _) = self.complete(Vec::new(), |one| {
            obstacle.blockers.iter().any(|b| b.resource == one.resource && b.layer == one.layer)
        });
        (!changes.is_empty()).then(|| self.fix("Add the route that is missing.", changes))
    }

    /// Deletes a blackhole route, where the route behind it then opens the path.
    pub(super) fn drop_dead_routes(&self, obstacle: &Obstacle) -> Option<Fix> {
        let tables = self.evidence.route_tables.known()?;
        let blamed = |table: &&RouteTable| {
            let id = table.route_table_id.as_deref();
            obstacle
                .blockers
                .iter()
                .any(|b| b.layer == Layer::Route && Some(b.resource.as_str()) == id)
        };
        let dead = tables.iter().filter(blamed).flat_map(|table| {
            let routes = table.routes.iter().filter(|r| r.state.as_deref() == Some("blackhole"));
            routes.filter_map(|route| {
                let destination = route
                    .destination_cidr_block
                    .as_ref()
                    .or(route.destination_ipv6_cidr_block.as_ref())
                    .or(route.destination_prefix_list_id.as_ref())?;
                Some(NetworkChange::DeleteRoute {
                    table: table.route_table_id.clone()?,
                    destination: destination.clone(),
                })
            })
        });
        let gone = |change: &NetworkChange| {
            let (_, answer) = self.after(std::slice::from_ref(change));
            answer.verdict == Verdict::Reachable
        };
        let change = dead.take(MOST_CHANGES).find(gone)?;
        Some(
            self.fix("Delete the blackhole route; the route behind it then applies.", vec![change]),
        )
    }

    /// Names of the database's VPC resolved to private addresses over the peering
    /// connection between the two.
    pub(super) fn resolve_over_peering(&self) -> Option<Fix> {
        let own = self.vpc()?;
        let connections = self.evidence.vpc_peering_connections.known()?;
        let changes = connections.iter().filter_map(|connection| {
            let (asks, accepts) =
                (connection.requester_vpc_info.as_ref()?, connection.accepter_vpc_info.as_ref()?);
            let (own_asks, own_accepts) =
                (asks.vpc_id.as_deref() == Some(own), accepts.vpc_id.as_deref() == Some(own));
            let far = if own_asks { accepts } else { asks };
            let options = far.peering_options.as_ref();
            let off = options.and_then(|o| o.allow_dns_resolution_from_remote_vpc) != Some(true);
            let active = connection.status.as_ref()?.code.as_deref() == Some("active");
            let change = NetworkChange::ResolveOverPeering {
                connection: connection.vpc_peering_connection_id.clone()?,
                requester: own_accepts,
            };
            ((own_asks || own_accepts) && active && off).then_some(change)
        });
        let opens = |change: &NetworkChange| {
            self.after(std::slice::from_ref(change)).1.verdict == Verdict::Reachable
        };
        let change = changes.take(MOST_CHANGES).find(opens)?;
        let summary = "Let names of the database's VPC resolve to private addresses over the \
                       peering connection.";
        Some(self.fix(summary, vec![change]))
    }

    /// Whether changes leave an endpoint's policy denying something.
    pub(super) fn still_denied(&self, changes: &[NetworkChange]) -> bool {
        !self.after(changes).1.api_denied_actions.is_empty()
    }

    /// What is needed, in words, where no command is known.
    pub(super) fn described_only(&self, obstacle: &Obstacle) -> Vec<Fix> {
        let mut needed: Vec<String> = obstacle
            .blockers
            .iter()
            .filter_map(|b| b.needed.as_ref())
            .map(Needed::to_string)
            .collect();
        needed.dedup();
        if needed.is_empty() {
            return Vec::new();
        }
        let summary = format!("Needed: {}.", needed.join("; "));
        vec![Fix { summary, commands: Vec::new(), change: None, template: None }]
    }

    /// An interface endpoint of its own in the function's subnets, with what
    /// else it takes to get there.
    pub(super) fn create_endpoint(&self) -> Option<Fix> {
        let vpc = self.vpc()?;
        let (service, name) = self.service()?;
        let rival = |one: &crate::evidence::VpcEndpoint| {
            one.vpc_id.as_deref() == Some(vpc)
                && one.service_name.as_deref() == Some(&name)
                && one.private_dns_enabled == Some(true)
                && !one.state.as_deref().is_some_and(is_over)
        };
        // Two endpoints cannot both have the private name.
        if self.evidence.vpc_endpoints.known().is_some_and(|all| all.iter().any(rival)) {
            return None;
        }
        let group = self.groups().first()?;
        let mut changes = self.dns_attributes(vpc);
        changes.push(NetworkChange::CreateEndpoint {
            vpc: vpc.to_owned(),
            service: name,
            subnets: self.one_in_each_zone(),
            groups: vec![group.clone()],
        });
        let filters = |one: &Blocker| matches!(one.layer, Layer::SecurityGroup | Layer::Nacl);
        let (mut changes, _) = self.complete(changes, filters);
        // The endpoint comes last: from then on the name resolves to it in the whole VPC.
        changes.sort_by_key(|change| matches!(change, NetworkChange::CreateEndpoint { .. }));
        Some(self.fix(
            format!(
                "Create an interface endpoint for {service} in the function's subnets. Its private \
                 DNS holds for all of {vpc}: whatever else there calls {service} must be admitted \
                 by its group too."
            ),
            changes,
        ))
    }

    /// The default route of the function's subnets to another NAT gateway that
    /// works.
    pub(super) fn use_nat(&self) -> Option<Fix> {
        let vpc = self.vpc()?;
        let gateways = self.evidence.nat_gateways.known()?;
        let mut ids: Vec<&str> = gateways
            .iter()
            .filter(|nat| nat.vpc_id.as_deref() == Some(vpc))
            .filter(|nat| nat.state.as_deref() == Some("available"))
            .filter(|nat| nat.connectivity_type.as_deref() != Some("private"))
            .filter_map(|nat| nat.nat_gateway_id.as_deref())
            .collect();
        ids.sort();
        // The function's own tables: the first route of each path.
        let tables: BTreeSet<&str> = self
            .answer
            .paths
            .iter()
            .filter(|path| path.verdict != Verdict::Reachable)
            .filter_map(|path| path.hops.iter().find(|hop| hop.kind == network::HopKind::Route))
            .map(|hop| hop.resource.as_str())
            .filter(|id| id.starts_with("rtb-"))
            .collect();
        ids.into_iter().find_map(|nat| {
            let changes: Vec<NetworkChange> = tables
                .iter()
                .map(|table| NetworkChange::SetRoute {
                    table: (*table).to_owned(),
                    destination: "0.0.0.0/0".to_owned(),
                    target: nat.to_owned(),
                })
                .collect();
            let opens = !changes.is_empty() && self.after(&changes).1.verdict == Verdict::Reachable;
            opens.then(|| {
                self.fix(
                    format!("Point the subnets' default route at {nat}, which works."),
                    changes,
                )
            })
        })
    }

    /// Other subnets of the function's VPC from which the path is open.
    pub(super) fn move_function(&self) -> Option<Fix> {
        let vpc = self.vpc()?;
        let all = self.evidence.subnets.known()?;
        let mut others: Vec<&Subnet> = all
            .iter()
            .filter(|subnet| subnet.vpc_id.as_deref() == Some(vpc))
            .filter(|subnet| {
                subnet.subnet_id.as_ref().is_some_and(|id| !self.subnets().contains(id))
            })
            .collect();
        others.sort_by_key(|subnet| &subnet.subnet_id);
        let mut zones = BTreeSet::new();
        let mut found = Vec::new();
        for subnet in others.into_iter().take(SUBNETS_TRIED) {
            let Some(id) = subnet.subnet_id.as_ref() else { continue };
            let change = self.in_subnets(vpc, vec![id.clone()]);
            if self.after(&[change]).1.verdict == Verdict::Reachable
                && zones.insert(subnet.availability_zone.as_deref())
            {
                found.push(id.clone());
            }
            if found.len() == SUBNETS_WANTED {
                break;
            }
        }
        if found.is_empty() {
            return None;
        }
        let summary = format!(
            "Move {} to subnets that have a route out. Rules that admit it by the addresses of its subnets \
             must name the new ones.",
            self.function_name()
        );
        Some(self.fix(summary, vec![self.in_subnets(vpc, found)]))
    }

    fn in_subnets(&self, vpc: &str, subnets: Vec<String>) -> NetworkChange {
        let groups = self.groups().to_vec();
        NetworkChange::SetVpcConfig { vpc: vpc.to_owned(), subnets, groups }
    }

    /// Changes that were decided on already, as a fix.
    pub(super) fn fix_with(&self, summary: impl Into<String>, changes: Vec<NetworkChange>) -> Fix {
        self.fix(summary, changes)
    }

    /// The DNS attributes of a VPC that are off and that private names need.
    pub(super) fn dns_attributes(&self, vpc: &str) -> Vec<NetworkChange> {
        let all = self.evidence.vpc_attributes.known();
        let Some(seen) = all.and_then(|all| all.get(vpc)) else { return Vec::new() };
        let off = |attribute: &Option<crate::evidence::BooleanAttribute>| {
            attribute.as_ref().and_then(|a| a.value) == Some(false)
        };
        [
            ("enableDnsSupport", off(&seen.enable_dns_support)),
            ("enableDnsHostnames", off(&seen.enable_dns_hostnames)),
        ]
        .into_iter()
        .filter(|(_, off)| *off)
        .map(|(attribute, _)| NetworkChange::SetVpcDnsAttribute {
            vpc: vpc.to_owned(),
            attribute: attribute.to_owned(),
        })
        .collect()
    }

    /// The service as its host names it, and its name among endpoints.
    fn service(&self) -> Option<(String, String)> {
        let Target::AwsApi { service, host, .. } = &self.question.target else { return None };
        let mut labels = host.split('.');
        let (first, region, next) = (labels.next()?, labels.next()?, labels.next()?);
        let plain = first == service || first.strip_suffix("-fips") == Some(service);
        (plain && next == "amazonaws")
            .then(|| (first.to_owned(), partitions::endpoint_service(region, first)))
    }

    /// The function's subnets, one in each zone: an endpoint takes no more.
    fn one_in_each_zone(&self) -> Vec<String> {
        let seen = self.evidence.subnets.known();
        let zone = |id: &String| {
            let subnet = seen?.iter().find(|one| one.subnet_id.as_ref() == Some(id))?;
            subnet.availability_zone.clone()
        };
        let mut zones = BTreeSet::new();
        let mut all: Vec<&String> = self.subnets().iter().collect();
        all.sort();
        all.dedup();
        all.into_iter()
            .filter(|id| zone(id).is_none_or(|zone| zones.insert(zone)))
            .cloned()
            .collect()
    }
}

/// The states of an endpoint that comes into service no more.
fn is_over(state: &str) -> bool {
    ["rejected", "failed", "expired", "deleting", "deleted"]
        .iter()
        .any(|one| state.eq_ignore_ascii_case(one))
}
