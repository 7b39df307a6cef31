//! SCH04: the next rotation should have happened.

use serde_json::json;

use super::schedule::{Schedule, hours_of};
use crate::{
    aws::{
        arn,
        commands::{Argument, Command},
    },
    catalogue::schedule_limits,
    checks::{
        Case, Check, Finding, Judgement, Stop,
        commands::{describe_secret, events_of, rotate},
    },
    evidence::{Fact, RotationRules, Secret},
};

pub(super) static CHECK: Check = Check {
    name: "rotation-overdue",
    question: "Is the next rotation still ahead?",
    codes: &["SCH04"],
    facts: &[Fact::Secret],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    if secret.rotation_enabled != Some(true) {
        return Err(Stop::not_applicable("rotation is not enabled"));
    }
    let next = secret
        .next_rotation_date
        .ok_or_else(|| Stop::not_applicable("the secret shows no date of a next rotation"))?;
    let allowed =
        window_hours(secret.rotation_rules.as_ref()) + schedule_limits().overdue_grace_hours.value;
    if case.now().seconds_since(next) <= allowed as f64 * 3600.0 {
        return Ok(vec![]);
    }
    let last = secret.last_rotated_date.map_or_else(
        || "it never rotated".to_owned(),
        |last| format!("it last rotated on {}", last.date()),
    );
    Ok(vec![
        Finding::new(
            "SCH04",
            case.secret_resource(),
            format!(
                "The next rotation was due on {} and has not happened ({last}): the attempts failed \
                 until no more followed, or none could start.",
                next.date()
            ),
        )
        .fact("DescribeSecret", format!("NextRotationDate: {next}; looked at: {}", case.now()))
        .fix(
            "Find out in which step the attempts fail and why; remove that cause, and rotate. \
             AWSPENDING may be removed from the version that an attempt left behind only if no setSecret \
             ran for it (`rotdoctor explain SEC07`).",
            commands(case, secret),
        )
        .fix(
            "Get notified of the next failure: an EventBridge rule on RotationFailed, with a topic behind it \
             (its policy must let events.amazonaws.com publish).",
            [
                Command::aws("events", "put-rule")
                    .option("--name", "secret-rotation-failed")
                    .option("--event-pattern", Argument::json(&json!({
                        "source": ["aws.secretsmanager"],
                        "detail": {"eventName": ["RotationFailed", "RotationAbandoned"]},
                    }))),
                Command::aws("events", "put-targets")
                    .option("--rule", "secret-rotation-failed")
                    .option(
                        "--targets",
                        Argument::from("Id=notify,Arn=").then(Argument::placeholder("TOPIC_ARN")),
                    ),
            ],
        )
        .confirm(describe_secret(case, "[LastRotatedDate,NextRotationDate]")),
    ])
}

/// The commands that show the step and the error, and start the next attempt.
fn commands(case: &Case<'_>, secret: &Secret) -> Vec<Command> {
    let mut commands = vec![
        events_of("EventName", "RotationFailed")
            .option("--max-results", "10")
            .option("--query", "Events[].[EventTime,CloudTrailEvent]"),
    ];
    let function = secret.rotation_lambda_arn.as_deref().and_then(arn::function_name);
    if let Some(function) = function {
        let group = format!("/aws/lambda/{function}");
        commands
            .push(Command::aws("logs", "tail").operand("LOG_GROUP", group).option("--since", "7d"));
    }
    commands.push(rotate(case));
    commands
}

/// Hours of the window, as set or by default.
fn window_hours(rules: Option<&RotationRules>) -> i64 {
    let set = rules.and_then(|rules| hours_of(rules.duration.as_deref()?));
    set.unwrap_or_else(|| {
        match rules.and_then(|rules| Schedule::parse(rules.schedule_expression.as_deref()?).ok()) {
            Some(Schedule::Hours(_)) => schedule_limits().window_of_hourly_schedule_hours.value,
            Some(Schedule::Days(_) | Schedule::At(_)) | None => 24,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    fn bundle(next: &str, rules: Value) -> Value {
        json!({"Secret": {"Name": "app", "RotationEnabled": true, "NextRotationDate": next,
            "RotationRules": rules}})
    }

    #[test]
    fn a_date_beyond_window_and_grace_is_overdue() {
        let days = json!({"AutomaticallyAfterDays": 30});
        assert_eq!(codes(&judge(&CHECK, bundle("2026-11-19T00:00:00Z", days.clone()))), ["SCH04"]);
        assert!(codes(&judge(&CHECK, bundle("2026-11-20T00:00:00Z", days.clone()))).is_empty());
        assert!(codes(&judge(&CHECK, bundle("2026-12-01T00:00:00Z", days))).is_empty());
        let short = json!({"ScheduleExpression": "rate(4 hours)"});
        assert_eq!(codes(&judge(&CHECK, bundle("2026-11-20T10:00:00Z", short))), ["SCH04"]);
    }

    #[test]
    fn the_fix_leads_to_the_cause_and_to_the_next_alarm() {
        let mut late = bundle("2026-11-19T00:00:00Z", json!({"AutomaticallyAfterDays": 30}));
        let commands = |bundle: &Value| -> Vec<Vec<String>> {
            let found = judge(&CHECK, bundle.clone()).expect("findings");
            found[0].fixes.iter().map(|fix| fix.lines()).collect()
        };
        let plain = commands(&late);
        assert_eq!((plain[0].len(), plain[1].len()), (2, 2), "{plain:?}");
        late["Secret"]["RotationLambdaARN"] =
            json!("arn:aws:lambda:eu-west-1:123456789012:function:rotate:live");
        late["Secret"]["VersionIdsToStages"] = json!({"a": ["AWSCURRENT"], "b": ["AWSPENDING"]});
        let all = commands(&late);
        assert_eq!(all[0][1], "aws logs tail /aws/lambda/rotate --since 7d");
        assert!(all[0][2].contains("rotate-secret") && all[1][1].contains("put-targets"));
        let drops = all.iter().flatten().any(|command| command.contains("remove-from-version-id"));
        assert!(!drops, "it may be the password in use: {all:?}");
    }

    #[test]
    fn rotation_that_is_off_is_never_late() {
        let off = json!({"Secret": {"RotationEnabled": false, "NextRotationDate": "2026-01-01"}});
        assert!(not_applicable(&judge(&CHECK, off)));
        assert!(lacks(&judge(&CHECK, json!({"Gaps": denied(Fact::Secret)})), Fact::Secret));
    }
}
