//! MGD05: a managed secret on the interval that its owner set by default.

use serde_json::json;

use super::owner::owner;
use crate::{
    catalogue::Severity,
    checks::{
        Basis, Case, Check, Finding, Judgement, Stop,
        commands::{describe_secret, set_rotation_rules},
    },
    evidence::Fact,
};

pub(super) static CHECK: Check = Check {
    name: "managed-default-interval",
    question: "Does a managed secret rotate as often as its owner sets by default?",
    codes: &["MGD05"],
    facts: &[Fact::Secret],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    let owner = owner(secret).ok_or_else(|| Stop::not_applicable("no service owns the secret"))?;
    let default = owner
        .row
        .and_then(|row| row.default_days)
        .ok_or_else(|| Stop::not_applicable(format!("{} has no known default", owner.name)))?;
    if secret.rotation_enabled == Some(false) {
        return Ok(vec![]);
    }
    let rules = secret
        .rotation_rules
        .as_ref()
        .ok_or_else(|| Stop::not_applicable("the secret shows no schedule"))?;
    let expression = rules.schedule_expression.as_deref();
    let is_default = match expression {
        Some(expression) => expression == format!("rate({default} days)"),
        None => rules.automatically_after_days == Some(default),
    };
    if !is_default {
        return Ok(vec![]);
    }
    Ok(vec![
        Finding::new(
            "MGD05",
            case.secret_resource(),
            format!(
                "The secret rotates every {default} days, the default of {}: applications must \
                 read it again that often. Infrastructure code that does not mention the interval \
                 does not change it.",
                owner.name
            ),
        )
        .severity(Severity::Note)
        .on(Basis::Indication)
        .fact("DescribeSecret", format!("{}; every {default} days", owner.proof))
        .fix(
            "Set another interval, if this one is not wanted.",
            [set_rotation_rules(case, &json!({"AutomaticallyAfterDays": 30}))],
        )
        .confirm(describe_secret(case, "RotationRules")),
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

    fn bundle(service: &str, rules: Value) -> Value {
        json!({"Secret": {"Name": "rds!db-1", "OwningService": service, "RotationRules": rules}})
    }

    #[test]
    fn the_default_interval_is_a_note_and_another_is_nothing() {
        let days = |days: i64| json!({"AutomaticallyAfterDays": days});
        let found = judge(&CHECK, bundle("rds", days(7))).expect("findings");
        assert_eq!(found[0].severity, Severity::Note);
        assert!(found[0].fixes[0].lines()[0].contains("--secret-id 'rds!db-1'"));
        assert!(codes(&judge(&CHECK, bundle("rds", days(30)))).is_empty());
        let rate = json!({"ScheduleExpression": "rate(7 days)", "AutomaticallyAfterDays": 7});
        assert_eq!(codes(&judge(&CHECK, bundle("rds", rate))), ["MGD05"]);
        assert!(not_applicable(&judge(&CHECK, bundle("appflow", days(7)))));
    }

    #[test]
    fn a_refused_secret_is_named() {
        assert!(lacks(&judge(&CHECK, json!({"Gaps": denied(Fact::Secret)})), Fact::Secret));
    }
}
