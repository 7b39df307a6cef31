//! Templates that are cut off, bent, or written by people that nobody here knows: an
//! error that says what to do, or evidence, and never a panic.

use std::{
    fs,
    io::{self, Write},
    panic,
    path::Path,
};

use serde_json::{Value, json};

use rotdoctor::template::{TemplateError, cloudformation};

use super::template::{fixture, report, settings};

#[test]
fn a_template_may_be_cut_off_anywhere() {
    let text = fixture("healthy.yaml");
    let ends = text.char_indices().map(|(at, _)| at).filter(|at| at % 7 == 0 || *at < 400);
    for end in ends {
        let cut = &text[..end];
        // An error is an answer, a panic is none.
        if let Err(error) = cloudformation::read(cut, &settings()) {
            assert!(!error.to_string().is_empty(), "{end}");
        }
    }
    let json = fixture("healthy.json");
    for end in (0..json.len()).filter(|at| at % 11 == 0 && json.is_char_boundary(*at)) {
        if let Ok(read) = cloudformation::read(&json[..end], &settings()) {
            panic!("{end}: a piece of JSON was read: {:?}", read.notes);
        }
    }
}

/// Every place in a document, as a pointer.
fn places(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(key, member)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            places(member, format!("{at}/{key}"), found);
        }),
        Value::Array(list) => list.iter().enumerate().for_each(|(index, item)| {
            places(item, format!("{at}/{index}"), found);
        }),
        _ => {}
    }
    found.push(at);
}

#[test]
fn any_value_may_be_of_another_type() {
    let whole: Value = serde_json::from_str(&fixture("healthy.json")).expect("JSON");
    let mut all = Vec::new();
    places(&whole["Resources"], "/Resources".to_owned(), &mut all);
    assert!(all.len() > 300, "{}", all.len());
    let others =
        [json!(null), json!(7), json!([]), json!({}), json!("text"), json!({"Fn::Unknown": [1]})];
    for (index, place) in all.iter().enumerate() {
        // Each place has some of them, each of them has many places.
        for other in others.iter().cycle().skip(index).take(2) {
            let mut bent = whole.clone();
            *bent.pointer_mut(place).expect("a place") = other.clone();
            match cloudformation::read(&bent.to_string(), &settings()) {
                Ok(read) => {
                    for declared in &read.rotations {
                        if index % 9 == 0 {
                            report(declared);
                        }
                    }
                }
                Err(TemplateError::WrongKind(_)) if place == "/Resources" => {}
                Err(error) => panic!("{place} as {other}: {error}"),
            }
        }
    }
}

#[test]
fn files_of_other_kinds_are_told() {
    let kind = |text: &str| match cloudformation::read(text, &settings()) {
        Err(TemplateError::WrongKind(why)) => why,
        other => panic!("{text}: {other:?}"),
    };
    assert!(kind("a: b\n").contains("Resources"));
    assert!(kind("[1, 2]").contains("Resources"));
    assert!(kind("Resources: {}\n").contains("Resources"));
    assert!(kind(r#"{"planned_values": {}, "resource_changes": []}"#).contains("Terraform"));
    assert!(kind(r#"{"CapturedAt": "2026-11-22"}"#).contains("bundle"));
    assert!(kind("a: 1\n---\nb: 2\n").contains("several"));
    let broken = cloudformation::read("Resources: [", &settings()).expect_err("broken");
    assert!(broken.to_string().starts_with("line "), "{broken}");
}

/// What became of the templates of a folder.
#[derive(Default, Debug)]
struct Count {
    files: usize,
    templates: usize,
    rotations: usize,
    refused: usize,
    findings: usize,
    crashed: Vec<String>,
}

fn walk(folder: &Path, count: &mut Count, told: &mut dyn FnMut(String)) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        if path.is_dir() {
            walk(&path, count, told);
        } else if matches!(kind, "yaml" | "yml" | "json" | "template") {
            let Ok(text) = fs::read_to_string(&path) else { continue };
            count.files += 1;
            one(&path, &text, count, told);
        }
    }
}

fn one(path: &Path, text: &str, count: &mut Count, told: &mut dyn FnMut(String)) {
    let read = panic::catch_unwind(|| {
        cloudformation::read(text, &settings()).map(|read| {
            let reports: Vec<_> = read.rotations.iter().map(report).collect();
            (read, reports)
        })
    });
    match read {
        Err(_) => count.crashed.push(path.display().to_string()),
        Ok(Ok((read, reports))) => {
            count.templates += 1;
            count.rotations += reports.len();
            for (declared, report) in read.rotations.iter().zip(&reports) {
                count.findings += report.findings.len();
                let name = declared.evidence.secret_arn().unwrap_or_default();
                told(format!("{}: {name}", path.display()));
                for finding in &report.findings {
                    let place = declared.origins.of(&finding.resource);
                    told(format!("    {} {:?} {}", finding.code, place.address, finding.summary));
                }
                let open: Vec<&str> =
                    report.inconclusive.iter().map(|one| one.check.as_str()).collect();
                told(format!("    open: {}", open.join(", ")));
            }
            read.notes.iter().for_each(|note| told(format!("{}: note: {note}", path.display())));
        }
        Ok(Err(error)) => {
            if !matches!(error, TemplateError::WrongKind(_)) {
                count.refused += 1;
                told(format!("{}: {error}", path.display()));
            }
        }
    }
}

/// Templates that others wrote, in the fixtures and in the folder that
/// `ROTDOCTOR_TEMPLATES` names: all are read.
#[test]
fn templates_of_others_are_read() {
    let own = format!("{}/fixtures/templates/foreign", env!("CARGO_MANIFEST_DIR"));
    let mut count = Count::default();
    let mut lines = Vec::new();
    walk(Path::new(&own), &mut count, &mut |line| lines.push(line));
    assert_eq!((count.templates, count.rotations), (8, 8), "{count:?}");
    // What the CDK writes by itself and would not work.
    let of = |name: &str| -> Vec<&str> {
        let start = lines.iter().position(|line| line.contains(name)).expect(name);
        let own = lines[start + 1..].iter().take_while(|line| line.starts_with("    "));
        own.filter(|line| !line.trim().starts_with("open")).map(|line| line.trim()).collect()
    };
    assert!(of("cdk-single-isolated.template")[0].starts_with("NET01"), "{lines:#?}");
    assert!(of("cdk-hosted")[0].starts_with("NET10"), "the function's group is not admitted");
    for fine in ["cdk-multi", "cdk-cluster-cmk", "cdk-imported-vpc", "cdk-single-isolated-endpoint"]
    {
        assert_eq!(of(fine), [""; 0], "{fine}");
    }
    assert_eq!((count.refused, count.crashed.len()), (0, 0), "{count:?}");
    if let Ok(folder) = std::env::var("ROTDOCTOR_TEMPLATES") {
        let mut count = Count::default();
        let mut lines = Vec::new();
        walk(Path::new(&folder), &mut count, &mut |line| lines.push(line));
        lines.push(format!("{count:?}"));
        writeln!(io::stdout(), "{}", lines.join("\n")).expect("stdout");
        assert!(count.crashed.is_empty(), "{:?}", count.crashed);
    }
}
