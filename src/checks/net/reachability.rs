//! What the checks on a path share: the question put to the path engine, what
//! blocks sorted by code, and findings with the hops in them.

use crate::{
    aws::commands::Command,
    catalogue::Severity,
    checks::{
        Basis, BlockedPath, Case, Change, Finding, Missing, NetworkChange, Stop,
        commands::{publish, rotate},
        run::function::{name_of, resource_of},
    },
    evidence::{Evidence, Fact, Function, Observed},
    network::{self, Answer, Blocker, Hop, Layer, Path, PublicDns, Question, Verdict},
    policy::EndpointPolicies,
    rotation_log::AttemptOutcome,
};

/// The facts of the path engine and some more.
pub(super) const fn with_network_facts<const N: usize>(more: &[Fact]) -> [Fact; N] {
    let own = network::FACTS;
    assert!(own.len() + more.len() == N, "the length is that of both lists");
    let mut all = [Fact::Function; N];
    let mut index = 0;
    while index < N {
        all[index] = if index < own.len() { own[index] } else { more[index - own.len()] };
        index += 1;
    }
    all
}

/// How many paths a finding quotes.
const PATHS_QUOTED: usize = 3;
/// How many places that fail a sentence names.
const FAILING_NAMED: usize = 4;

/// A question that was put to the engine, and its answer.
pub(super) struct Reachability<'c> {
    pub(super) evidence: &'c Evidence,
    pub(super) function: &'c Function,
    pub(super) question: Question,
    pub(super) answer: Answer,
    /// What the findings rest on.
    pub(super) basis: Basis,
    /// What the function wants to reach, as a sentence names it.
    pub(super) target: String,
    rotate: Command,
    zones_assumed_away: bool,
    /// Whether that was assumed because they could not be seen.
    zones_refused: bool,
}

/// Blockers that are one fault.
#[derive(Clone, Debug)]
pub(super) struct Obstacle {
    pub(super) code: &'static str,
    pub(super) layer: Layer,
    pub(super) blockers: Vec<Blocker>,
}

impl Obstacle {
    /// The ids of the elements, each once.
    pub(super) fn resources(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self.blockers.iter().map(|b| b.resource.as_str()).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// The elements and why each blocks, in words.
    pub(super) fn words(&self) -> String {
        let all = self.blockers.iter().map(|one| {
            let reply = if one.phase == network::Phase::Return { " (the reply)" } else { "" };
            let direction = one.direction.map(|d| format!(" {}", d.name())).unwrap_or_default();
            format!("{}{direction}{reply}: {}", one.resource, one.text)
        });
        all.collect::<Vec<_>>().join("; ")
    }
}

impl<'c> Reachability<'c> {
    /// Puts the question.
    ///
    /// # Errors
    /// Inconclusive where a fact that would decide was not seen.
    pub(super) fn of(
        case: &'c Case<'_>,
        function: &'c Function,
        question: Question,
        target: &str,
    ) -> Result<Self, Stop> {
        Self::asked(case, function, question, target).decided()
    }

    /// Puts the question; the answer may be `Unknown`.
    pub(super) fn asked(
        case: &'c Case<'_>,
        function: &'c Function,
        question: Question,
        target: &str,
    ) -> Self {
        let evidence = case.network();
        let answer = ask(evidence, &question);
        // A path that is blocked whatever Route 53 may say is worth reporting, with less than
        // certainty. That a path is open is not known then.
        let closed = (answer.verdict == Verdict::Unknown && answer.blockers.is_empty())
            .then(|| case.network_without_zones())
            .flatten()
            .map(|evidence| (evidence, ask(evidence, &question)))
            .filter(|(_, answer)| answer.verdict == Verdict::Blocked);
        let zones_refused = closed.is_some();
        let (evidence, answer) = closed.unwrap_or((evidence, answer));
        Self {
            evidence,
            function,
            question,
            answer,
            basis: if zones_refused { Basis::Indication } else { Basis::State },
            zones_refused,
            target: target.to_owned(),
            rotate: rotate(case),
            zones_assumed_away: case.zones_assumed_away(),
        }
    }

    /// Goes on only with an answer. What blocks one subnet or address for certain
    /// is one, whatever was not seen of the others.
    ///
    /// # Errors
    /// Inconclusive where a fact that would decide was not seen.
    pub(super) fn decided(self) -> Result<Self, Stop> {
        match self.answer.verdict {
            Verdict::Unknown if self.answer.blockers.is_empty() => {
                Err(Stop::Inconclusive(missing(self.evidence, &self.answer)))
            }
            _ => Ok(self),
        }
    }

    /// What blocks, sorted by the code that `code_of` finds for each element.
    pub(super) fn obstacles(&self, code_of: impl Fn(&Blocker) -> &'static str) -> Vec<Obstacle> {
        let mut all: Vec<Obstacle> = Vec::new();
        for blocker in &self.answer.blockers {
            let code = code_of(blocker);
            match all.iter_mut().find(|o| o.code == code && o.layer == blocker.layer) {
                Some(known) => known.blockers.push(blocker.clone()),
                None => all.push(Obstacle {
                    code,
                    layer: blocker.layer,
                    blockers: vec![blocker.clone()],
                }),
            }
        }
        all.sort_by_key(|obstacle| obstacle.code);
        all
    }

    /// A finding about an obstacle: how bad, the hops, the proofs. Without
    /// fixes.
    pub(super) fn finding(
        &self,
        obstacle: &Obstacle,
        resource: impl Into<String>,
        summary: &str,
    ) -> Finding {
        let sometimes = matches!(self.answer.verdict, Verdict::Intermittent | Verdict::Unknown)
            || obstacle.blockers.iter().all(|blocker| blocker.partial);
        let mut finding =
            Finding::new(obstacle.code, resource, self.sentence(summary, sometimes)).on(self.basis);
        if sometimes {
            finding = finding.severity(Severity::Warning);
        }
        for blocker in &obstacle.blockers {
            let text = format!("{}: {}", blocker.resource, blocker.text);
            let known = finding.proofs.iter().any(|proof| proof.text == text);
            if !known {
                finding = finding.fact(source(blocker.layer), text);
            }
        }
        let stops = |path: &&Path| {
            path.blockers.iter().any(|one| {
                obstacle.blockers.iter().any(|b| {
                    (b.layer, &b.resource, b.direction, b.phase)
                        == (one.layer, &one.resource, one.direction, one.phase)
                })
            })
        };
        self.with_paths(finding, stops).confirm(self.rotate())
    }

    /// Adds the paths that `stops` picks: the first as hops, all as proofs.
    fn with_paths(&self, finding: Finding, stops: impl Fn(&&Path) -> bool) -> Finding {
        let mut paths: Vec<&Path> = self.answer.paths.iter().filter(stops).collect();
        // What never passes shows more than what passes now and then.
        paths.sort_by_key(|path| path.verdict != Verdict::Blocked);
        let mut finding = finding.along(paths.first().map(|path| BlockedPath {
            subnet: path.subnet.clone(),
            block: path.subnet.as_deref().and_then(|id| self.block_of(id)),
            hops: path.hops.clone(),
        }));
        for path in paths.into_iter().take(PATHS_QUOTED) {
            let from = path.subnet.as_deref().unwrap_or("Lambda's own network");
            finding = finding.fact(format!("path from {from}"), hop_lines(&path.hops));
        }
        self.with_resolution_notes(finding)
    }

    /// Adds what the name means.
    pub(super) fn with_resolution_notes(&self, finding: Finding) -> Finding {
        let mut notes = self.answer.notes.clone();
        if self.zones_assumed_away && self.vpc().is_some() {
            notes.push("private hosted zones and resolver rules were not looked at".to_owned());
        }
        if self.zones_refused {
            let note = "private hosted zones and resolver rules could not be seen: taken as none";
            notes.push(note.to_owned());
        }
        if notes.is_empty() {
            return finding;
        }
        finding.fact("name resolution", notes.join("\n"))
    }

    fn sentence(&self, summary: &str, sometimes: bool) -> String {
        let failing = &self.answer.failing;
        if !sometimes {
            return summary.to_owned();
        }
        if failing.is_empty() && self.answer.verdict == Verdict::Unknown {
            return format!("{summary} Whether others pass was not seen.");
        }
        if failing.is_empty() {
            return format!("{summary} Some connections pass, others do not.");
        }
        let named = failing[..failing.len().min(FAILING_NAMED)].join(", ");
        let more = failing.len().saturating_sub(FAILING_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        if self.answer.verdict == Verdict::Unknown {
            return format!("{summary} That is {named}{more}; of the rest not enough was seen.");
        }
        format!("{summary} Only some connections fail: {named}{more}.")
    }

    /// The command that tries it out.
    pub(super) fn rotate(&self) -> Command {
        self.rotate.clone()
    }

    /// Name of the function.
    pub(super) fn function_name(&self) -> &'c str {
        name_of(self.function)
    }

    /// The function as the resource of a finding.
    pub(super) fn function_resource(&self) -> String {
        resource_of(self.function)
    }

    /// The function's subnets.
    pub(super) fn subnets(&self) -> &'c [String] {
        self.function.configuration.vpc_config.as_ref().map_or(&[], |config| &config.subnet_ids)
    }

    /// The function's groups.
    pub(super) fn groups(&self) -> &'c [String] {
        let config = self.function.configuration.vpc_config.as_ref();
        config.map_or(&[], |config| &config.security_group_ids)
    }

    /// The function's VPC; none for a function without one.
    pub(super) fn vpc(&self) -> Option<&'c str> {
        let config = self.function.configuration.vpc_config.as_ref();
        config.filter(|config| !config.subnet_ids.is_empty())?.vpc_id.as_deref()
    }

    fn block_of(&self, subnet: &str) -> Option<String> {
        let all = self.evidence.subnets.known()?;
        all.iter().find(|one| one.subnet_id.as_deref() == Some(subnet))?.cidr_block.clone()
    }
}

/// Findings whose fixes that move the function say what it takes where the
/// secret names an alias or a version.
pub(super) fn published(case: &Case<'_>, mut findings: Vec<Finding>) -> Vec<Finding> {
    for fix in findings.iter_mut().flat_map(|finding| &mut finding.fixes) {
        let Some(Change::Network(changes)) = &fix.change else { continue };
        if changes.iter().any(|one| matches!(one, NetworkChange::SetVpcConfig { .. })) {
            publish(case, fix);
        }
    }
    findings
}

/// Puts a question to the path engine. Endpoint policies are read by the policy
/// engine, which knows the role, its tags and the secret.
pub(super) fn ask(evidence: &Evidence, question: &Question) -> Answer {
    let policies = EndpointPolicies::new(evidence);
    network::judge_with(evidence, question, &PublicDns::default(), &policies)
}

/// What was not seen and would decide, as checks say it.
fn missing(evidence: &Evidence, answer: &Answer) -> Vec<Missing> {
    let mut all: Vec<Missing> = answer
        .missing
        .iter()
        .map(|one| {
            let mut missing = Missing {
                fact: one.fact,
                action: one.action.clone(),
                resource: one.resource.clone(),
                reason: one.reason.clone(),
            };
            match evidence.state(one.fact) {
                // All of the fact is wanting, not the one id that came first.
                Observed::NotAsked if !one.action.is_empty() => {
                    missing.resource.clear();
                    missing.reason = "not asked for".to_owned();
                }
                // It was asked, and did not hold the answer.
                Observed::Known(()) | Observed::Absent
                    if evidence.gap(one.fact, None).is_none()
                        && one.fact.actions().contains(&one.action.as_str())
                        && one.reason != "not seen" =>
                {
                    missing.action.clear();
                }
                _ => {}
            }
            missing
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

/// The call that shows an element of this kind.
fn source(layer: Layer) -> &'static str {
    match layer {
        Layer::Dns => "name resolution",
        Layer::LambdaVpcConfig => "GetFunction",
        Layer::SecurityGroup => "DescribeSecurityGroups",
        Layer::Nacl => "DescribeNetworkAcls",
        Layer::Route => "DescribeRouteTables",
        Layer::InternetGateway => "DescribeInternetGateways",
        Layer::NatGateway => "DescribeNatGateways",
        Layer::NatInstance => "DescribeNetworkInterfaces",
        Layer::Peering => "DescribeVpcPeeringConnections",
        Layer::TransitGateway => "DescribeTransitGateways",
        Layer::BlockPublicAccess => "DescribeVpcBlockPublicAccessOptions",
    }
}

/// One line for each hop, in columns.
fn hop_lines(hops: &[Hop]) -> String {
    let width = hops.iter().map(|hop| hop.resource.chars().count()).max().unwrap_or_default();
    let lines = hops.iter().map(|hop| {
        let (mark, kind) = (hop.outcome.mark(), hop.kind.word());
        format!("{mark:<7} {kind:<10} {:<width$}  {}", hop.resource, hop.text)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether the last failed attempt proves, in the words of the table of log
/// texts, that something worked.
pub(super) fn proved_by_log(case: &Case<'_>, what: &str) -> bool {
    let log = case.log();
    let Some(log) = log.if_known() else { return false };
    let last = log.attempts.iter().rev().find(|one| one.outcome == AttemptOutcome::Failed);
    last.is_some_and(|attempt| {
        let hits = log.runs(attempt).flat_map(|run| &run.hits);
        hits.flat_map(|hit| &hit.text.proves).any(|word| word == what)
    })
}
