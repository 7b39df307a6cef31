//! What the tests of checks share: a bundle in, a judgement out.

use serde_json::{Value, json};

use super::{Case, Check, Finding, Judgement, Stop};
use crate::{
    evidence::{Evidence, Fact, RotationStep},
    rotation_log::{Attempt, AttemptOutcome, Invocation, RotationLog, RunOutcome},
};

/// What a check says about a bundle. Fails the test where the check reads a
/// fact that it does not declare.
pub(crate) fn judge(check: &Check, bundle: Value) -> Judgement {
    let evidence = evidence(bundle);
    judge_case(check, &Case::new(&evidence))
}

/// The same with a log that was read already.
pub(crate) fn judge_with_log(check: &Check, bundle: Value, log: RotationLog) -> Judgement {
    let evidence = evidence(bundle);
    judge_case(check, &Case::with_log(&evidence, log))
}

fn judge_case(check: &Check, case: &Case<'_>) -> Judgement {
    let judgement = (check.judge)(case);
    for fact in case.reads() {
        assert!(check.facts.contains(&fact), "{} reads {fact:?} undeclared", check.name);
    }
    for finding in judgement.iter().flatten() {
        assert!(check.codes.contains(&finding.code()), "{} reports {}", check.name, finding.code());
        assert!(!finding.proofs.is_empty(), "{} proves nothing", finding.code());
    }
    judgement
}

/// A bundle as evidence, captured on 2026-11-21 unless it says otherwise.
pub(crate) fn evidence(mut bundle: Value) -> Evidence {
    if bundle.get("CapturedAt").is_none() {
        bundle["CapturedAt"] = json!("2026-11-21T12:00:00Z");
    }
    let mut evidence: Evidence = serde_json::from_value(bundle).expect("a bundle");
    evidence.settle();
    evidence
}

/// The codes of the findings; fails the test where the check could not say.
pub(crate) fn codes(judgement: &Judgement) -> Vec<&'static str> {
    judgement.as_ref().expect("findings").iter().map(Finding::code).collect()
}

/// Whether the check says that this fact would settle the question.
pub(crate) fn lacks(judgement: &Judgement, fact: Fact) -> bool {
    matches!(judgement, Err(Stop::Inconclusive(missing)) if missing.iter().any(|m| m.fact == fact))
}

/// Whether the check says that the question does not arise.
pub(crate) fn not_applicable(judgement: &Judgement) -> bool {
    matches!(judgement, Err(Stop::NotApplicable(_)))
}

/// A gap for a fact that was refused.
pub(crate) fn denied(fact: Fact) -> Value {
    json!([{ "Fact": fact.name(), "Action": fact.actions()[0], "Reason": "AccessDenied" }])
}

/// A log of one attempt that failed in a step.
pub(crate) fn failed_log(token: &str, started_at: &str, step: RotationStep) -> RotationLog {
    let started_at = crate::evidence::Time::parse(started_at);
    RotationLog {
        attempts: vec![Attempt {
            token: Some(token.to_owned()),
            started_at,
            runs: vec![0],
            failed_step: Some(step),
            outcome: AttemptOutcome::Failed,
            ..Attempt::default()
        }],
        invocations: vec![Invocation {
            token: Some(token.to_owned()),
            started_at,
            step: Some(step),
            outcome: RunOutcome::Failed,
            ..Invocation::default()
        }],
        ..RotationLog::default()
    }
}

mod tests {
    use serde_json::{Value, json};

    use super::{evidence, failed_log};
    use crate::{
        checks::{Case, Stop, checks},
        evidence::{FACTS, RotationStep},
    };

    /// Something of nearly everything, so that most checks come far.
    fn rich() -> Value {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf";
        let value = json!({"Keys": ["dbname", "engine", "host", "masterarn", "password", "port", "username"],
            "Values": {"engine": "aurora-mysql", "host": "db.example.com", "port": 3306,
                "username": "application", "masterarn": "arn:super"}});
        json!({
            "Secret": {"ARN": arn, "Name": "app", "KmsKeyId": "k", "RotationEnabled": true,
                "RotationLambdaARN": "arn:aws:lambda:eu-west-1:123456789012:function:f",
                "RotationRules": {"AutomaticallyAfterDays": 30, "Duration": "3h"},
                "LastRotatedDate": "2026-09-01", "LastChangedDate": "2026-09-20",
                "NextRotationDate": "2026-10-20", "LastAccessedDate": "2026-09-01",
                "VersionIdsToStages": {"p": ["AWSPENDING"], "c": ["AWSCURRENT"]}},
            "SecretVersions": {"Versions": [
                {"VersionId": "p", "VersionStages": ["AWSPENDING"], "CreatedDate": "2026-10-20"},
                {"VersionId": "c", "VersionStages": ["AWSCURRENT"], "CreatedDate": "2026-09-01",
                 "KmsKeyIds": ["k"]}]},
            "SecretShape": {"AWSCURRENT": value, "AWSPENDING": value},
            "SuperuserSecret": {"ARN": "arn:super", "KmsKeyId": "k2", "OwningService": "rds", "Tags": [
                {"Key": "aws:rds:primaryDBClusterArn", "Value": "arn:aws:rds:eu-west-1:1:cluster:shop"}]},
            "Function": {"Configuration": {"FunctionName": "f", "LastModified": "2023-01-01T00:00:00Z",
                "Environment": {"Variables": {"EXCLUDE_CHARACTERS": "/"}}}},
            "FunctionPolicy": {"Statement": []},
            "Keys": {"k": {"KeyMetadata": {"KeyState": "Disabled"}}, "k2": {"KeyMetadata": {}}},
            "Stack": null,
            "DBInstances": [{"DBInstanceIdentifier": "i", "MasterUsername": "application",
                "Endpoint": {"Address": "i.rds.amazonaws.com", "Port": 3306}}],
            "DBClusters": [{"DBClusterIdentifier": "shop", "Endpoint": "shop.rds.amazonaws.com"}],
            "DBParameters": [],
            "TrailEvents": [{"EventName": "RotationAbandoned", "EventTime": "2026-10-21T00:00:00Z"}],
        })
    }

    #[test]
    fn every_check_declares_what_it_reads_and_reports() {
        for bundle in [rich(), json!({"Secret": rich()["Secret"]}), json!({})] {
            let evidence = evidence(bundle);
            let log = failed_log("p", "2026-10-20T00:00:00Z", RotationStep::SetSecret);
            for case in [Case::with_log(&evidence, log), Case::new(&evidence)] {
                for check in checks() {
                    case.forget_reads();
                    let judgement = (check.judge)(&case);
                    for fact in case.reads() {
                        assert!(check.facts.contains(&fact), "{} reads {fact:?}", check.name);
                    }
                    for finding in judgement.iter().flatten() {
                        assert!(
                            check.codes.contains(&finding.code()),
                            "{} reports {}",
                            check.name,
                            finding.code()
                        );
                        assert!(!finding.proofs.is_empty(), "{} proves nothing", finding.code());
                    }
                }
            }
        }
    }

    #[test]
    fn where_everything_was_refused_every_check_is_inconclusive() {
        let gaps: Vec<Value> = FACTS
            .iter()
            .map(
                |row| json!({"Fact": row.name, "Action": row.actions[0], "Reason": "AccessDenied"}),
            )
            .collect();
        let evidence = evidence(json!({ "Gaps": gaps }));
        for check in checks() {
            match (check.judge)(&Case::new(&evidence)) {
                Err(Stop::Inconclusive(missing)) => {
                    assert!(missing.iter().all(|m| !m.action.is_empty()), "{}", check.name);
                }
                other => panic!("{} says {other:?}", check.name),
            }
        }
    }
}
