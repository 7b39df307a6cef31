//! The main job, end to end: the real binary names the right first cause in
//! worlds made through the API, in both emulators. Each begins healthy and has
//! one thing broken, in the API's state and in what the function logged of it.
//! What no emulator can hold is in `bundles`.

use std::fs;

use rotdoctor::report::v1::Verdict::{AtRisk, Failing, Healthy};

use crate::support::{
    emulators::{Emulator, moto},
    in_each_emulator,
    log_lines::Failure,
    run::{first_cause, rotdoctor, told},
    world::{PASSWORD, World, hours_ago},
};

in_each_emulator! {
    everything_is_right,
    a_rotation_failed_and_nothing_tells_why,
    the_secret_has_no_host,
    the_secret_names_no_engine,
    the_secret_names_no_superuser,
    the_database_has_another_password,
    the_function_kept_the_default_timeout,
    the_runtime_was_changed_without_the_package,
    the_runtime_is_deprecated,
    the_function_is_gone,
    the_secret_is_scheduled_for_deletion,
    the_secret_is_a_replica,
    a_captured_failure_reads_the_same,
    a_captured_health_reads_the_same,
}

fn everything_is_right(emulator: &'static Emulator) {
    let world = World::healthy(emulator);
    let ran = world.diagnose();
    let report = ran.report();
    assert_eq!(report.verdict, Healthy, "{}", told(&report));
    assert!(report.causes.is_empty(), "{}", told(&report));
    // An emulator lacks operations, so 3 is right where something was not seen.
    let expected = if report.inconclusive.is_empty() { 0 } else { 3 };
    assert_eq!(ran.code, expected, "{}", told(&report));
    let last = report.rotation.attempts.last().expect("the log shows the rotation");
    assert_eq!((last.outcome.as_str(), last.steps.len()), ("succeeded", 4));
    assert_eq!(report.target.secret_arn.as_deref(), Some(&*world.secret_arn));
    assert_eq!(report.target.function_arn.as_deref(), Some(&*world.function_arn));
}

fn a_rotation_failed_and_nothing_tells_why(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    let failure = Failure::raised("setSecret", 0.4, "RuntimeError: the vault is sealed");
    let (first, again) = (hours_ago(3), hours_ago(1));
    world.rotation_fails(first, &failure).rotation_fails(again, &failure);
    let report = world.diagnose().found("SEC07", Failing, 1);
    assert_eq!(report.rotation.failing_since.map(|at| at.0), Some(first));
    let failed = report.rotation.attempts.iter().find(|attempt| attempt.outcome == "failed");
    let failed = failed.expect("the first failed attempt is among the attempts");
    assert_eq!(failed.failed_step.as_deref(), Some("setSecret"), "{}", told(&report));
    assert_eq!(failed.token.as_deref(), world.pending.as_deref());
    let minute = first.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let summary = &report.causes[0].finding.summary;
    assert!(summary.contains(&minute) && summary.contains("setSecret"), "{summary}");
}

fn the_secret_has_no_host(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.store(r#"{"engine":"postgres","username":"app","password":"PASSWORD"}"#);
    let error = "KeyError: 'host key is missing from secret JSON'";
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.3, error));
    let report = world.diagnose().found("SEC01", Failing, 1);
    assert!(report.causes[0].finding.summary.contains("host"), "{}", told(&report));
    // With leave to read the secret, the state proves what the log says.
    let report = world
        .command("diagnose", &["--output", "json", "--read-secret"])
        .found("SEC01", Failing, 1);
    let kinds: Vec<&str> =
        report.causes[0].finding.evidence.iter().map(|proof| proof.kind.as_str()).collect();
    assert!(kinds.contains(&"fact") && kinds.contains(&"log"), "{}", told(&report));
}

fn the_secret_names_no_engine(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.store(r#"{"host":"db.internal","username":"app","password":"PASSWORD"}"#);
    let error = "KeyError: \"Database engine must be set to 'postgres' in order to use this rotation lambda\"";
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.3, error));
    world.diagnose().found("SEC02", Failing, 1);
}

fn the_secret_names_no_superuser(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    let error = "KeyError: 'masterarn'";
    world.rotation_fails(hours_ago(2), &Failure::raised("setSecret", 0.5, error));
    let report = world.diagnose().found("SEC04", Failing, 1);
    let last = report.rotation.attempts.last().expect("the log shows the attempt");
    assert_eq!(last.failed_step.as_deref(), Some("setSecret"), "{}", told(&report));
}

fn the_database_has_another_password(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.database_password_changed();
    let refused = format!(
        "Unable to log into database with previous, current, or pending secret of secret arn {}",
        world.secret_arn
    );
    let failure = Failure::raised("setSecret", 1.2, &format!("ValueError: {refused}"))
        .after_logging(&format!("setSecret: {refused}"));
    world.rotation_fails(hours_ago(2), &failure);
    let report = world.diagnose().found("SEC09", Failing, 1);
    assert_eq!(report.causes[0].consequences, ["SEC07"], "{}", told(&report));
}

fn the_function_kept_the_default_timeout(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.timeout(3);
    world.rotation_fails(hours_ago(2), &Failure::killed("setSecret", 3.0));
    let report = world.diagnose().found("TMO01", Failing, 1);
    assert!(
        report.causes[0].finding.fixes.iter().any(|fix| fix.verified),
        "a longer timeout mends it, on this very evidence: {:#?}",
        report.causes[0].finding.fixes
    );
}

fn the_runtime_was_changed_without_the_package(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    let members: [(&str, &[u8]); 3] = [
        ("lambda_function.py", b"import pgdb\n"),
        ("pgdb.py", b"from _pg import connect\n"),
        ("_pg.cpython-39-x86_64-linux-gnu.so", b"built for Python 3.9"),
    ];
    world.package(&members).runtime("python3.12");
    let error = "Runtime.ImportModuleError: Unable to import module 'lambda_function': No module named '_pg'";
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.2, error));
    world.diagnose().found("RUN01", Failing, 1);
}

fn the_runtime_is_deprecated(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.runtime("python3.9");
    let ran = world.diagnose();
    // A warning alone is no failure: 0, or 3 where the emulator did not show all.
    let expected = if ran.report().inconclusive.is_empty() { 0 } else { 3 };
    let report = ran.found("RUN05", AtRisk, expected);
    assert!(report.causes[0].finding.summary.contains("python3.9"), "{}", told(&report));
}

fn the_function_is_gone(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.without_function();
    let report = world.diagnose().found("RUN15", AtRisk, 1);
    assert_eq!(report.causes[0].finding.resource, world.function_arn);
}

fn the_secret_is_scheduled_for_deletion(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.deleted();
    world.diagnose().found("SEC19", AtRisk, 1);
}

fn the_secret_is_a_replica(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.go_to_replica("eu-central-1");
    let report = world.diagnose().report();
    let codes: Vec<&str> = report.findings.iter().map(|finding| &*finding.code).collect();
    assert!(codes.contains(&"SEC25"), "{}", told(&report));
    assert_eq!(report.target.region.as_deref(), Some("eu-central-1"), "{}", told(&report));
}

/// moto alone keeps the owner of a secret that RDS manages. That a function is
/// set for it is what a half-done migration leaves behind.
#[test]
fn a_function_rotates_a_secret_that_rds_manages() {
    let mut world = World::healthy(moto());
    world.manage_master_password();
    let report = world.diagnose().report();
    assert_eq!(first_cause(&report), Some("MGD02"), "{}", told(&report));
    assert!(report.causes[0].finding.summary.contains(&world.function_arn), "{}", told(&report));
}

fn captured_bundle_gives_the_same_report(world: &World) {
    let bundle = world.capture();
    let text = fs::read_to_string(&bundle).expect("the bundle was written");
    assert!(!text.contains(PASSWORD), "a password got into the bundle");
    let reread = |format: &str| {
        let bundle = bundle.to_str().expect("a path in UTF-8");
        rotdoctor().args(["diagnose", "--bundle", bundle, "--output", format]).run()
    };
    for format in ["json", "text"] {
        let (live, read) = (world.command("diagnose", &["--output", format]), reread(format));
        assert_eq!(live.code, read.code, "{format}");
        assert_eq!(without_moment(&live.stdout), without_moment(&read.stdout), "{format}");
        assert_ne!(live.stdout, "", "{format}");
    }
    fs::remove_file(bundle).expect("the bundle is there");
}

/// A report without the lines that say where and when the evidence was collected.
fn without_moment(report: &str) -> Vec<&str> {
    // moto dates a version anew with each answer.
    let of_its_own = ["  \"mode\": ", "  \"captured_at\": ", "      \"created_at\": "];
    report.lines().filter(|line| !of_its_own.iter().any(|key| line.starts_with(key))).collect()
}

fn a_captured_failure_reads_the_same(emulator: &'static Emulator) {
    let mut world = World::healthy(emulator);
    world.timeout(3).rotation_fails(hours_ago(2), &Failure::killed("setSecret", 3.0));
    captured_bundle_gives_the_same_report(&world);
}

fn a_captured_health_reads_the_same(emulator: &'static Emulator) {
    captured_bundle_gives_the_same_report(&World::healthy(emulator));
}
