//! NET09 to NET13, NET17: the function's path to its database.

use super::{
    database_host::{DatabaseHost, database_host, same},
    reachability::{Obstacle, Reachability, proved_by_log, published, with_network_facts},
};
use crate::{
    aws::commands::Command,
    catalogue::{Severity, engines},
    checks::{
        Basis, Case, Check, Finding, Fix, Judgement, NetworkChange,
        commands::rotate,
        run::function::{name_of, rotation_function},
    },
    evidence::{DbInstance, Fact, Function, Observed, SecurityGroup},
    network::{self, Blocker, Direction, Layer, Needed, Question, Verdict},
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
    name: "database-path",
    question: "Can the function reach its database, from each of its subnets?",
    codes: &["NET09", "NET10", "NET11", "NET12", "NET13", "NET17"],
    facts: &FACTS,
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let function = rotation_function(case)?;
    let host = database_host(case)?;
    if let Some(finding) = no_such_database(case, function, &host) {
        return Ok(vec![finding]);
    }
    let question = Question::database(&host.host, host.port);
    let target = format!("{}:{}", host.host, host.port);
    let reach = Reachability::asked(case, function, question, &target);
    if let Some(finding) = outside(&reach, &host) {
        // Nothing else can let the function that is to be deployed through.
        let finding = if case.is_declared() { finding.severity(Severity::Error) } else { finding };
        return Ok(published(case, vec![finding]));
    }
    let mut reach = reach.decided()?;
    // The last failed attempt logged in; what is wrong now came later, or fails
    // now and then.
    if host.assumed || proved_by_log(case, "database-reachable") {
        reach.basis = Basis::Indication;
    }
    let obstacles = reach.obstacles(|blocker| code_of(&reach, blocker));
    let findings = obstacles.iter().map(|obstacle| found(&reach, obstacle, &host));
    Ok(published(case, findings.collect()))
}

/// The code of an element that blocks.
fn code_of(reach: &Reachability<'_>, blocker: &Blocker) -> &'static str {
    match (blocker.layer, blocker.direction) {
        (Layer::LambdaVpcConfig, _) => "NET09",
        (Layer::Dns, _) => "NET17",
        (Layer::Nacl, _) => "NET12",
        (Layer::SecurityGroup, Some(Direction::Egress))
            if reach.groups().contains(&blocker.resource) =>
        {
            "NET11"
        }
        (Layer::SecurityGroup, Some(Direction::Ingress))
            if database_groups(reach).contains(&blocker.resource.as_str()) =>
        {
            "NET10"
        }
        _ => "NET13",
    }
}

/// The instances that answer at the host: the one, or the members of a cluster.
fn instances<'w>(reach: &'w Reachability<'_>) -> Vec<&'w DbInstance> {
    let host = reach.question.target.host();
    let is = |name: &Option<String>| name.as_deref().is_some_and(|name| same(name, host));
    let clusters = reach.evidence.db_clusters.known().into_iter().flatten();
    let cluster = clusters
        .into_iter()
        .find(|one| is(&one.endpoint) || is(&one.reader_endpoint))
        .and_then(|one| one.db_cluster_identifier.as_deref());
    let all = reach.evidence.db_instances.known().into_iter().flatten();
    all.filter(|one| {
        one.endpoint.as_ref().is_some_and(|endpoint| is(&endpoint.address))
            || cluster.is_some() && one.db_cluster_identifier.as_deref() == cluster
    })
    .collect()
}

/// The groups of the database: as RDS lists them, and those at the end of a
/// path.
fn database_groups<'w>(reach: &'w Reachability<'_>) -> Vec<&'w str> {
    let listed = instances(reach).into_iter().flat_map(|one| &one.vpc_security_groups);
    let mut all: Vec<&str> =
        listed.filter_map(|group| group.vpc_security_group_id.as_deref()).collect();
    let interfaces = reach.evidence.network_interfaces.known().into_iter().flatten();
    let at_the_end = interfaces.filter(|one| {
        reach.answer.paths.iter().any(|path| {
            one.private_ip_addresses
                .iter()
                .any(|own| own.private_ip_address.as_deref() == Some(path.to.as_str()))
        })
    });
    all.extend(at_the_end.flat_map(|one| &one.groups).filter_map(|g| g.group_id.as_deref()));
    all
}

fn found(reach: &Reachability<'_>, obstacle: &Obstacle, host: &DatabaseHost) -> Finding {
    let name = reach.function_name();
    let ids = obstacle.resources();
    let listed = ids.join(", ");
    let target = &reach.target;
    let words = obstacle.words();
    let from = match reach.groups() {
        [] => name.to_owned(),
        groups => format!("{} ({name})", groups.join(", ")),
    };
    let summary = match obstacle.code {
        "NET09" => format!(
            "{name} has no VPC, and {target} has a private address: nothing outside its VPC reaches it."
        ),
        "NET10" => format!(
            "{name} cannot reach the database at {target}: no rule of {listed} admits TCP {} from \
             {from}.",
            host.port
        ),
        "NET11" => format!(
            "{name} cannot reach the database at {target}: no egress rule of {listed} lets TCP {} \
             out to it.",
            host.port
        ),
        "NET12" => format!("Network ACLs block the path of {name} to {target}: {words}."),
        "NET17" => format!("{name} finds no address for {}: {words}.", host.host),
        _ => format!("{name} has no path to the database at {target}: {words}."),
    };
    let resource = match obstacle.code {
        "NET09" => reach.function_resource(),
        "NET13" if ids.len() > 1 => reach.function_resource(),
        _ => ids.first().copied().unwrap_or(name).to_owned(),
    };
    let mut finding =
        reach.finding(obstacle, resource, &summary).fact(host.source, host.how.clone());
    finding.fixes = fixes(reach, obstacle);
    finding
}

fn fixes(reach: &Reachability<'_>, obstacle: &Obstacle) -> Vec<Fix> {
    match (obstacle.code, reach.vpc()) {
        // Lambda's own addresses are no CIDR block that a rule may name.
        ("NET09", _) | (_, None) => into_database_vpc(reach).into_iter().collect(),
        ("NET10" | "NET11" | "NET12", _) => reach.admit(obstacle),
        ("NET17", _) => {
            let changes: Vec<NetworkChange> =
                obstacle.blockers.iter().flat_map(|b| reach.dns_attributes(&b.resource)).collect();
            if changes.is_empty() {
                return reach.described_only(obstacle);
            }
            vec![reach.fix_with("Switch the VPC's DNS attributes on.", changes)]
        }
        _ => {
            let public = instances(reach).iter().any(|one| one.publicly_accessible == Some(true));
            let better = reach
                .drop_dead_routes(obstacle)
                .or_else(|| public.then(|| reach.resolve_over_peering()).flatten());
            let mut all: Vec<Fix> =
                better.or_else(|| reach.reroute(obstacle)).into_iter().collect();
            if all.is_empty() {
                all = reach.described_only(obstacle);
            }
            all.extend(into_database_vpc(reach));
            all
        }
    }
}

/// NET09 where the database's network was not seen: RDS says that it has no
/// public address, and that is enough against a function without a VPC.
fn outside(reach: &Reachability<'_>, host: &DatabaseHost) -> Option<Finding> {
    let all = instances(reach);
    let private = !all.is_empty() && all.iter().all(|one| one.publicly_accessible == Some(false));
    if reach.answer.verdict != Verdict::Unknown || reach.vpc().is_some() || !private {
        return None;
    }
    let name = reach.function_name();
    let needed = format!("{name} in subnets of the database's VPC");
    let blocker = Blocker {
        layer: Layer::LambdaVpcConfig,
        resource: name.to_owned(),
        direction: None,
        phase: network::Phase::Forward,
        partial: false,
        text: format!("{name} has no VPC, and {} has no public address", host.host),
        needed: Some(Needed::Setting { text: needed }),
    };
    let obstacle = Obstacle { code: "NET09", layer: blocker.layer, blockers: vec![blocker] };
    let ids: Vec<&str> =
        all.iter().filter_map(|one| one.db_instance_identifier.as_deref()).collect();
    let finding = found(reach, &obstacle, host)
        .on(if host.assumed { Basis::Indication } else { Basis::State })
        .fact("DescribeDBInstances", format!("{}: PubliclyAccessible is false", ids.join(", ")));
    Some(finding)
}

/// The function in the database's own VPC, where it is in another or in none.
fn into_database_vpc(reach: &Reachability<'_>) -> Option<Fix> {
    let instance = instances(reach).into_iter().next()?;
    let place = instance.db_subnet_group.as_ref()?;
    let vpc = place.vpc_id.as_deref()?;
    let subnets: Vec<String> =
        place.subnets.iter().filter_map(|one| one.subnet_identifier.clone()).collect();
    if subnets.is_empty() || reach.vpc() == Some(vpc) {
        return None;
    }
    let group = admitted_group(reach, instance, vpc)?;
    let summary = format!(
        "Put {} into the database's VPC, with a group of {vpc}. It then has no route of its own to \
         the Internet: it needs NAT there or an endpoint for Secrets Manager, and its role must be \
         allowed to create network interfaces.",
        reach.function_name()
    );
    let vpc = vpc.to_owned();
    Some(
        reach.fix_with(
            summary,
            vec![NetworkChange::SetVpcConfig { vpc, subnets, groups: vec![group] }],
        ),
    )
}

/// A group that the database admits already, else the database's own.
fn admitted_group(reach: &Reachability<'_>, instance: &DbInstance, vpc: &str) -> Option<String> {
    let port = i64::from(reach.question.target.port());
    let ids: Vec<&str> = instance
        .vpc_security_groups
        .iter()
        .filter_map(|one| one.vpc_security_group_id.as_deref())
        .collect();
    let all = reach.evidence.security_groups.known().map_or(&[][..], Vec::as_slice);
    let own = all.iter().filter(|one| one.group_id.as_deref().is_some_and(|id| ids.contains(&id)));
    let admits = |rule: &&crate::evidence::IpPermission| {
        rule.ip_protocol.as_deref() == Some("-1")
            || rule.ip_protocol.as_deref() == Some("tcp")
                && rule.from_port.is_none_or(|from| from <= port)
                && rule.to_port.is_none_or(|to| port <= to)
    };
    let here = |id: &str| {
        all.iter().any(|one: &SecurityGroup| {
            one.group_id.as_deref() == Some(id) && one.vpc_id.as_deref() == Some(vpc)
        })
    };
    let mut admitted: Vec<&str> = own
        .flat_map(|group| &group.ip_permissions)
        .filter(admits)
        .flat_map(|rule| &rule.user_id_group_pairs)
        .filter_map(|pair| pair.group_id.as_deref())
        .filter(|id| here(id))
        .collect();
    admitted.sort();
    admitted.first().or(ids.first()).map(|id| (*id).to_owned())
}

/// NET17: the host is the name of an RDS database that does not exist. Only
/// where all databases were seen, and the name is of this region.
fn no_such_database(case: &Case<'_>, function: &Function, host: &DatabaseHost) -> Option<Finding> {
    let name = InstanceName::of(&host.host)?;
    let evidence = case.network();
    if name.region != evidence.region()? {
        return None;
    }
    let whole = |fact: Fact| !evidence.gaps.iter().any(|gap| gap.fact == fact.name());
    let seen = |state: Observed<()>| matches!(state, Observed::Known(()) | Observed::Absent);
    for fact in [Fact::DBInstances, Fact::DBClusters] {
        if !seen(evidence.state(fact)) || !whole(fact) {
            return None;
        }
    }
    let instances = evidence.db_instances.known().into_iter().flatten();
    let clusters = evidence.db_clusters.known().into_iter().flatten();
    let mut all: Vec<&str> =
        instances.filter_map(|one| one.endpoint.as_ref()?.address.as_deref()).collect();
    for cluster in clusters {
        all.extend(cluster.endpoint.as_deref());
        all.extend(cluster.reader_endpoint.as_deref());
    }
    all.sort();
    if all.iter().any(|one| same(one, &host.host)) {
        return None;
    }
    // The label after the identifier is one and the same for all databases of
    // an account in a region: with another one it may be another account's.
    let neighbour = all
        .iter()
        .filter_map(|one| InstanceName::of(one))
        .any(|one| one.account == name.account && one.region == name.region);
    let there = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    let rest = if neighbour { "" } else { ", unless it is in another account" };
    Some(
        Finding::new(
            "NET17",
            &host.host,
            format!(
                "{} connects to {}, and there is no such database any more{rest}: the name does not \
                 resolve.",
                name_of(function),
                host.host
            ),
        )
        .on(if neighbour { Basis::State } else { Basis::Indication })
        .fact(host.source, host.how.clone())
        .fact("DescribeDBInstances, DescribeDBClusters", format!("endpoints there: {there}"))
        .fix(
            "Name the host of the database as it is now in the secret's value. A version that is \
             pending keeps the old host: cancel it first.",
            [
                Command::aws("rds", "describe-db-instances").option(
                    "--query",
                    "DBInstances[].[DBInstanceIdentifier,Endpoint.Address,Endpoint.Port]",
                ),
                Command::aws("rds", "describe-db-clusters")
                    .option("--query", "DBClusters[].[DBClusterIdentifier,Endpoint,Port]"),
            ],
        )
        .confirm(rotate(case)),
    )
}

/// The parts of `id.account.region.rds.amazonaws.com`, `account` being the
/// label that an account has in a region.
#[derive(Debug, PartialEq, Eq)]
struct InstanceName {
    account: String,
    region: String,
}

impl InstanceName {
    /// The parts, where the host is an endpoint of an instance or cluster: not
    /// of a proxy, nor a custom endpoint (`cluster-custom-`).
    fn of(host: &str) -> Option<Self> {
        if !engines().endpoints.is_of_aws(host) {
            return None;
        }
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let mut labels = host.split('.');
        let (_, account, region) = (labels.next()?, labels.next()?, labels.next()?);
        (labels.next()? == "rds").then_some(())?;
        let account = account
            .strip_prefix("cluster-ro-")
            .or_else(|| account.strip_prefix("cluster-"))
            .unwrap_or(account);
        (!account.contains('-'))
            .then(|| Self { account: account.to_owned(), region: region.to_owned() })
    }
}
