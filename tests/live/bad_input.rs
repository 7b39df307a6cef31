//! Bad input: each ends with a clear message or a proper result, the right exit
//! code, and nothing but the report on stdout.

use std::{fs, path::Path, time::Instant};

use serde_json::Value;

use crate::support::{
    emulators::{free_port, ministack, moto},
    log_lines::Failure,
    run::{REGION, Ran, first_cause, rotdoctor, told},
    world::{World, hours_ago, unique},
};

/// Nothing could be examined: exit 4, an empty stdout, and these words on stderr.
#[track_caller]
fn refused(ran: &Ran, words: &[&str]) {
    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""), "{ran:#?}");
    for word in words {
        assert!(ran.stderr.contains(word), "{word:?} is not in: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
}

#[test]
fn a_secret_that_is_not_there() {
    for emulator in [ministack(), moto()] {
        let name = unique("missing");
        let arguments = ["diagnose", &name, "--endpoint-url", &emulator.url(), "--region", REGION];
        refused(&rotdoctor().with_credentials().args(arguments).run(), &[&name, REGION]);
    }
}

#[test]
fn no_region_says_how_to_give_one() {
    let arguments = ["diagnose", "app", "--endpoint-url", &ministack().url()];
    refused(
        &rotdoctor().with_credentials().args(arguments).run(),
        &["region", "--region", "AWS_REGION"],
    );
}

#[test]
fn no_credentials_say_how_to_log_in() {
    let arguments = ["diagnose", "app", "--endpoint-url", &ministack().url(), "--region", REGION];
    refused(&rotdoctor().args(arguments).run(), &["credentials", "aws "]);
}

#[test]
fn a_profile_that_is_misspelt_is_named_with_its_neighbour() {
    let file = std::env::temp_dir().join(format!("rotdoctor-profiles-{}", std::process::id()));
    fs::write(&file, "[profile production]\nregion = eu-west-1\n").expect("a file");
    let told = |profile: &str| {
        let arguments = ["diagnose", "app", "--profile", profile, "--region", REGION];
        let run = rotdoctor().with_credentials().args(arguments).env("AWS_CONFIG_FILE", &file);
        run.env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null").run()
    };
    let (near, far) = (told("prodution"), told("x"));
    fs::remove_file(&file).expect("the file");
    for ran in [&near, &far] {
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    }
    assert!(near.stderr.contains("no profile 'prodution'"), "{near:?}");
    assert!(near.stderr.contains("did you mean 'production'?"), "{near:?}");
    assert!(far.stderr.contains("aws configure list-profiles"), "{far:?}");
}

#[test]
fn an_endpoint_that_nobody_answers() {
    let url = format!("http://127.0.0.1:{}", free_port());
    let begun = Instant::now();
    let arguments = ["diagnose", "app", "--endpoint-url", &url, "--region", REGION];
    refused(&rotdoctor().with_credentials().args(arguments).run(), &[&url]);
    assert!(begun.elapsed().as_secs() < 45, "took {:?}", begun.elapsed());
}

#[test]
fn a_bundle_that_cannot_be_written_is_no_panic() {
    let world = World::healthy(ministack());
    // A path below a file: not even root can write there.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml/bundle.json");
    let ran = world.command("capture", &["-o", path]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:#?}");
    assert!(ran.stderr.contains(path), "{}", ran.stderr);
}

/// The part of an ARN before the six last characters names the secret as well.
#[test]
fn a_name_an_arn_and_a_partial_arn_are_one_secret() {
    let world = World::healthy(ministack());
    let (partial, _) = world.secret_arn.rsplit_once('-').expect("an ARN ends in six characters");
    for id in [world.name.as_str(), partial, &world.secret_arn] {
        let url = world.emulator.url();
        let arguments =
            ["diagnose", id, "--endpoint-url", &url, "--region", REGION, "--output", "json"];
        let report = rotdoctor().with_credentials().args(arguments).run().report();
        assert_eq!(report.target.secret_arn.as_deref(), Some(&*world.secret_arn), "{id}");
    }
}

#[test]
fn a_secret_without_rotation_gets_a_report() {
    for emulator in [ministack(), moto()] {
        let world = World::without_rotation(emulator);
        let ran = world.diagnose();
        let report = ran.report();
        assert!([0, 1, 3].contains(&ran.code), "{ran:#?}");
        assert_eq!(report.target.function_arn, None, "{}", told(&report));
        assert!(report.rotation.attempts.is_empty(), "{}", told(&report));
    }
}

#[test]
fn a_function_in_another_region_is_named() {
    let world =
        World::rotated_by(ministack(), "arn:aws:lambda:us-east-1:123456789012:function:rotate-app");
    let report = world.diagnose().report();
    assert_eq!(first_cause(&report), Some("RUN15"), "{}", told(&report));
    assert!(report.causes[0].finding.summary.contains("us-east-1"), "{}", told(&report));
}

#[test]
fn every_json_output_is_json_and_nothing_else() {
    let mut world = World::healthy(ministack());
    world.rotation_fails(hours_ago(2), &Failure::killed("setSecret", 30.0));
    let bundle = world.capture();
    let log = bundle.with_extension("log");
    fs::write(&log, "START RequestId: 1 Version: $LATEST\n[ERROR] KeyError: 'masterarn'\n")
        .expect("a file under target/");
    let path = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
    let url = world.emulator.url();
    let aws = ["--endpoint-url", &url, "--region", REGION];
    let offline: [&[&str]; 6] = [
        &["diagnose", "--bundle", &path(&bundle)],
        &["audit", "--bundle", &path(&bundle)],
        &["logs", &path(&log)],
        &["checks"],
        &["permissions"],
        &["schema", "report"],
    ];
    let live: [&[&str]; 2] = [&["diagnose", &world.name], &["audit", &world.name]];
    let live = live.map(|command| [command, aws.as_slice()].concat());
    for mut command in offline.iter().map(|command| command.to_vec()).chain(live) {
        // These two print JSON in any case.
        if !["permissions", "schema"].contains(&command[0]) {
            command.extend(["--output", "json"]);
        }
        let ran = rotdoctor().with_credentials().args(&command).run();
        assert!([0, 1, 3].contains(&ran.code), "{command:?}: {ran:#?}");
        serde_json::from_str::<Value>(&ran.stdout)
            .unwrap_or_else(|error| panic!("{command:?}: {error}\n{}", ran.stdout));
    }
}
