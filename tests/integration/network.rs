//! What blocks a path, from the bundle to the screen.

use serde_json::Value;

use crate::{
    support::{report_of, rotdoctor},
    worlds,
};

fn report(bundle: &str) -> Value {
    report_of(&worlds::bundle(&format!("{bundle}/fires")))
}

fn text(bundle: &str) -> String {
    rotdoctor().arg("diagnose").bundle(&format!("{bundle}/fires")).run().stdout
}

/// The hop that stops the first cause's path.
fn stop(report: &Value) -> &Value {
    let hops = report["causes"][0]["path"].as_array().expect("a path");
    assert_eq!(hops[0]["outcome"], "ok", "{hops:?}");
    hops.iter().find(|hop| hop["outcome"] == "stop").expect("a hop that stops")
}

/// The text of every proof of the first cause with this kind.
fn proofs(report: &Value, kind: &str) -> Vec<String> {
    let all = report["causes"][0]["evidence"].as_array().expect("evidence");
    let of_kind = all.iter().filter(|proof| proof["kind"] == kind);
    of_kind.map(|proof| proof["text"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_endpoints_group_is_the_confirmed_cause_and_its_fix_is_verified() {
    let report = report("NET03");
    let cause = &report["causes"][0];
    assert_eq!((&cause["code"], &cause["confidence"]), (&"NET03".into(), &"confirmed".into()));
    assert_eq!(cause["resource"], "sg-0b2f3a4c5d6e7f801");
    assert_eq!(cause["path_from"]["subnet"], "subnet-0f1a2b3c4d5e6f701");
    assert_eq!(cause["path_from"]["cidr"], "10.20.1.0/24");
    let stop = stop(&report);
    assert_eq!((&stop["kind"], &stop["resource"]), (&"ingress".into(), &cause["resource"]));
    assert!(stop["needed"].as_str().is_some_and(|needed| needed.contains("tcp 443")), "{stop}");
    let fix = &cause["fixes"][0];
    assert_eq!((&fix["verified"], &fix["remaining"]), (&true.into(), &Value::Array(vec![])));
    assert_eq!(
        fix["commands"][0],
        "aws ec2 authorize-security-group-ingress --group-id sg-0b2f3a4c5d6e7f801 --protocol tcp \
         --port 443 --source-group sg-0c3d4e5f60718293a --region eu-west-1"
    );
    // The line that only says that something hangs is this fault's symptom.
    assert!(proofs(&report, "log").iter().any(|line| line.contains("Task timed out")), "{cause}");
    let causes = report["causes"].as_array().expect("causes");
    assert!(causes.iter().all(|other| other["code"] != "NET01"), "{causes:?}");
}

#[test]
fn a_timeout_in_set_secret_is_the_databases_group() {
    let report = report("NET10");
    let cause = &report["causes"][0];
    assert_eq!((&cause["code"], &cause["confidence"]), (&"NET10".into(), &"confirmed".into()));
    assert_eq!(stop(&report)["resource"], "sg-0d0b1c2d3e4f50617");
    assert_eq!(cause["fixes"][0]["verified"], true);
    assert!(proofs(&report, "log").iter().any(|line| line.contains("Task timed out")), "{cause}");
    let causes = report["causes"].as_array().expect("causes");
    assert!(causes.iter().all(|other| other["code"] != "NET10T"), "{causes:?}");
    let passed = report["passed"].as_array().expect("passed");
    assert!(passed.iter().any(|check| check["check"] == "secrets-manager-path"));
}

#[test]
fn the_text_shows_the_path_and_where_it_stops() {
    for (bundle, subnet, stops) in [
        ("NET03", "subnet-0f1a2b3c4d5e6f701 (10.20.1.0/24)", "sg-0b2f3a4c5d6e7f801"),
        ("NET10", "subnet-0f1a2b3c4d5e6f701 (10.20.1.0/24)", "sg-0d0b1c2d3e4f50617"),
    ] {
        let text = text(bundle);
        assert!(text.contains(&format!("  Path from {subnet}\n")), "{text}");
        let line = text.lines().find(|line| line.trim().starts_with("STOP")).expect("a STOP line");
        assert!(line.contains(stops), "{line}");
        let column = |line: &str| line.find("sg-").or(line.find("rtb-"));
        let hops =
            text.lines().filter(|line| line.starts_with("    ok ") && column(line).is_some());
        for hop in hops {
            assert_eq!(column(hop), column(line), "{text}");
        }
        let order: Vec<usize> = ["CAUSE", "Path from", "STOP", "FIX", "CONFIRM"]
            .iter()
            .map(|word| text.find(word).unwrap_or_else(|| panic!("{word}: {text}")))
            .collect();
        assert!(order.is_sorted(), "{text}");
        assert!(!text.contains("path from subnet"), "shown once: {text}");
    }
}
