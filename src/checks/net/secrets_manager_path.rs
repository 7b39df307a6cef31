//! NET01 to NET08, CFN03: the function's path to Secrets Manager.

use std::collections::BTreeSet;

use super::{
    endpoint_policy::{policy, undecided},
    reachability::{Obstacle, Reachability, proved_by_log, published, with_network_facts},
};
use crate::{
    aws::commands::Command,
    checks::{
        Basis, Case, Check, Finding, Fix, Judgement, NetworkChange, Stop,
        db::secret_database::{SecretDatabase, secret_database},
        run::function::rotation_function,
    },
    evidence::{Fact, VpcEndpoint},
    network::{self, Blocker, Direction, Layer, Question, Unused, UnusedEndpoint, Verdict},
};

/// What is read beside the facts of the path engine.
const MORE: [Fact; 6] = [
    Fact::Secret,
    Fact::SecretShape,
    Fact::SuperuserSecret,
    Fact::StackResources,
    Fact::Stack,
    Fact::LogEvents,
];
static FACTS: [Fact; network::FACTS.len() + MORE.len()] = with_network_facts(&MORE);

pub(super) static CHECK: Check = Check {
    name: "secrets-manager-path",
    question: "Can the function reach Secrets Manager, from each of its subnets?",
    codes: &["NET01", "NET02", "NET03", "NET04", "NET05", "NET06", "NET07", "NET08", "CFN03"],
    facts: &FACTS,
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    // Out of it comes the ARN that an endpoint's policy must allow too.
    case.superuser_secret();
    let question = Question::secrets_manager(case.network()).ok_or_else(|| {
        Stop::not_applicable("neither the region nor the function's endpoint is known")
    })?;
    let mut reach = Reachability::of(case, function, question, "Secrets Manager")?;
    if proved_by_log(case, "secretsmanager-reachable") {
        // The last failed attempt got through; what is wrong now came later, or
        // fails now and then.
        reach.basis = Basis::Indication;
    }
    match reach.answer.verdict {
        Verdict::Reachable if !reach.answer.api_denied_actions.is_empty() => {
            Ok(vec![policy(&reach)])
        }
        Verdict::Reachable => undecided(&reach),
        _ => Ok(published(case, blocked(case, &reach))),
    }
}

fn blocked(case: &Case<'_>, reach: &Reachability<'_>) -> Vec<Finding> {
    let endpoint = reach.answer.unused_endpoints.as_slice();
    let mut obstacles = reach.obstacles(|blocker| code_of(reach, blocker));
    let mut findings = Vec::new();
    // An endpoint that exists and is not used is closer to a path than a gateway
    // that does not exist.
    if let Some(unused) = UnusableEndpoint::of(reach, endpoint) {
        let (out, rest) =
            obstacles.into_iter().partition(|one| matches!(one.code, "NET01" | "NET02" | "NET06"));
        obstacles = rest;
        findings.extend(unused.finding(reach, out));
    }
    findings.extend(obstacles.iter().map(|obstacle| found(reach, obstacle)));
    if !reach.answer.api_denied_actions.is_empty() {
        findings.push(policy(reach));
    }
    findings.extend(placed_by_stack(case, reach, &findings));
    findings
}

/// The code of an element that blocks.
fn code_of(reach: &Reachability<'_>, blocker: &Blocker) -> &'static str {
    match (blocker.layer, blocker.direction) {
        (Layer::SecurityGroup, Some(Direction::Egress))
            if reach.groups().contains(&blocker.resource) =>
        {
            "NET04"
        }
        (Layer::SecurityGroup, Some(Direction::Ingress))
            if endpoints(reach).any(|one| has_group(one, &blocker.resource)) =>
        {
            "NET03"
        }
        (Layer::Nacl, _) => "NET05",
        (Layer::Dns, _) => "NET06",
        (Layer::InternetGateway, _) if blocker.resource.starts_with("igw-") => "NET02",
        _ => "NET01",
    }
}

/// The endpoints on the path.
fn endpoints<'w>(reach: &'w Reachability<'_>) -> impl Iterator<Item = &'w VpcEndpoint> {
    let all = reach.evidence.vpc_endpoints.known().into_iter().flatten();
    all.filter(|one| {
        one.vpc_endpoint_id.as_ref().is_some_and(|id| reach.answer.endpoints.contains(id))
    })
}

fn has_group(endpoint: &VpcEndpoint, group: &str) -> bool {
    endpoint.groups.iter().any(|one| one.group_id.as_deref() == Some(group))
}

fn found(reach: &Reachability<'_>, obstacle: &Obstacle) -> Finding {
    let name = reach.function_name();
    let ids = obstacle.resources();
    let listed = ids.join(", ");
    let target = &reach.target;
    let port = reach.question.target.port();
    let first = ids.first().copied().unwrap_or(name).to_owned();
    let words = obstacle.words();
    let summary = match obstacle.code {
        "NET03" => {
            let of: Vec<&str> = endpoints(reach)
                .filter(|one| ids.iter().any(|id| has_group(one, id)))
                .filter_map(|one| one.vpc_endpoint_id.as_deref())
                .collect();
            format!(
                "{name} cannot reach {target}: no rule of {listed} (endpoint {}) admits TCP {port} \
                 from {}.",
                of.join(", "),
                reach.groups().join(", "),
            )
        }
        "NET04" => format!(
            "{name} cannot reach {target}: no egress rule of {listed} lets TCP {port} out to it."
        ),
        "NET05" => format!("Network ACLs block the path of {name} to {target}: {words}."),
        "NET06" => format!("{name} finds no address for {}: {words}.", reach.answer.host),
        "NET02" => format!(
            "{name} cannot reach {target}: its subnets are public ({listed} is their route out), and a \
             function's interface never has a public address. There is no endpoint that would serve \
             instead."
        ),
        _ if obstacle.layer == Layer::Route => format!(
            "{name} has no route out to {target}: {words}. Its VPC {} has no endpoint for it either.",
            reach.vpc().unwrap_or_default()
        ),
        _ => format!("The path of {name} to {target} ends at {words}."),
    };
    let resource = match obstacle.code {
        "NET01" if obstacle.layer == Layer::Route && ids.len() > 1 => reach.function_resource(),
        _ => first,
    };
    let mut finding = reach.finding(obstacle, resource, &summary);
    finding.fixes = fixes(reach, obstacle);
    finding
}

fn fixes(reach: &Reachability<'_>, obstacle: &Obstacle) -> Vec<Fix> {
    let own = match (obstacle.code, obstacle.layer) {
        (_, Layer::SecurityGroup | Layer::Nacl) => return reach.admit(obstacle),
        ("NET06", _) => {
            let changes: Vec<NetworkChange> =
                obstacle.blockers.iter().flat_map(|b| reach.dns_attributes(&b.resource)).collect();
            if !changes.is_empty() {
                return vec![reach.fix_with("Switch the VPC's DNS attributes on.", changes)];
            }
            return reach.described_only(obstacle);
        }
        ("NET02", _) => vec![reach.move_function()],
        (_, Layer::Route | Layer::NatGateway) => {
            vec![reach.drop_dead_routes(obstacle), reach.use_nat()]
        }
        (_, Layer::NatInstance) => vec![reach.reroute(obstacle)],
        _ => Vec::new(),
    };
    let mut all: Vec<Fix> = own.into_iter().flatten().chain(reach.create_endpoint()).collect();
    if all.is_empty() {
        all = reach.described_only(obstacle);
    }
    all
}

/// An endpoint that exists and is not used, and why.
struct UnusableEndpoint<'w> {
    code: &'static str,
    endpoint: &'w str,
    reasons: Vec<&'w UnusedEndpoint>,
}

impl<'w> UnusableEndpoint<'w> {
    /// The endpoint that needs the smallest change to be used.
    fn of(reach: &Reachability<'_>, unused: &'w [UnusedEndpoint]) -> Option<Self> {
        let resolves_outside = reach
            .answer
            .blockers
            .iter()
            .any(|one| !matches!(one.layer, Layer::SecurityGroup | Layer::Nacl));
        if !resolves_outside {
            return None;
        }
        let ids: BTreeSet<&str> = unused.iter().map(|one| one.endpoint.as_str()).collect();
        let mut all: Vec<Self> = ids
            .into_iter()
            .map(|endpoint| {
                let reasons: Vec<_> = unused.iter().filter(|u| u.endpoint == endpoint).collect();
                let elsewhere = |one: &&UnusedEndpoint| {
                    matches!(one.reason, Unused::State | Unused::OtherVpc | Unused::OtherName)
                };
                let code = if reasons.iter().any(elsewhere) { "NET07" } else { "NET06" };
                Self { code, endpoint, reasons }
            })
            .collect();
        all.sort_by_key(|one| (one.code, one.reasons.len(), one.endpoint));
        all.into_iter().next()
    }

    fn finding(&self, reach: &Reachability<'_>, out: Vec<Obstacle>) -> Option<Finding> {
        let first = out.first()?.clone();
        let blockers: Vec<Blocker> = out.into_iter().flat_map(|one| one.blockers).collect();
        let without_endpoint = Obstacle { code: self.code, blockers, ..first };
        let why: Vec<&str> = self.reasons.iter().map(|one| one.text.as_str()).collect();
        let summary = format!(
            "{} cannot reach {}: {}. Without it there is no path: {}.",
            reach.function_name(),
            reach.target,
            why.join("; "),
            without_endpoint.words()
        );
        let mut finding = reach.finding(&without_endpoint, self.endpoint, &summary);
        for one in &self.reasons {
            finding = finding.fact("DescribeVpcEndpoints", one.text.clone());
        }
        finding.fixes = self.fixes(reach);
        Some(
            finding.confirm(
                self.describe("VpcEndpoints[].[VpcId,ServiceName,State,PrivateDnsEnabled]"),
            ),
        )
    }

    fn describe(&self, query: &'static str) -> Command {
        Command::aws("ec2", "describe-vpc-endpoints")
            .options("--vpc-endpoint-ids", [self.endpoint])
            .option("--query", query)
    }

    fn fixes(&self, reach: &Reachability<'_>) -> Vec<Fix> {
        if self.code == "NET06" {
            let mut changes = reach.vpc().map(|vpc| reach.dns_attributes(vpc)).unwrap_or_default();
            if self.reasons.iter().any(|one| one.reason == Unused::PrivateDnsOff) {
                let endpoint = self.endpoint.to_owned();
                changes.push(NetworkChange::EnablePrivateDns { endpoint });
            }
            let summary = format!(
                "Let the name resolve to {}. That holds for all of its VPC: whatever else there calls \
                 the service must be admitted by the endpoint's group too.",
                self.endpoint
            );
            return vec![reach.fix_with(summary, changes)];
        }
        let mut fixes: Vec<Fix> = reach.create_endpoint().into_iter().collect();
        if self.reasons.iter().any(|one| one.reason == Unused::State) {
            fixes.push(Fix {
                template: None,
                summary: format!(
                    "Bring {} into service: a pending one waits for its service's owner, one that \
                     failed must be created again.",
                    self.endpoint
                ),
                commands: vec![self.describe("VpcEndpoints[].[State,LastError]")],
                change: None,
            });
        }
        fixes
    }
}

/// CFN03: the stack put the function into the database's own subnets, which
/// have no route out.
fn placed_by_stack(
    case: &Case<'_>,
    reach: &Reachability<'_>,
    findings: &[Finding],
) -> Option<Finding> {
    let no_route_out = findings.iter().find(|one| one.code() == "NET01")?;
    let stack = stack_of(case, reach)?;
    let database = secret_database(case).ok()?;
    let subnets = database_subnets(&database);
    if subnets.is_empty() || !reach.subnets().iter().all(|id| subnets.contains(&id.as_str())) {
        return None;
    }
    let template = case.stack().if_known().and_then(|stack| stack.template.as_ref());
    if template.is_some_and(|template| !template.made_by_cdk) {
        return None;
    }
    let resources = case.stack_resources();
    let by_cdk = template.is_some()
        || resources
            .if_known()
            .into_iter()
            .flatten()
            .any(|one| one.resource_type.as_deref() == Some("AWS::CDK::Metadata"));
    let name = reach.function_name();
    let maker = if by_cdk { "The CDK" } else { "A stack, probably generated by the CDK," };
    let mut finding = Finding::new(
        "CFN03",
        reach.function_resource(),
        format!(
            "{maker} put {name} into the subnets of {} ({}), and those have no route out to {}.",
            database.label(),
            reach.subnets().join(", "),
            reach.target
        ),
    )
    .severity(no_route_out.severity)
    .on(if by_cdk && !database.assumed { reach.basis } else { Basis::Indication })
    .fact("DescribeDBInstances", format!("DBSubnetGroup holds {}", subnets.join(", ")))
    .fact("GetFunction", format!("function {name} is part of stack {stack}"));
    finding.proofs.extend(no_route_out.proofs.iter().cloned());
    finding.path.clone_from(&no_route_out.path);
    finding.fixes.extend(reach.move_function());
    finding.fixes.extend(reach.create_endpoint());
    if let Some(fix) = finding.fixes.first_mut() {
        fix.summary.push_str(
            " In the CDK: vpcSubnets with PRIVATE_WITH_EGRESS, or an interface endpoint in the VPC.",
        );
    }
    Some(finding.confirm(reach.rotate()))
}

/// The stack that owns the function, by its tags or by the stack itself.
fn stack_of(case: &Case<'_>, reach: &Reachability<'_>) -> Option<String> {
    let tagged = reach.function.tags.get("aws:cloudformation:stack-name").cloned();
    tagged.or_else(|| case.stack().if_known()?.stack_name.clone())
}

fn database_subnets<'s>(database: &SecretDatabase<'s>) -> Vec<&'s str> {
    let group = database.instance.and_then(|instance| instance.db_subnet_group.as_ref());
    let subnets = group.map_or(&[][..], |group| &group.subnets);
    subnets.iter().filter_map(|one| one.subnet_identifier.as_deref()).collect()
}
