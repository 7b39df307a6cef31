use std::{borrow::Cow, collections::BTreeMap};

use proptest::prelude::*;
use serde_json::json;

use super::{environment, evidence, log_line, shape, stack_parameter, trail_event};
use crate::evidence::{Evidence, LogEvent, Observed};

#[test]
fn what_is_no_secret_is_not_touched() {
    for line in [
        "Unable to log into database with previous, current, or pending secret of secret arn arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf",
        "testSecret: Unable to log into database with pending secret of secret ARN arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-password-AbCdEf",
        "[ERROR] KeyError: 'password key is missing from secret JSON'",
        "KeyError: 'password'",
        "createSecret: Successfully put secret for ARN arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbCdEf and version 0a1b2c3d-0000-4000-8000-1234567890ab.",
        "setSecret: Successfully set password for user bob in PostgreSQL DB for secret arn arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbCdEf.",
        "{'SecretId': 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbCdEf', 'ClientRequestToken': '0a1b2c3d-0000-4000-8000-1234567890ab', 'Step': 'setSecret'}",
        "Access denied for user 'admin'@'10.0.0.7' (using password: YES)",
        "FATAL:  password authentication failed for user \"app\"",
        "connection to server at \"db.example.internal\" (10.1.2.3), port 5432 failed",
        "parameter password_encryption = scram-sha-256",
        "EndpointConnectionError: Could not connect to the endpoint URL: \"https://secretsmanager.eu-west-1.amazonaws.com/\"",
        "https://host.example:8443/path?mail=me@example.com",
        "token 0a1b2c3d-0000-4000-8000-1234567890ab",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf:password::",
        "User: arn:aws:sts::123456789012:assumed-role/Admin/jane@example.com is not authorized",
    ] {
        assert!(matches!(log_line(line), Cow::Borrowed(_)), "{line}\n{}", log_line(line));
    }
}

#[test]
fn secrets_go_and_their_surroundings_stay() {
    for (line, expected) in [
        (
            "connecting with password=hunter2 host=db.internal",
            "connecting with password=(redacted) host=db.internal",
        ),
        ("PGPASSWORD=hunter2 psql", "PGPASSWORD=(redacted) psql"),
        (
            "{'username': 'bob', 'password': 'hun\\'ter2', 'host': 'db'}",
            "{'username': 'bob', 'password': '(redacted)', 'host': 'db'}",
        ),
        (
            r#"{"user":"bob","Password" : "hun\"ter2","port":5432}"#,
            r#"{"user":"bob","Password" : "(redacted)","port":5432}"#,
        ),
        (
            r#""{\"password\":\"hun\\\"ter2\",\"host\":\"db\"}""#,
            r#""{\"password\":\"(redacted)\",\"host\":\"db\"}""#,
        ),
        (
            r#"{"SecretString":"{\"password\":\"hunter2\"}","Name":"x"}"#,
            r#"{"SecretString":"(redacted)","Name":"x"}"#,
        ),
        ("'SecretBinary': b'hunter2'}", "'SecretBinary': b'(redacted)'}"),
        (
            "postgres://bob:hunter2@db.internal:5432/app",
            "postgres://bob:(redacted)@db.internal:5432/app",
        ),
        ("mysql://bob:hun@ter/2@db.internal", "mysql://bob:(redacted)@db.internal"),
        ("jdbc:oracle:thin:bob/hunter2@//db:1521/x", "jdbc:oracle:thin:bob/(redacted)@//db:1521/x"),
        (
            "Server=db;UID=bob;PWD=hunter2;Encrypt=yes",
            "Server=db;UID=bob;PWD=(redacted);Encrypt=yes",
        ),
        (
            "ALTER USER \"bob\" WITH PASSWORD 'hunter2' VALID",
            "ALTER USER \"bob\" WITH PASSWORD '(redacted)' VALID",
        ),
        ("ALTER USER bob IDENTIFIED BY \"hunter2\"", "ALTER USER bob IDENTIFIED BY \"(redacted)\""),
        ("Authorization: Bearer hunter2.hunter2", "Authorization: (redacted)"),
        (
            "{'Authorization': b'AWS4-HMAC-SHA256 Credential=x, Signature=y', 'Host': 'h'}",
            "{'Authorization': b'(redacted)', 'Host': 'h'}",
        ),
        ("key AKIAIOSFODNN7EXAMPLE used", "key (redacted) used"),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "aws_secret_access_key = (redacted)",
        ),
        ("\"SecretAccessKey\": \"wJalrXUtnFEMI\"", "\"SecretAccessKey\": \"(redacted)\""),
        (
            "X-Amz-Security-Token=abcdef&X-Amz-Date=1",
            "X-Amz-Security-Token=(redacted)&X-Amz-Date=1",
        ),
        ("Trying password: hunter2 now", "Trying password: (redacted) now"),
        ("\"password\": 12345, \"port\": 1", "\"password\": (redacted), \"port\": 1"),
        ("'password': 'never closed", "'password': '(redacted)"),
    ] {
        assert_eq!(log_line(line), expected);
    }
}

#[test]
fn a_shape_keeps_names_and_places_only() {
    let shape = shape(
        r#"{"username":"bob","password":"hunter2","host":"db","port":5432,"engine":{"x":"hunter2"},"apikey":"hunter2"}"#,
    );
    assert_eq!(shape.keys, ["apikey", "engine", "host", "password", "port", "username"]);
    assert_eq!(
        serde_json::to_value(&shape.values).expect("json"),
        json!({"host":"db","port":5432,"username":"bob"})
    );
    assert_eq!(super::shape("hunter2").is_json, Some(false));
    assert_eq!(super::shape("[1]").keys.len(), 0);
}

#[test]
fn only_rotation_variables_keep_their_values() {
    let sealed = environment(BTreeMap::from([
        ("EXCLUDE_CHARACTERS".to_owned(), "/@\"'\\".to_owned()),
        ("DB_PASS".to_owned(), "hunter2".to_owned()),
    ]));
    assert_eq!(sealed["EXCLUDE_CHARACTERS"], "/@\"'\\");
    assert_eq!(sealed["DB_PASS"], "(hidden)");
}

#[test]
fn stack_parameters_are_judged_by_name() {
    assert_eq!(stack_parameter("MasterUserPassword", "hunter2"), "(hidden)");
    assert_eq!(stack_parameter("MasterUserPassword", "****"), "****");
    assert_eq!(stack_parameter("superuserSecretArn", "arn:aws:x"), "arn:aws:x");
    assert_eq!(stack_parameter("functionName", "rotate"), "rotate");
}

#[test]
fn a_trail_event_hides_the_environment() {
    let text = json!({"requestParameters": {"functionName": "f", "environment": {"variables": {"K": "hunter2", "SECRET_ARN": "arn:aws:x"}}}})
        .to_string();
    let sealed = trail_event(&text);
    assert!(!sealed.contains("hunter2") && sealed.contains("arn:aws:x"), "{sealed}");
    assert_eq!(trail_event(&sealed), sealed);
}

#[test]
fn a_whole_evidence_is_sealed_and_stays_so() {
    let mut whole: Evidence = serde_json::from_value(json!({
        "CapturedAt": "2026-11-22T00:00:00Z",
        "Secret": {"Description": "the password=hunter2"},
        "SecretShape": {"AWSCURRENT": {"Values": {"host": "db", "password": "hunter2"}}},
        "Function": {"Configuration": {"Environment": {"Variables": {"X": "hunter2"}}}},
        "Stack": {"Parameters": [{"ParameterKey": "DbPassword", "ParameterValue": "hunter2"}]},
        "StackEvents": [{"ResourceStatusReason": "password=hunter2"}],
        "TrailEvents": [{"CloudTrailEvent": "{\"requestParameters\":{\"masterUserPassword\":\"hunter2\"}}"}]
    }))
    .expect("evidence");
    whole.log_events = Observed::Known(vec![LogEvent {
        message: "{\"password\": \"hunter2\"}".to_owned(),
        ..LogEvent::default()
    }]);
    evidence(&mut whole);
    let text = serde_json::to_string(&whole).expect("json");
    assert!(!text.contains("hunter2"), "{text}");
    let once = whole.clone();
    evidence(&mut whole);
    assert_eq!(whole, once);
}

proptest! {
    #[test]
    fn sealing_twice_is_sealing_once(
        pieces in prop::collection::vec(
            prop_oneof![
                Just("password".to_owned()), Just("secret".to_owned()), Just("token".to_owned()),
                Just("Authorization".to_owned()), Just("=".to_owned()), Just(": ".to_owned()),
                Just("\"".to_owned()), Just("'".to_owned()), Just("\\\"".to_owned()), Just("\\".to_owned()),
                Just("a://b:".to_owned()), Just("@".to_owned()), Just("{".to_owned()), Just("}".to_owned()),
                Just("(redacted)".to_owned()), Just("jdbc:x:".to_owned()), Just("/".to_owned()), Just(", ".to_owned()),
                Just("SecretString".to_owned()), Just("IDENTIFIED BY ".to_owned()),
                "[ -~é]{0,6}",
            ],
            0..14,
        )
    ) {
        let line = pieces.concat();
        let once = log_line(&line).into_owned();
        prop_assert_eq!(log_line(&once).into_owned(), once.clone());
    }

    #[test]
    fn no_password_survives_in_json(password in "[a-zA-Z0-9\"'\\\\{}:,@/ é]{8,20}", depth in 0usize..3) {
        prop_assume!(!password.starts_with("arn:aws"));
        let mut text = json!({"username": "bob", "password": format!("QZ{password}ZQ"), "host": "db"}).to_string();
        for _ in 0..depth {
            text = json!({"message": text}).to_string();
        }
        let sealed = log_line(&text).into_owned();
        prop_assert!(!sealed.contains("QZ"), "{}", sealed);
        prop_assert!(!sealed.contains("ZQ"), "{}", sealed);
        prop_assert!(sealed.contains("bob") && sealed.contains("host"), "{}", sealed);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&sealed).is_ok(), "{}", sealed);
    }
}
