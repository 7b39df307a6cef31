//! Carries out the plan: wave by wave, everything in a wave at once, and every
//! failure a gap. Which calls a step makes, and how, stands in the services' files.

use std::{cell::Cell, collections::BTreeSet};

use futures_util::{
    future::{join, join3},
    stream::{FuturesUnordered, StreamExt},
};

use super::{
    call::Caller,
    cloudtrail, ec2_gateway,
    error::CollectError,
    failure::{Failure, Kind},
    package,
    plan::{self, WAVES},
    rds,
    request::{Collected, Progress, Request},
    scene::{PatchResult, Scene},
    secretsmanager,
    session::{Clients, Session},
    step::{Step, Task},
    sts,
};
use crate::{
    aws::limits,
    evidence::{Evidence, Fact, FactOwner, Gap, Observed, Reason},
};

impl Session {
    /// Collects the facts about one secret.
    ///
    /// # Errors
    /// [`CollectError`] where nothing could be examined: no valid credentials,
    /// no such secret, nothing at the endpoint. Everything less is a gap.
    pub async fn collect(&self, request: &Request) -> Result<Collected, CollectError> {
        let caller = Caller::new(request.timeout.unwrap_or(limits::RUN_TIMEOUT));
        let wanted = plan::closure(&request.facts, request.read_secret);
        let evidence = Evidence { database: request.database.clone(), ..self.bare_evidence() };
        let mut scene = Scene::new(request, wanted, evidence);

        let caller_arn = self.first_wave(&caller, request, &mut scene).await?;
        let trail_wanted = scene.wanted.contains(&Fact::TrailEvents);
        let secret = scene.evidence.secret.known().cloned();
        let trail = async {
            let calls = request.trail_calls.unwrap_or(limits::TRAIL_CALLS);
            if trail_wanted && calls > 0 {
                let caller = caller.in_wave(0);
                let (clients, secret) = (&self.clients, secret.as_ref());
                Some(cloudtrail::look_up(&caller, clients, secret, request.since, calls).await)
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
            .flat_map(|step| step.build(&caller, clients, scene))
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
pub(super) async fn run_wave(
    caller: &Caller,
    clients: &Clients,
    number: u8,
    scene: &mut Scene,
    request: &Request,
) {
    let results = {
        let scene = &*scene;
        let tasks: Vec<Task<'_>> = plan::wave(number, &scene.wanted)
            .flat_map(|step| step.build(caller, clients, scene))
            .collect();
        run_tasks(tasks, number, request).await
    };
    apply(results, scene);
}

type Outcome = (&'static Step, String, PatchResult);

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

/// Says of every wanted fact that no call was made about why: what it needs was
/// not seen, or there was nothing to look for.
pub(super) fn finish(scene: &mut Scene) {
    settle_associations(scene);
    package::settle(scene);
    let mut seen = BTreeSet::new();
    for step in plan::steps().filter(|step| step.wave > 0) {
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
        events.sort_by(|a, b| {
            (a.timestamp, &a.log_stream_name).cmp(&(b.timestamp, &b.log_stream_name))
        });
    }
}

/// Attachments that were refused are a gap only where there are any.
pub(super) fn settle_associations(scene: &mut Scene) {
    if let Some(failure) = scene.associations_failure.take()
        && !ec2_gateway::transit_gateway_ids(scene).is_empty()
    {
        let action = "ec2:DescribeTransitGatewayAttachments";
        scene.failed(Fact::TransitGatewayRouteTables, action, "", &failure);
    }
}

fn settle_unasked(scene: &mut Scene, step: &Step) {
    let fact = step.gives;
    if !scene.evidence.state(fact).is_not_asked() {
        return;
    }
    for need in step.needs {
        match scene.evidence.state(*need) {
            Observed::NotSeen(gap) => {
                // A key's gap names the key; which one it is was not seen.
                let resource = if fact.is_of_a_key() { String::new() } else { gap.resource };
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
    match &scene.tags_failure {
        Some(message) if fact.owner() == FactOwner::Stack => {
            let message = message.clone();
            scene.gap(fact, "lambda:ListTags", "", Reason::AccessDenied, &message);
        }
        // There are databases, and nobody knows which of them is meant.
        _ if fact == Fact::DBParameters => {}
        _ => scene.evidence.set_absent(fact),
    }
}
