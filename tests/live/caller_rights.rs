//! `rotdoctor permissions --check`: what the caller lacks, by AWS's own simulation.

use serde_json::{Value, json};

use crate::{
    stub::{Ask, Reply, Stub},
    stub_world as world,
    support::run::{Ran, rotdoctor},
};

fn check(stub: &Stub, options: &[&str]) -> Ran {
    let run = rotdoctor().with_credentials();
    let run = run.args(["permissions", "--check", "--region", "eu-west-1"]).args(options);
    run.args(["--endpoint-url", &stub.url]).run()
}

fn policy(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).expect("a policy")
}

fn identity(arn: &'static str) -> impl Fn(&Ask) -> Option<Reply> {
    move |ask| {
        (ask.operation == "sts:GetCallerIdentity").then(|| {
            let content = format!("<Arn>{arn}</Arn><Account>123456789012</Account>");
            Reply::ok(format!(
                "<GetCallerIdentityResponse><GetCallerIdentityResult>{content}\
                 </GetCallerIdentityResult></GetCallerIdentityResponse>"
            ))
        })
    }
}

#[test]
fn what_lacks_is_printed_as_a_policy_and_told_with_its_reason() {
    let stub = world::start(|_| None);
    let ran = check(&stub, &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(
        policy(&ran)["Statement"],
        json!([{
            "Sid": "RotdoctorReadOnly",
            "Effect": "Allow",
            "Action": ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"],
            "Resource": "*",
        }])
    );
    // The session's role, whose path only GetRole knows.
    let role = "arn:aws:iam::123456789012:role/service-role/rotate-role lacks 3 of ";
    assert!(ran.stderr.contains(role), "{ran:?}");
    let why = "kms:ListGrants: an organization's policy does not let it through";
    assert!(ran.stderr.contains(why), "{ran:?}");
    assert_eq!(stub.count("iam:SimulatePrincipalPolicy"), 1);
}

#[test]
fn reading_the_secret_is_asked_for_that_secret_and_through_secrets_manager() {
    let stub = world::start(|_| None);
    let secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf";
    let ran = check(&stub, &["--read-secret", "--secret", secret]);
    let sids: Vec<Value> = policy(&ran)["Statement"]
        .as_array()
        .expect("statements")
        .iter()
        .map(|statement| statement["Sid"].clone())
        .collect();
    assert_eq!(sids, ["RotdoctorReadOnly", "RotdoctorDecryptSecret"], "{ran:?}");
    let asked: Vec<String> = stub
        .asked()
        .into_iter()
        .filter(|ask| ask.operation == "iam:SimulatePrincipalPolicy")
        .map(|ask| ask.body)
        .collect();
    assert_eq!(asked.len(), 3);
    let has = |text: &str| asked.iter().filter(|body| body.contains(text)).count();
    assert_eq!(has("secret:prod/db-AbCdEf"), 1, "{asked:?}");
    assert_eq!(has("secretsmanager.eu-west-1.amazonaws.com"), 1, "{asked:?}");
}

#[test]
fn nothing_lacks_where_all_is_allowed_and_for_the_root_user() {
    let stub = world::start(|_| None);
    let ran = check(&stub, &["--skip", "NET,IAM,KMS,SEC,DB,RUN,SCH,MGD,CFN,APP"]);
    assert_eq!((ran.code, &policy(&ran)["Statement"]), (0, &json!([])), "{ran:?}");
    assert!(ran.stderr.contains("may do all"), "{ran:?}");

    let root = world::start(identity("arn:aws:iam::123456789012:root"));
    let ran = check(&root, &[]);
    assert_eq!((ran.code, &policy(&ran)["Statement"]), (0, &json!([])), "{ran:?}");
    assert!(ran.stderr.contains("is the account's root user"), "{ran:?}");
    assert_eq!(root.count("iam:SimulatePrincipalPolicy"), 0);
}

#[test]
fn who_cannot_be_asked_about_is_told() {
    let federated = world::start(identity("arn:aws:sts::123456789012:federated-user/bob"));
    let ran = check(&federated, &[]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("is no user and no role"), "{ran:?}");

    let refused = world::start(|ask| {
        (ask.operation == "iam:SimulatePrincipalPolicy").then(|| {
            let message = "User: arn:aws:iam::123456789012:user/me is not authorized to perform: \
                 iam:SimulatePrincipalPolicy on resource: role";
            Reply::xml_error(403, "AccessDenied", message)
        })
    });
    let ran = check(&refused, &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""), "{ran:?}");
    assert!(ran.stderr.contains("iam:SimulatePrincipalPolicy failed"), "{ran:?}");
}

#[test]
fn names_select_checks_and_ask_nobody() {
    let stub = world::start(|_| None);
    let ran = check(&stub, &["--check", "SCH"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(stub.asked().is_empty());
}
