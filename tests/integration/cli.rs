//! The command line: what goes where, and every exit code.

use std::io::Write as _;

use crate::support::{root, rotdoctor, scratch};

const SAMPLE: &str = "fixtures/samples/KMS01.json";

#[test]
fn a_bundle_is_diagnosed_cause_first() {
    let run = rotdoctor().args(["diagnose", "--bundle", SAMPLE]).run();
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    let cause = run.stdout.lines().find(|line| line.starts_with("CAUSE")).expect("a cause");
    assert!(cause.contains("KMS01") && cause.contains("confirmed"), "{cause}");
    let order: Vec<usize> = ["FAILING", "CAUSE", "FIX", "CONFIRM"]
        .iter()
        .map(|word| run.stdout.find(word).unwrap_or_else(|| panic!("{word}: {}", run.stdout)))
        .collect();
    assert!(order.is_sorted(), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}'), "colour on a pipe");
    assert_eq!(run.stderr, "");
}

#[test]
fn json_is_all_that_stdout_carries() {
    let run = rotdoctor().args(["diagnose", "--bundle", SAMPLE, "--output", "json"]).run();
    let report: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(report["schema_version"], "1");
    assert_eq!(report["mode"], "bundle");
    assert_eq!(report["verdict"], "failing");
    assert_eq!(report["causes"][0]["code"], "KMS01");
    assert_eq!(report["causes"][0]["confidence"], "confirmed");
    assert_eq!(report["causes"][0]["fixes"][0]["verified"], true);
    assert_eq!(report["rotation"]["failed_attempts"], 1);
    let again = rotdoctor().args(["diagnose", "--bundle", SAMPLE, "--output", "json"]).run();
    assert_eq!(run.stdout, again.stdout, "the order is deterministic");
}

#[test]
fn the_exit_code_is_a_promise() {
    let code = |args: &[&str]| rotdoctor().args(args).run().code;
    assert_eq!(code(&["diagnose", "--bundle", SAMPLE]), 1);
    assert_eq!(code(&["diagnose", "--bundle", SAMPLE, "--exit-zero"]), 0);
    assert_eq!(code(&["audit", "--bundle", SAMPLE]), 1);
    assert_eq!(code(&["diagnose", "--bundle", "no-such-file.json"]), 4);
    assert_eq!(code(&["audit", "--bundle", "no-such-file.json"]), 4);
    assert_eq!(code(&["audit", "--bundle", "no-such-file.json", "--bundle", SAMPLE]), 1);
    assert_eq!(code(&["diagnose"]), 2);
    assert_eq!(code(&["diagnose", "--bundle", SAMPLE, "--check", "SEC99"]), 2);
    assert_eq!(code(&["diagnose", "--bundle", SAMPLE, "--check", ""]), 2);
    assert_eq!(code(&["diagnose", "--bundle", SAMPLE, "--check", "KMS", "--skip", "KMS"]), 2);
    assert_eq!(code(&["diagnose", "--bundle", SAMPLE, "--output", "yaml"]), 2);
    assert_eq!(code(&["explain", "NET03"]), 0);
    assert_eq!(code(&["explain", "NET99"]), 2);
}

#[test]
fn a_code_that_was_not_selected_is_not_reported() {
    let run = rotdoctor()
        .args(["diagnose", "--bundle", SAMPLE, "--skip", "KMS01", "--output", "json"])
        .run();
    assert!(!run.stdout.contains("\"code\": \"KMS01\""), "{}", run.stdout);
}

#[test]
fn unreadable_bundles_say_what_to_do() {
    for (text, says) in [
        (&b"{"[..], "not JSON"),
        (b"\x00\xff\xfe", "not text"),
        (b"{\"SchemaVersion\": 9, \"CapturedAt\": \"2026-11-21T00:00:00Z\"}", "update rotdoctor"),
        (b"{\"CapturedAt\": \"2026-11-21T00:00:00Z\", \"Secret\": 3}", "at Secret"),
        (b"[]", "one JSON object"),
        (b"", "not JSON"),
    ] {
        let run = rotdoctor().args(["diagnose", "--bundle", "-"]).stdin(text).run();
        assert_eq!(run.code, 4, "{says}: {}", run.stderr);
        assert!(run.stderr.contains(says), "{says}: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn a_report_goes_to_a_file_whole() {
    let path = scratch("report.json");
    let name = path.to_str().expect("UTF-8 path");
    let run = rotdoctor()
        .args(["diagnose", "--bundle", SAMPLE, "--output", "json", "--output-file", name])
        .run();
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    let text = std::fs::read_to_string(&path).expect("the report");
    serde_json::from_str::<serde_json::Value>(&text).expect("JSON");
}

#[test]
fn a_reader_that_hangs_up_is_no_failure() {
    let mut child = rotdoctor()
        .args(["explain", "NET03"])
        .command()
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("ends").code(), Some(0));
}

#[test]
fn the_policy_is_for_the_checks_that_are_named() {
    let actions = |args: &[&str]| {
        let run = rotdoctor().args([&["permissions"], args].concat()).run();
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
        let policy: serde_json::Value = serde_json::from_str(&run.stdout).expect("a policy");
        policy["Statement"][0]["Action"].as_array().expect("actions").len()
    };
    let all = actions(&[]);
    assert!(actions(&["--check", "KMS,SCH"]) < all);
    assert!(actions(&["--skip", "NET,IAM,KMS,DB,RUN,TMO,CFN,APP,MGD"]) < all);
    // Without a name AWS is asked, which takes the feature `live`.
    #[cfg(not(feature = "live"))]
    {
        let run = rotdoctor().args(["permissions", "--check"]).run();
        assert_eq!((run.code, run.stdout.as_str()), (2, ""));
        assert!(run.stderr.contains("without the feature `live`"), "{}", run.stderr);
    }
}

#[test]
fn every_sub_command_has_help_and_the_lists_parse() {
    let help = rotdoctor().args(["--help"]).run().stdout;
    for name in [
        "diagnose",
        "audit",
        "logs",
        "explain",
        "checks",
        "permissions",
        "schema",
        "completions",
        "man",
    ] {
        assert!(help.contains(name), "{name}: {help}");
        assert_eq!(rotdoctor().args([name, "--help"]).run().code, 0, "{name}");
    }
    for args in [&["checks", "--output", "json"][..], &["permissions"]] {
        let run = rotdoctor().args(args).run();
        assert_eq!(run.code, 0, "{args:?}");
        serde_json::from_str::<serde_json::Value>(&run.stdout)
            .unwrap_or_else(|e| panic!("{args:?}: {e}"));
    }
    assert_eq!(
        rotdoctor().args(["schema"]).run().stdout,
        rotdoctor().args(["schema", "report"]).run().stdout
    );
    for which in ["report", "audit", "bundle", "configuration"] {
        let file = root().join(format!("schema/{which}.v1.json"));
        let schema = std::fs::read_to_string(file).expect("the schema's file");
        assert_eq!(rotdoctor().args(["schema", which]).run().stdout, schema);
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(rotdoctor().args(["completions", shell]).run().stdout.contains("rotdoctor"));
    }
    assert!(rotdoctor().args(["man"]).run().stdout.contains(".TH rotdoctor"));
}

#[test]
fn untrusted_text_cannot_steer_the_terminal() {
    let path = scratch("hostile.json");
    let mut file = std::fs::File::create(&path).expect("scratch");
    let hostile = "\u{1b}]0;owned\u{7}\u{202e}evil";
    let bundle = serde_json::json!({
        "CapturedAt": "2026-11-21T00:00:00Z",
        "Secret": {"Name": hostile, "ARN": "arn:aws:secretsmanager:eu-west-1:1:secret:x-AbCdEf",
                   "DeletedDate": "2026-11-20T00:00:00Z"},
    });
    write!(file, "{bundle}").expect("scratch");
    let run = rotdoctor().args(["diagnose", "--bundle", path.to_str().expect("UTF-8 path")]).run();
    assert!(!run.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{:?}", run.stdout);
    assert!(run.stdout.contains("owned"), "{}", run.stdout);
}

#[test]
fn a_command_line_without_a_target_names_both_ways() {
    let run = rotdoctor().args(["diagnose"]).run();
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("--bundle FILE") && run.stderr.contains("name the secret"));
}

#[test]
fn an_audit_says_where_it_looked_and_repeats_no_shared_fault() {
    let shared = |name: &str| {
        let path = scratch(&format!("shared-{name}.json"));
        let bundle = serde_json::json!({
            "CapturedAt": "2026-11-21T00:00:00Z",
            "Secret": {"Name": name, "RotationEnabled": true,
                "ARN": format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}-AbCdEf"),
                "RotationLambdaARN": "arn:aws:lambda:eu-west-1:123456789012:function:rotate"},
            "Function": null,
        });
        std::fs::write(&path, bundle.to_string()).expect("scratch");
        path.to_str().expect("UTF-8 path").to_owned()
    };
    let run = rotdoctor().args(["audit", "--bundle", &shared("first"), &shared("second")]).run();
    let header = run.stdout.lines().next().expect("a header");
    assert_eq!(header, "eu-west-1 · 123456789012 · 2 secrets examined");
    let title = rotdoctor::catalogue::entry("RUN15").expect("a page").title;
    let start: String = title.chars().take(20).collect();
    assert_eq!(run.stdout.matches(&start).count(), 1, "{}", run.stdout);
    assert!(run.stdout.contains("the same as for first"), "{}", run.stdout);
    assert_eq!(run.stdout.matches("RUN15").count(), 2, "{}", run.stdout);
}

#[test]
fn the_footer_counts_each_check_once() {
    let report = rotdoctor().args(["diagnose", "--bundle", SAMPLE, "--output", "json"]).run();
    let report: serde_json::Value = serde_json::from_str(&report.stdout).expect("JSON");
    let text = rotdoctor().args(["diagnose", "--bundle", SAMPLE]).run().stdout;
    let start = format!("{} checks ran: ", report["summary"]["checks"]);
    let footer = text.split_once(&start).unwrap_or_else(|| panic!("{text}")).1;
    let footer = footer.split_once('.').expect("a sentence").0.replace('\n', " ");
    let sum: u64 = footer
        .split(", ")
        .map(|part| part.split(' ').next().and_then(|n| n.parse::<u64>().ok()).expect("a count"))
        .sum();
    assert_eq!(Some(sum), report["summary"]["checks"].as_u64(), "{footer}");
}

#[cfg(unix)]
#[test]
fn what_is_written_to_a_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let path = scratch("private.json");
    let name = path.to_str().expect("UTF-8 path");
    for _ in 0..2 {
        rotdoctor()
            .args(["diagnose", "--bundle", SAMPLE, "--output", "json", "--output-file", name])
            .run();
        let mode = std::fs::metadata(&path).expect("the report").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // As an earlier version left it.
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(&path, open).expect("it is ours");
    }
}
