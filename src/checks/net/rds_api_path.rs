//! NET14: the function's path to the API that tells it where the superuser's
//! database is.

use super::reachability::{Obstacle, Reachability, with_network_facts};
use crate::{
    checks::{
        Case, Check, Finding, Fix, Judgement, Missing, Stop, run::function::rotation_function,
        vended_template::template,
    },
    evidence::{Fact, Secret},
    network::{self, Layer, Question, Verdict},
};

/// What is read beside the facts of the path engine.
const MORE: [Fact; 4] = [Fact::Secret, Fact::SuperuserSecret, Fact::Stack, Fact::LogEvents];
static FACTS: [Fact; network::FACTS.len() + MORE.len()] = with_network_facts(&MORE);

pub(super) static CHECK: Check = Check {
    name: "rds-api-path",
    question: "Can the function reach the API that tells it where the superuser's database is?",
    codes: &["NET14"],
    facts: &FACTS,
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    let reason = ApiCallReason::of(case)?;
    let question = Question::regional_api(case.network(), reason.service)
        .ok_or_else(|| Stop::not_applicable("the region is not known"))?;
    let target = format!("the API of {}", reason.service);
    let reach = Reachability::of(case, function, question, &target)?;
    if reach.answer.verdict == Verdict::Reachable {
        return policy_may_refuse(&reach);
    }
    let mut obstacles = reach.obstacles(|_| "NET14");
    // Filters and names matter less than the route.
    obstacles.sort_by_key(|one| matches!(one.layer, Layer::SecurityGroup | Layer::Nacl));
    Ok(obstacles.iter().map(|one| found(&reach, one, &reason)).collect())
}

/// Why the function calls such an API.
struct ApiCallReason {
    service: &'static str,
    source: &'static str,
    proof: String,
}

/// What a template prints about that call.
const CALLS: &[&str] = &["RDS API", "DescribeDBInstances", "DescribeDBClusters"];

impl ApiCallReason {
    fn of(case: &Case<'_>) -> Result<Self, Stop> {
        if let Some(line) = logged(case) {
            return Ok(Self { service: "rds", source: "rotation log", proof: line });
        }
        if template(case).is_some_and(|template| !template.alternates()) {
            return Err(Stop::not_applicable("the template keeps one user and asks no API"));
        }
        let reading = case.superuser_secret();
        if reading.is_not_asked() {
            return Err(Stop::not_applicable(
                "whether there is a superuser's secret was not looked up; --read-secret does",
            ));
        }
        let superuser = reading.or_not_applicable("the rotation uses no superuser's secret")?;
        let service = manager(superuser).ok_or_else(|| {
            Stop::not_applicable(
                "no service manages the superuser's secret: it names its host itself",
            )
        })?;
        let proof = format!("{} is managed by {service}", superuser.label());
        Ok(Self { service, source: "DescribeSecret of masterarn", proof })
    }
}

/// The service that manages a superuser's secret, which then names no host.
fn manager(superuser: &Secret) -> Option<&'static str> {
    let owner = superuser.owning_service.as_deref();
    let name = superuser.name.as_deref().unwrap_or_default();
    let tagged = superuser
        .tags
        .iter()
        .any(|tag| tag.key.as_deref().is_some_and(|key| key.starts_with("aws:rds:primary")));
    if owner == Some("rds") || tagged || name.starts_with("rds!") {
        Some("rds")
    } else if owner == Some("redshift") || name.starts_with("redshift!") {
        Some("redshift")
    } else {
        None
    }
}

/// The newest line of the log about such a call.
fn logged(case: &Case<'_>) -> Option<String> {
    let log = case.log();
    let runs = log.if_known()?.invocations.iter().rev();
    runs.flat_map(|run| run.lines.iter().rev())
        .find(|line| CALLS.iter().any(|call| line.text.contains(call)))
        .map(|line| line.text.clone())
}

fn found(reach: &Reachability<'_>, obstacle: &Obstacle, reason: &ApiCallReason) -> Finding {
    let name = reach.function_name();
    let ids = obstacle.resources();
    let summary = format!(
        "{name} must ask {} where the superuser's database is, and cannot reach {}: {}.",
        reach.target,
        reach.answer.host,
        obstacle.words()
    );
    let resource = if ids.len() == 1 { ids[0].to_owned() } else { reach.function_resource() };
    let mut finding =
        reach.finding(obstacle, resource, &summary).fact(reason.source, reason.proof.clone());
    finding.fixes = fixes(reach, obstacle);
    finding
}

fn fixes(reach: &Reachability<'_>, obstacle: &Obstacle) -> Vec<Fix> {
    if matches!(obstacle.layer, Layer::SecurityGroup | Layer::Nacl) {
        return reach.admit(obstacle);
    }
    let first = match obstacle.layer {
        Layer::Route | Layer::NatGateway => reach.use_nat(),
        _ => None,
    };
    let mut all: Vec<Fix> = first.into_iter().chain(reach.create_endpoint()).collect();
    if all.is_empty() {
        all = reach.described_only(obstacle);
    }
    all
}

/// The path is open; an endpoint's policy on it may not be.
fn policy_may_refuse(reach: &Reachability<'_>) -> Judgement {
    let answer = &reach.answer;
    let mut actions = answer.api_denied_actions.clone();
    actions.extend(answer.api_undecided_actions.iter().cloned());
    if actions.is_empty() {
        return Ok(Vec::new());
    }
    // A refusal by policy is no missing path, and a function needs one of the
    // actions only: which one was not seen.
    Err(Stop::Inconclusive(vec![Missing {
        fact: Fact::VpcEndpoints,
        action: String::new(),
        resource: answer.endpoints.join(", "),
        reason: format!(
            "the path is open; the policy of {} may refuse {}",
            answer.endpoints.join(", "),
            actions.join(", ")
        ),
    }]))
}
