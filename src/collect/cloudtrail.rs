//! CloudTrail: the rotation's own events, and the changes that may have broken
//! it. The service allows two look-ups a second, so these run beside the waves
//! and within a budget of calls.

use std::time::Duration;

use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use tokio::time::{Instant, sleep_until};

use super::{
    call::Caller,
    convert::{date_time, list, time},
    failure::{Failure, Kind},
    rds,
    scene::Scene,
    session::Clients,
};
use crate::{
    evidence::{Fact, Observed, Reason, Time, TrailEvent, TrailResource},
    seal,
};

const ACTION: &str = "cloudtrail:LookupEvents";
/// Two a second (CloudTrail quotas).
const PACE: Duration = Duration::from_millis(500);

/// Event names in the order in which the budget is spent: the rotation itself,
/// then what breaks it most often.
const EVENT_NAMES: &[&str] = &[
    "RotationFailed",
    "RotationStarted",
    "RotationSucceeded",
    "RotationAbandoned",
    "RotateSecret",
    "UpdateFunctionConfiguration20150331v2",
    "PutSecretValue",
    "ModifyDBInstance",
    "ModifyDBCluster",
    "UpdateSecretVersionStage",
    "PutRolePolicy",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "RevokeSecurityGroupEgress",
    "RevokeSecurityGroupIngress",
    "AuthorizeSecurityGroupEgress",
    "AuthorizeSecurityGroupIngress",
    "RemovePermission20150331v2",
    "DisableKey",
    "ScheduleKeyDeletion",
];

/// What the look-ups brought, before it is known which events are ours.
#[derive(Debug, Default)]
pub(super) struct Trail {
    events: Vec<TrailEvent>,
    failure: Option<Failure>,
    /// Names that the budget left out.
    left_out: &'static [&'static str],
}

pub(super) async fn look_up(
    caller: &Caller,
    clients: &Clients,
    since: Option<Time>,
    calls: usize,
) -> Trail {
    let mut trail =
        Trail { left_out: &EVENT_NAMES[calls.min(EVENT_NAMES.len())..], ..Trail::default() };
    let begun = Instant::now();
    for (index, name) in EVENT_NAMES.iter().take(calls).enumerate() {
        let turn = begun + PACE * u32::try_from(index).unwrap_or(u32::MAX);
        if turn >= caller.deadline() {
            trail.failure = Some(Failure::timeout("the run's time was over"));
            break;
        }
        sleep_until(turn).await;
        match one(caller, clients, name, since).await {
            Ok(events) => trail.events.extend(events),
            Err(failure) => {
                // What refuses one look-up refuses all of them.
                trail.failure = Some(failure);
                break;
            }
        }
    }
    trail
}

async fn one(
    caller: &Caller,
    clients: &Clients,
    name: &str,
    since: Option<Time>,
) -> Result<Vec<TrailEvent>, Failure> {
    let attribute = LookupAttribute::builder()
        .attribute_key(LookupAttributeKey::EventName)
        .attribute_value(name)
        .build()
        .map_err(|_| Failure::Refused {
            kind: Kind::Unsupported,
            action: None,
            message: "the look-up could not be built".to_owned(),
        })?;
    let request = clients
        .cloudtrail
        .lookup_events()
        .lookup_attributes(attribute)
        .set_start_time(since.map(date_time))
        .max_results(50);
    let answer = caller.call(ACTION, name, request.send()).await?;
    Ok(list(answer.events, |event| TrailEvent {
        event_id: event.event_id,
        event_name: event.event_name,
        event_time: time(event.event_time),
        event_source: event.event_source,
        username: event.username,
        resources: list(event.resources, |resource| TrailResource {
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
        }),
        cloud_trail_event: event.cloud_trail_event.as_deref().map(seal::trail_event),
    }))
}

impl Trail {
    /// Keeps the events that name one of ours, and says what was not seen.
    pub(super) fn settle(self, scene: &mut Scene) {
        let names = names(scene);
        let events: Vec<TrailEvent> =
            self.events.into_iter().filter(|event| is_ours(event, &names)).collect();
        match &self.failure {
            None => scene.evidence.trail_events = Observed::Known(events),
            Some(failure) => {
                if !events.is_empty() {
                    scene.evidence.trail_events = Observed::Known(events);
                }
                // CloudTrail itself is never "not there".
                let message = failure.message().to_owned();
                scene.gap(Fact::TrailEvents, ACTION, "", failure.reason(), &message);
            }
        }
        if self.failure.is_none() && !self.left_out.is_empty() {
            let message = format!(
                "the newest 50 of each kind were looked up; not looked up: {}",
                self.left_out.join(", ")
            );
            scene.gap(Fact::TrailEvents, ACTION, "", Reason::Truncated, &message);
        }
    }
}

/// What an event has to name: the secret, the function, its role, the database,
/// the security groups or a key.
fn names(scene: &Scene) -> Vec<String> {
    let evidence = &scene.evidence;
    let secret = evidence.secret.known();
    let vpc = evidence.function.known().and_then(|f| f.configuration.vpc_config.as_ref());
    let mut names: Vec<String> = Vec::new();
    names.extend(secret.and_then(|secret| secret.arn.clone()));
    names.extend(secret.and_then(|secret| secret.name.clone()));
    names.extend(scene.function_name());
    names.extend(scene.role_name());
    names.extend(rds::relevant(scene).identifiers);
    names.extend(vpc.map(|vpc| vpc.security_group_ids.clone()).unwrap_or_default());
    let key_ids = evidence.keys.keys().filter(|arn| !arn.contains(":alias/"));
    names.extend(key_ids.filter_map(|arn| Some(arn.rsplit('/').next()?.to_owned())));
    names.retain(|name| !name.is_empty());
    names
}

/// A name counts as a whole word only: `db` is not named by `mydb-2`.
fn is_ours(event: &TrailEvent, names: &[String]) -> bool {
    let resources = event.resources.iter().filter_map(|resource| resource.resource_name.as_deref());
    let texts = resources.chain(event.cloud_trail_event.as_deref());
    let texts: Vec<&str> = texts.collect();
    names.iter().any(|name| texts.iter().any(|text| names_it(text, name)))
}

fn names_it(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    text.match_indices(name).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let rest = &text[start + name.len()..];
        let after = rest.chars().next();
        // A secret's ARN ends in six random characters after its name.
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::{EVENT_NAMES, names_it};

    #[test]
    fn names_are_whole_words() {
        assert!(names_it("{\"dBInstanceIdentifier\":\"db\"}", "db"));
        assert!(names_it("arn:aws:iam::1:role/service-role/rotate", "rotate"));
        assert!(!names_it("my-db", "db") && !names_it("db-2", "db") && !names_it("dbx", "db"));
    }

    #[test]
    fn the_rotation_comes_first() {
        assert!(EVENT_NAMES[..5].iter().all(|name| name.starts_with("Rotat")));
    }
}
