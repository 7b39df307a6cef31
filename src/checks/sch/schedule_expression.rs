//! SCH01: a schedule that Secrets Manager does not take.

use super::schedule::Schedule;
use crate::{
    catalogue::Severity,
    checks::{
        Basis, Case, Change, Check, Finding, Judgement, Stop,
        commands::{describe_secret, set_rotation_rules},
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "schedule-expression",
    question: "Is the schedule one that Secrets Manager takes?",
    codes: &["SCH01"],
    facts: &[Fact::Secret],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    let rules = secret.rotation_rules.as_ref();
    let expression = rules
        .and_then(|rules| rules.schedule_expression.as_deref())
        .ok_or_else(|| Stop::not_applicable("the secret has no schedule expression"))?;
    let Err(rule) = Schedule::parse(expression) else { return Ok(vec![]) };
    let better = nearest(expression);
    let duration = rules.and_then(|rules| rules.duration.clone());
    let rules = serde_json::json!({ "ScheduleExpression": better });
    let finding = Finding::new(
        "SCH01",
        case.secret_resource(),
        format!("The schedule {expression} breaks a rule of Secrets Manager: {rule}."),
    )
    .fact("DescribeSecret", format!("ScheduleExpression: {expression}"))
    .fix(
        format!("Set a schedule that is allowed, such as {better}; times are UTC."),
        [set_rotation_rules(case, &rules)],
    )
    .trying(Change::SetSchedule { expression: better, duration })
    .confirm(describe_secret(case, "RotationRules"));
    // A next date means that the service took the schedule after all.
    Ok(vec![match secret.next_rotation_date {
        Some(_) => finding.severity(Severity::Warning).on(Basis::Indication),
        None => finding,
    }])
}

/// The nearest schedule that is allowed: the same with what breaks the rules
/// replaced, else every 30 days.
fn nearest(expression: &str) -> String {
    let inside = expression.trim().strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')'));
    let fields: Vec<&str> = inside.unwrap_or_default().split_whitespace().collect();
    let candidate = match fields[..] {
        [_, hours, day, month, weekday] | [_, hours, day, month, weekday, _] => {
            let (day, weekday) = match (day, weekday) {
                ("?", "?") => ("*", "?"),
                ("*", weekday) if weekday != "*" && weekday != "?" => ("?", weekday),
                (day, _) if day != "?" => (day, "?"),
                both => both,
            };
            format!("cron(0 {hours} {day} {month} {weekday} *)")
        }
        _ if expression.contains("hour") => "rate(4 hours)".to_owned(),
        _ => "rate(30 days)".to_owned(),
    };
    if Schedule::parse(&candidate).is_ok() { candidate } else { "rate(30 days)".to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{CHECK, nearest};
    use crate::{
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    fn bundle(expression: &str) -> Value {
        json!({"Secret": {"Name": "app", "RotationRules": {"ScheduleExpression": expression}}})
    }

    #[test]
    fn a_schedule_against_the_rules_is_found_and_a_good_one_is_not() {
        let found = judge(&CHECK, bundle("rate(1 hour)")).expect("findings");
        assert!(found[0].fixes[0].lines()[0].contains("rate(4 hours)"));
        assert!(codes(&judge(&CHECK, bundle("rate(30 days)"))).is_empty());
        assert!(not_applicable(&judge(&CHECK, json!({"Secret": {"Name": "app"}}))));
        assert!(lacks(&judge(&CHECK, json!({"Gaps": denied(Fact::Secret)})), Fact::Secret));
    }

    #[test]
    fn the_proposal_keeps_what_it_can() {
        assert_eq!(nearest("cron(30 8 * * ? 2027)"), "cron(0 8 * * ? *)");
        assert_eq!(nearest("cron(0 8 * * * *)"), "cron(0 8 * * ? *)");
        assert_eq!(nearest("cron(15 8 * * MON *)"), "cron(0 8 ? * MON *)");
        assert_eq!(nearest("cron(0 99 * * ? *)"), "rate(30 days)");
    }
}
