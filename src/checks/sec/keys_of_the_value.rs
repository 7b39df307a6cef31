//! SEC01, SEC04, SEC05, SEC17: what the value must hold for its template.

use super::stage_shape::{has_open_value, is_for_a_database, shape};
use crate::{
    catalogue::{Severity, engines},
    checks::{
        Basis, Case, Check, Finding, Judgement, ProofKind, Stop,
        commands::{diagnose_value, store_value},
        vended_template::template,
    },
    evidence::{Fact, StageShape, TemplateAttachment},
};

pub(super) static CHECK: Check = Check {
    name: "keys-of-the-value",
    question: "Does the value hold the keys that its rotation template needs?",
    codes: &["SEC01", "SEC04", "SEC05", "SEC17"],
    facts: &[Fact::Secret, Fact::SecretShape, Fact::Function, Fact::Stack, Fact::LogEvents],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let value = shape(case, "AWSCURRENT")?;
    let template = template(case);
    // Only the value of a database is attached to one.
    let for_database = is_for_a_database(value) || attachment(case).is_some();
    if template.is_none() && !for_database {
        let function = case.function();
        if function.is_unseen() && !function.is_not_asked() {
            return Err(function.inconclusive());
        }
        return Err(Stop::not_applicable(
            "nothing names a vended template, and a function of one's own may want any value",
        ));
    }
    if value.is_json == Some(false) {
        return Ok(vec![store(
            case,
            Finding::new(
                "SEC05",
                case.secret_resource(),
                "The value is not a JSON object; the vended templates read their keys out of one.",
            )
            .fact("GetSecretValue AWSCURRENT", "not a JSON object"),
        )]);
    }
    // Without the template's name the layout of the keys only suggests it.
    let basis = if template.is_some() { Basis::State } else { Basis::Indication };
    let why = template.as_ref().map_or_else(
        || "the vended templates for databases".to_owned(),
        |template| format!("{} (named by the {})", template.name, template.source),
    );
    let has = |key: &str| value.keys.iter().any(|name| name == key);
    let engine = template
        .as_ref()
        .and_then(|template| template.engine())
        .or_else(|| engines().named(&value.text("engine")?));
    let keys = format!("keys: {}", value.keys.join(", "));
    let mut findings = Vec::new();

    let missing: Vec<&str> =
        engines().required.keys.iter().map(String::as_str).filter(|key| !has(key)).collect();
    if !missing.is_empty() {
        findings.push(store(
            case,
            Finding::new(
                "SEC01",
                case.secret_resource(),
                format!("The value lacks {}, which {why} needs.", missing.join(", ")),
            )
            .on(basis)
            .fact("GetSecretValue AWSCURRENT", keys.clone()),
        ));
    }
    let own: Vec<&str> = engine
        .iter()
        .flat_map(|engine| &engine.also_required)
        .map(String::as_str)
        .filter(|key| value.text(key).is_none_or(|text| text.is_empty()))
        .filter(|key| !has_open_value(case, value, key))
        .collect();
    if let (false, Some(engine)) = (own.is_empty(), engine) {
        findings.push(store(
            case,
            Finding::new(
                "SEC17",
                case.secret_resource(),
                format!(
                    "The value has no {}, which the template for {} needs.",
                    own.join(", "),
                    engine.name
                ),
            )
            .on(basis)
            .fact("GetSecretValue AWSCURRENT", keys.clone()),
        ));
    } else if has("dbname") && value.values.get("dbname").is_some_and(|name| name.is_null()) {
        findings.push(store(
            case,
            Finding::new(
                "SEC17",
                case.secret_resource(),
                "dbname is null: a PostgreSQL login then usually goes to a database named like the \
                 user, which may not exist. Leave the key out, or name the database.",
            )
            .severity(Severity::Warning)
            .on(Basis::Indication)
            .fact("GetSecretValue AWSCURRENT", "dbname: null"),
        ));
    }
    findings.extend(before_attachment(case, value, basis));
    let wants_superuser = template.as_ref().is_some_and(|template| {
        template.alternates()
            || template.engine().is_some_and(|engine| engine.single_user_needs_superuser)
    });
    if wants_superuser
        && value.text("masterarn").is_none_or(|arn| arn.is_empty())
        && !has_open_value(case, value, "masterarn")
    {
        findings.push(store(
            case,
            Finding::new(
                "SEC04",
                case.secret_resource(),
                format!(
                    "The value has no masterarn, and {why} sets the password as the superuser whose \
                     secret that key names."
                ),
            )
            .fact("GetSecretValue AWSCURRENT", keys),
        ));
    }
    Ok(findings)
}

/// The keys that an attachment adds, where the schedule does not wait for it: the rotation
/// that the schedule starts may read the value without them (CloudFormation reference,
/// SecretTargetAttachment).
fn before_attachment(case: &Case<'_>, value: &StageShape, basis: Basis) -> Option<Finding> {
    let template = case.stack().if_known()?.template.as_ref()?;
    let secret = case.secret().if_known()?.arn.as_deref()?;
    let of_secret = |id: &Option<String>| id.as_deref() == Some(secret);
    let attachment = attachment(case)?;
    let name = attachment.logical_resource_id.as_deref()?;
    let schedule = template
        .rotation_schedules
        .iter()
        .find(|one| of_secret(&one.secret_id) && !one.depends_on.iter().any(|on| on == name))?;
    let schedule = schedule.logical_resource_id.as_deref().unwrap_or("the schedule");
    let added: Vec<&str> = engines()
        .required
        .keys
        .iter()
        .map(String::as_str)
        .chain(["engine"])
        .filter(|key| value.keys.iter().any(|own| own == key))
        .filter(|key| !attachment.keys_before.iter().any(|own| own == key))
        .collect();
    if added.is_empty() {
        return None;
    }
    Some(
        Finding::new(
            "SEC01",
            schedule,
            format!(
                "{schedule} does not depend on {name}, which adds {} to the value: the rotation that \
                 {schedule} starts may read the value without them.",
                added.join(", ")
            ),
        )
        .severity(Severity::Warning)
        .on(if basis == Basis::State { Basis::Indication } else { basis })
        .proof(
            ProofKind::Stack,
            "template",
            format!("{schedule} has no DependsOn and no reference that leads to {name}"),
        )
        .fix(format!("Add `DependsOn: {name}` to {schedule}."), []),
    )
}

/// What attaches the secret to its database, where the stack's template declares that.
fn attachment<'a>(case: &'a Case<'_>) -> Option<&'a TemplateAttachment> {
    let template = case.stack().if_known()?.template.as_ref()?;
    let secret = case.secret().if_known()?.arn.as_deref()?;
    template.attachments.iter().find(|one| one.secret_id.as_deref() == Some(secret))
}

fn store(case: &Case<'_>, finding: Finding) -> Finding {
    finding
        .fix(
            "Store the complete value (for a database: engine, host, port, username, password, \
             dbname, and masterarn where users alternate); CloudFormation's \
             AWS::SecretsManager::SecretTargetAttachment and the CDK's secret.attach() add what \
             describes the database.",
            [store_value(case)],
        )
        .confirm(diagnose_value(case))
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

    fn bundle(template: &str, value: Value) -> Value {
        json!({"Secret": {"Name": "app"}, "SecretShape": {"AWSCURRENT": value},
               "Function": {"Tags": {"serverlessrepo:applicationId": format!("arn:…/{template}")}}})
    }

    const SINGLE: &str = "SecretsManagerRDSMySQLRotationSingleUser";
    const MULTI: &str = "SecretsManagerRDSMySQLRotationMultiUser";

    #[test]
    fn missing_keys_are_named() {
        let value = json!({"Keys": ["password", "username"]});
        let found = judge(&CHECK, bundle(SINGLE, value)).expect("findings");
        assert_eq!((found[0].code(), found[0].basis), ("SEC01", Basis::State));
        assert!(found[0].summary.contains("lacks host,"));
    }

    #[test]
    fn alternating_users_need_a_superuser_and_one_user_does_not() {
        let value = json!({"Keys": ["host", "password", "username"]});
        assert_eq!(codes(&judge(&CHECK, bundle(MULTI, value.clone()))), ["SEC04"]);
        assert!(codes(&judge(&CHECK, bundle(SINGLE, value.clone()))).is_empty());
        let db2 = "SecretsManagerRDSDb2RotationSingleUser";
        assert_eq!(codes(&judge(&CHECK, bundle(db2, value))), ["SEC04"]);
    }

    #[test]
    fn text_and_databases_without_a_name_are_told_by_the_template() {
        let text = json!({"IsJson": false});
        assert_eq!(codes(&judge(&CHECK, bundle(SINGLE, text.clone()))), ["SEC05"]);
        let nameless = json!({"SecretShape": {"AWSCURRENT": text}});
        assert!(not_applicable(&judge(&CHECK, nameless)), "a function of one's own may want text");
        let oracle = json!({"Keys": ["host", "password", "username"]});
        let template = "SecretsManagerRDSOracleRotationSingleUser";
        assert_eq!(codes(&judge(&CHECK, bundle(template, oracle))), ["SEC17"]);
        let null =
            json!({"Keys": ["dbname", "host", "password", "username"], "Values": {"dbname": null}});
        assert_eq!(codes(&judge(&CHECK, bundle(SINGLE, null))), ["SEC17"]);
    }

    #[test]
    fn a_value_that_was_not_to_be_read_is_not_a_gap_and_a_refused_one_is() {
        assert!(not_applicable(&judge(&CHECK, json!({"Secret": {"Name": "app"}}))));
        let nameless = json!({"SecretShape": {"AWSCURRENT": {"Keys": ["token"]}}, "Gaps": denied(Fact::Function)});
        assert!(lacks(&judge(&CHECK, nameless), Fact::Function));
        let refused = json!({"Secret": {}, "Gaps": denied(Fact::SecretShape)});
        assert!(lacks(&judge(&CHECK, refused), Fact::SecretShape));
    }
}
