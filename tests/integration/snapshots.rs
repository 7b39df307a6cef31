//! What people read, word for word: the reports of twenty worlds in every format, and
//! the index of the codes. `ROTDOCTOR_BLESS=1` writes the files anew; read the
//! difference before it is committed.

use std::{env, fs};

use rotdoctor::{
    bundle,
    checks::Selection,
    examine,
    report::{
        json, markdown,
        text::{self, Layout},
        v1::Mode,
    },
};

use crate::support::{root, rotdoctor};

/// Worlds that together show every part of a report.
const WORLDS: [&str; 20] = [
    "CFN01",
    "DB01",
    "DB11",
    "IAM01-GetSecretValue",
    "IAM04",
    "IAM08",
    "IAM10",
    "KMS01",
    "MGD02",
    "NET01",
    "NET03",
    "NET10",
    "NET10T",
    "RUN01",
    "RUN05",
    "SCH04",
    "SEC02",
    "SEC04",
    "SEC09",
    "TMO01",
];

/// Holds a file of the repository to what was printed.
fn is_current(file: &str, printed: &str, wrong: &mut Vec<String>) {
    let path = root().join(file);
    if env::var_os("ROTDOCTOR_BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("make the folder");
        fs::write(path, printed).expect("write the file");
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept != printed {
        let (line, new) = printed
            .lines()
            .enumerate()
            .find(|(at, line)| kept.lines().nth(*at) != Some(line))
            .unwrap_or((printed.lines().count(), "(the end)"));
        wrong.push(format!("{file}:{}: now {new:?}", line + 1));
    }
}

#[track_caller]
fn nothing_is_wrong(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{}\nROTDOCTOR_BLESS=1 cargo test --no-default-features --test integration snapshots:: \
         writes them anew",
        wrong.join("\n")
    );
}

#[test]
fn twenty_reports_read_as_they_did() {
    let mut wrong = Vec::new();
    for world in WORLDS {
        let path = root().join(format!("fixtures/bundles/{world}/fires.json"));
        let text = fs::read_to_string(path).expect("a world");
        let evidence = bundle::read(&text).expect("a bundle").evidence;
        let report = examine(&evidence, Mode::Bundle, &Selection::default());
        let shown = text::render(&report, Layout::default());
        for (ending, printed) in [
            ("txt", anstream::adapter::strip_str(&shown).to_string()),
            ("json", json::render(&report)),
            ("md", markdown::render(&report)),
        ] {
            is_current(&format!("fixtures/reports/{world}.{ending}"), &printed, &mut wrong);
        }
    }
    nothing_is_wrong(&wrong);
}

#[test]
fn the_index_of_codes_is_what_the_checks_say() {
    let mut wrong = Vec::new();
    let run = rotdoctor(&["checks", "--output", "markdown"]);
    is_current("docs/codes.md", &run.stdout, &mut wrong);
    nothing_is_wrong(&wrong);
}
