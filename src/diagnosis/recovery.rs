//! How to get a stuck secret going once its cause is gone: what becomes of AWSPENDING,
//! then RotateSecret, then what to watch. The rule behind it: a version that setSecret
//! may have handed to the database keeps its label, for nothing else may hold the
//! password in use.

use std::borrow::Cow;

use super::timeline::{Attempt, Outcome, RETRIES_SECONDS, Timeline};
use crate::{
    aws::commands::Command,
    catalogue::{Entry, PendingVersion, login_check},
    checks::{Case, engine_of, step_reached},
    evidence::{RotationStep, Secret, Time},
    rotation_log::RunOutcome,
};

/// How to get rotation going again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// What it comes down to.
    pub action: Action,
    /// The pending version, where there is one.
    pub pending: Option<Pending>,
    /// Why so, in a sentence or two.
    pub summary: String,
    /// What to do, in order.
    pub steps: Vec<RecoveryStep>,
    /// Versions that must keep their label until the rotation has finished.
    pub keep: Vec<String>,
    /// Commands that show how it goes.
    pub watch: Vec<Command>,
}

/// The main action of a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing blocks a new rotation: rotate.
    Rotate,
    /// The pending version never reached the database: take its label off, then rotate.
    DropLabel,
    /// The database may have the pending password: let the rotation finish.
    Finish,
    /// What the database has is not known: try the logins first.
    LookFirst,
}

/// The version with the label AWSPENDING.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its id.
    pub version: String,
    /// When it was created.
    pub created: Option<Time>,
    /// Whether it is the current version as well, which is how a good rotation ends.
    pub is_current: bool,
    /// Whether it holds no value; `None` where that is unknown.
    pub empty: Option<bool>,
    /// What became of its password in the database.
    pub database: Password,
}

/// Whether the database has the password of the pending version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Password {
    /// No setSecret ran.
    Unchanged,
    /// One ran and failed.
    MayHaveChanged,
    /// One came through.
    Changed,
    /// What ran was not seen.
    Unknown,
}

/// One step of a recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryStep {
    /// What and when, in words.
    pub summary: String,
    /// Commands to paste.
    pub commands: Vec<Command>,
}

/// The recovery from a failed rotation; `None` where the secret's labels were not looked
/// at, or somebody else rotates it.
pub(super) fn recovery(
    case: &Case<'_>,
    timeline: &Timeline,
    first_cause: Option<&Entry>,
) -> Option<Recovery> {
    let secret = case.secret().if_known()?;
    if secret.owning_service.is_some() {
        return None;
    }
    let in_version = first_cause.and_then(|cause| cause.pending_version);
    let found_empty = in_version == Some(PendingVersion::Empty);
    let context = RecoveryContext { case, secret, timeline, found_empty };
    let pending = secret.version_with("AWSPENDING").map(|version| context.pending(version));
    let mut recovery = match pending {
        None => context.without_pending(),
        Some(pending) if pending.is_current => {
            let summary =
                "AWSPENDING and AWSCURRENT are on one version, which is how a good rotation \
                 ends: no label is in the context."
                    .to_owned();
            context.rotate(summary).with(pending)
        }
        Some(pending) => context.with_pending(pending, in_version.is_some()),
    };
    let logins_first = first_cause.is_some_and(|cause| cause.try_logins_first);
    if logins_first && recovery.action != Action::LookFirst {
        recovery.steps.insert(0, context.logins(&context.stages(&["AWSCURRENT", "AWSPREVIOUS"])));
    }
    Some(recovery)
}

struct RecoveryContext<'c> {
    case: &'c Case<'c>,
    secret: &'c Secret,
    timeline: &'c Timeline,
    /// That the version is empty is what stopped the attempt.
    found_empty: bool,
}

impl RecoveryContext<'_> {
    fn pending(&self, version: &str) -> Pending {
        let versions = self.case.secret_versions();
        let versions = versions.if_known().map_or(&[][..], |all| all.versions.as_slice());
        let row = versions.iter().find(|one| one.version_id.as_deref() == Some(version));
        // Only where the list names keys does one without a key say that it is empty.
        let listed = versions.iter().any(|one| !one.kms_key_ids.is_empty());
        let created = row.and_then(|row| row.created_date);
        let empty = row.filter(|_| listed).map(|row| row.kms_key_ids.is_empty());
        Pending {
            version: version.to_owned(),
            created,
            is_current: self.secret.version_with("AWSCURRENT") == Some(version),
            empty,
            database: match (self.password(version, created), empty) {
                // Of a version without a value nothing reached the database; where an
                // attempt at it came past that, one of the two was seen wrongly.
                (Password::Unchanged | Password::Unknown, Some(true)) => Password::Unchanged,
                (Password::MayHaveChanged, Some(true)) if self.found_empty => Password::Unchanged,
                (_, Some(true)) => Password::Unknown,
                (password, _) => password,
            },
        }
    }

    /// What the attempts at this version did to the database.
    fn password(&self, version: &str, created: Option<Time>) -> Password {
        let own = |attempt: &&Attempt| match (&attempt.token, attempt.started_at, created) {
            (Some(token), ..) => token == version,
            // One whose token was not seen, since the version was created.
            (None, Some(at), Some(created)) => created.seconds_since(at) <= RETRIES_SECONDS,
            (None, ..) => true,
        };
        let own: Vec<&Attempt> = self.timeline.attempts.iter().filter(own).collect();
        // One version may have been tried on several days, which are one attempt here.
        let furthest = step_reached(self.case, version).map(|step| of_step(step, false));
        let reached = own.iter().map(|attempt| reached(attempt)).chain(furthest).max();
        match reached {
            None => Password::Unknown,
            Some(Reached::Later) => Password::Changed,
            Some(Reached::Set) => Password::MayHaveChanged,
            Some(Reached::Unknown) => Password::Unknown,
            Some(Reached::Create) => {
                // An older attempt at the same version, of which the log is gone, may
                // have come further.
                let first = own.iter().filter_map(|attempt| attempt.started_at).min();
                let whole = first.zip(created).is_some_and(|(first, created)| {
                    first.seconds_since(created).abs() <= RETRIES_SECONDS
                });
                if whole { Password::Unchanged } else { Password::Unknown }
            }
        }
    }

    fn with_pending(&self, pending: Pending, faulty: bool) -> Recovery {
        let version = &pending.version;
        match pending.database {
            Password::Unchanged => {
                let why = if pending.empty == Some(true) {
                    "it holds no value"
                } else {
                    "no setSecret ran for it"
                };
                let mut recovery = self.rotate(format!(
                    "Version {version} never reached the database ({why}): its label may go, and the \
                     next rotation starts over."
                ));
                recovery.action = Action::DropLabel;
                recovery.steps[0].commands.insert(0, self.drop_label(version));
                recovery.steps[0].summary = "Remove the label, then rotate.".to_owned();
                recovery.with(pending)
            }
            Password::Changed | Password::MayHaveChanged if !faulty => {
                let sure = pending.database == Password::Changed;
                let mut recovery = self.rotate(format!(
                    "{}: keep AWSPENDING on version {version}, which may hold the only copy of the \
                     password in use, and let the rotation finish.",
                    if sure {
                        "setSecret came through, so the database has the new password"
                    } else {
                        "An attempt stopped in setSecret, which may have changed the password"
                    }
                ));
                recovery.action = Action::Finish;
                recovery.steps[0].summary =
                    "Rotate again: Secrets Manager answers that the earlier \
                     rotation is not complete and attempts that one again."
                        .to_owned();
                if let Some(step) = self.by_hand(version).filter(|_| sure) {
                    recovery.steps.push(step);
                }
                recovery.keep.push(version.clone());
                recovery.with(pending)
            }
            _ => {
                let what = match pending.database {
                    Password::Unknown => "Whether setSecret ran for it was not seen".to_owned(),
                    _ => "setSecret ran for it, and to repeat that does not help".to_owned(),
                };
                let mut recovery = self.look_first(
                    format!(
                        "AWSPENDING is on version {version}. {what}: try the logins before its label is \
                         touched."
                    ),
                    &["AWSPENDING", "AWSCURRENT"],
                );
                recovery.steps.push(RecoveryStep {
                    summary:
                        "Only AWSPENDING logs in: it is the password in use. Keep the label and \
                         rotate, which goes on with it."
                            .to_owned(),
                    commands: vec![self.rotate_command()],
                });
                recovery.steps.push(RecoveryStep {
                    summary:
                        "AWSCURRENT logs in and AWSPENDING does not: only then remove the label, \
                         and rotate."
                            .to_owned(),
                    commands: vec![self.drop_label(version), self.rotate_command()],
                });
                recovery.steps.push(neither());
                recovery.keep.push(version.clone());
                recovery.with(pending)
            }
        }
    }

    /// No version is pending: one that was may have been the password in use.
    fn without_pending(&self) -> Recovery {
        let lost = self
            .timeline
            .attempts
            .iter()
            .rev()
            .filter(|attempt| attempt.outcome == Outcome::Failed)
            .filter(|attempt| {
                let success = self.timeline.last_success;
                success.is_none_or(|then| attempt.started_at.is_none_or(|at| at > then))
            })
            .find(|attempt| reached(attempt) > Reached::Create && attempt.invoked);
        let Some(lost) = lost else {
            return self.rotate("No version is pending: nothing is in the context.".to_owned());
        };
        let token = lost.token.as_deref().filter(|token| {
            // One that is current by now finished after all.
            self.secret.version_with("AWSCURRENT") != Some(token)
        });
        let summary = match token {
            Some(token) => format!(
                "No version is pending, but an attempt at version {token} may have changed the \
                 password in the database: try the login first."
            ),
            None => "No version is pending, but an attempt since the last good rotation may have \
                 changed the password in the database: try the login first."
                .to_owned(),
        };
        let mut recovery = self.look_first(summary, &["AWSCURRENT", "AWSPREVIOUS"]);
        recovery.steps.push(RecoveryStep {
            summary: "AWSCURRENT logs in: rotate.".to_owned(),
            commands: vec![self.rotate_command()],
        });
        if let Some(token) = token {
            recovery.steps.push(RecoveryStep {
                summary:
                    "It does not: that version may hold the password. Put the label back on it, \
                     while Secrets Manager still has it, and rotate."
                        .to_owned(),
                commands: vec![
                    self.move_label("AWSPENDING").option("--move-to-version-id", token),
                    self.rotate_command(),
                ],
            });
            recovery.keep.push(token.to_owned());
        }
        recovery.steps.push(neither());
        recovery
    }

    fn rotate(&self, summary: String) -> Recovery {
        Recovery {
            action: Action::Rotate,
            pending: None,
            summary,
            steps: vec![RecoveryStep {
                summary: "Rotate.".to_owned(),
                commands: vec![self.rotate_command()],
            }],
            keep: Vec::new(),
            watch: self.watch(),
        }
    }

    fn look_first(&self, summary: String, stages: &[&str]) -> Recovery {
        Recovery {
            action: Action::LookFirst,
            pending: None,
            summary,
            steps: vec![self.logins(&self.stages(stages))],
            keep: Vec::new(),
            watch: self.watch(),
        }
    }

    /// An operation of Secrets Manager on the secret.
    fn on_secret(&self, operation: &'static str) -> Command {
        Command::aws("secretsmanager", operation).option("--secret-id", self.case.secret_id())
    }

    fn rotate_command(&self) -> Command {
        self.on_secret("rotate-secret")
    }

    fn move_label(&self, label: &str) -> Command {
        self.on_secret("update-secret-version-stage").option("--version-stage", label)
    }

    fn drop_label(&self, version: &str) -> Command {
        self.move_label("AWSPENDING").option("--remove-from-version-id", version)
    }

    /// What finishSecret does, for those who cannot wait for it.
    fn by_hand(&self, version: &str) -> Option<RecoveryStep> {
        let finish = self.timeline.last_failure()?.failed_step == Some(RotationStep::FinishSecret);
        let current = self.secret.version_with("AWSCURRENT").filter(|_| finish)?;
        Some(RecoveryStep {
            summary:
                "If applications cannot wait: testSecret has logged in with that version; what is \
                 left to do is to move AWSCURRENT."
                    .to_owned(),
            commands: vec![
                self.move_label("AWSCURRENT")
                    .option("--move-to-version-id", version)
                    .option("--remove-from-version-id", current),
            ],
        })
    }

    /// Those of the labels that some version carries.
    fn stages<'s>(&self, wanted: &[&'s str]) -> Vec<&'s str> {
        wanted.iter().copied().filter(|stage| self.secret.version_with(stage).is_some()).collect()
    }

    /// A login with each of these versions, whose password nobody sees.
    fn logins(&self, stages: &[&str]) -> RecoveryStep {
        let stages = if stages.is_empty() { &["AWSCURRENT"] } else { stages };
        let from = "from a machine that reaches the database";
        match engine_of(self.case).and_then(|engine| login_check(&engine.name)) {
            Some(check) => {
                let login = |stage: &&str| {
                    let value = self
                        .on_secret("get-secret-value")
                        .option("--version-stage", *stage)
                        .option("--query", "SecretString")
                        .option("--output", "text")
                        .capture("VALUE");
                    let stage = Cow::Borrowed(*stage);
                    [value, check.command.fill(|_| Some(stage.clone())).look()]
                };
                let forget = Command::program("unset").word("VALUE");
                RecoveryStep {
                    summary: format!("Try the logins, {from}; no password is shown."),
                    commands: stages.iter().flat_map(login).chain([forget]).collect(),
                }
            }
            None => RecoveryStep {
                summary: format!(
                    "Try a login with {}, {from}. Hand the password to the client in a variable or \
                     through its prompt, never as an argument, and do not print it.",
                    stages.join(" and one with ")
                ),
                commands: vec![
                    self.on_secret("list-secret-version-ids").flag("--include-deprecated"),
                ],
            },
        }
    }

    fn watch(&self) -> Vec<Command> {
        let function = self.case.function();
        let group = function.if_known().and_then(|function| function.configuration.log_group());
        let group = group.map(|group| {
            Command::aws("logs", "tail")
                .operand("LOG_GROUP", group)
                .option("--since", "10m")
                .flag("--follow")
        });
        let stages = self.on_secret("describe-secret").option("--query", "VersionIdsToStages");
        group.into_iter().chain([stages]).collect()
    }
}

impl Recovery {
    fn with(mut self, pending: Pending) -> Self {
        self.pending = Some(pending);
        self
    }
}

/// What is left where no login works.
fn neither() -> RecoveryStep {
    RecoveryStep {
        summary:
            "None logs in: touch no label; the password in the database is another one, and has \
             to be set first (`rotdoctor explain SEC09`)."
                .to_owned(),
        commands: Vec::new(),
    }
}

/// How far an attempt came, in the order of what that means for the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    /// Not beyond createSecret.
    Create,
    /// The step is not known.
    Unknown,
    /// Into setSecret.
    Set,
    /// Past setSecret.
    Later,
}

fn reached(attempt: &Attempt) -> Reached {
    let runs = attempt.steps.iter().filter_map(|run| Some((run.step?, run.outcome)));
    let steps = runs.map(|(step, outcome)| of_step(step, outcome == RunOutcome::Returned));
    let failed = attempt.failed_step.map(|step| of_step(step, false));
    // A run of which the step is not known may be any.
    let dark = attempt.steps.iter().any(|run| run.step.is_none()).then_some(Reached::Unknown);
    steps.chain(failed).chain(dark).max().unwrap_or(Reached::Unknown)
}

fn of_step(step: RotationStep, returned: bool) -> Reached {
    match step {
        RotationStep::CreateSecret => Reached::Create,
        RotationStep::SetSecret if !returned => Reached::Set,
        RotationStep::SetSecret | RotationStep::TestSecret | RotationStep::FinishSecret => {
            Reached::Later
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::aws::commands::Effect;

    use super::*;
    use crate::{catalogue::entry, evidence::Evidence};

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:1:secret:app-AbCdEf";
    const NEW: &str = "22222222-2222-4333-8444-555555555555";

    /// An attempt at a version that failed in this step, where CloudTrail names one.
    fn failed(version: &str, at: &str, step: Option<&str>) -> Value {
        let message = step.map_or_else(
            || "Error when executing lambda".to_owned(),
            |step| format!("Error when executing lambda f during {step} step"),
        );
        json!({"EventName": "RotationFailed", "EventTime": at, "CloudTrailEvent": json!({
            "errorMessage": message, "requestID": format!("Rotation-{ARN}-{version}"),
            "additionalEventData": {"SecretId": ARN}}).to_string()})
    }

    fn world(events: Value) -> Value {
        json!({
            "CapturedAt": "2026-11-21T00:00:00Z",
            "Secret": {"ARN": ARN, "Name": "app", "LastRotatedDate": "2026-10-20T00:00:00Z",
                "VersionIdsToStages": {"c": ["AWSCURRENT"], "o": ["AWSPREVIOUS"], NEW: ["AWSPENDING"]}},
            "SecretVersions": {"Versions": [
                {"VersionId": "c", "KmsKeyIds": ["k"]},
                {"VersionId": NEW, "KmsKeyIds": ["k"], "CreatedDate": "2026-11-19T03:00:00Z"}]},
            "SecretShape": {"AWSCURRENT": {"Keys": ["engine"], "Values": {"engine": "postgres"}}},
            "TrailEvents": events,
        })
    }

    fn way(bundle: Value, cause: Option<&str>) -> Recovery {
        let mut evidence: Evidence = serde_json::from_value(bundle).expect("a bundle");
        evidence.settle();
        let case = Case::new(&evidence);
        let cause = cause.and_then(entry);
        recovery(&case, &Timeline::of(&case), cause).expect("a way out")
    }

    fn after(step: Option<&str>) -> Recovery {
        way(world(json!([failed(NEW, "2026-11-19T03:01:00Z", step)])), None)
    }

    fn commands(recovery: &Recovery) -> String {
        let all: Vec<String> =
            recovery.steps.iter().flat_map(|step| &step.commands).map(Command::plain).collect();
        all.join("\n")
    }

    fn database(recovery: &Recovery) -> Password {
        recovery.pending.as_ref().expect("a pending version").database
    }

    const DROP: &str = "--version-stage AWSPENDING --remove-from-version-id";

    #[test]
    fn what_failed_in_create_secret_may_lose_its_label() {
        let way = after(Some("createSecret"));
        assert_eq!((way.action, database(&way)), (Action::DropLabel, Password::Unchanged));
        let rotate = "aws secretsmanager rotate-secret --secret-id app";
        assert!(commands(&way).contains(&format!("{DROP} {NEW}\n{rotate}")), "{}", commands(&way));
        assert!(way.keep.is_empty());
    }

    #[test]
    fn what_set_secret_may_have_changed_is_finished_and_not_dropped() {
        for (step, password) in [
            ("setSecret", Password::MayHaveChanged),
            ("testSecret", Password::Changed),
            ("finishSecret", Password::Changed),
        ] {
            let way = after(Some(step));
            assert_eq!((way.action, database(&way)), (Action::Finish, password), "{step}");
            assert!(!commands(&way).contains(DROP), "{step}: {}", commands(&way));
            assert_eq!(way.keep, [NEW], "{step}");
            let moves = commands(&way).contains("--version-stage AWSCURRENT --move-to-version-id");
            assert_eq!(moves, step == "finishSecret", "only a tested version becomes current");
        }
    }

    #[test]
    fn where_the_step_is_not_known_the_logins_come_first() {
        for events in [json!([failed(NEW, "2026-11-19T03:01:00Z", None)]), json!([])] {
            let way = way(world(events), None);
            assert_eq!((way.action, database(&way)), (Action::LookFirst, Password::Unknown));
            let logins = commands(&way);
            let (pending, current) = (
                logins.find("--version-stage AWSPENDING --query"),
                logins.find("--version-stage AWSCURRENT --query"),
            );
            assert!(pending.is_some() && pending < current, "{logins}");
            assert!(way.steps[2].summary.contains("only then") && way.keep == [NEW]);
        }
    }

    #[test]
    fn an_old_version_of_which_only_the_newest_attempts_are_seen_keeps_its_label() {
        let late = failed(NEW, "2026-11-20T09:00:00Z", Some("createSecret"));
        assert_eq!(way(world(json!([late])), None).action, Action::LookFirst);
        let early = failed(NEW, "2026-11-19T03:01:00Z", Some("setSecret"));
        assert_eq!(way(world(json!([late, early])), None).action, Action::Finish);
    }

    #[test]
    fn an_empty_version_goes_whatever_is_known_of_the_steps() {
        for events in [json!([]), json!([failed(NEW, "2026-11-19T03:01:00Z", None)])] {
            let mut empty = world(events);
            empty["SecretVersions"]["Versions"][1]["KmsKeyIds"] = json!([]);
            let way = way(empty, Some("SEC08"));
            assert_eq!((way.action, database(&way)), (Action::DropLabel, Password::Unchanged));
            assert_eq!(way.pending.expect("pending").empty, Some(true));
        }
    }

    #[test]
    fn an_empty_version_that_came_further_than_it_can_is_looked_at() {
        let empty = |step: &str| {
            let mut empty = world(json!([failed(NEW, "2026-11-19T03:01:00Z", Some(step))]));
            empty["SecretVersions"]["Versions"][1]["KmsKeyIds"] = json!([]);
            empty
        };
        assert_eq!(way(empty("setSecret"), Some("SEC08")).action, Action::DropLabel);
        assert_eq!(way(empty("setSecret"), Some("IAM12")).action, Action::LookFirst);
        assert_eq!(way(empty("testSecret"), Some("SEC08")).action, Action::LookFirst);
    }

    #[test]
    fn a_label_on_the_current_version_and_none_at_all_are_in_no_way() {
        let mut done = world(json!([]));
        done["Secret"]["VersionIdsToStages"] = json!({"c": ["AWSCURRENT", "AWSPENDING"]});
        let way_out = way(done, None);
        assert_eq!(way_out.action, Action::Rotate);
        assert!(way_out.pending.is_some_and(|pending| pending.is_current));
        let mut none = world(json!([failed(NEW, "2026-11-19T03:01:00Z", Some("createSecret"))]));
        none["Secret"]["VersionIdsToStages"] = json!({"c": ["AWSCURRENT"]});
        let way = way(none, None);
        assert_eq!((way.action, way.pending), (Action::Rotate, None));
    }

    #[test]
    fn a_label_that_was_taken_off_too_early_may_come_back() {
        let mut lost = world(json!([]));
        lost["Secret"]["VersionIdsToStages"] = json!({"c": ["AWSCURRENT"]});
        // The function must have run: its own log says how far.
        let millis = |second: i64| 1_795_057_200_000_i64 + second * 1000;
        let id = "0c1e5a1e-0000-4000-8000-000000000001";
        lost["LogEvents"] = json!([
            {"timestamp": millis(0), "message": format!("START RequestId: {id} Version: $LATEST"), "logStreamName": "x"},
            {"timestamp": millis(1), "message": format!("[ERROR]\t2026-11-19T03:00:01.000Z\t{id}\ttestSecret: Unable to log into database with pending secret of secret ARN {ARN}"), "logStreamName": "x"},
            {"timestamp": millis(2), "message": format!("[ERROR] ValueError: testSecret: Unable to log into database with pending secret of secret ARN {ARN}"), "logStreamName": "x"},
            {"timestamp": millis(3), "message": format!("END RequestId: {id}"), "logStreamName": "x"},
        ]);
        lost["TrailEvents"] = json!([failed(NEW, "2026-11-19T03:00:05Z", Some("testSecret"))]);
        let way = way(lost, None);
        assert_eq!(way.action, Action::LookFirst);
        assert!(
            commands(&way).contains(&format!("AWSPENDING --move-to-version-id {NEW}")),
            "{way:?}"
        );
        assert_eq!(way.keep, [NEW]);
    }

    #[test]
    fn a_version_that_carries_the_fault_is_looked_at_before_it_goes() {
        let events = json!([failed(NEW, "2026-11-19T03:01:00Z", Some("setSecret"))]);
        assert_eq!(way(world(events.clone()), Some("SEC10")).action, Action::LookFirst);
        assert_eq!(way(world(events), Some("NET10")).action, Action::Finish);
        let early = json!([failed(NEW, "2026-11-19T03:01:00Z", Some("createSecret"))]);
        assert_eq!(way(world(early), Some("SEC02")).action, Action::DropLabel);
    }

    #[test]
    fn a_wrong_password_comes_with_logins_that_show_none() {
        let events = json!([failed(NEW, "2026-11-19T03:01:00Z", Some("setSecret"))]);
        let with = way(world(events.clone()), Some("SEC09"));
        let login = with.steps[0].commands.iter().map(Command::plain).collect::<Vec<_>>();
        assert!(login[0].starts_with("VALUE=$(aws secretsmanager get-secret-value "), "{login:?}");
        assert!(login[0].contains("--version-stage AWSCURRENT"), "{login:?}");
        assert!(login[1].starts_with("PGPASSWORD="), "{login:?}");
        assert!(login[1].ends_with("-c \"SELECT 'AWSCURRENT logs in'\""), "{login:?}");
        assert!(with.steps[0].commands.iter().all(|one| one.effect() == Effect::Look));
        let mut other = world(events);
        other["SecretShape"]["AWSCURRENT"]["Values"]["engine"] = json!("oracle");
        let words = way(other, Some("SEC09"));
        assert!(words.steps[0].summary.contains("never as an argument"), "{:?}", words.steps[0]);
    }

    #[test]
    fn a_secret_that_a_service_rotates_has_no_way_of_ours() {
        let mut managed = world(json!([]));
        managed["Secret"]["OwningService"] = json!("rds");
        let mut evidence: Evidence = serde_json::from_value(managed).expect("a bundle");
        evidence.settle();
        let case = Case::new(&evidence);
        assert_eq!(recovery(&case, &Timeline::of(&case), None), None);
    }
}
