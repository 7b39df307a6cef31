//! SCH03: a value stored by hand moved the next rotation.

use serde_json::json;

use crate::{
    catalogue::{Severity, schedule_limits},
    checks::{
        Basis, Case, Check, Finding, Judgement, Stop,
        commands::{describe_secret, set_rotation_rules},
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "schedule-moved-by-hand",
    question: "Did storing a value by hand move the next rotation?",
    codes: &["SCH03"],
    facts: &[Fact::Secret],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    let rules = secret.rotation_rules.as_ref();
    if rules.is_none_or(|rules| rules.schedule_expression.is_some()) {
        return Err(Stop::not_applicable("the schedule does not count days from the last change"));
    }
    let days = rules
        .and_then(|rules| rules.automatically_after_days)
        .ok_or_else(|| Stop::not_applicable("the secret has no schedule"))?;
    let (Some(rotated), Some(changed), Some(next)) =
        (secret.last_rotated_date, secret.last_changed_date, secret.next_rotation_date)
    else {
        return Err(Stop::not_applicable("the secret has not rotated yet, or rotation is off"));
    };
    let noticed = schedule_limits().shift_noticed_days.value;
    let late = next.days_since(rotated) - days;
    if changed <= rotated || late < noticed {
        return Ok(vec![]);
    }
    Ok(vec![
        Finding::new(
            "SCH03",
            case.secret_resource(),
            format!(
                "The secret last rotated on {}, was changed on {} and will next rotate on {}, {late} \
                 days later than every {days} days: a value stored by hand counts as a rotation.",
                rotated.date(),
                changed.date(),
                next.date()
            ),
        )
        .severity(Severity::Note)
        .on(Basis::Indication)
        .fact(
            "DescribeSecret",
            format!("LastRotatedDate: {rotated}, LastChangedDate: {changed}, NextRotationDate: {next}"),
        )
        .fix(
            "Use a cron expression: its dates do not move.",
            [set_rotation_rules(case, &json!({"ScheduleExpression": "cron(0 3 1 * ? *)"}))],
        )
        .confirm(describe_secret(case, "NextRotationDate")),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::testing::{codes, denied, judge, lacks, not_applicable},
        evidence::Fact,
    };

    fn bundle(changed: &str, next: &str) -> Value {
        json!({"Secret": {"Name": "app", "RotationRules": {"AutomaticallyAfterDays": 30},
            "LastRotatedDate": "2026-10-01", "LastChangedDate": changed, "NextRotationDate": next}})
    }

    #[test]
    fn a_next_date_counted_from_the_change_is_a_note() {
        let found = judge(&CHECK, bundle("2026-10-20", "2026-11-19")).expect("findings");
        assert_eq!(found[0].severity, Severity::Note);
        assert!(found[0].summary.contains("19 days later"), "{}", found[0].summary);
        assert!(codes(&judge(&CHECK, bundle("2026-10-01", "2026-10-31"))).is_empty());
        assert!(codes(&judge(&CHECK, bundle("2026-10-20", "2026-10-31"))).is_empty());
    }

    #[test]
    fn a_cron_schedule_does_not_move() {
        let cron =
            json!({"Secret": {"RotationRules": {"ScheduleExpression": "cron(0 8 1 * ? *)"}}});
        assert!(not_applicable(&judge(&CHECK, cron)));
        assert!(lacks(&judge(&CHECK, json!({"Gaps": denied(Fact::Secret)})), Fact::Secret));
    }
}
