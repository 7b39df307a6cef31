//! SCH02: a rotation window that runs into the next one or the next day.

use super::schedule::{Schedule, hours_of};
use crate::{
    catalogue::Severity,
    checks::{
        Basis, Case, Change, Check, Finding, Judgement, Stop,
        commands::{describe_secret, set_rotation_rules},
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "rotation-window",
    question: "Does the rotation window end before the next one and on the same UTC day?",
    codes: &["SCH02"],
    facts: &[Fact::Secret],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    let rules = secret
        .rotation_rules
        .as_ref()
        .ok_or_else(|| Stop::not_applicable("the secret has no schedule"))?;
    let duration = rules
        .duration
        .as_deref()
        .ok_or_else(|| Stop::not_applicable("the window has its default length"))?;
    let expression = match (&rules.schedule_expression, rules.automatically_after_days) {
        (Some(expression), _) => expression.clone(),
        (None, Some(days)) => format!("rate({days} days)"),
        (None, None) => return Err(Stop::not_applicable("the secret has no schedule")),
    };
    let Ok(schedule) = Schedule::parse(&expression) else {
        return Err(Stop::not_applicable("the schedule itself cannot be read"));
    };
    let longest = schedule.longest_window();
    let hours = hours_of(duration);
    if hours.is_some_and(|hours| hours <= longest) {
        return Ok(vec![]);
    }
    let fitting = format!("{longest}h");
    let rules = serde_json::json!({ "ScheduleExpression": expression, "Duration": fitting });
    let finding = Finding::new(
        "SCH02",
        case.secret_resource(),
        match hours {
            Some(_) => format!(
                "The rotation window of {duration} is too long for {expression}: it must end before \
                 the next window and on the same UTC day, after {longest} hours at most."
            ),
            None => format!("The rotation window {duration} is not a number of hours such as {fitting}."),
        },
    )
    .fact("DescribeSecret", format!("ScheduleExpression: {expression}, Duration: {duration}"))
    .fix(
        format!("Shorten the window to {fitting} or less, or let it begin earlier."),
        [set_rotation_rules(case, &rules)],
    )
    .trying(Change::SetSchedule { expression, duration: Some(fitting) })
    .confirm(describe_secret(case, "RotationRules"));
    // A next date means that the service took the window after all.
    Ok(vec![match secret.next_rotation_date {
        Some(_) => finding.severity(Severity::Warning).on(Basis::Indication),
        None => finding,
    }])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    fn bundle(expression: &str, duration: &str) -> Value {
        json!({"Secret": {"Name": "app",
            "RotationRules": {"ScheduleExpression": expression, "Duration": duration}}})
    }

    #[test]
    fn a_window_over_midnight_or_into_the_next_one_is_found() {
        let found = judge(&CHECK, bundle("cron(0 22 * * ? *)", "3h")).expect("findings");
        assert!(found[0].fixes[0].lines()[0].contains(r#""Duration":"2h""#));
        assert_eq!(codes(&judge(&CHECK, bundle("rate(4 hours)", "5h"))), ["SCH02"]);
        assert_eq!(codes(&judge(&CHECK, bundle("rate(4 days)", "90m"))), ["SCH02"]);
        assert!(codes(&judge(&CHECK, bundle("cron(0 22 * * ? *)", "2h"))).is_empty());
    }

    #[test]
    fn without_a_window_there_is_no_question() {
        let no_window =
            json!({"Secret": {"RotationRules": {"ScheduleExpression": "rate(4 hours)"}}});
        assert!(not_applicable(&judge(&CHECK, no_window)));
        assert!(
            not_applicable(&judge(&CHECK, bundle("cron(1 22 * * ? *)", "3h"))),
            "that is SCH01"
        );
        assert!(lacks(&judge(&CHECK, json!({"Gaps": denied(Fact::Secret)})), Fact::Secret));
    }
}
