//! The worlds of `fixtures/worlds`: in each `fires.json` the code is the first
//! cause (or what `_expected` says), in each `quiet.json` nothing blames it.

use std::{collections::BTreeSet, sync::LazyLock};

use rotdoctor::{
    bundle,
    catalogue::{self, Severity},
    checks::Selection,
    evidence::Evidence,
    examine,
    report::{
        json,
        text::{self, Layout},
        v1::{Confidence, Mode, RecoveryStep, Report, Verdict},
    },
};
use serde::Deserialize;

use crate::worlds;

/// What a world is for, where the rule above does not say it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Expected {
    verdict: Option<String>,
    first_cause: Option<String>,
    findings: Vec<String>,
    not_first: Vec<String>,
    exit: Option<u8>,
}

/// Codes that are the first cause in no world, and why.
const NEVER_FIRST: &[(&str, &[&str])] = &[
    ("a note: it stops no rotation", &["APP02", "IAM19", "MGD04", "MGD05", "SCH03"]),
    ("a consequence of the attempt that failed before it", &["CFN05"]),
    ("where the same missing way comes from: NET01 says what is missing", &["CFN03"]),
    ("where the same wrong build comes from: RUN01 and RUN02 say what is wrong", &["RUN04"]),
    ("a warning about how the function is built: IAM17 says what it leads to", &["RUN17"]),
];

/// How the commands of fixes begin.
const COMMANDS: &[&str] = &[
    "aws ",
    "rotdoctor ",
    "psql ",
    "npm ",
    "pip ",
    "VALUE=$(",
    "PGPASSWORD=",
    "MYSQL_PWD=",
    "SQLCMDPASSWORD=",
];

pub(crate) struct World {
    pub(crate) name: String,
    code: String,
    evidence: Evidence,
    expected: Option<Expected>,
    pub(crate) report: Report,
}

pub(crate) static FIRES: LazyLock<Vec<World>> = LazyLock::new(|| worlds("fires"));
pub(crate) static QUIET: LazyLock<Vec<World>> = LazyLock::new(|| worlds("quiet"));

fn worlds(kind: &str) -> Vec<World> {
    worlds::folders().into_iter().map(|code| world(format!("{code}/{kind}"))).collect()
}

fn world(name: String) -> World {
    let code = name.split('/').next().unwrap_or_default().to_owned();
    let raw = worlds::bundle(&name);
    let read = bundle::read(&raw.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(read.unknown_keys.is_empty(), "{name}: {:?}", read.unknown_keys);
    let expected = raw.get("_expected").map(|value| {
        Expected::deserialize(value).unwrap_or_else(|error| panic!("{name}: {error}"))
    });
    let report = examine(&read.evidence, Mode::Bundle, &Selection::default());
    World { code, name, evidence: read.evidence, expected, report }
}

fn verdict(report: &Report) -> String {
    let value = serde_json::to_value(report.verdict).expect("a word");
    value.as_str().expect("a word").to_owned()
}

fn first(report: &Report) -> Option<&str> {
    report.causes.first().map(|cause| cause.finding.code.as_str())
}

/// The exit code that the command would give, errors only.
fn exit(report: &Report) -> u8 {
    match () {
        () if report.findings.iter().any(|f| f.severity == Severity::Error) => 1,
        () if report.inconclusive.is_empty() => 0,
        () => 3,
    }
}

#[test]
fn the_samples_are_their_worlds() {
    for code in ["KMS01", "NET03", "SEC09"] {
        let path = format!("{}/fixtures/samples/{code}.json", env!("CARGO_MANIFEST_DIR"));
        let sample = std::fs::read_to_string(path).expect("a sample");
        assert!(
            sample == worlds::text(&format!("{code}/fires")),
            "cargo run --no-default-features --example worlds -- DIR and \
             cp DIR/{code}/fires.json fixtures/samples/{code}.json write it anew"
        );
    }
}

#[test]
fn each_base_world_works() {
    for base in worlds::bases() {
        let World { report, .. } = world(base.clone());
        let codes: Vec<&str> = report.findings.iter().map(|one| one.code.as_str()).collect();
        // The runtime of most functions is deprecated; RDS renews its certificate itself.
        assert!(codes.iter().all(|code| ["RUN05", "MGD02"].contains(code)), "{base}: {codes:?}");
        assert_ne!(report.verdict, Verdict::Failing, "{base}");
    }
}

#[test]
fn each_code_is_the_first_cause_where_it_is_the_cause() {
    let mut wrong = Vec::new();
    for World { name, code, expected, report, .. } in FIRES.iter() {
        let by_rule = Expected {
            verdict: Some("failing".to_owned()),
            first_cause: Some(code.clone()),
            ..Expected::default()
        };
        let expected = expected.as_ref().unwrap_or(&by_rule);
        let causes: Vec<&str> = report.causes.iter().map(|c| c.finding.code.as_str()).collect();
        let found: Vec<&str> = report.findings.iter().map(|f| f.code.as_str()).collect();
        let verdict = verdict(report);
        let fits = expected.verdict.as_ref().is_none_or(|wanted| *wanted == verdict)
            && expected.first_cause.as_deref().is_none_or(|wanted| first(report) == Some(wanted))
            && expected.findings.iter().all(|wanted| found.contains(&wanted.as_str()))
            && !expected.not_first.iter().any(|not| first(report) == Some(not))
            && expected.exit.is_none_or(|wanted| wanted == exit(report));
        if !fits {
            wrong.push(format!("{name}: {verdict}, causes {causes:?}, findings {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_code_is_blamed_where_it_is_not_the_cause() {
    let mut wrong = Vec::new();
    for World { name, code, expected, report, .. } in QUIET.iter() {
        let nothing = Expected::default();
        let expected = expected.as_ref().unwrap_or(&nothing);
        let blamed = report.causes.iter().any(|cause| cause.finding.code == *code)
            || report
                .findings
                .iter()
                .any(|finding| finding.code == *code && finding.severity == Severity::Error);
        let verdict = verdict(report);
        let fits = !blamed
            && expected.verdict.as_ref().is_none_or(|wanted| *wanted == verdict)
            && expected.first_cause.as_deref().is_none_or(|wanted| first(report) == Some(wanted))
            && !expected.not_first.iter().any(|not| first(report) == Some(not));
        if !fits {
            wrong.push(format!("{name}: {verdict}, {:?}", report.causes));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_report_is_plain_text_that_fits_and_json_that_reads_back() {
    for World { name, evidence, report, .. } in FIRES.iter().chain(QUIET.iter()) {
        let shown = text::render(report, Layout::default());
        let shown = anstream::adapter::strip_str(&shown).to_string();
        for line in shown.lines() {
            // A command stays on its line, to be copied; so do a word and an option
            // with its value.
            let is_command = line.contains(" | ") || COMMANDS.iter().any(|c| line.contains(c));
            let is_word =
                line.split_whitespace().count() == 1 || line.trim_start().starts_with("--");
            // What is copied whole, an ARN or a statement for a template, is one word.
            let longest = line.split_whitespace().map(|word| word.chars().count()).max();
            let is_statement = longest.is_some_and(|longest| longest > 40);
            let fits = line.chars().count() <= 80;
            assert!(fits || is_command || is_word || is_statement, "{name}: {line}");
            assert!(!line.chars().any(char::is_control), "{name}: {line:?}");
        }
        let written = json::render(report);
        let back: Report =
            serde_json::from_str(&written).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(json::render(&back), written, "{name}");
        let again = examine(evidence, Mode::Bundle, &Selection::default());
        assert_eq!(json::render(&again), written, "{name}");
    }
}

/// The code that a folder is named after: `IAM01-PutSecretValue` is a world of IAM01.
fn code_of(world: &World) -> &str {
    world.code.split('-').next().unwrap_or_default()
}

#[test]
fn every_code_has_a_world_and_is_the_first_cause_in_one_or_there_is_a_reason() {
    let with: BTreeSet<&str> = FIRES.iter().map(code_of).collect();
    let all = catalogue::entries().iter().map(|entry| entry.code);
    let missing: Vec<&str> = all.clone().filter(|code| !with.contains(code)).collect();
    assert!(missing.is_empty(), "no world: {missing:?}");

    let first: BTreeSet<&str> = FIRES
        .iter()
        .filter(|world| first(&world.report) == Some(code_of(world)))
        .map(code_of)
        .collect();
    let never: BTreeSet<&str> = NEVER_FIRST.iter().flat_map(|(_, codes)| *codes).copied().collect();
    let wrong: Vec<&str> =
        all.filter(|code| first.contains(code) == never.contains(code)).collect();
    assert!(wrong.is_empty(), "first and listed, or neither: {wrong:?}");
}

#[test]
fn a_cause_that_is_not_confirmed_says_what_would_decide() {
    let mut wrong = Vec::new();
    for World { name, report, .. } in FIRES.iter().chain(QUIET.iter()) {
        let open = report.causes.iter().filter(|cause| cause.confidence == Confidence::Possible);
        // A consequence is no question: what would decide is its cause's.
        let open = open.filter(|cause| !matches!(cause.finding.code.as_str(), "SEC07" | "SEC08"));
        let mute = open.filter(|cause| cause.would_decide.is_empty());
        wrong.extend(mute.map(|cause| format!("{name}: {}", cause.finding.code)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_way_out_takes_the_label_off_what_may_be_the_password_in_use() {
    let mut seen = BTreeSet::new();
    for World { name, report, .. } in FIRES.iter().chain(QUIET.iter()) {
        let Some(recovery) = &report.recovery else {
            assert!(
                report.verdict != Verdict::Failing
                    || report.target.secret_arn.is_none()
                    || report.causes.iter().any(|cause| cause.finding.code.starts_with("MGD")),
                "{name}"
            );
            continue;
        };
        seen.insert(recovery.action.clone());
        let Some(pending) = &recovery.pending else { continue };
        let drops = |step: &RecoveryStep| {
            step.commands
                .iter()
                .any(|command| command.contains("AWSPENDING --remove-from-version-id"))
        };
        let mut steps = recovery.steps.iter();
        match pending.database_password.as_str() {
            "unchanged" => assert!(steps.any(drops), "{name}"),
            // After a look at the logins alone, and on a condition.
            _ if recovery.action == "look-first" => {
                assert!(
                    steps.filter(|step| drops(step)).all(|step| step.summary.contains("only then")),
                    "{name}"
                );
                assert!(recovery.keep.contains(&pending.version_id), "{name}");
            }
            _ => assert!(!steps.any(drops), "{name}: {recovery:?}"),
        }
    }
    assert_eq!(Vec::from_iter(seen), ["drop-label", "finish", "look-first", "rotate"]);
}
