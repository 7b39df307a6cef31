//! SEC10, SEC11: the pending value was made from an older current one.

use crate::{
    catalogue::engines,
    checks::{
        Basis, Case, Change, Check, Finding, Judgement, Stop,
        commands::{diagnose, remove_pending, rotate},
    },
    evidence::{Fact, StageShape},
};

pub(super) static CHECK: Check = Check {
    name: "stale-pending-value",
    question: "Does the pending value still belong to the current one?",
    codes: &["SEC10", "SEC11"],
    facts: &[Fact::Secret, Fact::SecretVersions, Fact::SecretShape],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    let pending =
        secret.stuck_pending().ok_or_else(|| Stop::not_applicable("no rotation is unfinished"))?;
    let stages = case.secret_shape();
    if let Some(stages) = stages.if_known()
        && let Some((new, now)) = stages.get("AWSPENDING").zip(stages.get("AWSCURRENT"))
    {
        return Ok(compare(case, pending, new, now).into_iter().collect());
    }
    let versions =
        case.secret_versions().or_not_applicable("ListSecretVersionIds returned no version")?;
    let made = |id: Option<&str>| {
        versions.versions.iter().find(|v| v.version_id.as_deref() == id)?.created_date
    };
    let (Some(new), Some(now)) = (made(Some(pending)), made(secret.version_with("AWSCURRENT")))
    else {
        return Err(Stop::not_applicable("the list does not date both versions"));
    };
    if new >= now {
        return Ok(vec![]);
    }
    let finding = Finding::new(
        "SEC10",
        case.secret_resource(),
        format!(
            "The current value was stored on {}, after the pending one ({}): retries reuse the \
             pending value, which may name a host, a user or a password of before.",
            now.minute(),
            new.minute()
        ),
    )
    .on(Basis::Indication)
    .fact("ListSecretVersionIds", format!("AWSPENDING {pending} is older than AWSCURRENT"));
    Ok(vec![with_fix(case, finding, pending)])
}

fn compare(case: &Case<'_>, pending: &str, new: &StageShape, now: &StageShape) -> Option<Finding> {
    if let Some((new, now)) = new.text("host").zip(now.text("host"))
        && new != now
    {
        let finding = Finding::new(
            "SEC10",
            case.secret_resource(),
            format!(
                "The pending value is for host {new}, the current one for {now}: the function \
                 refuses to set a password across the two, and every retry reuses the pending value."
            ),
        )
        .fact("GetSecretValue", format!("AWSPENDING host: {new}; AWSCURRENT host: {now}"));
        return Some(with_fix(case, finding, pending));
    }
    let (new_user, now_user) = new.text("username").zip(now.text("username"))?;
    let alternates = now.keys.iter().any(|key| key == "masterarn");
    let fits = if alternates {
        engines().base_user(&new_user) == engines().base_user(&now_user)
    } else {
        new_user == now_user
    };
    if fits {
        return None;
    }
    let finding = Finding::new(
        "SEC11",
        case.secret_resource(),
        format!(
            "The pending value is for user {new_user}, the current one for {now_user}: the function \
             refuses to change a user other than its own{}.",
            if alternates { " or its clone" } else { "" }
        ),
    )
    .fact("GetSecretValue", format!("AWSPENDING username: {new_user}; AWSCURRENT username: {now_user}"));
    Some(with_fix(case, finding, pending))
}

fn with_fix(case: &Case<'_>, finding: Finding, pending: &str) -> Finding {
    finding
        .fix(
            "Make sure that the current value is right and works; then remove the label from the \
             outdated version and rotate.",
            [remove_pending(case, pending), rotate(case)],
        )
        .trying(Change::RemovePendingLabel)
        .confirm(diagnose(case))
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

    fn secret() -> Value {
        json!({"Secret": {"Name": "app", "VersionIdsToStages": {"p": ["AWSPENDING"], "c": ["AWSCURRENT"]}}})
    }

    fn shapes(new: Value, now: Value, keys: Value) -> Value {
        let mut bundle = secret();
        bundle["SecretShape"] =
            json!({"AWSPENDING": {"Values": new}, "AWSCURRENT": {"Values": now, "Keys": keys}});
        bundle
    }

    #[test]
    fn values_for_two_hosts_or_two_users_do_not_belong_together() {
        let value = |host: &str, user: &str| json!({"host": host, "username": user});
        let plain = json!([]);
        let (a, b) = (value("a", "app"), value("b", "app"));
        assert_eq!(codes(&judge(&CHECK, shapes(a.clone(), b, plain.clone()))), ["SEC10"]);
        let other = value("a", "app_clone");
        assert_eq!(codes(&judge(&CHECK, shapes(other.clone(), a.clone(), plain))), ["SEC11"]);
        let alternating = json!(["masterarn"]);
        assert!(codes(&judge(&CHECK, shapes(other, a, alternating))).is_empty());
    }

    #[test]
    fn without_the_values_the_dates_are_an_indication() {
        let dated = |new: &str| {
            let mut bundle = secret();
            bundle["SecretVersions"] = json!({"Versions": [
                {"VersionId": "p", "CreatedDate": new}, {"VersionId": "c", "CreatedDate": "2026-11-10"}]});
            bundle
        };
        let found = judge(&CHECK, dated("2026-11-01")).expect("findings");
        assert_eq!((found[0].code(), found[0].basis), ("SEC10", Basis::Indication));
        assert!(codes(&judge(&CHECK, dated("2026-11-12"))).is_empty());
    }

    #[test]
    fn refused_facts_are_named() {
        let mut refused = secret();
        refused["Gaps"] = denied(Fact::SecretVersions);
        assert!(lacks(&judge(&CHECK, refused), Fact::SecretVersions));
        assert!(not_applicable(&judge(&CHECK, json!({"Secret": {"Name": "app"}}))));
    }
}
