//! Policies, from the world to the report: the cause, the statement that decides,
//! and the fix that was tried.

use serde_json::{Value, json};

use crate::{
    support::{report_of, rotdoctor},
    worlds,
};

const CONDITION: &str = "IAM06/fires";
const SUFFIX: &str = "IAM02/fires";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/billing-Gh12Jk";
const OTHER: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders-AbCdEf";

/// The report of a world.
fn report(world: &str) -> Value {
    report_of(&worlds::bundle(world))
}

/// A world with something changed.
fn changed(world: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut bundle = worlds::bundle(world);
    change(&mut bundle);
    bundle
}

#[test]
fn a_condition_that_names_another_secret_is_the_cause() {
    let report = report(CONDITION);
    let cause = &report["causes"][0];
    assert_eq!(cause["code"], "IAM06", "{report:#}");
    assert_eq!(cause["confidence"], "confirmed");
    assert_eq!(report["summary"]["causes"], 1, "{:#}", report["causes"]);
    let statement = &cause["statement"];
    assert_eq!(statement["policy"], "rotation");
    assert_eq!((&statement["sid"], &statement["index"]), (&json!("Key"), &json!(2)));
    let condition = &statement["source"]["Condition"]["StringEquals"];
    assert_eq!(condition["kms:EncryptionContext:SecretARN"], OTHER);
    let proofs = cause["evidence"].as_array().expect("a list");
    assert_eq!(proofs[0]["kind"], "policy");
    assert!(proofs.iter().any(|proof| proof["kind"] == "log"), "{proofs:#?}");
    let fix = &cause["fixes"][0];
    assert_eq!((&fix["verified"], &fix["remaining"]), (&json!(true), &json!([])), "{fix:#}");
    let command = fix["commands"][0].as_str().expect("a command");
    assert!(command.contains(OTHER) && command.contains(SECRET), "{command}");
    assert_eq!(cause["fixes"][1]["commands"], json!([]));
    assert!(cause["fixes"][1]["template"].as_str().is_some_and(|text| text.contains(SECRET)));
}

#[test]
fn the_screen_quotes_the_statement_and_what_was_asked() {
    let run = rotdoctor().arg("diagnose").bundle(CONDITION).run();
    assert_eq!(run.code, 1);
    let order: Vec<usize> = [
        "CAUSE  IAM06",
        "role rotation-role, policy rotation, statement \"Key\"",
        "\"kms:EncryptionContext:SecretARN\":",
        "asked for",
        "Access to KMS is not allowed",
        "FIX  tried on this evidence: the finding is gone, nothing else seen blocks",
        "aws iam put-role-policy",
        "in CloudFormation",
        "CONFIRM",
    ]
    .iter()
    .map(|words| run.stdout.find(words).unwrap_or_else(|| panic!("{words}: {}", run.stdout)))
    .collect();
    assert!(order.is_sorted(), "{}", run.stdout);
}

#[test]
fn what_stands_is_saved_before_the_fix_and_undone_apart() {
    for format in ["text", "markdown"] {
        let run =
            rotdoctor().arg("diagnose").bundle("IAM10/fires").args(["--output", format]).run();
        let screen = run.stdout;
        let at = |words: &str| {
            let found: Vec<usize> = screen.match_indices(words).map(|(at, _)| at).collect();
            assert_eq!(found.len(), 1, "{words}: {screen}");
            found[0]
        };
        let heading = screen.to_lowercase();
        let undo = heading.find("(only if the fix made it worse)").expect("a heading");
        let confirm = heading.find("confirm\n").expect("how to confirm");
        let order = [
            at("First save"),
            at("> secret-policy-"),
            at("Then apply the fix:"),
            at(
                "ArnNotEquals\":{\"aws:PrincipalArn\":\"arn:aws:iam::123456789012:role/rotation-role\"}}}]}'",
            ),
            confirm,
            undo,
            at("file://secret-policy-"),
        ];
        assert!(order.is_sorted(), "{order:?} {screen}");
    }
}

#[test]
fn an_arn_without_its_suffix_is_the_cause() {
    let report = report(SUFFIX);
    let cause = &report["causes"][0];
    assert_eq!(cause["code"], "IAM02", "{report:#}");
    assert_eq!(cause["confidence"], "confirmed");
    assert_eq!(cause["statement"]["sid"], "Secret");
    assert_eq!(cause["statement"]["source"]["Resource"], SECRET[..SECRET.len() - 7]);
    assert_eq!(cause["fixes"][0]["verified"], true);
    assert_eq!(cause["fixes"][0]["remaining"], json!([]));
}

/// The policy document among the arguments of a command.
fn document_of(command: &str) -> Option<Value> {
    let words = shlex::split(command).expect("whole quotes");
    let document = words.iter().find(|word| word.starts_with('{'))?;
    Some(serde_json::from_str(document).expect("JSON"))
}

#[test]
fn the_printed_document_ends_the_finding() {
    let printed = report(SUFFIX)["causes"][0]["fixes"][0]["commands"][0].clone();
    let printed = printed.as_str().expect("a command").to_owned();
    let document = document_of(&printed).expect("a document");
    let mended = changed(SUFFIX, |bundle| {
        bundle["RolePolicies"][0]["PolicyDocument"] = document;
    });
    let report = report_of(&mended);
    let passed = report["passed"].as_array().expect("a list");
    assert!(passed.iter().any(|passed| passed["check"] == "secret-rights"), "{report:#}");
}

/// Each world of a right that is missing: the code, and the Sid of the statement
/// that is quoted; none where nothing comes near.
const MISSING: &[(&str, &str, Option<&str>)] = &[
    ("IAM01-DescribeSecret", "IAM01", Some("Secret")),
    ("IAM01-GetSecretValue", "IAM01", Some("Secret")),
    ("IAM01-GetRandomPassword", "IAM01", Some("Password")),
    ("IAM01-PutSecretValue", "IAM01", Some("Secret")),
    ("IAM01-UpdateSecretVersionStage", "IAM01", Some("Secret")),
    ("IAM02", "IAM02", Some("Secret")),
    ("IAM03", "IAM03", Some("Secret")),
    ("IAM06", "IAM06", Some("Key")),
    ("IAM07", "IAM07", Some("Key")),
    ("IAM09", "IAM09", Some("SecretsManager")),
    ("IAM10", "IAM10", Some("OnlyFromTheVpc")),
    ("IAM11", "IAM11", Some("Bound")),
    ("IAM12", "IAM12", Some("Database")),
    ("IAM14", "IAM14", None),
    ("IAM20", "IAM20", None),
    ("IAM21", "IAM21", Some("Key")),
];

#[test]
fn each_missing_right_is_quoted_and_its_fix_is_tried() {
    let mut wrong = Vec::new();
    for (world, code, sid) in MISSING {
        let report = report(&format!("{world}/fires"));
        let cause = &report["causes"][0];
        let (command, template) = (&cause["fixes"][0], &cause["fixes"][1]);
        let runs = command["commands"][0].as_str().is_some_and(|line| line.starts_with("aws "));
        let quoted = match sid {
            Some(sid) => cause["statement"]["sid"] == *sid,
            None => cause["statement"]["sid"].is_null(),
        };
        let fits = cause["code"] == *code
            && quoted
            && runs
            && command["verified"] == true
            && command["remaining"] == json!([])
            && template["template"].as_str().is_some_and(|text| !text.is_empty());
        if !fits {
            wrong.push(format!(
                "{world}: {:#}",
                json!({"code": cause["code"],
                "statement": cause["statement"], "fixes": cause["fixes"]})
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_printed_document_loses_a_statement() {
    for (world, _, _) in MISSING {
        let cause = report(&format!("{world}/fires"))["causes"][0].clone();
        let bundle = worlds::bundle(&format!("{world}/fires"));
        for line in cause["fixes"][0]["commands"].as_array().expect("a list") {
            let line = line.as_str().expect("text");
            let before = match line.split(' ').take(3).collect::<Vec<_>>()[..] {
                ["aws", "iam", "put-role-policy"] if line.contains("--policy-name rotation ") => {
                    &bundle["RolePolicies"][0]["PolicyDocument"]
                }
                ["aws", "iam", "create-policy-version"] => {
                    &bundle["PermissionsBoundary"]["PolicyDocument"]
                }
                ["aws", "iam", "update-assume-role-policy"] => {
                    &bundle["Role"]["AssumeRolePolicyDocument"]
                }
                ["aws", "secretsmanager", "put-resource-policy"] => &bundle["SecretPolicy"],
                // A policy of its own, or one statement more.
                _ => continue,
            };
            let after = document_of(line).expect("a document");
            let count = |document: &Value| document["Statement"].as_array().map_or(0, Vec::len);
            assert!(count(&after) >= count(before), "{world}: {line}");
            for statement in before["Statement"].as_array().expect("a list") {
                let sid = &statement["Sid"];
                let kept = after["Statement"].as_array().expect("a list");
                assert!(kept.iter().any(|other| &other["Sid"] == sid), "{world}: {sid} is lost");
            }
        }
    }
}

#[test]
fn a_policy_that_could_not_be_read_leaves_it_open() {
    let bundle = changed(CONDITION, |bundle| {
        bundle["RolePolicies"] = json!([{"PolicyName": "rotation"}]);
        bundle["Gaps"] = json!([{"Fact": "RolePolicies", "Action": "iam:GetRolePolicy",
            "Resource": "rotation", "Reason": "AccessDenied"}]);
    });
    let report = report_of(&bundle);
    for check in ["secret-rights", "key-rights", "logs-rights"] {
        let all = report["inconclusive"].as_array().expect("a list");
        let open = all.iter().find(|open| open["check"] == check).expect(check);
        let missing = &open["missing"];
        assert_eq!(missing[0]["action"], "iam:GetRolePolicy", "{check}: {missing:#}");
        assert_eq!(missing.as_array().map(Vec::len), Some(1), "{check}: {missing:#}");
    }
    assert!(report["findings"].as_array().expect("a list").iter().all(|finding| {
        finding["evidence"]
            .as_array()
            .expect("a list")
            .iter()
            .all(|proof| proof["kind"] != "policy")
    }));
    let screen =
        rotdoctor().args(["diagnose", "--bundle", "-"]).stdin(bundle.to_string()).run().stdout;
    assert!(screen.contains("grant iam:GetRolePolicy on rotation"), "{screen}");
}
