use std::{borrow::Cow, collections::BTreeMap};

use proptest::prelude::*;
use serde_json::json;

use super::{environment, evidence, log_line, shape, stack_parameter, trail_event};
use crate::evidence::{Evidence, LogEvent, Observed};

#[path = "../../tests/support/worlds.rs"]
mod worlds;

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
        "REPORT RequestId: 0a1b2c3d-0000-4000-8000-1234567890ab\tDuration: 3.14 ms\tBilled Duration: 4 ms",
        "START RequestId: 0a1b2c3d-0000-4000-8000-1234567890ab Version: $LATEST",
        "An error occurred (AccessDeniedException) when calling the GetSecretValue operation: User: arn:aws:sts::123456789012:assumed-role/r/f is not authorized to perform: secretsmanager:GetSecretValue on resource: x because no identity-based policy allows it",
        r#"{"Effect":"Allow","Action":["secretsmanager:PutSecretValue","secretsmanager:GetRandomPassword"],"Resource":"*"}"#,
        r#"{"requestParameters":{"secretId":"arn:aws:secretsmanager:eu-west-1:1:secret:x-AbCdEf","clientRequestToken":"0a1b2c3d-0000-4000-8000-1234567890ab"}}"#,
        "2026/11/22/[$LATEST]0a1b2c3d00004000800012345678abcd",
        "basic authentication failed",
        "\"secret\": \"arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbCdEf\"",
        "use <password> here",
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
fn every_spelling_of_a_secret_goes() {
    for line in [
        "password=Q4)z]Kd;9&fT<xhunter2",
        "{username=bob, password=hun,ter2}",
        "Server=x;Password=hun;ter2",
        "PASSWORD = N'hunter2'",
        "SET PASSWORD FOR 'bob'@'%' = 'hunter2'",
        "SET PASSWORD FOR 'bob'@'%' = PASSWORD('hunter2')",
        "ALTER USER bob IDENTIFIED BY hunter2",
        "create user bob identified by hunter2;",
        "IDENTIFIED WITH mysql_native_password BY 'hunter2'",
        "ALTER ROLE bob PASSWORD $$hunter2$$",
        "ALTER ROLE bob PASSWORD $x$hunter2$x$",
        "WITH PASSWORD 'a''hunter2'",
        "IDENTIFIED BY \"a\"\"hunter2\"",
        "password=SecretStr('hunter2')",
        "{'password': SecretStr('hunter2')}",
        "{:user=>\"bob\", :password=>\"hunter2\"}",
        "password=arn:awshunter2",
        "{\"token\": \"arn:awshunter2\"}",
        "DB_PASS=hunter2",
        "db_pass: hunter2",
        "dbPass=hunter2",
        "{\"dbPass\":\"hunter2\"}",
        "pw=hunter2",
        "passcode=hunter2",
        "JWT_SECRET=hunter2",
        "GITHUB_TOKEN: hunter2",
        "using ghp_hunter2hunter2hunter2hunter2hunter2",
        "got eyJhunter2hunter2.eyJhunter2.hunter2 back",
        "sent Basic Ym9iOhunter2I=",
        "x-api-key: hunter2",
        "Cookie: session=hunter2; other=hunter2",
        "aws rds modify --master-user-password hunter2 --apply",
        "['mysql', '--password', 'hunter2']",
        "bob:hunter2@tcp(db:3306)/app",
        "cx_Oracle.connect('bob/hunter2@host')",
        r#"{"Key":"password","Value":"hunter2"}"#,
        r#"{"ParameterKey" : "DbPassword", "ParameterValue" : "hunter2"}"#,
        "[{'Key': 'password', 'Value': 'hunter2'}]",
        "<password>hunter2</password>",
        "<db:Password kind=\"x\">hunter2<b</db:Password>",
        "postgres://b:12/hunter2@h",
        "postgres://b:pa'hunter2@h",
        "https://host.example:443/x,https://b:hunter2@h",
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\\nhunter2",
        "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYhunter2ABC",
        r#"{"message":"password=hunter2","level":"INFO"}"#,
        r#"{"password":["hunter2", "hunter2"]}"#,
        r#"{"message":"{\"a\":\"db_pass=hunter2\"}"}"#,
    ] {
        let sealed = log_line(line);
        assert!(!sealed.contains("unter2") && sealed.contains("(redacted)"), "{line}\n{sealed}");
        assert_eq!(log_line(&sealed), sealed, "{line}");
        if serde_json::from_str::<serde_json::Value>(line).is_ok() {
            assert!(serde_json::from_str::<serde_json::Value>(&sealed).is_ok(), "{sealed}");
        }
    }
    let uuid = "0a1b2c3d-0000-4000-8000-1234567890ab";
    assert_eq!(log_line(&format!("password={uuid}")), "password=(redacted)");
}

#[test]
fn a_json_line_keeps_its_layout() {
    assert_eq!(
        log_line(r#"{ "level" : "INFO", "message" : "password=a\"b", "port" : 1 }"#),
        r#"{ "level" : "INFO", "message" : "password=(redacted)", "port" : 1 }"#
    );
    assert_eq!(log_line(r#"{"password": 12345, "n": 1}"#), r#"{"password": "(redacted)", "n": 1}"#);
}

#[test]
fn an_event_that_cannot_be_read_is_not_shown() {
    let cut = r#"{"requestParameters":{"environment":{"variables":{"K":"hunter2"#;
    let sealed = trail_event(cut);
    assert!(!sealed.contains("hunter2") && trail_event(&sealed) == sealed, "{sealed}");
    assert!(!trail_event(r#"{"masterUserPassword":"hunter2"#).contains("hunter2"));
    let deep = r#"{"a":[{"Environment":{"Variables":{"K":"hunter2"}}}]}"#;
    assert!(!trail_event(deep).contains("hunter2"));
}

/// The paths of all strings of a value.
fn texts(value: &serde_json::Value, path: &str, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(_) => found.push(path.to_owned()),
        serde_json::Value::Array(list) => {
            for (index, element) in list.iter().enumerate() {
                texts(element, &format!("{path}/{index}"), found);
            }
        }
        serde_json::Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                texts(member, &format!("{path}/{name}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn no_field_of_an_evidence_keeps_a_secret() {
    let mut planted = 0;
    for world in worlds::folders() {
        let whole = worlds::bundle(&format!("{world}/fires"));
        let whole: Evidence = serde_json::from_value(whole).expect("evidence");
        let whole = serde_json::to_value(&whole).expect("json");
        let mut paths = Vec::new();
        texts(&whole, "", &mut paths);
        // All at once; what is no free text (times, tags of enums) cannot be
        // planted and is left as it was.
        let mut marked = whole.clone();
        for path in paths {
            let leaf = marked.pointer_mut(&path).expect("a path of its own");
            let before = leaf.clone();
            *leaf = json!("the password=HUNTERMARK");
            if serde_json::from_value::<Evidence>(marked.clone()).is_err() {
                *marked.pointer_mut(&path).expect("a path of its own") = before;
            } else {
                planted += 1;
            }
        }
        let mut sealed: Evidence = serde_json::from_value(marked).expect("evidence");
        evidence(&mut sealed);
        let text = serde_json::to_string(&sealed).expect("json");
        assert!(!text.contains("HUNTERMARK"), "{world}: {text}");
        // And what the bundle held before is no secret: nothing changes.
        let before: Evidence = serde_json::from_value(whole).expect("evidence");
        let mut after = before.clone();
        evidence(&mut after);
        let (before, after) = (serde_json::to_value(before), serde_json::to_value(after));
        assert_eq!(after.expect("json"), before.expect("json"), "{world}");
    }
    assert!(planted > 50, "{planted}");
}

#[test]
fn tags_and_pairs_are_judged_by_name() {
    let mut whole: Evidence = serde_json::from_value(json!({
        "CapturedAt": "2026-11-22T00:00:00Z",
        "Function": {"Tags": {"DbPassword": "hunter2"}},
        "Stack": {"Tags": [{"Value": "hunter2", "Key": "db_pass"}]},
        "Secret": {"ReplicationStatus": [{"StatusMessage": "password=hunter2"}]},
        "DBInstances": [{"TagList": [{"Key": "password", "Value": "hunter2"}]}]
    }))
    .expect("evidence");
    evidence(&mut whole);
    let text = serde_json::to_string(&whole).expect("json");
    assert!(!text.contains("hunter2") && text.matches("(redacted)").count() == 4, "{text}");
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

    #[test]
    fn no_generated_password_survives(
        password in "[!-~]{8,24}", tail in prop_oneof![Just(""), Just(" host=db"), Just(";Server=db"), Just(", user=bob")]
    ) {
        let password = format!("QZ{password}ZQ");
        // Such a password cannot be told from the next setting.
        let setting = regex::Regex::new(r"[,;&][A-Za-z_][A-Za-z0-9_.-]*=").expect("a pattern");
        prop_assume!(!setting.is_match(&password));
        let doubled = password.replace('\'', "''");
        let python = password.replace('\\', "\\\\").replace('\'', "\\'");
        for line in [
            format!("password={password}{tail}"),
            format!("user bob password: {password} x"),
            format!("DB_PASS={password}{tail}"),
            json!({"user": "bob", "password": password}).to_string(),
            json!({"message": format!("password={password}")}).to_string(),
            format!("got {}", json!({"user": "bob", "password": password})),
            format!("{{'user': 'bob', 'password': '{python}'}}"),
            format!("ALTER USER bob WITH PASSWORD '{doubled}'"),
            format!("ALTER USER bob IDENTIFIED BY '{doubled}'"),
            format!("ALTER USER bob SET PASSWORD = N'{doubled}'"),
            format!("postgres://bob:{password}@db/app"),
        ] {
            let sealed = log_line(&line);
            prop_assert!(!sealed.contains("QZ") && !sealed.contains("ZQ"), "{}\n{}", line, sealed);
        }
    }
}

#[test]
fn an_event_that_is_larger_than_any_keeps_what_is_short() {
    let code = "A".repeat(3 << 20);
    let event = json!({"eventName": "UpdateFunctionCode20150331v2", "requestParameters":
        {"functionName": "rotate", "zipFile": code, "password": "hunter2"}});
    let begun = std::time::Instant::now();
    let sealed = trail_event(&event.to_string());
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    assert!(sealed.len() < 1000 && sealed.contains("rotate"), "{}", sealed.len());
    assert!(sealed.contains("(not shown: 3145728 bytes)") && !sealed.contains("hunter2"));
    let many: Vec<String> = vec!["B".repeat(4000); 100];
    assert!(trail_event(&json!(many).to_string()).contains("too large"));
}
