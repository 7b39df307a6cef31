//! MGD02: a service owns the secret, so nobody else rotates it.

use super::owner::{owner, rotate_command};
use crate::{
    catalogue::{Severity, managed_services},
    checks::{
        Case, Check, Finding, Judgement, ProofKind, Stop,
        commands::describe_secret,
        history::{Trail, caller, failing},
    },
    evidence::Fact,
    rotation_log::RotationLog,
};

pub(super) static CHECK: Check = Check {
    name: "managed-by-a-service",
    question: "Does a service own the secret, and does anything else try to change it?",
    codes: &["MGD02"],
    facts: &[Fact::Secret, Fact::DBInstances, Fact::DBClusters, Fact::LogEvents, Fact::TrailEvents],
    judge,
};

fn judge(case: &Case<'_>) -> Judgement {
    let secret = case.secret().or_not_applicable("there is no such secret")?;
    let owner = owner(secret).ok_or_else(|| Stop::not_applicable("no service owns the secret"))?;
    let refusal = &managed_services().refusal.text;
    let log = case.log();
    let line = log.if_known().and_then(|log| line_with(log, refusal));
    let events = case.trail_events();
    let attempt = events.if_known().and_then(|events| {
        Trail::of(case, events)
            .named(&["PutSecretValue", "UpdateSecret", "RotateSecret", "UpdateSecretVersionStage"])
            .rfind(|(_, event)| {
                event.error_message().is_some_and(|text| text.contains(refusal.as_str()))
            })
    });
    let function = secret.rotation_lambda_arn.as_deref();
    let tried = function.is_some() || attempt.is_some() || line.is_some();
    let by = owner.name;
    let summary = match function {
        Some(function) => format!(
            "{by} owns this secret and rotates it itself; the function {function} may not change it."
        ),
        None if tried => format!(
            "{by} owns this secret and rotates it itself; somebody else tried to change it and was \
             refused."
        ),
        None => {
            format!("{by} owns this secret and rotates it itself, without a function of yours.")
        }
    };
    let mut finding = Finding::new("MGD02", case.secret_resource(), summary)
        .severity(if tried || failing(case) { Severity::Error } else { Severity::Note })
        .fact("DescribeSecret", owner.proof.clone());
    if let Some((at, event)) = attempt {
        let name = event.event_name.as_deref().unwrap_or_default();
        finding = finding.proof(
            ProofKind::Trail,
            "CloudTrail",
            format!("{name} at {} by {}: refused", at.second(), caller(event)),
        );
    }
    if let Some(line) = line {
        finding = finding.proof(ProofKind::Log, "rotation log", line);
    }
    Ok(vec![
        finding
            .fix(
                format!("Change or rotate the secret through {by} only."),
                [rotate_command(case, secret, &owner)],
            )
            .confirm(describe_secret(case, "[OwningService,LastRotatedDate]")),
    ])
}

/// The last line of a failed run that holds the service's refusal.
fn line_with(log: &RotationLog, refusal: &str) -> Option<String> {
    log.invocations
        .iter()
        .rev()
        .filter(|run| run.failed())
        .flat_map(|run| run.lines.iter().rev())
        .find(|line| line.text.contains(refusal))
        .map(|line| line.text.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::{
        catalogue::Severity,
        checks::testing::{denied, failed_log, judge, judge_with_log, lacks, not_applicable},
        evidence::{Fact, RotationStep},
        rotation_log::Line,
    };

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:1:secret:rds!db-1-AbCdEf";

    fn bundle() -> Value {
        json!({"Secret": {"ARN": ARN, "Name": "rds!db-1", "OwningService": "rds", "RotationEnabled": true},
            "DBInstances": [{"DBInstanceIdentifier": "shop", "MasterUserSecret": {"SecretArn": ARN}}]})
    }

    #[test]
    fn a_managed_secret_alone_is_a_note_with_its_owners_command() {
        let found = judge(&CHECK, bundle()).expect("findings");
        assert_eq!(found[0].severity, Severity::Note);
        let command = &found[0].fixes[0].lines()[0];
        assert!(
            command.contains("--db-instance-identifier shop --rotate-master-user-password"),
            "{command}"
        );
    }

    #[test]
    fn a_function_or_a_refused_call_makes_it_an_error() {
        let mut with_function = bundle();
        with_function["Secret"]["RotationLambdaARN"] =
            json!("arn:aws:lambda:eu-west-1:1:function:f");
        assert_eq!(judge(&CHECK, with_function).expect("findings")[0].severity, Severity::Error);
        let mut refused = bundle();
        refused["TrailEvents"] = json!([{"EventName": "PutSecretValue", "EventTime": "2026-11-20",
            "CloudTrailEvent": "{\"errorMessage\": \"This secret is managed by an AWS service\"}"}]);
        assert_eq!(judge(&CHECK, refused).expect("findings")[0].severity, Severity::Error);
        let mut log = failed_log("t", "2026-11-20", RotationStep::CreateSecret);
        let text = "This secret is managed by an AWS service".to_owned();
        log.invocations[0].lines = vec![Line { at: None, level: None, text }];
        assert_eq!(
            judge_with_log(&CHECK, bundle(), log).expect("findings")[0].severity,
            Severity::Error
        );
    }

    #[test]
    fn the_name_tells_too_and_ones_own_secret_is_no_question() {
        let named = json!({"Secret": {"Name": "redshift!prod-admin"}});
        let found = judge(&CHECK, named).expect("findings");
        assert!(found[0].summary.starts_with("Amazon Redshift"));
        assert!(found[0].fixes[0].lines()[0].ends_with("--secret-id 'redshift!prod-admin'"));
        assert!(not_applicable(&judge(&CHECK, json!({"Secret": {"Name": "app"}}))));
        assert!(lacks(&judge(&CHECK, json!({"Gaps": denied(Fact::Secret)})), Fact::Secret));
    }
}
