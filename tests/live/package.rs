//! `rotdoctor package --function` and `--no-package` against the stub: what is
//! asked, what is printed, and what never is.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    stub::{Ask, Reply, Stub},
    stub_world::{self as world, FUNCTION, LAYER, SECRET},
    support::{
        packages::zip,
        run::{Ran, rotdoctor},
    },
};

/// What the stub serves.
const CODE: &[(&str, &[u8])] = &[("lambda_function.py", b"import boto3\n")];

fn against(stub: &Stub, arguments: &[&str]) -> Ran {
    let ran = rotdoctor()
        .with_credentials()
        .args([arguments, &["--endpoint-url", &stub.url, "--timings"]].concat())
        .run();
    for text in [&ran.stdout, &ran.stderr] {
        assert!(!text.contains("Signature") && !text.contains("hunter2"), "{text}");
    }
    ran
}

fn json_of(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:#?}"))
}

/// The function of the world with this in its answer besides.
fn function_with(more: Value) -> Stub {
    world::start(move |ask| {
        let answer = world::function(ask).filter(|_| ask.operation == "lambda:GetFunction")?;
        let mut answer = answer;
        for (part, value) in more.as_object()? {
            for (key, value) in value.as_object()? {
                answer[part.as_str()][key.as_str()] = value.clone();
            }
        }
        Some(Reply::ok(answer.to_string()))
    })
}

#[test]
fn a_functions_package_is_told_as_that_of_a_file() {
    let stub = function_with(json!({"Configuration": {"Layers": []}}));
    let asked = against(
        &stub,
        &["package", "--function", "rotate", "--region", "eu-west-1", "--output", "json"],
    );
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("as-a-file.zip");
    std::fs::write(&file, zip(CODE)).expect("a file of the tests");
    let file = file.to_str().expect("a path in UTF-8");
    let told = rotdoctor()
        .with_credentials()
        .args(["package", file, "--runtime", "python3.12", "--output", "json"])
        .run();
    let (mut asked_report, mut told_report) = (json_of(&asked), json_of(&told));
    assert_eq!(asked_report["package"]["Source"], "Function");
    for report in [&mut asked_report, &mut told_report] {
        report["package"]["Source"] = Value::Null;
    }
    assert_eq!(asked_report["package"], told_report["package"]);
    assert_eq!(asked_report["mode"], "package");
    assert_eq!(asked_report["verdict"], told_report["verdict"]);
    assert_eq!((asked.code, told.code), (0, 0), "{asked:#?}");
    assert_eq!(asked_report["target"]["function_arn"], FUNCTION);
    assert_eq!(asked_report["target"]["account_id"], "123456789012");
}

#[test]
fn nothing_is_asked_but_the_function_and_its_layers() {
    let stub = world::start(|_| None);
    let told =
        against(&stub, &["package", "--function", &format!("{FUNCTION}:live"), "--color", "never"]);
    assert_eq!(told.code, 0, "{told:#?}");
    let asked = stub.asked();
    let operations: Vec<&str> = asked.iter().map(|ask| ask.operation.as_str()).collect();
    assert_eq!(operations, ["lambda:GetFunction", "lambda:GetLayerVersion"]);
    // The region of the ARN, as no other is told, and the qualifier beside it.
    assert!(asked[0].path.contains(FUNCTION) && asked[0].path.contains("Qualifier=live"));
    assert!(!asked[0].path.contains(":live"), "{}", asked[0].path);
    assert!(told.stdout.starts_with("rotate · eu-west-1 · 123456789012\n"), "{}", told.stdout);
    assert!(told.stdout.contains(&format!("{LAYER}: 1 files")), "{}", told.stdout);
    assert!(told.stderr.contains("2 calls in 3 waves"), "{}", told.stderr);
}

#[test]
fn a_layer_that_is_refused_leaves_the_rest() {
    let refused = |ask: &Ask| {
        let denied = || Reply::json_error(403, "AccessDeniedException", "no");
        (ask.operation == "lambda:GetLayerVersion").then(denied)
    };
    let stub = world::start(refused);
    let told = against(&stub, &["package", "--function", FUNCTION, "--output", "json"]);
    let report = json_of(&told);
    assert_eq!(report["package"]["Archives"].as_array().map(Vec::len), Some(1));
    assert_eq!(report["permissions_missing"], json!(["lambda:GetLayerVersion"]));
}

#[test]
fn what_cannot_be_read_at_all_says_why() {
    let nowhere = json!({"Code": {"Location": "http://127.0.0.1:1/code?X-Amz-Signature=hunter2"}});
    let image = json!({"Configuration": {"PackageType": "Image", "Layers": []},
        "Code": {"Location": null, "ImageUri": "1.dkr.ecr.eu-west-1.amazonaws.com/rotate"}});
    let refusal = |status: u16, code: &'static str| {
        world::start(move |ask| {
            let refused = ask.operation == "lambda:GetFunction";
            refused.then(|| Reply::json_error(status, code, "says AWS"))
        })
    };
    for (stub, says) in [
        (function_with(nowhere), "package of rotate: the package's store cannot be reached"),
        (function_with(image), "a container image"),
        (refusal(404, "ResourceNotFoundException"), "no function \"rotate\" in eu-west-1"),
        (refusal(403, "AccessDeniedException"), "lambda:GetFunction"),
    ] {
        let told = against(&stub, &["package", "--function", "rotate", "--region", "eu-west-1"]);
        assert_eq!((told.code, told.stdout.as_str()), (4, ""), "{told:#?}");
        assert!(told.stderr.contains(says), "{says}: {}", told.stderr);
    }
}

#[test]
fn a_file_and_a_function_exclude_each_other() {
    for wrong in [
        &["package"][..],
        &["package", "a.zip", "--function", "rotate"],
        &["package", "--function", "rotate", "--runtime", "python3.12"],
    ] {
        assert_eq!(rotdoctor().with_credentials().args(wrong).run().code, 2, "{wrong:?}");
    }
}

/// What nothing but a package can settle here.
const OF_THE_PACKAGE: [&str; 5] = ["RUN01", "RUN02", "RUN03", "RUN12", "DB04"];

fn says_that_nobody_asked(report: &Value) {
    let has = |list: &str, code: &str| {
        let all = report[list].as_array().expect("a list").iter();
        let mut with = all.filter(|one| one["codes"].to_string().contains(code));
        with.next().cloned()
    };
    for code in OF_THE_PACKAGE {
        assert!(has("passed", code).is_none(), "{code} is not fine");
        let open = has("inconclusive", code).unwrap_or_else(|| panic!("{code}: {report:#}"));
        let missing = &open["missing"][0];
        assert_eq!(
            (&missing["fact"], &missing["reason"]),
            (&"Package".into(), &"not asked for".into())
        );
    }
}

#[test]
fn no_package_is_fetched_where_none_is_wanted_and_the_report_says_so() {
    let stub = world::start(|_| None);
    let at = ["--region", "eu-west-1", "--no-package"];
    let json = ["--output", "json"];
    says_that_nobody_asked(&json_of(&against(
        &stub,
        &[&["diagnose", SECRET], &at[..], &json].concat(),
    )));
    let audit = json_of(&against(&stub, &[&["audit", SECRET], &at[..], &json].concat()));
    says_that_nobody_asked(&audit["reports"][0]);
    let text = against(&stub, &[&["diagnose", SECRET], &at[..]].concat()).stdout;
    assert!(text.contains("Package: not looked into, as --no-package asks"), "{text}");
    let bundle = json_of(&against(&stub, &[&["capture", SECRET, "-o", "-"], &at[..]].concat()));
    assert!(bundle.get("Package").is_none());
    let mut gaps = bundle["Gaps"].as_array().into_iter().flatten();
    assert!(!gaps.any(|gap| gap["Fact"] == "Package"));
    assert_eq!((stub.package_parts(), stub.count("lambda:GetLayerVersion")), (0, 0));
    let with = json_of(&against(&stub, &[&["diagnose", SECRET], &at[..2], &json].concat()));
    assert!(with["passed"].to_string().contains("RUN02"), "{with:#}");
    assert!(stub.package_parts() > 0);
}
