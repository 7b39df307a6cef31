//! What people posted of rotations that failed, and of some that did not: the
//! machine's text of public reports (`fixtures/field/reports.json`), and messages of
//! the same kind that no report was found for (`kin.json`). The first code is the one
//! that the thread, or the page of the code, says it is, in whatever form the text was
//! copied.

use std::io::Write as _;

use rotdoctor::{
    checks::Selection,
    examine_log,
    report::v1::Report,
    rotation_log::{Options, read},
};
use serde::Deserialize;
use serde_json::json;

use crate::support::root;

/// How many forms it takes to show each message once.
const SHARES: usize = 8;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Address of the thread; `recalled` where the text is from memory.
    source: String,
    /// The codes of which one has to be the first; none where the text decides none.
    codes: Vec<String>,
    /// The step that failed, where the text tells it.
    step: Option<String>,
    lines: Vec<String>,
}

fn cases(file: &str) -> Vec<Case> {
    let text = std::fs::read_to_string(root().join("fixtures/field").join(file)).expect("cases");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn report(text: &str) -> Report {
    let options = Options { any_function: true, ..Options::default() };
    let log = read(text.as_bytes(), options).expect("memory can be read");
    examine_log(log.by_secret().swap_remove(0), &Selection::default())
}

fn codes(report: &Report) -> Vec<&str> {
    report.causes.iter().map(|cause| cause.finding.code.as_str()).collect()
}

fn is_first(case: &Case, report: &Report) -> bool {
    match codes(report).first() {
        Some(first) => case.codes.iter().any(|code| code == first),
        None => case.codes.is_empty(),
    }
}

/// What is wrong with the answers to the cases, in the form `change` gives them.
fn wrong(cases: &[Case], change: impl Fn(&[String]) -> Option<String>) -> (usize, Vec<String>) {
    let mut count = 0;
    let mut wrong = Vec::new();
    for case in cases {
        let Some(text) = change(&case.lines) else { continue };
        let report = report(&text);
        count += 1;
        if !is_first(case, &report) {
            wrong.push(format!("{}: wants {:?}, got {:?}", case.name, case.codes, codes(&report)));
        }
    }
    (count, wrong)
}

/// Shows a rate to whoever runs the test.
fn tell(rate: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{rate}").expect("a test may print");
}

fn as_posted(lines: &[String]) -> Option<String> {
    Some(lines.join("\n"))
}

#[test]
fn the_first_code_of_a_public_report_is_the_right_one() {
    let cases = cases("reports.json");
    let (count, wrong) = wrong(&cases, as_posted);
    tell(&format!("field: {} of {count}", count - wrong.len()));
    assert!(cases.len() >= 60 && cases.iter().filter(|case| case.codes.is_empty()).count() >= 5);
    assert!(cases.iter().all(|case| !case.source.is_empty()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_step_is_told_where_the_report_tells_it() {
    let mut counted = 0;
    for case in cases("reports.json") {
        let Some(step) = &case.step else { continue };
        counted += 1;
        let report = report(&case.lines.join("\n"));
        let told = report.rotation.attempts.last().and_then(|attempt| attempt.failed_step.clone());
        assert_eq!(told.as_ref(), Some(step), "{}", case.name);
    }
    assert!(counted >= 10, "{counted}");
}

#[test]
fn messages_of_the_same_kind_are_known_too() {
    let (count, wrong) = wrong(&cases("kin.json"), as_posted);
    tell(&format!("kin: {} of {count}", count - wrong.len()));
    assert!(count > 150 && wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Breaks lines at blanks, as a page or a terminal of that width does.
fn wrapped(lines: &[String], width: usize) -> Vec<String> {
    let mut out = Vec::new();
    for line in lines {
        let mut current = String::new();
        for word in line.split(' ') {
            if !current.is_empty() && current.len() + word.len() >= width {
                out.push(std::mem::take(&mut current));
            }
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        out.push(current);
    }
    out
}

fn each(lines: &[String], change: impl Fn(&str) -> String) -> String {
    lines.iter().map(|line| change(line)).collect::<Vec<_>>().join("\n")
}

fn boxed(lines: &[String]) -> String {
    format!("\u{2577}\n{}\n\u{2575}", each(lines, |line| format!("\u{2502} {line}")))
}

const ID: &str = "0c1e5a1e-0000-4000-8000-000000000009";

type Form = (&'static str, fn(&[String]) -> Option<String>);

/// The ways in which text is copied. What is whole JSON, or a log with its own START
/// lines, is not put into a form that it never has.
const FORMS: &[Form] = &[
    ("wrapped", |lines| plain(lines).then(|| wrapped(lines, 80).join("\n"))),
    ("box", |lines| plain(lines).then(|| boxed(&wrapped(lines, 76)))),
    ("fence", |lines| Some(format!("```\n{}\n```", lines.join("\n")))),
    ("quote", |lines| plain(lines).then(|| each(lines, |line| format!("> {line}")))),
    ("console", |lines| {
        plain(lines).then(|| each(lines, |line| format!("2026-11-20T03:00:00.500+01:00\t{line}")))
    }),
    ("tail", |lines| {
        let stream = "2026/11/20/[$LATEST]0123456789abcdef0123456789abcdef";
        plain(lines).then(|| {
            each(lines, |line| format!("2026-11-20T03:00:00.500000+00:00 {stream} {line}"))
        })
    }),
    ("carriage-returns", |lines| Some(lines.join("\r\n"))),
    ("spaces", |lines| Some(each(lines, |line| line.replace('\t', "    ")))),
    ("curly", |lines| {
        plain(lines)
            .then(|| each(lines, |line| line.replace('\'', "\u{2019}").replace('"', "\u{201d}")))
    }),
    ("html", |lines| {
        plain(lines).then(|| {
            each(lines, |line| {
                line.replace('&', "&amp;")
                    .replace('<', "&lt;")
                    .replace('>', "&gt;")
                    .replace('\'', "&#x27;")
                    .replace('"', "&quot;")
            })
        })
    }),
    ("prose", |lines| {
        Some(format!(
            "Hello, this is what I find in CloudWatch:\n\n{}\n\nWhat is wrong?",
            lines.join("\n")
        ))
    }),
    ("bullet", |lines| plain(lines).then(|| format!("- {}", lines.join("\n")))),
    ("backticks", |lines| plain(lines).then(|| format!("`{}`", lines.join("\n")))),
    ("indented", |lines| Some(each(lines, |line| format!("    {line}")))),
    ("one-line", |lines| {
        plain(lines).then(|| lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" "))
    }),
    ("table", |lines| plain(lines).then(|| each(lines, |line| format!("| {line} |")))),
    ("string", |lines| plain(lines).then(|| json!(lines.join("\n")).to_string())),
    ("run", |lines| {
        (alone(lines) && !of_a_template(lines)).then(|| {
            format!(
                "START RequestId: {ID} Version: $LATEST\n[ERROR]\t2026-11-20T03:00:00.500Z\t{ID}\t{}\nEND RequestId: {ID}\nREPORT RequestId: {ID}\tDuration: 812.02 ms\tBilled Duration: 813 ms\tMemory Size: 128 MB\tMax Memory Used: 73 MB",
                lines.join("\n")
            )
        })
    }),
    ("json-log", |lines| {
        alone(lines).then(|| {
            json!({"timestamp": "2026-11-20T03:00:00Z", "level": "ERROR", "message": lines.join("\n"), "requestId": ID}).to_string()
        })
    }),
    ("export", |lines| {
        alone(lines).then(|| {
            json!({"events": [{"timestamp": 1_763_607_600_000_i64, "message": lines.join("\n"), "logStreamName": "s"}]}).to_string()
        })
    }),
];

fn plain(lines: &[String]) -> bool {
    let whole = ["| START", "START RequestId", "REPORT RequestId", "\t{\""];
    !lines.iter().any(|line| {
        line.trim_start().starts_with('{') || whole.iter().any(|part| line.contains(part))
    })
}

/// Whether a function can have printed the text, without anything of Lambda's.
fn alone(lines: &[String]) -> bool {
    let others = ["RequestId", " | ", "Task timed out", "Resource handler", "provided execution"];
    plain(lines) && !lines.iter().any(|line| others.iter().any(|other| line.contains(other)))
}

/// Whether a template prints it: one that only logs its error goes on.
fn of_a_template(lines: &[String]) -> bool {
    let theirs = ["Unable to log into", "key is missing from secret", "Database engine must"];
    lines.iter().any(|line| theirs.iter().any(|their| line.contains(their)))
}

#[test]
fn the_form_in_which_text_is_copied_makes_no_difference() {
    let reports = cases("reports.json");
    let kin = cases("kin.json");
    let mut said = Vec::new();
    for (number, (name, form)) in FORMS.iter().enumerate() {
        // Each form takes its share of the many messages.
        let share = kin.iter().skip(number % SHARES).step_by(SHARES).cloned();
        let all: Vec<Case> = reports.iter().cloned().chain(share).collect();
        let (count, wrong) = wrong(&all, form);
        tell(&format!("{name}: {} of {count}", count - wrong.len()));
        said.extend(wrong.into_iter().map(|line| format!("{name}: {line}")));
    }
    assert!(said.is_empty(), "{} wrong:\n{}", said.len(), said.join("\n"));
}
