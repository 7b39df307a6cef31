//! The formats for pipelines before foreign readers: the JSON schema of SARIF, sarif-tools
//! and junitparser, from a virtual environment under `target/`. Needs no AWS, but the
//! network the first time, as the emulators do. What the readers look for stands in
//! `tests/support/readers.py`.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
};

use crate::support::{run::rotdoctor, worlds};

/// The readers and what they stand on, pinned. The first is installed without its
/// dependencies: the charts and documents that it can draw are not asked for.
const ALONE: &str = "sarif-tools==3.0.5";
const PACKAGES: [&str; 4] =
    ["jsonschema==4.26.0", "junitparser==5.0.3", "jsonpath-ng==1.8.0", "PyYAML==6.0.3"];

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Accepts what one bundle shows, in words that are markup elsewhere.
const WAIVER: &str = "[[waiver]]\ncode = \"SEC25\"\nresource = \"*\"\n\
                      reason = 'known <&> \"accepted\" für jetzt'\nuntil = 2999-01-01\n";

#[test]
fn bundles_waivers_and_a_baseline_are_read() {
    let folders = worlds::folders();
    let bundles: Vec<String> =
        folders.iter().map(|folder| worlds::path(&format!("{folder}/fires"))).collect();
    assert!(bundles.len() > 50);
    let folder = folder("bundles");
    let configuration = written(&folder, "rotdoctor.toml", WAIVER);
    let baseline = folder.join("baseline.json");
    let baseline = baseline.to_str().expect("a path in UTF-8");
    let known = worlds::path("KMS01/fires");
    let first = ["audit", "--bundle", &known, "--output", "json", "--output-file", baseline];
    assert_eq!(rotdoctor().args(first).run().code, 1);

    let mut arguments = vec!["audit", "--config", &configuration, "--baseline", baseline];
    arguments.extend(["--bundle", "no-such-file.json"]);
    arguments.extend(bundles.iter().map(String::as_str));
    let report = read(&folder, &arguments);
    for list in ["waived", "baseline"] {
        let mut lists = report["reports"].as_array().expect("reports").iter();
        assert!(lists.any(|one| one[list].as_array().is_some_and(|all| !all.is_empty())), "{list}");
    }
}

#[test]
fn templates_good_broken_open_and_unreadable_are_read() {
    let folder = folder("templates");
    let healthy = format!("{ROOT}/fixtures/templates/healthy.yaml");
    let text = fs::read_to_string(&healthy).expect("a template");
    assert!(text.contains("FromPort: 443"));
    let closed = written(&folder, "closed.yaml", &text.replace("FromPort: 443", "FromPort: 444"));
    let open = text.replace("FromPort: 443", "FromPort: !Ref Port");
    let open = open.replacen("Parameters:\n", "Parameters:\n  Port: {Type: Number}\n", 1);
    let open = written(&folder, "open.yaml", &open);
    let cut = written(&folder, "cut.yaml", "Resources: {a: [");
    let mut arguments = vec!["audit", "--region", "eu-west-1", "--template"];
    arguments.extend([healthy.as_str(), &closed, &open, &cut, "no-such-file.yaml"]);
    let report = read(&folder, &arguments);
    assert_eq!(report["not_examined"].as_array().map(Vec::len), Some(2));

    // Without any result there is still a file to upload.
    read(&folder, &["audit", "--region", "eu-west-1", "--template", &healthy]);
}

#[test]
fn plans_are_read() {
    let plan = |name: &str| format!("{ROOT}/fixtures/plans/{name}.json");
    let (healthy, modules, update) = (plan("healthy"), plan("modules"), plan("update"));
    read(&folder("plans"), &["audit", "--plan", &healthy, &modules, &update]);
}

#[test]
fn the_readers_notice_what_is_missing() {
    let folder = folder("other");
    let of = |code: &str| worlds::path(&format!("{code}/fires"));
    let files = formats(&folder, "a", &["audit", "--bundle", &of("KMS01")]);
    let others = formats(&folder, "b", &["audit", "--bundle", &of("NET10")]);
    assert!(readers([&files[0], &files[1], &files[2]]).status.success());
    for mixed in [[&files[0], &others[1], &files[2]], [&files[0], &files[1], &others[2]]] {
        assert_eq!(readers(mixed).status.code(), Some(1));
    }
}

/// Runs the readers over an audit, and gives its JSON report.
#[track_caller]
fn read(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let files = formats(folder, "audit", arguments);
    let read = readers([&files[0], &files[1], &files[2]]);
    assert!(read.status.success(), "{arguments:?}\n{}", said(&read));
    let text = fs::read_to_string(&files[0]).expect("the JSON report");
    serde_json::from_str(&text).expect("JSON")
}

/// One audit in the formats that are compared: JSON, SARIF, JUnit.
fn formats(folder: &Path, name: &str, arguments: &[&str]) -> [PathBuf; 3] {
    ["json", "sarif", "junit"].map(|format| {
        let path = folder.join(format!("{name}.{format}"));
        let file = path.to_str().expect("a path in UTF-8");
        let more = ["--output", format, "--output-file", file];
        let ran = rotdoctor().args(arguments.iter().chain(&more)).run();
        assert!([0, 1, 3, 4].contains(&ran.code), "{ran:#?}");
        path
    })
}

fn readers(files: [&PathBuf; 3]) -> Output {
    let root = Path::new(ROOT);
    Command::new(environment().join("bin/python"))
        .arg(root.join("tests/support/readers.py"))
        .arg(root.join("fixtures/schemas/sarif-2.1.0.json"))
        .args(files)
        .output()
        .expect("the virtual environment has a python")
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readers").join(name);
    fs::create_dir_all(&folder).expect("a folder under target/");
    folder
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("a file under target/");
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// The virtual environment with the readers, made where it is missing.
fn environment() -> &'static Path {
    static READY: LazyLock<PathBuf> = LazyLock::new(|| {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("readers");
        fs::create_dir_all(&home).expect("a directory under target/");
        // Test processes that run side by side must not both install.
        let lock = File::create(home.join("lock")).expect("a lock file under target/");
        lock.lock().expect("the lock file can be locked");
        let environment = home.join("environment");
        let installed = environment.join("installed.txt");
        let wanted = format!("{ALONE}\n{}", PACKAGES.join("\n"));
        if fs::read_to_string(&installed).unwrap_or_default() != wanted {
            install(&environment);
            fs::write(&installed, wanted).expect("a file in the environment");
        }
        environment
    });
    &READY
}

fn install(environment: &Path) {
    let _ = fs::remove_dir_all(environment);
    let done = |command: &mut Command| {
        let output = command.output().expect("the live tests need Python 3 with venv and pip");
        assert!(output.status.success(), "{command:?}\n{}", said(&output));
    };
    done(Command::new("python3").args(["-m", "venv"]).arg(environment));
    let pip = || {
        let mut pip = Command::new(environment.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        pip
    };
    done(pip().args(PACKAGES));
    done(pip().args(["--no-deps", ALONE]));
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}
