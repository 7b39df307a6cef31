//! SEC09: the database's password was changed past the secret.

use crate::{
    aws::commands::{Argument, Command},
    catalogue::Severity,
    checks::{
        Basis, Case, Check, Finding, Judgement, ProofKind, Stop,
        commands::{DatabaseOperation, diagnose, on_database, on_secret},
        db::secret_database::{DATABASE_FACTS, SecretDatabase, secret_database},
        history::{Trail, caller, failing},
    },
    evidence::{Fact, TrailEvent},
};

const FACTS: [Fact; 8] = {
    let [secret, shape, superuser, resources, instances, clusters] = DATABASE_FACTS;
    [secret, shape, superuser, resources, instances, clusters, Fact::LogEvents, Fact::TrailEvents]
};

pub(super) static CHECK: Check = Check {
    name: "password-changed-elsewhere",
    question: "Was the database's password changed, or the database restored, past the secret?",
    codes: &["SEC09"],
    facts: &FACTS,
    judge,
};

const CHANGES: &[&str] = &["ModifyDBInstance", "ModifyDBCluster"];
const RESTORES: &[&str] = &[
    "RestoreDBInstanceFromDBSnapshot",
    "RestoreDBInstanceToPointInTime",
    "RestoreDBClusterFromSnapshot",
    "RestoreDBClusterToPointInTime",
];

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    let events =
        case.trail_events().or_not_applicable("CloudTrail holds no event of this secret")?;
    if !failing(case) {
        return Err(Stop::not_applicable("no rotation is known to fail"));
    }
    let trail = Trail::of(case, events);
    let since = |at| secret.last_rotated_date.is_none_or(|last| at > last);
    let changed = |at, event: &TrailEvent| since(at) && sets_a_password(event);
    if !trail.named(CHANGES).any(|(at, event)| changed(at, event))
        && !trail.named(RESTORES).any(|(at, _)| since(at))
    {
        return Ok(vec![]);
    }
    let database = secret_database(case)?;
    let change =
        trail.named(CHANGES).rfind(|(at, event)| changed(*at, event) && is_about(event, &database));
    let restore =
        trail.named(RESTORES).rfind(|(at, event)| since(*at) && is_about(event, &database));
    // Only the master user's password is set that way; a restore sets all back.
    let master = is_master_user(case, &database);
    let change = change.filter(|_| master != Some(false));
    let Some((at, event)) = change.max_by_time(restore) else { return Ok(vec![]) };
    let name = event.event_name.as_deref().unwrap_or_default();
    let finding = Finding::new(
        "SEC09",
        case.secret_resource(),
        format!(
            "{} called {name} on {} at {}, after the last good rotation: the password in \
                 the database may no longer be the one in the secret.",
            caller(event),
            target(event).as_deref().unwrap_or("the database"),
            at.minute()
        ),
    )
    .severity(Severity::Warning)
    .on(Basis::Indication)
    .proof(
        ProofKind::Trail,
        "CloudTrail",
        format!("{name} at {} by {}", at.second(), caller(event)),
    );
    // The command sets the master user's password, whatever user the secret has.
    let finding = if master == Some(true) && !database.assumed {
        finding.fix(
            "Make the two agree: give the master user the password of AWSCURRENT, or store the \
             database's password in the secret. Then rotate.",
            [set_master_password(case, &database)],
        )
    } else {
        finding.fix(
            "Make the two agree: as an administrator of the database, set the password of the \
             secret's user, and of no other, to the one in AWSCURRENT. To test a login without \
             showing the password, hand it to the client in a variable that get-secret-value fills \
             (PGPASSWORD for psql, MYSQL_PWD for mysql), never as an argument. Then rotate.",
            [],
        )
    };
    Ok(vec![finding.confirm(diagnose(case))])
}

/// Gives the database's master user the password of AWSCURRENT.
fn set_master_password(case: &Case<'_>, database: &SecretDatabase<'_>) -> Command {
    let password = on_secret(case, "get-secret-value")
        .option("--query", "SecretString")
        .option("--output", "text")
        .pipe(Command::program("jq").flag("-r").operand("PROGRAM", ".password"));
    let identifier = Argument::or_placeholder(database.identifier(), "DATABASE");
    on_database(DatabaseOperation::Modify, database.cluster.is_some(), identifier)
        .flag("--apply-immediately")
        .option("--master-user-password", Argument::output(password))
}

/// The later of two optional events.
trait Later: Sized {
    fn max_by_time(self, other: Self) -> Self;
}
impl<T> Later for Option<(crate::evidence::Time, T)> {
    fn max_by_time(self, other: Self) -> Self {
        match (self, other) {
            (Some(a), Some(b)) => Some(if b.0 > a.0 { b } else { a }),
            (a, b) => a.or(b),
        }
    }
}

fn sets_a_password(event: &TrailEvent) -> bool {
    event.detail().is_some_and(|detail| {
        detail.get("errorCode").is_none_or(serde_json::Value::is_null)
            && detail.pointer("/requestParameters/masterUserPassword").is_some()
    })
}

/// The database that a call was about.
fn target(event: &TrailEvent) -> Option<String> {
    let detail = event.detail()?;
    let request = detail.get("requestParameters")?;
    ["dBInstanceIdentifier", "dBClusterIdentifier", "targetDBInstanceIdentifier"]
        .iter()
        .find_map(|key| request.get(*key)?.as_str().map(str::to_owned))
}

/// Whether a call was about the secret's own database.
fn is_about(event: &TrailEvent, database: &SecretDatabase<'_>) -> bool {
    let own = [
        database.cluster.and_then(|cluster| cluster.db_cluster_identifier.as_deref()),
        database.instance.and_then(|instance| instance.db_instance_identifier.as_deref()),
    ];
    target(event).is_some_and(|name| own.iter().flatten().any(|id| id.eq_ignore_ascii_case(&name)))
}

/// Whether the secret's user is the master user of its database; `None` where
/// that is not known.
fn is_master_user(case: &Case<'_>, database: &SecretDatabase<'_>) -> Option<bool> {
    let user = case.secret_shape().if_known()?.get("AWSCURRENT")?.text("username")?;
    Some(database.master_username()? == user)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::{
            Basis,
            testing::{codes, denied, judge, lacks, not_applicable},
        },
        evidence::Fact,
    };

    fn bundle(name: &str, request: Value) -> Value {
        json!({"Secret": {"Name": "app", "LastRotatedDate": "2026-10-20",
                "VersionIdsToStages": {"p": ["AWSPENDING"], "c": ["AWSCURRENT"]}},
            "DBClusters": [], "DBInstances": [
                {"DBInstanceIdentifier": "shop", "MasterUsername": "admin"},
                {"DBInstanceIdentifier": "blog", "MasterUsername": "app"}],
            "SecretShape": {"AWSCURRENT": {"Keys": ["dbInstanceIdentifier"],
                "Values": {"dbInstanceIdentifier": "shop"}}},
            "TrailEvents": [{"EventName": name, "EventTime": "2026-11-01T00:00:00Z", "Username": "bob",
                "CloudTrailEvent": json!({"requestParameters": request}).to_string()}]})
    }

    #[test]
    fn a_password_set_past_the_secret_is_an_indication() {
        let request = json!({"dBInstanceIdentifier": "shop", "masterUserPassword": "****"});
        let found = judge(&CHECK, bundle("ModifyDBInstance", request.clone())).expect("findings");
        assert_eq!((found[0].code(), found[0].basis), ("SEC09", Basis::Indication));
        let mut other = bundle("ModifyDBInstance", request.clone());
        other["SecretShape"]["AWSCURRENT"]["Values"]["username"] = json!("app");
        assert!(codes(&judge(&CHECK, other)).is_empty(), "another user keeps its password");
        let mut before = bundle("ModifyDBInstance", request);
        before["Secret"]["LastRotatedDate"] = json!("2026-11-10");
        assert!(codes(&judge(&CHECK, before)).is_empty());
    }

    #[test]
    fn a_restore_counts_and_another_change_or_database_does_not() {
        let restore = json!({"dBInstanceIdentifier": "shop"});
        assert_eq!(
            codes(&judge(&CHECK, bundle("RestoreDBInstanceFromDBSnapshot", restore.clone()))),
            ["SEC09"]
        );
        assert!(codes(&judge(&CHECK, bundle("ModifyDBInstance", restore))).is_empty());
        let other = json!({"dBInstanceIdentifier": "blog", "masterUserPassword": "****"});
        assert!(codes(&judge(&CHECK, bundle("ModifyDBInstance", other))).is_empty());
    }

    #[test]
    fn only_the_master_users_own_password_is_put_into_a_command() {
        let fix = |user: Option<&str>| {
            let mut restored =
                bundle("RestoreDBInstanceFromDBSnapshot", json!({"dBInstanceIdentifier": "shop"}));
            if let Some(user) = user {
                restored["SecretShape"]["AWSCURRENT"]["Values"]["username"] = json!(user);
            }
            judge(&CHECK, restored).expect("findings")[0].fixes[0].clone()
        };
        assert!(fix(Some("admin")).lines()[0].contains("--db-instance-identifier shop "));
        // The master user of another database, and a user that was not seen.
        for user in [Some("app"), None] {
            assert!(fix(user).lines().is_empty());
            assert!(fix(user).summary.contains("PGPASSWORD"));
        }
    }

    #[test]
    fn nothing_is_said_while_rotation_works_or_the_trail_is_refused() {
        let mut works = bundle("ModifyDBInstance", json!({"masterUserPassword": "****"}));
        works["Secret"]["VersionIdsToStages"] = json!({"c": ["AWSCURRENT"]});
        assert!(not_applicable(&judge(&CHECK, works)));
        let refused = json!({"Secret": {}, "Gaps": denied(Fact::TrailEvents)});
        assert!(lacks(&judge(&CHECK, refused), Fact::TrailEvents));
    }
}
