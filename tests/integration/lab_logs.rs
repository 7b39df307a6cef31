//! Logs that the rotation templates really printed, with the fault that was there
//! (`fixtures/logs/lab/worlds.jsonl`), and one failing log in each form that the AWS CLI
//! and the console give it (`fixtures/logs/forms`).

use rotdoctor::{
    checks::Selection,
    examine_log,
    rotation_log::{Options, read},
};
use serde::Deserialize;

use crate::support::root;

#[derive(Debug, Deserialize)]
struct World {
    name: String,
    cause: String,
    /// The codes of which one has to be the first; none of a log without a failure.
    codes: Vec<String>,
    step: Option<String>,
    log: String,
}

/// The first code and the step that failed last.
fn told(text: &[u8]) -> (Option<String>, Option<String>) {
    let options = Options { any_function: true, ..Options::default() };
    let log = read(text, options).expect("memory can be read");
    let report = examine_log(log.by_secret().swap_remove(0), &Selection::default());
    let step = report.rotation.attempts.last().and_then(|attempt| attempt.failed_step.clone());
    (report.causes.first().map(|cause| cause.finding.code.clone()), step)
}

#[test]
fn the_first_code_of_a_real_log_is_the_fault_that_was_there() {
    let file = root().join("fixtures/logs/lab/worlds.jsonl");
    let text = std::fs::read_to_string(file).expect("worlds");
    let mut wrong = Vec::new();
    for line in text.lines() {
        let world: World = serde_json::from_str(line).expect("a world");
        let (code, step) = told(world.log.as_bytes());
        let fits = match &code {
            Some(code) => world.codes.contains(code),
            None => world.codes.is_empty(),
        };
        if !fits || step != world.step {
            let World { name, cause, codes, .. } = &world;
            wrong.push(format!("{name} ({cause}): wants {codes:?}, got {code:?} in {step:?}"));
        }
    }
    assert!(text.lines().count() > 70 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_log_says_the_same_in_every_form() {
    let mut read = 0;
    for file in std::fs::read_dir(root().join("fixtures/logs/forms")).expect("forms") {
        let path = file.expect("a form").path();
        let (code, step) = told(&std::fs::read(&path).expect("a form"));
        assert_eq!(code.as_deref(), Some("IAM01"), "{}", path.display());
        assert_eq!(step.as_deref(), Some("finishSecret"), "{}", path.display());
        read += 1;
    }
    assert!(read > 25, "{read}");
}
