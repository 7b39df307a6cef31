//! CloudTrail: the rotation's own events, and the changes that may have broken
//! it. The service allows two look-ups a second, so these run beside the waves
//! and within a budget of calls.

use std::collections::{BTreeSet, VecDeque};

use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use tokio::time::{Instant, sleep_until};

use super::{
    call::Caller,
    convert::{date_time, given, list, time},
    failure::{Failure, Kind},
    scene::Scene,
    scope,
    session::Clients,
    step::steps,
};
use crate::{
    aws::limits,
    evidence::{Evidence, Fact, Observed, Reason, Secret, Time, TrailEvent, TrailResource},
    seal,
};

steps! {
    // Look-ups are paced, so they run beside the waves: see `look_up`.
    0 "cloudtrail:LookupEvents" => TrailEvents <- []: |_| Vec::new();
}

const ACTION: &str = "cloudtrail:LookupEvents";

/// Events about a secret that checks read and that CloudTrail finds by the
/// secret's name. Asked for by their own names only where that look-up is not
/// to be had or was cut: whoever reads the secret often fills it.
const WRITES: &[&str] =
    &["PutSecretValue", "UpdateSecretVersionStage", "UpdateSecret", "RotateSecret"];

/// Events that are looked up by name, in the order in which the budget is
/// spent. Those of the rotation itself name no resource (their `resources` are
/// empty), and databases are not known yet when the look-ups begin.
const EVENT_NAMES: &[&str] = &[
    "RotationFailed",
    "RotationSucceeded",
    "UpdateFunctionConfiguration20150331v2",
    "ModifyDBInstance",
    "RevokeSecurityGroupIngress",
    "PutRolePolicy",
    "RemovePermission20150331v2",
    "UpdateFunctionCode20150331v2",
    "RotationStarted",
    "RevokeSecurityGroupEgress",
    "ModifySecurityGroupRules",
    "ModifyDBCluster",
    "RotationAbandoned",
    "TestRotationSucceeded",
    "TestRotationFailed",
    "PutKeyPolicy",
    "DetachRolePolicy",
    "DeleteRolePolicy",
    "ReplaceNetworkAclEntry",
    "CreateNetworkAclEntry",
    "DeleteRoute",
    "ReplaceRoute",
    "ModifyVpcEndpoint",
    "DeleteVpcEndpoints",
    "DisableKey",
    "ScheduleKeyDeletion",
    "RestoreDBInstanceFromDBSnapshot",
    "RestoreDBInstanceToPointInTime",
    "RestoreDBClusterFromSnapshot",
    "RestoreDBClusterToPointInTime",
];

/// Look-ups that a gap names; of the others it gives the number.
const NAMED_LEFT_OUT: usize = 6;

/// One look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
enum LookUp {
    /// By the secret's ARN, or by its name: as the caller wrote it.
    Secret(String),
    Name(&'static str),
}

impl LookUp {
    fn value(&self) -> &str {
        match self {
            Self::Secret(id) => id,
            Self::Name(name) => name,
        }
    }
}

/// The look-ups about a secret, the most telling first.
fn look_ups(secret: Option<&Secret>) -> VecDeque<LookUp> {
    let ids = secret.into_iter().flat_map(|secret| [secret.arn.clone(), secret.name.clone()]);
    let mut look_ups: VecDeque<LookUp> = ids.flatten().map(LookUp::Secret).collect();
    let mut names = EVENT_NAMES.to_vec();
    if secret.is_some_and(|secret| secret.last_rotated_date.is_none()) {
        // Of a secret that never rotated, only a test shows anything.
        names[2..].sort_by_key(|name| !name.starts_with("TestRotation"));
    }
    look_ups.extend(names.into_iter().map(LookUp::Name));
    if secret.is_none() {
        ask_for_writes(&mut look_ups);
    }
    look_ups
}

/// Adds the writes, after the outcomes of rotations.
fn ask_for_writes(look_ups: &mut VecDeque<LookUp>) {
    if look_ups.contains(&LookUp::Name(WRITES[0])) {
        return;
    }
    let outcomes = look_ups.iter().position(|next| *next == LookUp::Name("RotationSucceeded"));
    let place = outcomes.map_or(0, |index| index + 1);
    for (index, name) in WRITES.iter().enumerate() {
        look_ups.insert(place + index, LookUp::Name(name));
    }
}

/// What the look-ups brought, before it is known which events are ours.
#[derive(Debug, Default)]
pub(super) struct Trail {
    events: Vec<TrailEvent>,
    failure: Option<Failure>,
    /// Look-ups of which only the newest page was read.
    cut: Vec<String>,
    /// Look-ups that the budget left out.
    left_out: Vec<String>,
}

pub(super) async fn look_up(
    caller: &Caller,
    clients: &Clients,
    secret: Option<&Secret>,
    since: Option<Time>,
    calls: usize,
) -> Trail {
    let mut trail = Trail::default();
    let mut waiting = look_ups(secret);
    let begun = Instant::now();
    for index in 0..calls {
        let Some(next) = waiting.pop_front() else { break };
        let turn = begun + limits::TRAIL_PACE * u32::try_from(index).unwrap_or(u32::MAX);
        if turn >= caller.deadline() {
            trail.failure = Some(Failure::timeout("the run's time was over"));
            break;
        }
        sleep_until(turn).await;
        match one(caller, clients, &next, since).await {
            Ok((events, cut)) => {
                trail.events.extend(events);
                if cut {
                    trail.cut.push(next.value().to_owned());
                    if matches!(next, LookUp::Secret(_)) {
                        ask_for_writes(&mut waiting);
                    }
                }
            }
            Err(failure) => {
                // What refuses one look-up refuses all of them.
                trail.failure = Some(failure);
                break;
            }
        }
    }
    trail.left_out = waiting.iter().map(|next| next.value().to_owned()).collect();
    trail
}

/// The newest events of one look-up, and whether there are older ones.
async fn one(
    caller: &Caller,
    clients: &Clients,
    look_up: &LookUp,
    since: Option<Time>,
) -> Result<(Vec<TrailEvent>, bool), Failure> {
    let key = match look_up {
        LookUp::Secret(_) => LookupAttributeKey::ResourceName,
        LookUp::Name(_) => LookupAttributeKey::EventName,
    };
    let attribute = LookupAttribute::builder()
        .attribute_key(key)
        .attribute_value(look_up.value())
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
        .max_results(limits::TRAIL_PAGE_SIZE);
    let answer = caller.call(ACTION, look_up.value(), request.send()).await?;
    let cut = given(answer.next_token).is_some();
    let events = list(answer.events, |event| TrailEvent {
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
    });
    Ok((events, cut))
}

/// Who only read the secret is no news, and must not make a list that is cut
/// look like one that holds something.
fn is_a_read(event: &TrailEvent) -> bool {
    let name = event.event_name.as_deref().unwrap_or_default();
    ["Get", "BatchGet", "Describe", "List"].iter().any(|verb| name.starts_with(verb))
}

impl Trail {
    /// Keeps the events that name one of ours, and says what was not seen.
    pub(super) fn settle(self, scene: &mut Scene) {
        let names = names(scene);
        let mut ids = BTreeSet::new();
        let events: Vec<TrailEvent> = self
            .events
            .into_iter()
            .filter(|event| !is_a_read(event) && is_ours(event, &names))
            // One event may answer two look-ups.
            .filter(|event| event.event_id.as_ref().is_none_or(|id| ids.insert(id.clone())))
            .collect();
        let whole = self.failure.is_none() && self.cut.is_empty() && self.left_out.is_empty();
        // An empty list says "there is none" only where everything was looked at.
        if whole || !events.is_empty() {
            scene.evidence.trail_events = Observed::Known(events);
        }
        if let Some(failure) = &self.failure {
            // CloudTrail itself is never "not there".
            let message = failure.message().to_owned();
            scene.gap(Fact::TrailEvents, ACTION, "", failure.reason(), &message);
            return;
        }
        let mut message = Vec::new();
        if !self.cut.is_empty() {
            message.push(format!(
                "only the newest {most} were read of: {}",
                self.cut.join(", "),
                most = limits::TRAIL_PAGE_SIZE
            ));
        }
        if !self.left_out.is_empty() {
            let named = self.left_out.iter().take(NAMED_LEFT_OUT).cloned().collect::<Vec<_>>();
            let more = match self.left_out.len().saturating_sub(NAMED_LEFT_OUT) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            message.push(format!("not looked up: {}{more}", named.join(", ")));
        }
        if !message.is_empty() {
            scene.gap(Fact::TrailEvents, ACTION, "", Reason::Truncated, &message.join("; "));
        }
    }
}

/// What an event has to name: the secret, the function, its role, the database, a key,
/// the stack, or a part of the network between them.
fn names(scene: &Scene) -> Vec<String> {
    let evidence = &scene.evidence;
    let secret = evidence.secret.known();
    let vpc = evidence.function.known().and_then(|f| f.configuration.vpc_config.as_ref());
    let mut names: Vec<String> = Vec::new();
    names.extend(secret.and_then(|secret| secret.arn.clone()));
    names.extend(secret.and_then(|secret| secret.name.clone()));
    names.extend(scene.function_name());
    names.extend(scene.role_name());
    names.extend(scope::relevant(scene).identifiers);
    names.extend(vpc.map(|vpc| vpc.security_group_ids.clone()).unwrap_or_default());
    names.extend(network(evidence));
    let attached = evidence.attached_policies.known().into_iter().flatten();
    names.extend(attached.filter_map(|policy| policy.policy_arn.clone()));
    names.extend(evidence.stack.known().and_then(|stack| stack.stack_name.clone()));
    let key_ids = evidence.keys.keys().filter(|arn| !arn.contains(":alias/"));
    names.extend(key_ids.filter_map(|arn| Some(arn.rsplit('/').next()?.to_owned())));
    names.retain(|name| !name.is_empty());
    names
}

/// The ids of what the VPCs that matter hold, as far as it is not shared with others'
/// networks; which of them this rotation depends on is not judged here.
fn network(evidence: &Evidence) -> impl Iterator<Item = String> {
    macro_rules! ids {
        ($fact:ident, $id:ident) => {
            evidence.$fact.known().into_iter().flatten().filter_map(|one| one.$id.clone())
        };
    }
    let groups = ids!(security_groups, group_id);
    let tables = ids!(route_tables, route_table_id);
    let acls = ids!(network_acls, network_acl_id);
    let endpoints = ids!(vpc_endpoints, vpc_endpoint_id);
    let gateways = ids!(nat_gateways, nat_gateway_id);
    let subnets = ids!(subnets, subnet_id);
    groups.chain(tables).chain(acls).chain(endpoints).chain(gateways).chain(subnets)
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
    use super::{LookUp, WRITES, ask_for_writes, look_ups, names_it};
    use crate::{
        aws::limits,
        evidence::{Secret, Time},
    };

    #[test]
    fn names_are_whole_words() {
        assert!(names_it("{\"dBInstanceIdentifier\":\"db\"}", "db"));
        assert!(names_it("arn:aws:iam::1:role/service-role/rotate", "rotate"));
        assert!(!names_it("my-db", "db") && !names_it("db-2", "db") && !names_it("dbx", "db"));
    }

    fn secret(last_rotated_date: Option<&str>) -> Secret {
        Secret {
            arn: Some("arn:s".to_owned()),
            name: Some("s".to_owned()),
            last_rotated_date: last_rotated_date.and_then(Time::parse),
            ..Secret::default()
        }
    }

    #[test]
    fn the_budget_goes_to_the_secret_and_its_rotations_first() {
        let rotated = look_ups(Some(&secret(Some("2026-01-01T00:00:00Z"))));
        let all: Vec<&str> = rotated.iter().map(LookUp::value).collect();
        assert_eq!(all[..2], ["arn:s", "s"]);
        let within = &all[..limits::TRAIL_CALLS];
        for name in [
            "RotationFailed",
            "RotationSucceeded",
            "RemovePermission20150331v2",
            "ModifyDBInstance",
            "UpdateFunctionConfiguration20150331v2",
            "RevokeSecurityGroupIngress",
            "PutRolePolicy",
        ] {
            assert!(within.contains(&name), "{name}: {within:?}");
        }
        let never = look_ups(Some(&secret(None)));
        let within: Vec<&str> = never.iter().take(limits::TRAIL_CALLS).map(LookUp::value).collect();
        for name in ["RotationSucceeded", "TestRotationSucceeded", "TestRotationFailed"] {
            assert!(within.contains(&name), "{name}: {within:?}");
        }
        assert_eq!(never.len(), rotated.len(), "another order, and the same look-ups");
    }

    #[test]
    fn writes_are_asked_for_by_name_where_the_secret_does_not_tell() {
        let mut of_unknown = look_ups(None);
        assert_eq!(of_unknown[2], LookUp::Name("PutSecretValue"));
        let before = of_unknown.len();
        ask_for_writes(&mut of_unknown);
        assert_eq!(of_unknown.len(), before, "once");
        let mut cut = look_ups(Some(&secret(None)));
        assert!(!cut.contains(&LookUp::Name(WRITES[0])));
        ask_for_writes(&mut cut);
        assert_eq!(cut[4], LookUp::Name(WRITES[0]));
    }
}
