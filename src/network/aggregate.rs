//! From paths to one verdict: walks every path and says how their outcomes
//! belong together.

use std::{cell::RefCell, collections::BTreeSet};

use super::{
    Blocker, Layer, Missing, Needed, Path, Phase, PublicDns, Target, UnusedEndpoint, Verdict, Via,
    inbound,
    outcome::{Outcome, either, every, one_of},
    place::{Kind, Place},
    resolver::{Answer, Resolver},
    source::{self, Function, Sources},
    view::{View, text},
    walk,
};

/// The whole judgement.
pub(super) struct Judged {
    pub(super) outcome: Outcome,
    pub(super) via: Via,
    pub(super) endpoints: Vec<String>,
    /// False where another possible answer to the name leads elsewhere.
    pub(super) certain: bool,
    pub(super) unused: Vec<UnusedEndpoint>,
    pub(super) notes: Vec<String>,
}

/// Judges a target.
pub(super) fn judge(view: &View<'_>, target: &Target, dns: &PublicDns) -> Judged {
    let function = match source::function(view) {
        Ok(function) => function,
        Err(missing) => {
            let outcome = Outcome::unknown(vec![missing]);
            return Judged {
                outcome,
                via: Via::None,
                endpoints: Vec::new(),
                certain: false,
                unused: Vec::new(),
                notes: Vec::new(),
            };
        }
    };
    let resolver = Resolver {
        view,
        vpc: function.vpc(),
        target,
        dns,
        groups: function.groups(),
        doubts: RefCell::default(),
        remarks: RefCell::default(),
    };
    let resolution = resolver.resolve();
    let mut notes = Vec::new();
    let mut endpoints = BTreeSet::new();
    let mut outcomes = Vec::new();
    for (label, answer) in &resolution.answers {
        notes.push(note(target.host(), label, answer));
        if let Answer::Places(places) = answer {
            endpoints.extend(places.iter().flat_map(|p| &p.candidates).filter_map(
                |c| match c.kind {
                    Kind::Endpoint(endpoint) => Some(text(&endpoint.vpc_endpoint_id).to_owned()),
                    _ => None,
                },
            ));
        }
        outcomes.push(one_answer(view, &function, target, answer));
    }
    let outcome = one_of(outcomes, &resolution.doubts);
    notes.extend(resolution.remarks);
    if outcome.verdict != Verdict::Reachable {
        notes.extend(ipv6_unused(view, &function, &resolution.answers));
    }
    notes.extend(resolution.unused.iter().map(|unused| unused.text.clone()));
    notes.extend(resolution.others);
    notes.extend(resolution.doubts.iter().map(|doubt| doubt.reason.clone()));
    let best = outcome.paths.iter().map(|path| path.verdict).min();
    let ways: BTreeSet<Via> = outcome
        .paths
        .iter()
        .filter(|path| Some(path.verdict) == best && path.via != Via::None)
        .map(|path| path.via)
        .collect();
    let via = ways.first().copied().filter(|_| ways.len() == 1).unwrap_or(Via::None);
    Judged {
        outcome,
        via,
        endpoints: endpoints.into_iter().collect(),
        certain: resolution.answers.len() == 1,
        unused: resolution.unused,
        notes,
    }
}

/// Why an IPv6 address of the target does not help, where the function's
/// subnets have IPv6.
fn ipv6_unused(
    view: &View<'_>,
    function: &Function<'_>,
    answers: &[(String, Answer<'_>)],
) -> Option<String> {
    let config = function.config.filter(|c| c.ipv6_allowed_for_dual_stack != Some(true))?;
    let mut subnets = config.subnet_ids.iter().filter_map(|id| view.subnet(id).ok());
    let dual_stack = subnets.any(|s| View::subnet_blocks(s).iter().any(|b| b.addr().is_ipv6()));
    let mut places = answers.iter().filter_map(|(_, answer)| match answer {
        Answer::Places(places) => Some(places),
        _ => None,
    });
    let offered = places.any(|places| places.iter().any(|p| !p.is_ipv4() && !p.doubtful));
    let name = function.name;
    (dual_stack && offered).then(|| {
        format!(
            "{name} does not use IPv6 (Ipv6AllowedForDualStack is off), though its subnets have it"
        )
    })
}

/// What the name means, in a line.
fn note(host: &str, label: &str, answer: &Answer<'_>) -> String {
    match answer {
        Answer::Places(places) => {
            let mut targets: Vec<String> = places
                .iter()
                .map(|place| match place.candidates.as_slice() {
                    [one] if one.name == host => one.address.to_string(),
                    [one] => format!("{} ({})", one.address, one.name),
                    _ => "an address that was not seen".to_owned(),
                })
                .collect();
            targets.sort();
            targets.dedup();
            format!("{host} is {} ({label})", targets.join(", "))
        }
        Answer::NoAddress { text, .. } | Answer::Unusable { text, .. } => text.clone(),
        Answer::Unseen(missing) => format!("{host}: not seen: {missing}"),
    }
}

fn one_answer(
    view: &View<'_>,
    function: &Function<'_>,
    target: &Target,
    answer: &Answer<'_>,
) -> Outcome {
    match answer {
        Answer::Unseen(missing) => Outcome::unknown(vec![missing.clone()]),
        Answer::NoAddress { resource, text, needed } => {
            Outcome::blocked(vec![by_name(resource, text, needed.clone())])
        }
        Answer::Unusable { endpoint, text } => unusable(view, function, endpoint, text),
        Answer::Places(places) => match function.config {
            None => outside(view, function, target.port(), places),
            Some(config) => {
                let mut ids: Vec<&String> = config.subnet_ids.iter().collect();
                ids.sort();
                ids.dedup();
                let mut groups: BTreeSet<&str> = view.device_groups();
                let candidates = places.iter().flat_map(|place| &place.candidates);
                groups.extend(candidates.filter_map(|c| c.groups.as_ref().ok()).flatten());
                let cuts = view.cuts(&groups);
                let all = ids.into_iter().map(|id| {
                    let outcome = match source::sources(view, function, id, &cuts) {
                        Ok(sources) => from_subnet(view, &sources, target, places),
                        Err(missing) => Outcome::unknown(vec![missing]),
                    };
                    (id.clone(), outcome)
                });
                every(all.collect())
            }
        },
    }
}

fn by_name(resource: &str, text: &str, needed: Option<Needed>) -> Blocker {
    Blocker {
        layer: Layer::Dns,
        resource: resource.to_owned(),
        direction: None,
        phase: Phase::Forward,
        partial: false,
        text: text.to_owned(),
        needed,
    }
}

/// The name leads to an endpoint that does not serve: for the function there is
/// no way, and its route tables are where a way would begin.
fn unusable(view: &View<'_>, function: &Function<'_>, endpoint: &str, reason: &str) -> Outcome {
    let subnets = function.config.into_iter().flat_map(|config| &config.subnet_ids);
    let outcomes = subnets.map(|id| {
        let table = view.subnet(id).and_then(|subnet| view.table(subnet));
        let outcome = match table {
            Err(missing) => Outcome::unknown(vec![missing]),
            Ok((table, _)) => Outcome::blocked(vec![Blocker {
                layer: Layer::Route,
                resource: text(&table.route_table_id).to_owned(),
                direction: None,
                phase: Phase::Forward,
                partial: false,
                text: reason.to_owned(),
                needed: Needed::setting(format!("{endpoint} in service, or another way out")),
            }]),
        };
        (id.clone(), outcome)
    });
    let outcomes: Vec<_> = outcomes.collect();
    if outcomes.is_empty() {
        return Outcome::blocked(vec![by_name(endpoint, reason, None)]);
    }
    every(outcomes)
}

fn from_subnet(
    view: &View<'_>,
    sources: &Sources<'_>,
    target: &Target,
    places: &[Place<'_>],
) -> Outcome {
    let mut families = Vec::new();
    for is_v4 in [true, false] {
        let from: Vec<_> = sources.addresses.iter().filter(|a| a.is_ipv4() == is_v4).collect();
        let to: Vec<_> = places.iter().filter(|place| place.is_ipv4() == is_v4).collect();
        if from.is_empty() || to.is_empty() {
            continue;
        }
        let outcomes: Vec<(String, Outcome)> = from
            .into_iter()
            .map(|&source| {
                let walk = |to: &_| walk::walk(view, &sources.origin, source, to, target.port());
                (source.to_string(), to_places(&to, walk))
            })
            .collect();
        families.push(match &sources.unseen {
            None => every(outcomes),
            Some(missing) => {
                let outcomes = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
                one_of(outcomes, std::slice::from_ref(missing))
            }
        });
    }
    if families.is_empty() {
        let words = format!(
            "{} has no address of a family that the function uses in {}",
            target.host(),
            sources.origin.subnet_id(),
        );
        return Outcome::blocked(vec![by_name(sources.origin.vpc, &words, None)]);
    }
    either(families)
}

fn to_places<'a, 'p>(
    places: &[&'p Place<'a>],
    walk: impl Fn(&'p super::place::Destination<'a>) -> Path,
) -> Outcome {
    let outcomes = places.iter().map(|place| {
        let candidates: Vec<Outcome> =
            place.candidates.iter().map(|candidate| Outcome::of(walk(candidate))).collect();
        let name = place.candidates.first().map_or(String::new(), |first| {
            if place.candidates.len() == 1 {
                let subnet = first.subnet_id().map(|id| format!(" in {id}")).unwrap_or_default();
                format!("{} ({}{subnet})", first.address, first.name)
            } else {
                first.name.clone()
            }
        });
        let mut outcome = one_of(candidates, place.unseen.as_slice());
        if place.doubtful && outcome.verdict != Verdict::Blocked {
            outcome.verdict = Verdict::Unknown;
            outcome.blockers.clear();
            outcome.missing.extend(place.unseen.clone());
        }
        (name, outcome)
    });
    every(outcomes.collect())
}

/// The paths of a function without a VPC.
fn outside(view: &View<'_>, function: &Function<'_>, port: u16, places: &[Place<'_>]) -> Outcome {
    let unseen = Missing {
        fact: crate::evidence::Fact::Function,
        action: String::new(),
        resource: function.name.to_owned(),
        reason: "the addresses of a function without a VPC are not known".to_owned(),
    };
    let mut families = Vec::new();
    for is_v4 in [true, false] {
        // Lambda's own network sends IPv4 for functions without a VPC.
        let to: Vec<_> = places.iter().filter(|place| place.is_ipv4() == is_v4).collect();
        if to.is_empty() || (!is_v4 && !families.is_empty()) {
            continue;
        }
        let outcomes = to.into_iter().map(|place| {
            let candidates = place.candidates.iter().map(|to| {
                let from = source::lambda_addresses(view, to, port).into_iter();
                let paths = from.map(|a| inbound::without_vpc(view, function.name, a, to, port));
                one_of(paths.map(Outcome::of).collect(), std::slice::from_ref(&unseen))
            });
            let name = place.candidates.first().map_or(String::new(), |c| c.address.to_string());
            (name, one_of(candidates.collect(), place.unseen.as_slice()))
        });
        families.push(every(outcomes.collect()));
    }
    either(families)
}
