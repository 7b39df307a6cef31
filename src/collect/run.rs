//! Carries out the plan: wave by wave, everything in a wave at once, and every
//! failure a gap. Which call a step makes is decided here from what is known;
//! how it is made is the services' business.

use std::{cell::Cell, collections::BTreeSet};

use futures_util::{
    future::{LocalBoxFuture, join, join3},
    stream::{FuturesUnordered, StreamExt},
};
use jiff::Timestamp;

use super::{
    CollectError, Collected, DEFAULT_TIMEOUT, DEFAULT_TRAIL_CALLS, Progress, Request, Session,
    call::Caller,
    cloudformation, cloudtrail, ec2, ec2_gateway, ec2_vpc,
    failure::{Failure, Kind},
    iam, kms, lambda, logs,
    plan::{self, Operation, Step, WAVES},
    rds,
    scene::{Found, Scene, found},
    secretsmanager,
    session::Clients,
    sts,
};
use crate::evidence::{Evidence, Fact, Gap, Observed, Reason, Time};

/// One call of a step, or a short series of pages.
struct Task<'a> {
    step: &'static Step,
    /// What it asks about, as a gap names it.
    resource: String,
    work: LocalBoxFuture<'a, Found>,
}

impl Session {
    /// Collects the facts about one secret.
    ///
    /// # Errors
    /// [`CollectError`] where nothing could be examined: no valid credentials,
    /// no such secret, nothing at the endpoint. Everything less is a gap.
    pub async fn collect(&self, request: &Request) -> Result<Collected, CollectError> {
        let caller = Caller::new(request.timeout.unwrap_or(DEFAULT_TIMEOUT));
        let wanted = plan::closure(&request.facts, request.read_secret);
        let evidence = Evidence {
            schema_version: crate::evidence::SCHEMA_VERSION,
            captured_at: Time(Timestamp::now()),
            region: Some(self.region.clone()),
            ..Evidence::default()
        };
        let mut scene = Scene::new(request, wanted, evidence);

        let caller_arn = self.first_wave(&caller, request, &mut scene).await?;
        let trail_wanted = scene.wanted.contains(&Fact::TrailEvents);
        let trail = async {
            let calls = request.trail_calls.unwrap_or(DEFAULT_TRAIL_CALLS);
            if trail_wanted && calls > 0 {
                let caller = caller.in_wave(0);
                Some(cloudtrail::look_up(&caller, &self.clients, request.since, calls).await)
            } else {
                None
            }
        };
        let waves = async {
            for number in 2..=WAVES {
                run_wave(&caller.in_wave(number), &self.clients, number, &mut scene, request).await;
            }
        };
        let (trail, ()) = join(trail, waves).await;
        if let Some(trail) = trail {
            trail.settle(&mut scene);
        }
        finish(&mut scene);
        Ok(Collected {
            evidence: scene.evidence,
            timings: caller.timings(),
            caller_arn,
            notes: self.notes.clone(),
        })
    }

    /// The secret and the caller, at once. What is wrong with the credentials
    /// or the endpoint is said once, and not by every call.
    async fn first_wave(
        &self,
        caller: &Caller,
        request: &Request,
        scene: &mut Scene,
    ) -> Result<Option<String>, CollectError> {
        let caller = caller.in_wave(1);
        let clients = &self.clients;
        let id = request.secret.as_str();
        let rest: Vec<Task<'_>> = plan::wave(1, &scene.wanted)
            .filter(|step| step.operation != Operation::DescribeSecret)
            .flat_map(|step| tasks(step, &caller, clients, scene))
            .collect();
        let (identity, secret, others) = join3(
            sts::identity(&caller, clients),
            secretsmanager::describe(&caller, clients, id),
            run_tasks(rest, 1, request),
        )
        .await;

        let (caller_arn, account) = match &identity {
            Ok(identity) => (identity.arn.clone(), identity.account.clone()),
            // GetCallerIdentity needs no permission: its refusal is the credentials'.
            Err(failure) if failure.kind() == Some(Kind::Credentials) => {
                return Err(self.error("sts:GetCallerIdentity", failure));
            }
            Err(_) => (None, None),
        };
        scene.evidence.account_id.clone_from(&account);
        scene.evidence.partition =
            caller_arn.as_deref().and_then(|arn| arn.split(':').nth(1)).map(str::to_owned);
        match secret {
            Ok(secret) => {
                let part = |index| {
                    let arn = secret.arn.as_deref()?;
                    arn.split(':').nth(index).filter(|part| !part.is_empty()).map(str::to_owned)
                };
                scene.evidence.partition = part(1).or(scene.evidence.partition.take());
                scene.evidence.account_id = part(4).or(account);
                scene.evidence.secret = Observed::Known(secret);
            }
            Err(Failure::Absent) => {
                return Err(CollectError::SecretNotFound {
                    name: request.secret.clone(),
                    region: self.region.clone(),
                    account,
                });
            }
            Err(failure)
                if matches!(failure.kind(), Some(Kind::Credentials | Kind::Unreachable))
                    // Neither call got an answer: nothing can be said at all.
                    || identity.is_err() =>
            {
                return Err(self.error("secretsmanager:DescribeSecret", &failure));
            }
            Err(failure) => {
                scene.failed(Fact::Secret, "secretsmanager:DescribeSecret", id, &failure);
            }
        }
        apply(others, scene);
        Ok(caller_arn)
    }
}

/// Runs every task of a wave that can be made from what is known.
async fn run_wave(
    caller: &Caller,
    clients: &Clients,
    number: u8,
    scene: &mut Scene,
    request: &Request,
) {
    let results = {
        let scene = &*scene;
        let tasks: Vec<Task<'_>> = plan::wave(number, &scene.wanted)
            .flat_map(|step| tasks(step, caller, clients, scene))
            .collect();
        run_tasks(tasks, number, request).await
    };
    apply(results, scene);
}

type Outcome = (&'static Step, String, Found);

async fn run_tasks(tasks: Vec<Task<'_>>, wave: u8, request: &Request) -> Vec<Outcome> {
    let total = tasks.len();
    let done = Cell::new(0);
    let report = || {
        if let Some(progress) = &request.progress {
            progress(Progress { wave, done: done.get(), total });
        }
    };
    report();
    let mut running: FuturesUnordered<_> = tasks
        .into_iter()
        .enumerate()
        .map(|(index, task)| async move { (index, (task.step, task.resource, task.work.await)) })
        .collect();
    let mut outcomes = Vec::with_capacity(total);
    while let Some(outcome) = running.next().await {
        outcomes.push(outcome);
        done.set(done.get() + 1);
        report();
    }
    // What came first must not decide what is written first.
    outcomes.sort_by_key(|(index, _)| *index);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn apply(outcomes: Vec<Outcome>, scene: &mut Scene) {
    for (step, resource, outcome) in outcomes {
        scene.asked.insert((step.gives, resource.clone()));
        match outcome {
            Ok(patch) => patch(scene),
            Err(failure) => scene.failed(step.gives, step.action, &resource, &failure),
        }
    }
    scene.evidence.settle();
}

/// The calls of a step: none where what it needs is not known, or where there
/// is nothing to ask about.
fn tasks<'a>(
    step: &'static Step,
    caller: &'a Caller,
    clients: &'a Clients,
    scene: &Scene,
) -> Vec<Task<'a>> {
    use Operation as O;
    // A task about one resource. The work owns what it needs, so that the scene
    // is free to be changed when it is done.
    macro_rules! ask {
        ($resource:expr, |$name:ident| $work:expr) => {{
            let $name: String = $resource;
            let resource = $name.clone();
            let work = Box::pin(async move { $work.await });
            Task { step, resource, work }
        }};
    }
    macro_rules! ask_each {
        ($resources:expr, |$name:ident| $work:expr) => {
            $resources.into_iter().map(|resource| ask!(resource, |$name| $work)).collect()
        };
    }
    // A task about all VPCs that matter.
    macro_rules! ask_by_vpc {
        ($work:path) => {{
            let vpcs = ec2::vpcs(scene);
            if vpcs.is_empty() {
                return Vec::new();
            }
            let resource = vpcs.join(" ");
            vec![Task {
                step,
                resource,
                work: Box::pin(async move { $work(caller, clients, &vpcs).await }),
            }]
        }};
    }
    let secret = scene.secret_id.clone();
    match step.operation {
        // The first wave makes this one itself, and CloudTrail runs beside.
        O::DescribeSecret | O::LookupEvents => Vec::new(),
        O::ListSecretVersionIds => {
            vec![ask!(secret, |id| secretsmanager::versions(caller, clients, &id))]
        }
        O::GetResourcePolicy => {
            vec![ask!(secret, |id| secretsmanager::policy(caller, clients, &id))]
        }
        O::GetSecretValue => {
            let stages = secretsmanager::stages(scene);
            if !scene.read_secret || stages.is_empty() {
                return Vec::new();
            }
            vec![ask!(secret, |id| secretsmanager::shapes(caller, clients, &id, stages))]
        }
        O::DescribeSuperuserSecret => ask_each!(secretsmanager::superuser_arn(scene), |arn| {
            superuser(caller, clients, arn)
        }),
        O::GetFunction | O::GetFunctionPolicy => {
            let Some((arn, qualifier)) = scene.function() else { return Vec::new() };
            if step.operation == O::GetFunction {
                vec![ask!(arn, |arn| lambda::function(caller, clients, &arn, qualifier))]
            } else {
                vec![ask!(arn, |arn| lambda::policy(caller, clients, &arn, qualifier))]
            }
        }
        O::GetRole => ask_each!(scene.role_name(), |role| iam::role(caller, clients, &role)),
        O::ListRolePolicies => {
            ask_each!(scene.role_name(), |role| iam::inline_names(caller, clients, &role))
        }
        O::ListAttachedRolePolicies => {
            ask_each!(scene.role_name(), |role| iam::attached(caller, clients, &role))
        }
        O::GetRolePolicy => {
            let Some(role) = scene.role_name() else { return Vec::new() };
            let pairs = iam::inline_policies(scene).into_iter().map(|name| (role.clone(), name));
            pairs
                .map(|(role, name)| ask!(name, |name| iam::inline(caller, clients, &role, &name)))
                .collect()
        }
        O::GetAttachedPolicy => ask_each!(iam::attached_arns(scene), |arn| {
            iam::managed(caller, clients, Fact::AttachedPolicies, &arn)
        }),
        O::GetBoundaryPolicy => ask_each!(iam::boundary_arn(scene), |arn| {
            iam::managed(caller, clients, Fact::PermissionsBoundary, &arn)
        }),
        O::GetAttachedPolicyVersion | O::GetBoundaryPolicyVersion => {
            let fact = step.gives;
            let pairs = iam::versions(scene, fact).into_iter();
            pairs
                .map(|(arn, version)| {
                    ask!(arn, |arn| iam::version(caller, clients, fact, &arn, &version))
                })
                .collect()
        }
        O::DescribeKey => {
            ask_each!(new_keys(step, scene), |key| kms::metadata(caller, clients, &key))
        }
        O::GetKeyPolicy | O::ListGrants => {
            let keys = new_keys(step, scene).into_iter();
            let with_ids = keys.filter_map(|key| Some((kms::key_id(scene, &key)?, key)));
            let is_policy = step.operation == O::GetKeyPolicy;
            with_ids
                .map(|(id, key)| {
                    if is_policy {
                        ask!(key, |key| kms::policy(caller, clients, &key, &id))
                    } else {
                        ask!(key, |key| kms::grants(caller, clients, &key, &id))
                    }
                })
                .collect()
        }
        O::DescribeFunctionSubnets => {
            let ids = ec2::function_subnets(scene);
            if ids.is_empty() {
                return Vec::new();
            }
            vec![ask!(ids.join(" "), |_resource| {
                ec2_vpc::function_subnets(caller, clients, &ids)
            })]
        }
        // Refused once is refused again.
        O::DescribeSubnets if scene.evidence.subnets.is_unseen() => Vec::new(),
        O::DescribeSubnets => ask_by_vpc!(ec2_vpc::subnets),
        O::DescribeVpcs => ask_by_vpc!(ec2_vpc::vpcs),
        O::DescribeVpcAttribute => {
            ask_each!(ec2::vpcs(scene), |vpc| ec2_vpc::attributes(caller, clients, &vpc))
        }
        O::DescribeDhcpOptions => {
            let ids = ec2_vpc::dhcp_options_ids(scene);
            if ids.is_empty() {
                return Vec::new();
            }
            vec![ask!(ids.join(" "), |_resource| ec2_vpc::dhcp_options(caller, clients, &ids))]
        }
        O::DescribeRouteTables => ask_by_vpc!(ec2_vpc::route_tables),
        O::DescribeNetworkAcls => ask_by_vpc!(ec2_vpc::network_acls),
        O::DescribeSecurityGroups => ask_by_vpc!(ec2_vpc::security_groups),
        O::DescribeNetworkInterfaces => ask_by_vpc!(ec2_vpc::network_interfaces),
        O::DescribeVpcEndpoints => ask_by_vpc!(ec2_gateway::vpc_endpoints),
        O::DescribeNatGateways => ask_by_vpc!(ec2_gateway::nat_gateways),
        O::DescribeInternetGateways => ask_by_vpc!(ec2_gateway::internet_gateways),
        O::DescribeEgressOnlyInternetGateways => ask_by_vpc!(ec2_gateway::egress_only),
        O::DescribeVpcPeeringConnections => {
            let vpcs = ec2::vpcs(scene);
            if vpcs.is_empty() {
                return Vec::new();
            }
            ["requester-vpc-info.vpc-id", "accepter-vpc-info.vpc-id"]
                .into_iter()
                .map(|side| (side, vpcs.clone()))
                .map(|(side, vpcs)| {
                    ask!(vpcs.join(" "), |_resource| {
                        ec2_gateway::peerings(caller, clients, side, &vpcs)
                    })
                })
                .collect()
        }
        O::DescribeTransitGatewayVpcAttachments => ask_by_vpc!(ec2_gateway::vpc_attachments),
        O::DescribeTransitGatewayAttachments => ask_by_vpc!(ec2_gateway::associations),
        O::DescribeTransitGateways => {
            let ids = ec2_gateway::transit_gateway_ids(scene);
            if ids.is_empty() {
                return Vec::new();
            }
            vec![ask!(ids.join(" "), |_resource| {
                ec2_gateway::transit_gateways(caller, clients, &ids)
            })]
        }
        O::SearchTransitGatewayRoutes => {
            let tables: Vec<String> = scene.associations.keys().cloned().collect();
            ask_each!(tables, |table| ec2_gateway::transit_routes(caller, clients, &table))
        }
        O::GetManagedPrefixListEntries => ask_each!(ec2_gateway::prefix_lists(scene), |id| {
            ec2_gateway::prefix_list(caller, clients, &id)
        }),
        O::DescribeVpcBlockPublicAccessOptions => {
            if ec2::vpcs(scene).is_empty() {
                return Vec::new();
            }
            vec![ask!(String::new(), |_resource| ec2_vpc::block_public_access(caller, clients))]
        }
        O::DescribeDBInstances => {
            vec![ask!(String::new(), |_resource| rds::instances(caller, clients))]
        }
        O::DescribeDBClusters => {
            vec![ask!(String::new(), |_resource| rds::clusters(caller, clients))]
        }
        O::DescribeDBParameters => {
            ask_each!(rds::relevant(scene).parameter_groups, |group| {
                rds::parameters(caller, clients, &group)
            })
        }
        O::DescribeDBClusterParameters => {
            ask_each!(rds::relevant(scene).cluster_parameter_groups, |group| {
                rds::cluster_parameters(caller, clients, &group)
            })
        }
        O::DescribeStacks => ask_each!(cloudformation::stack_name(scene), |name| {
            cloudformation::stack(caller, clients, &name)
        }),
        O::DescribeStackEvents => ask_each!(cloudformation::stack_name(scene), |name| {
            cloudformation::events(caller, clients, &name)
        }),
        O::DescribeStackResources => ask_each!(cloudformation::stack_name(scene), |name| {
            cloudformation::resources(caller, clients, &name)
        }),
        O::DescribeLogGroups => {
            ask_each!(logs::group_name(scene), |name| logs::group(caller, clients, &name))
        }
        O::DescribeLogStreams => {
            let since = scene.since;
            ask_each!(logs::group_name(scene), |name| logs::streams(caller, clients, &name, since))
        }
        O::GetLogEvents => {
            let Some(group) = logs::group_name(scene) else { return Vec::new() };
            let since = scene.since;
            let streams = scene.streams.iter().map(|stream| (group.clone(), stream.name.clone()));
            streams
                .map(|(group, stream)| {
                    ask!(stream, |stream| logs::events(caller, clients, &group, &stream, since))
                })
                .collect()
        }
    }
}

/// The keys that this kind of call was not yet made about.
fn new_keys(step: &Step, scene: &Scene) -> Vec<String> {
    let mut keys = kms::targets(scene);
    keys.retain(|key| !scene.asked.contains(&(step.gives, key.clone())));
    keys
}

async fn superuser(caller: &Caller, clients: &Clients, arn: String) -> Found {
    let secret = secretsmanager::describe(caller, clients, &arn).await?;
    found(move |scene| scene.evidence.superuser_secret = Observed::Known(secret))
}

/// Says of every wanted fact that no call was made about why: what it needs was
/// not seen, or there was nothing to look for.
fn finish(scene: &mut Scene) {
    if let Some(failure) = scene.associations_failure.take()
        && !ec2_gateway::transit_gateway_ids(scene).is_empty()
    {
        let action = "ec2:DescribeTransitGatewayAttachments";
        scene.failed(Fact::TransitGatewayRouteTables, action, "", &failure);
    }
    let mut seen = BTreeSet::new();
    for step in plan::STEPS.iter().filter(|step| step.wave > 0) {
        if !scene.wanted.contains(&step.gives) || !seen.insert(step.gives) {
            continue;
        }
        settle_unasked(scene, step);
    }
    // A list that is empty because a part of it was refused is not known to be empty.
    for fact in scene.wanted.clone() {
        let refused = scene
            .evidence
            .gaps
            .iter()
            .any(|gap| gap.fact == fact.name() && gap.reason != Reason::Truncated);
        if refused && matches!(scene.evidence.state(fact), Observed::Absent) {
            scene.evidence.forget(fact);
        }
    }
    scene.evidence.settle();
    rds::join_interfaces(&mut scene.evidence);
    if let Some(events) = scene.evidence.log_events.known_mut() {
        events.sort();
    }
}

fn settle_unasked(scene: &mut Scene, step: &Step) {
    let fact = step.gives;
    if !scene.evidence.state(fact).is_not_asked() {
        return;
    }
    let is_key = matches!(fact, Fact::KeyMetadata | Fact::KeyPolicy | Fact::KeyGrants);
    for need in step.needs {
        match scene.evidence.state(*need) {
            Observed::NotSeen(gap) => {
                // A key's gap names the key; which one it is was not seen.
                let resource = if is_key { String::new() } else { gap.resource };
                scene.evidence.add_gap(Gap {
                    fact: fact.name().to_owned(),
                    resource,
                    message: format!("needs {}, which was not seen", need.name()),
                    ..gap
                });
                return;
            }
            Observed::NotAsked => return,
            Observed::Absent => {
                scene.evidence.set_absent(fact);
                return;
            }
            Observed::Known(()) => {}
        }
    }
    let is_stack = matches!(fact, Fact::Stack | Fact::StackEvents | Fact::StackResources);
    match &scene.tags_failure {
        Some(message) if is_stack => {
            let message = message.clone();
            scene.gap(fact, "lambda:ListTags", "", Reason::AccessDenied, &message);
        }
        // There are databases, and nobody knows which of them is meant.
        _ if fact == Fact::DBParameters => {}
        _ => scene.evidence.set_absent(fact),
    }
}
