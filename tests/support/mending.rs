//! A fault is found, the commands that the report prints are run as they stand, and
//! after the next rotation there is nothing more to say of it.

use rotdoctor::report::v1::{
    Report,
    Verdict::{self, AtRisk, Failing},
};

use super::{
    run::{Ran, told},
    world::{World, hours_ago},
};

/// Leave to read the secret.
const READING: &[&str] = &["--read-secret"];

/// Diagnoses a failure, mends by the first fix that was tried on the evidence, lets
/// the rotation go through, and diagnoses again.
#[track_caller]
pub(crate) fn found_and_mended(world: &mut World, code: &str, element: &str) -> Report {
    let report = diagnose(world).found(code, Failing, 1);
    mend(world, &report, element, READING);
    report
}

/// The same, where nobody can read the secret.
#[track_caller]
pub(crate) fn found_and_mended_unread(world: &mut World, code: &str, element: &str) -> Report {
    let report = look(world, &[]).found(code, Failing, 1);
    mend(world, &report, element, &[]);
    report
}

/// The same, where nothing failed yet and a warning is all there is to say.
#[track_caller]
pub(crate) fn foreseen_and_mended(world: &mut World, code: &str, element: &str) -> Report {
    let ran = diagnose(world);
    // A warning alone is no failure: 0, or 3 where the emulator did not show all.
    let exit = if ran.report().inconclusive.is_empty() { 0 } else { 3 };
    let report = ran.found(code, AtRisk, exit);
    mend(world, &report, element, READING);
    report
}

#[track_caller]
fn mend(world: &mut World, report: &Report, element: &str, leave: &[&str]) {
    let cause = &report.causes[0].finding;
    let whole = serde_json::to_string(cause).expect("a report is JSON");
    assert!(whole.contains(element), "{element} is not named: {cause:#?}");
    let fix = cause.fixes.iter().find(|fix| fix.verified);
    let fix = fix.unwrap_or_else(|| panic!("no fix was tried: {:#?}", cause.fixes));
    assert!(!fix.commands.is_empty(), "{fix:#?}");
    world.run_as_printed(&fix.commands);
    world.rotates(hours_ago(1));
    let after = look(world, leave).report();
    let still = after.findings.iter().any(|finding| finding.code == cause.code);
    assert!(!still, "{} is still reported: {}", cause.code, told(&after));
    assert_ne!(after.verdict, Verdict::Failing, "{}", told(&after));
}

/// `rotdoctor diagnose --output json`, with leave to read the secret.
pub(crate) fn diagnose(world: &World) -> Ran {
    look(world, READING)
}

fn look(world: &World, leave: &[&str]) -> Ran {
    world.command("diagnose", &[&["--output", "json"], leave].concat())
}
