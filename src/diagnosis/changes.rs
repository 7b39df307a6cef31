//! What changed between the last good rotation and the first that failed: CloudTrail
//! events about what this rotation depends on, and the dates that the things
//! themselves carry. A change is shown, not blamed: `cause` decides on causes.

use serde_json::Value;

use super::{
    related_resources::RelatedResources,
    timeline::{RETRIES_SECONDS, Timeline},
};
use crate::{
    catalogue::{Thing, change_event, trail_history},
    checks::{Case, caller},
    evidence::{Fact, Observed, Reason, Secret, Time, TrailEvent},
};

/// What changed before it broke.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// End of the last good rotation, where one is known.
    pub since: Option<Time>,
    /// The first failure, where its time is known.
    pub until: Option<Time>,
    /// The changes seen, oldest first.
    pub seen: Vec<Changed>,
    /// Why changes may be missing, in words.
    pub unseen: Vec<String>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// When.
    pub at: Time,
    /// The event's name, or what changed.
    pub event: String,
    /// Who: the ARN of a user or of the role behind a session; `None` where a date tells.
    pub by: Option<String>,
    /// What was changed.
    pub target: String,
    /// The parameters of the request, by name alone.
    pub parameters: Vec<String>,
    /// Where this is known from.
    pub source: &'static str,
}

/// A date of a thing and the event that set it are this close.
const SAME_CHANGE_SECONDS: f64 = 300.0;

/// Parameters that say nothing of what changed.
const EMPTY_PARAMETERS: &[&str] = &[
    "applyImmediately",
    "clientRequestToken",
    "clientToken",
    "dryRun",
    "publish",
    "revisionId",
    "secretId",
];

/// The changes before the first failure since the last good rotation.
pub(super) fn changes(case: &Case<'_>, timeline: &Timeline) -> Changes {
    let secret = case.secret().if_known();
    let since = timeline.last_success;
    let made = || {
        let version = timeline.stuck_version.as_deref()?;
        case.secret_versions().if_known()?.created(version)
    };
    let until = timeline.failing_since.or_else(made);
    let mut changes = Changes { since, until, ..Changes::default() };
    let window =
        Window { since, until, running: timeline.last_failure().and_then(|a| a.started_at) };
    let related = RelatedResources::of(case);
    for event in case.trail_events().if_known().into_iter().flatten() {
        changes.seen.extend(of_event(case, secret, event, &related, &window));
    }
    add_dates(case, timeline, &window, &mut changes.seen);
    changes.seen.sort_by(|a, b| (a.at, &a.event, &a.target).cmp(&(b.at, &b.event, &b.target)));
    changes.seen.dedup();
    changes.unseen = unseen(case, since);
    changes
}

/// The time that counts.
struct Window {
    since: Option<Time>,
    until: Option<Time>,
    /// Start of the last failed attempt.
    running: Option<Time>,
}

impl Window {
    fn holds(&self, at: Time) -> bool {
        self.since.is_none_or(|since| at > since) && self.until.is_none_or(|until| at <= until)
    }

    /// Also while an attempt ran.
    fn holds_running(&self, at: Time) -> bool {
        let end = self.running.or(self.until);
        self.holds(at)
            || self.since.is_none_or(|since| at > since)
                && end.is_none_or(|end| at.seconds_since(end) <= RETRIES_SECONDS)
    }
}

fn of_event(
    case: &Case<'_>,
    secret: Option<&Secret>,
    event: &TrailEvent,
    related: &RelatedResources,
    window: &Window,
) -> Option<Changed> {
    let at = event.event_time?;
    let (row, name) = change_event(event.event_name.as_deref()?)?;
    if event.event_source.as_ref().is_some_and(|source| *source != row.service) {
        return None;
    }
    let counts = if row.running { window.holds_running(at) } else { window.holds(at) };
    let detail = event.detail().unwrap_or_default();
    // A call that was refused changed nothing.
    if !counts || detail.get("errorCode").is_some_and(|code| !code.is_null()) {
        return None;
    }
    let by = caller(event);
    // What the function itself and the service write is the rotation.
    let role = case.function().if_known().and_then(|f| f.configuration.role.as_deref());
    let rotation = by == "secretsmanager.amazonaws.com" || Some(by.as_str()) == role;
    if rotation && row.of.contains(&Thing::Secret) {
        return None;
    }
    let request = detail.get("requestParameters").unwrap_or(&Value::Null);
    let target = if row.of.contains(&Thing::Secret) {
        let named = event.secrets();
        let superuser = case.superuser_secret().if_known();
        let mut all = [secret, superuser].into_iter().flatten();
        let own = all.find(|secret| !named.is_empty() && event.may_concern(secret))?;
        own.label().to_owned()
    } else {
        let named = related.named_in(request, &row.of).or_else(|| {
            let names = event.resources.iter().filter_map(|one| one.resource_name.clone());
            let names: Vec<Value> = names.map(Value::String).collect();
            related.named_in(&Value::Array(names), &row.of)
        });
        named?.to_owned()
    };
    let parameters = request.as_object().into_iter().flatten();
    let parameters = parameters
        .filter(|(key, value)| {
            !EMPTY_PARAMETERS.contains(&key.as_str()) && value.as_str() != Some(&target)
        })
        .map(|(key, _)| key.clone())
        .collect();
    let event = name.to_owned();
    Some(Changed { at, event, by: Some(by), target, parameters, source: "CloudTrail" })
}

/// What things themselves say of their last change, where no event says more.
fn add_dates(case: &Case<'_>, timeline: &Timeline, window: &Window, seen: &mut Vec<Changed>) {
    let mut dated: Vec<(Time, &str, String, &'static str, &[&str])> = Vec::new();
    if let Some(function) = case.function().if_known() {
        let function = &function.configuration;
        if let (Some(at), Some(name)) = (function.last_modified, &function.function_name) {
            let by = &["UpdateFunctionCode", "UpdateFunctionConfiguration"];
            dated.push((at, "code or configuration changed", name.clone(), "GetFunction", by));
        }
    }
    if let Some(stack) = case.stack().if_known()
        && let (Some(at), Some(name)) = (stack.last_updated_time, &stack.stack_name)
    {
        let by = &["UpdateStack", "ExecuteChangeSet"];
        dated.push((at, "stack updated", name.clone(), "DescribeStacks", by));
    }
    if let Some((instance, cluster)) = crate::checks::database_of(case) {
        let made = |at: Option<Time>, name: &Option<String>, source| {
            Some((at?, "database created or restored", name.clone()?, source, &["Restore"][..]))
        };
        dated.extend(instance.and_then(|one| {
            made(one.instance_create_time, &one.db_instance_identifier, "DescribeDBInstances")
        }));
        dated.extend(cluster.and_then(|one| {
            made(one.cluster_create_time, &one.db_cluster_identifier, "DescribeDBClusters")
        }));
    }
    for version in case.secret_versions().if_known().into_iter().flat_map(|all| &all.versions) {
        let (Some(at), Some(id)) = (version.created_date, &version.version_id) else { continue };
        // The version of an attempt is named by its token.
        let attempted = timeline.attempts.iter().any(|one| one.token.as_ref() == Some(id));
        let pending = timeline.stuck_version.as_ref() == Some(id);
        if !attempted && !pending {
            let by = &["PutSecretValue", "UpdateSecret"];
            dated.push((at, "version stored", id.clone(), "ListSecretVersionIds", by));
        }
    }
    for (at, event, target, source, by) in dated {
        let told = seen.iter().any(|one| {
            by.iter().any(|name| one.event.starts_with(name))
                && one.at.seconds_since(at).abs() <= SAME_CHANGE_SECONDS
        });
        if window.holds(at) && !told {
            let event = event.to_owned();
            seen.push(Changed { at, event, by: None, target, parameters: Vec::new(), source });
        }
    }
}

/// Why changes may be missing.
fn unseen(case: &Case<'_>, since: Option<Time>) -> Vec<String> {
    let evidence = case.evidence();
    let mut unseen = Vec::new();
    let action = Fact::TrailEvents.actions()[0];
    match &evidence.trail_events {
        Observed::NotSeen(gap) => {
            unseen.push(format!("CloudTrail: {action}: {}", gap.reason.words()));
        }
        Observed::NotAsked => unseen.push("CloudTrail was not looked at".to_owned()),
        Observed::Known(_) | Observed::Absent => {
            let cut = evidence.gaps.iter().filter(|gap| {
                gap.fact == Fact::TrailEvents.name() && gap.reason == Reason::Truncated
            });
            unseen.extend(cut.map(|gap| format!("CloudTrail was read in part: {}", gap.message)));
            let days = trail_history().days;
            if since.is_some_and(|since| case.now().days_since(since) > days) {
                unseen.push(format!(
                    "CloudTrail's event history goes back {days} days, and the last good \
                     rotation was before that"
                ));
            }
        }
    }
    unseen
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::evidence::Evidence;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:1:secret:app-AbCdEf";

    fn event(name: &str, service: &str, at: &str, who: &str, request: Value) -> Value {
        json!({"EventName": name, "EventTime": at, "EventSource": format!("{service}.amazonaws.com"),
            "CloudTrailEvent": json!({"userIdentity": {"arn": format!("arn:aws:iam::1:{who}")},
                "requestParameters": request}).to_string()})
    }

    fn world(events: Value) -> Value {
        json!({
            "CapturedAt": "2026-11-21T00:00:00Z",
            "Secret": {"ARN": ARN, "Name": "app", "LastRotatedDate": "2026-10-20T00:00:00Z",
                "KmsKeyId": "k-1", "RotationLambdaARN": "arn:aws:lambda:eu-west-1:1:function:rotate:live",
                "VersionIdsToStages": {"c": ["AWSCURRENT"], "p": ["AWSPENDING"]}},
            "SecretVersions": {"Versions": [
                {"VersionId": "p", "VersionStages": ["AWSPENDING"], "CreatedDate": "2026-11-19T03:00:00Z"}]},
            "SecretShape": {"AWSCURRENT": {"Keys": ["dbInstanceIdentifier"], "Values": {"dbInstanceIdentifier": "shop"}}},
            "Function": {"Configuration": {"FunctionName": "rotate", "Role": "arn:aws:iam::1:role/r",
                "LastModified": "2025-01-01T00:00:00Z",
                "VpcConfig": {"VpcId": "vpc-1", "SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}},
            "RouteTables": [{"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"Main": true}],
                "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "blackhole"}]}],
            "DBClusters": [], "DBInstances": [{"DBInstanceIdentifier": "shop"}, {"DBInstanceIdentifier": "blog"}],
            "TrailEvents": events,
        })
    }

    fn told(bundle: Value) -> Changes {
        let mut evidence: Evidence = serde_json::from_value(bundle).expect("a bundle");
        evidence.settle();
        let case = Case::new(&evidence);
        changes(&case, &Timeline::of(&case))
    }

    fn names(bundle: Value) -> Vec<String> {
        told(bundle).seen.iter().map(|one| format!("{} {}", one.event, one.target)).collect()
    }

    #[test]
    fn what_concerns_the_rotation_is_named_with_who_did_it() {
        let at = "2026-11-18T16:40:00Z";
        let seen = told(world(json!([
            event(
                "UpdateFunctionConfiguration20150331v2",
                "lambda",
                at,
                "user/dev",
                json!({"functionName": "rotate", "runtime": "python3.12"})
            ),
            event(
                "ModifyDBInstance",
                "rds",
                "2026-11-17T00:00:00Z",
                "role/tf",
                json!({"dBInstanceIdentifier": "shop", "masterUserPassword": "****", "applyImmediately": true})
            ),
        ])));
        let first = &seen.seen[0];
        assert_eq!((first.event.as_str(), first.target.as_str()), ("ModifyDBInstance", "shop"));
        assert_eq!(first.by.as_deref(), Some("arn:aws:iam::1:role/tf"));
        assert_eq!(first.parameters, ["masterUserPassword"]);
        let second = &seen.seen[1];
        assert_eq!(second.event, "UpdateFunctionConfiguration");
        assert_eq!(
            (second.target.as_str(), &second.parameters[..]),
            ("rotate", &["runtime".to_owned()][..])
        );
        assert!(seen.unseen.is_empty(), "{:?}", seen.unseen);
    }

    #[test]
    fn each_kind_of_thing_is_known_by_its_ids() {
        let at = "2026-11-18T16:40:00Z";
        for (name, service, request, target) in [
            ("RevokeSecurityGroupEgress", "ec2", json!({"groupId": "sg-1"}), "sg-1"),
            ("DeleteRoute", "ec2", json!({"routeTableId": "rtb-1"}), "rtb-1"),
            (
                "DeleteNatGateway",
                "ec2",
                json!({"DeleteNatGatewayRequest": {"NatGatewayId": "nat-1"}}),
                "nat-1",
            ),
            (
                "CreateVpcEndpoint",
                "ec2",
                json!({"CreateVpcEndpointRequest": {"VpcId": "vpc-1"}}),
                "vpc-1",
            ),
            ("DeleteRolePolicy", "iam", json!({"roleName": "r"}), "r"),
            ("DisableKey", "kms", json!({"keyId": "k-1"}), "k-1"),
            (
                "RemovePermission20150331v2",
                "lambda",
                json!({"functionName": "arn:aws:lambda:eu-west-1:1:function:rotate"}),
                "arn:aws:lambda:eu-west-1:1:function:rotate",
            ),
        ] {
            let seen = names(world(json!([event(name, service, at, "user/x", request)])));
            let bare = name.trim_end_matches("20150331v2");
            assert_eq!(seen, [format!("{bare} {target}")]);
        }
    }

    #[test]
    fn others_things_refused_calls_and_other_times_do_not_count() {
        let at = "2026-11-18T16:40:00Z";
        let group = json!({"groupId": "sg-1"});
        let mut refused = event("RevokeSecurityGroupIngress", "ec2", at, "user/x", group.clone());
        refused["CloudTrailEvent"] = json!(
            json!({"errorCode": "Client.UnauthorizedOperation",
            "requestParameters": group})
            .to_string()
        );
        let seen = names(world(json!([
            refused,
            event(
                "RevokeSecurityGroupIngress",
                "ec2",
                "2026-10-01T00:00:00Z",
                "user/x",
                group.clone()
            ),
            event("RevokeSecurityGroupIngress", "ec2", "2026-11-20T00:00:00Z", "user/x", group),
            event("ModifyDBInstance", "rds", at, "user/x", json!({"dBInstanceIdentifier": "blog"})),
            event("DescribeSecurityGroups", "ec2", at, "user/x", json!({"groupId": "sg-1"})),
        ])));
        assert_eq!(seen, Vec::<String>::new());
    }

    #[test]
    fn who_else_wrote_the_secret_counts_also_during_the_attempt() {
        let write = |who: &str, at: &str, id: &str| {
            event(
                "PutSecretValue",
                "secretsmanager",
                at,
                who,
                json!({"secretId": id, "versionStages": ["x"]}),
            )
        };
        let seen = names(world(json!([
            write("user/ci", "2026-11-19T03:01:00Z", "app"),
            write("role/r", "2026-11-19T03:00:00Z", "app"),
            write("user/ci", "2026-11-18T03:01:00Z", "other"),
        ])));
        assert_eq!(seen, ["PutSecretValue app"]);
    }

    #[test]
    fn dates_tell_where_no_event_does() {
        let mut dated = world(json!([]));
        dated["Function"]["Configuration"]["LastModified"] = json!("2026-11-01T00:00:00Z");
        dated["Stack"] = json!({"StackName": "s", "LastUpdatedTime": "2026-11-02T00:00:00Z"});
        dated["DBInstances"][0]["InstanceCreateTime"] = json!("2026-11-03T00:00:00Z");
        dated["SecretVersions"]["Versions"]
            .as_array_mut()
            .expect("versions")
            .push(json!({"VersionId": "x", "CreatedDate": "2026-11-04T00:00:00Z"}));
        assert_eq!(
            names(dated.clone()),
            [
                "code or configuration changed rotate",
                "stack updated s",
                "database created or restored shop",
                "version stored x"
            ]
        );
        dated["TrailEvents"] = json!([event(
            "UpdateFunctionCode20150331v2",
            "lambda",
            "2026-11-01T00:00:10Z",
            "user/x",
            json!({"functionName": "rotate"})
        )]);
        assert_eq!(names(dated)[0], "UpdateFunctionCode rotate");
    }

    #[test]
    fn what_was_not_read_is_said() {
        let mut refused = world(json!([]));
        refused.as_object_mut().expect("an object").shift_remove("TrailEvents");
        assert_eq!(told(refused.clone()).unseen, ["CloudTrail was not looked at"]);
        refused["Gaps"] = json!([{"Fact": "TrailEvents", "Action": "cloudtrail:LookupEvents", "Reason": "AccessDenied"}]);
        assert_eq!(told(refused).unseen, ["CloudTrail: cloudtrail:LookupEvents: access denied"]);
        let mut old = world(json!([]));
        old["Secret"]["LastRotatedDate"] = json!("2026-05-01T00:00:00Z");
        old["TrailEvents"] =
            json!([event("DeleteRolePolicy", "iam", "2026-11-01T00:00:00Z", "user/x", json!({}))]);
        old["Gaps"] = json!([{"Fact": "TrailEvents", "Action": "cloudtrail:LookupEvents", "Reason": "Truncated",
            "Message": "not looked up: ModifyDBCluster"}]);
        let unseen = told(old).unseen;
        assert!(unseen[0].contains("not looked up: ModifyDBCluster"), "{unseen:?}");
        assert!(unseen[1].contains("90 days"), "{unseen:?}");
    }
}
