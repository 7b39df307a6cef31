//! Many secrets at once: what is found, what it costs, and what becomes of refusals.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value;

use crate::{
    KEYS,
    account::{Account, Fault},
    stub::{Ask, Reply, Stub},
    support::{
        emulators::ministack,
        run::{REGION, Ran, rotdoctor},
        world::{World, unique},
    },
};

/// Every seventh secret has a fault, of each kind in turn.
fn some(number: usize) -> Option<Fault> {
    let kinds = [
        Fault::NotInvocable,
        Fault::NoPut,
        Fault::KeyDisabled,
        Fault::Stuck,
        Fault::NoFunction,
        Fault::ShortTimeout,
    ];
    (number % 7 == 3).then(|| kinds[number / 7 % kinds.len()])
}

const ACCOUNT: Account = Account { secrets: 250, functions: 20, vpcs: 5, fault: some };

/// The same in small, for what takes time.
const SMALL: Account = Account { secrets: 45, functions: 8, vpcs: 2, fault: some };

fn start(odd: impl Fn(&Ask) -> Option<Reply> + Send + Sync + 'static) -> Stub {
    Stub::start(move |ask| odd(ask).or_else(|| ACCOUNT.answer(ask)))
}

fn audit(stub: &Stub, more: &[&str]) -> Ran {
    let at = ["audit", "--endpoint-url", &stub.url, "--region", "eu-west-1"];
    run_with([&at, more].concat())
}

fn run_with<'a>(arguments: impl AsRef<[&'a str]>) -> Ran {
    rotdoctor().args(arguments.as_ref()).envs(KEYS).run()
}

fn report(run: &Ran) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("no JSON: {run:?}"))
}

/// By ARN, the codes of errors and warnings.
fn errors(audit: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let reports = audit["reports"].as_array().expect("reports").iter();
    let errors = |report: &Value| -> BTreeSet<String> {
        let findings = report["findings"].as_array().expect("findings").iter();
        findings
            .filter(|finding| finding["severity"] != "note")
            .map(|finding| finding["code"].as_str().expect("a code").to_owned())
            .collect()
    };
    let arn = |report: &Value| report["target"]["secret_arn"].as_str().expect("an ARN").to_owned();
    reports
        .map(|report| (arn(report), errors(report)))
        .filter(|(_, codes)| !codes.is_empty())
        .collect()
}

fn broken_of(account: &Account) -> BTreeMap<String, BTreeSet<String>> {
    let broken = account.broken().into_iter();
    broken.map(|(arn, code)| (arn, BTreeSet::from([code.to_owned()]))).collect()
}

fn broken() -> BTreeMap<String, BTreeSet<String>> {
    broken_of(&ACCOUNT)
}

#[test]
fn just_the_broken_are_found_and_shared_things_are_read_once() {
    let stub = start(|_| None);
    let run = audit(&stub, &["--all", "--output", "json"]);
    assert_eq!(run.code, 1, "{run:?}");
    let audit = report(&run);
    assert_eq!(audit["summary"]["secrets"], 250);
    assert_eq!(errors(&audit), broken());
    for report in audit["reports"].as_array().expect("reports") {
        assert_eq!(report["inconclusive"].as_array().map(Vec::len), Some(0), "{report:#}");
        assert_ne!(report["verdict"], "unknown", "{report:#}");
    }

    let asked = stub.asked();
    let pages = asked.iter().filter(|ask| ask.operation == "secretsmanager:ListSecrets").count();
    assert_eq!(pages, 3);
    let functions = ACCOUNT.distinct_functions();
    assert!(
        asked.len() <= pages + 3 * functions + 200,
        "{} calls about {functions} functions",
        asked.len()
    );
    assert_eq!(stub.count("lambda:GetFunction"), functions);
    assert_eq!(stub.count("lambda:GetPolicy"), functions);
    assert_eq!(stub.count("kms:GetKeyPolicy"), 2, "two keys");
    assert_eq!(stub.count("iam:GetAccountAuthorizationDetails"), 1);
    assert_eq!(stub.count("iam:GetRole"), 0);
    assert_eq!(stub.count("ec2:DescribeRouteTables"), 1);
    let without_put = ACCOUNT.broken().iter().filter(|(_, code)| *code == "IAM01").count();
    let policies = stub.count("secretsmanager:GetResourcePolicy");
    assert_eq!(policies, without_put, "250 secrets are many; a policy may give what a role lacks");
    assert_eq!(stub.count("logs:DescribeLogStreams"), 0, "nobody asked for logs");
}

#[test]
fn three_shards_are_the_whole() {
    let stub = start(|_| None);
    let mut together = BTreeMap::new();
    let mut secrets = 0;
    for shard in ["1/3", "2/3", "3/3"] {
        let part = report(&audit(&stub, &["--all", "--shard", shard, "--output", "json"]));
        secrets += part["summary"]["secrets"].as_u64().expect("a count");
        together.extend(errors(&part));
    }
    assert_eq!(secrets, 250);
    assert_eq!(together, broken());
}

#[test]
fn throttling_loses_nothing() {
    // Each tenth request of an operation is refused.
    let stub = Stub::start(|ask| {
        let json = ask.operation.starts_with("secretsmanager") || ask.operation.starts_with("kms");
        let refused = (ask.earlier % 10 == 4).then(|| match json {
            true => Reply::json_error(400, "ThrottlingException", "Rate exceeded"),
            false if ask.operation.starts_with("lambda") => {
                Reply::json_error(429, "TooManyRequestsException", "Rate exceeded")
                    .with_header("x-amzn-errortype", "TooManyRequestsException")
            }
            false => Reply::xml_error(503, "RequestLimitExceeded", "Rate exceeded"),
        });
        refused.or_else(|| SMALL.answer(ask))
    });
    let run = audit(&stub, &["--all", "--output", "json"]);
    let audit = report(&run);
    assert_eq!(errors(&audit), broken_of(&SMALL));
    let gaps = audit["reports"].as_array().expect("reports").iter();
    assert!(gaps.map(|report| &report["inconclusive"]).all(|list| *list == Value::Array(vec![])));
}

#[test]
fn roles_are_read_one_by_one_where_the_account_is_not_to_be_read() {
    let stub = start(|ask| {
        (ask.operation == "iam:GetAccountAuthorizationDetails")
            .then(|| Reply::xml_error(403, "AccessDenied", "not authorized to perform this action"))
    });
    let run = audit(&stub, &["--all", "--output", "json"]);
    assert_eq!(errors(&report(&run)), broken());
    let roles = stub.count("iam:GetRole");
    // Functions that are gone have no role.
    assert!(roles > 20 && roles <= ACCOUNT.distinct_functions(), "{roles}");
}

#[test]
fn what_is_refused_is_inconclusive_for_each_secret_and_no_fault() {
    let stub = start(|ask| match ask.operation.as_str() {
        "lambda:GetPolicy" => Some(
            Reply::json_error(403, "AccessDeniedException", "not authorized")
                .with_header("x-amzn-errortype", "AccessDeniedException"),
        ),
        _ => None,
    });
    let run = audit(&stub, &["--all", "--check", "IAM08", "--output", "json"]);
    let audit = report(&run);
    for report in audit["reports"].as_array().expect("reports") {
        assert_eq!(report["findings"], Value::Array(vec![]));
    }
    let told = audit["reports"][0]["permissions_missing"].to_string();
    assert!(told.contains("lambda:GetPolicy"), "{told}");
}

#[test]
fn lines_come_one_by_one_and_hold_the_same() {
    let stub = start(|_| None);
    let run = audit(&stub, &["--all", "--output", "jsonl"]);
    assert_eq!(run.code, 1);
    let reports: Vec<Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(reports.len(), 250);
    assert_eq!(errors(&serde_json::json!({"reports": reports})), broken());
}

#[test]
fn few_secrets_are_asked_about_one_by_one_and_a_name_twice_is_one_secret() {
    let stub = start(|ask| {
        let number = ask.body.split("app/").nth(1)?.get(..5)?.parse::<usize>().ok()?;
        (ask.operation == "secretsmanager:DescribeSecret").then(|| match number {
            999 => Reply::json_error(400, "ResourceNotFoundException", "can't find it"),
            _ => Reply::ok(ACCOUNT.described(number).to_string()),
        })
    });
    let names = ["app/00003", "app/00004", "app/00004", "app/00999"];
    let run = audit(&stub, &[&names[..], &["--output", "json"]].concat());
    assert_eq!(run.code, 1, "{run:?}");
    let audit = report(&run);
    assert_eq!(audit["summary"]["secrets"], 3);
    assert_eq!(audit["not_examined"][0]["target"], "app/00999");
    assert_eq!(errors(&audit).len(), 1);
    assert_eq!(stub.count("secretsmanager:GetResourcePolicy"), 2);
    assert_eq!(stub.count("secretsmanager:ListSecretVersionIds"), 2);
}

#[test]
fn regions_and_roles_are_gone_through_and_one_that_fails_does_not_end_the_rest() {
    let stub = start(|ask| {
        let assumed = ask.operation == "sts:AssumeRole";
        if assumed && ask.body.contains("444455556666") {
            return Some(Reply::xml_error(403, "AccessDenied", "may not assume it"));
        }
        if assumed {
            assert!(ask.body.contains("ExternalId=secret-handshake"), "{}", ask.body);
        }
        assumed.then(|| Reply::ok("<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AKIDASSUMED</AccessKeyId><SecretAccessKey>none</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"))
    });
    let roles = [
        "--role-arn",
        "arn:aws:iam::111122223333:role/audit",
        "--role-arn",
        "arn:aws:iam::444455556666:role/audit",
        "--external-id",
        "secret-handshake",
    ];
    let at = ["audit", "--endpoint-url", &stub.url, "--regions", "eu-west-1,eu-west-2,eu-west-1"];
    let more = ["--name-prefix", "app/0000", "--output", "json", "--check", "KMS,IAM08"];
    let run = run_with([&at[..], &roles, &more].concat());
    let audit = report(&run);
    // Ten secrets, seen in two regions by one role; the other role fails in both.
    assert_eq!(audit["summary"]["secrets"], 22, "{run:?}");
    assert_eq!(audit["summary"]["not_examined"], 2);
    let reason = audit["not_examined"][0]["target"].as_str().expect("a target");
    assert!(reason.contains("444455556666") && reason.contains("eu-west-1"), "{reason}");
}

#[test]
fn slow_answers_wait_side_by_side() {
    let stub = start(|ask| {
        let reply = ACCOUNT.answer(ask)?;
        Some(reply.after(Duration::from_millis(5)))
    });
    audit(&stub, &["--all", "--output", "json"]);
    let most = stub.most_at_once();
    assert!((4..=8).contains(&most), "{most} at once");
}

/// Two hundred secrets in an emulator, thirty of them broken in six ways: by their
/// function's permission, role, time or absence, by their key, by themselves.
#[test]
fn of_two_hundred_secrets_in_ministack_just_the_thirty_broken_are_found_in_every_format() {
    let prefix = unique("audited");
    let emulator = ministack();
    let names = |kind: &str, count: usize| -> Vec<String> {
        (0..count).map(|number| format!("{prefix}-{kind}-{number:03}")).collect()
    };
    World::with_secrets(emulator, &names("good", 170));
    World::with_secrets(emulator, &names("permission", 5)).without_permission();
    let mut role = World::with_secrets(emulator, &names("role", 5));
    role.without_right("Secret", "secretsmanager:PutSecretValue");
    World::with_secrets(emulator, &names("time", 5)).timeout(3);
    World::with_secrets(emulator, &names("absent", 5)).without_function();
    let mut key = World::with_secrets(emulator, &names("key", 5));
    let its_key = key.key_arn().to_owned();
    key.key_disabled(&its_key);
    let stuck = World::with_secrets(emulator, &names("stuck", 5));
    for name in names("stuck", 5) {
        let pending = stuck.cloud.secrets().put_secret_value().secret_id(name);
        let pending = pending.secret_string("{}").version_stages("AWSPENDING");
        stuck.cloud.wait(pending.send());
    }

    let expected: BTreeSet<(String, &str)> = [
        ("permission", "IAM08"),
        ("role", "IAM01"),
        ("time", "TMO01"),
        ("absent", "RUN15"),
        ("key", "KMS01"),
        ("stuck", "SEC07"),
    ]
    .into_iter()
    .flat_map(|(kind, code)| names(kind, 5).into_iter().map(move |name| (name, code)))
    .collect();
    let url = emulator.url();
    let audit = |format: &str| {
        let audit = ["audit", "--name-prefix", &prefix, "--output", format];
        rotdoctor()
            .with_credentials()
            .args(audit)
            .args(["--endpoint-url", &url, "--region", REGION])
            .run()
    };

    let run = audit("json");
    assert_eq!(run.code, 1, "{}", run.stderr);
    let json = report(&run);
    assert_eq!(json["summary"]["secrets"], 200);
    let found: BTreeSet<(String, &str)> = json["reports"]
        .as_array()
        .expect("reports")
        .iter()
        .filter(|report| report["causes"].as_array().is_some_and(|causes| !causes.is_empty()))
        .map(|report| {
            let name = report["target"]["secret_name"].as_str().expect("a name").to_owned();
            (name, report["causes"][0]["code"].as_str().expect("a code"))
        })
        .collect();
    assert_eq!(found, expected);

    // A line, a result, a failure, an annotation, a row for each of the thirty, and the
    // same for nothing else.
    let broken: BTreeSet<&str> = expected.iter().map(|(name, _)| name.as_str()).collect();
    let named = |text: &str| -> BTreeSet<String> {
        let pattern = regex::Regex::new(&format!("{prefix}-[a-z]+-[0-9]{{3}}")).expect("a pattern");
        pattern.find_iter(text).map(|name| name.as_str().to_owned()).collect()
    };
    for format in ["jsonl", "sarif", "junit", "github", "markdown", "text"] {
        let run = audit(format);
        assert_eq!(run.code, 1, "{format}: {}", run.stderr);
        let told: String = match format {
            "jsonl" => {
                let lines =
                    run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON"));
                let bad = lines.filter(|line: &Value| line["causes"] != serde_json::json!([]));
                bad.map(|line| line["target"].to_string()).collect()
            }
            "sarif" => {
                let sarif: Value = serde_json::from_str(&run.stdout).expect("JSON");
                let results = sarif["runs"][0]["results"].as_array().expect("results").iter();
                let bad = results.filter(|result| result["level"] != "note");
                bad.map(|result| result["partialFingerprints"].to_string()).collect()
            }
            "junit" => {
                let cases = run.stdout.split("<testcase").skip(1);
                let cases = cases.filter_map(|case| case.split("</testcase>").next());
                cases.filter(|case| case.contains("<failure")).collect()
            }
            "github" => {
                let lines = run.stdout.lines();
                let bad = lines.filter(|line| {
                    line.starts_with("::error")
                        || line.starts_with("::warning") && line.contains("TMO01")
                });
                bad.collect::<Vec<_>>().join("\n")
            }
            // ministack tells no day of the last rotation, so that of the others stays open.
            _ => {
                let lines = run.stdout.lines().filter(|line| !line.contains("unknown"));
                lines.collect::<Vec<_>>().join("\n")
            }
        };
        let told = named(&told);
        let told: BTreeSet<&str> = told.iter().map(String::as_str).collect();
        assert_eq!(told, broken, "{format}");
    }
}

#[test]
fn an_audit_asks_for_nothing_that_the_printed_policy_does_not_allow() {
    let stub = start(|_| None);
    audit(&stub, &["--all", "--output", "json"]);
    let everywhere = ["audit", "--all", "--all-regions", "--endpoint-url", &stub.url];
    let run = run_with(everywhere);
    assert_eq!(run.code, 4, "some region has to be asked which there are: {}", run.stderr);
    let run = rotdoctor().args(everywhere).envs(KEYS).env("AWS_REGION", "eu-west-1").run();
    assert_eq!(run.code, 1, "{}", run.stderr);

    let asked: BTreeSet<String> = stub
        .asked()
        .into_iter()
        .map(|ask| ask.operation)
        .filter(|operation| operation != "sts:GetCallerIdentity")
        .collect();
    let allowed = crate::permissions::printed(&["--audit"]);
    let beyond: Vec<&String> = asked.difference(&allowed).collect();
    assert!(beyond.is_empty(), "{beyond:?}");
    // What a diagnosis does not need is needed here.
    let of_diagnosis = crate::permissions::printed(&[]);
    let only_here: BTreeSet<String> = allowed.difference(&of_diagnosis).cloned().collect();
    assert_eq!(only_here.len(), 3, "{only_here:?}");
    assert!(only_here.is_subset(&asked), "{only_here:?}");
}

/// A template that puts a function into a network that exists: what the template leaves
/// open is seen in AWS, the network's fault included.
#[test]
fn what_is_declared_lies_over_what_exists() {
    let world = World::healthy(ministack());
    let network = world.network();
    let subnets = format!("Subnets={}", network.subnets.join(","));
    let group = format!("Group={}", network.function_group);
    let template =
        concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/templates/into-existing-network.yaml");
    let url = world.emulator.url();
    let audit = |more: &[&str]| {
        let args = ["audit", "--template", template, "--region", REGION, "--output", "json"];
        let parameters = ["--parameters", &subnets, &group];
        let run =
            rotdoctor().with_credentials().args([&args[..], &parameters, more].concat()).run();
        report(&run)["reports"][0].clone()
    };
    let path = |report: &Value, list: &str| {
        let list = report[list].as_array().expect("a list").iter();
        list.filter(|check| check["check"] == "secrets-manager-path").count()
    };
    let alone = audit(&[]);
    assert_eq!(path(&alone, "inconclusive"), 1, "the template has no subnets: {alone:#}");
    let live = ["--with-live", "--endpoint-url", &url];
    let above = audit(&live);
    let open = &above["inconclusive"][0];
    assert_eq!(path(&above, "passed"), 1, "{open:#}");
    assert_eq!(above["findings"], Value::Array(vec![]), "{above:#}");

    network.without_way_out(&world.cloud);
    let closed = audit(&live);
    let codes = closed["findings"].to_string();
    assert!(codes.contains("NET01"), "{closed:#}");
}
