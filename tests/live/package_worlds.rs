//! The deployment package, end to end: a function in the emulator is given a package
//! with real libraries out of real wheels, the real binary names what is wrong with
//! it, and, where the package index has what is needed, the commands that it prints
//! are run as they stand.
//!
//! ministack alone: moto tells of a package at a bucket of AWS's, from which nothing
//! can be read (that it is then a gap is proven here). ministack serves a package
//! whole, never by ranges; those are proven against the stub. Neither has an
//! application repository, so commands that deploy a vended function are not run, and
//! neither keeps what a role's password is hashed with.

use std::{fs::File, io::Read};

use aws_sdk_lambda::types::Architecture;
use rotdoctor::{
    catalogue::{Origin, log_texts},
    evidence::Time,
    report::v1::{
        Confidence, Report,
        Verdict::{AtRisk, Failing, Healthy},
    },
};

use crate::support::{
    emulators::{another, ministack, moto},
    log_lines::Failure,
    packages::{LARGE, Wheel, wheel, zip},
    run::{Ran, rotdoctor, told},
    world::{World, hours_ago},
};

const TEMPLATE: &str = "RDSPostgreSQLRotationSingleUser";
const PROJECT: &str = "psycopg2-binary";

/// What only a package tells.
const CODES: [&str; 6] = ["RUN01", "RUN02", "RUN03", "RUN12", "DB01", "DB02"];

/// The handler's file as the template was on a day, with another driver: the one that
/// the template has comes from no index.
fn template(day: &str, imports: &str, more: &str) -> Vec<u8> {
    let day = Time::parse(day).expect("a day");
    let mut code = format!("import boto3\nimport json\nimport logging\nimport os\n{imports}\n");
    for text in log_texts().iter().filter(|text| text.origin == Origin::Template) {
        let there = text.templates.iter().any(|one| one == TEMPLATE)
            && text.first_seen.is_some_and(|from| from <= day)
            && text.last_seen.is_none_or(|last| last > day);
        if there {
            let text = text.text.replace('\\', "\\\\").replace('"', "\\\"");
            code.push_str(&format!("logger.info(\"{text}\" % arn)\n"));
        }
    }
    code.push_str(more);
    code.into_bytes()
}

/// The template of today.
fn current(imports: &str) -> Vec<u8> {
    let constructs = "use_ssl, fall_back = get_ssl_config(secret_dict)\n\
        exclude = os.environ['EXCLUDE_CHARACTERS']\nlength = os.environ['PASSWORD_LENGTH']\n\
        engines = ['postgres', 'aurora-postgresql']\n";
    template("2026-11-01", imports, constructs)
}

/// The template before it could connect over TLS.
fn before_tls() -> Vec<u8> {
    template("2020-07-01", "import psycopg2", "exclude = os.environ['EXCLUDE_CHARACTERS']\n")
}

fn psycopg2(
    version: &'static str,
    platform: &'static str,
    python: &'static str,
) -> Vec<(String, Vec<u8>)> {
    // What is read of it, and what imports it: the rest is only bytes to carry.
    members(&Wheel(PROJECT, version, platform, python), |path| {
        path.ends_with(".py") || path.contains("_psycopg") || path.contains("/libpq-")
    })
}

/// The members of a wheel whose paths are wanted.
fn members(which: &Wheel, wanted: impl Fn(&str) -> bool) -> Vec<(String, Vec<u8>)> {
    let file = File::open(wheel(which)).expect("the wheel");
    let mut archive = ::zip::ZipArchive::new(file).expect("a wheel is a zip archive");
    let mut kept = Vec::new();
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).expect("a member");
        let path = member.name().expect("a path in UTF-8").into_owned();
        if member.is_file() && wanted(&path) {
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).expect("a whole member");
            kept.push((path, bytes));
        }
    }
    kept
}

/// A package of this handler's file and these libraries.
fn with(code: &[u8], libraries: &[(String, Vec<u8>)]) -> Vec<(String, Vec<u8>)> {
    let mut all = vec![("lambda_function.py".to_owned(), code.to_vec())];
    all.extend_from_slice(libraries);
    all
}

fn borrowed(members: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    members.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect()
}

/// A world whose function has this package.
fn world_with(members: &[(String, Vec<u8>)], runtime: &str) -> World {
    let mut world = World::healthy(ministack());
    world.package(&borrowed(members)).runtime(runtime);
    world
}

fn diagnose(world: &World) -> Ran {
    world.command("diagnose", &["--output", "json", "--read-secret"])
}

/// The function does not start: the import at its top fails.
fn import_fails(world: &mut World, why: &str) {
    let error =
        format!("Runtime.ImportModuleError: Unable to import module 'lambda_function': {why}");
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.2, &error));
}

/// No session can be opened in this step.
fn login_fails(world: &mut World, step: &'static str, hours: i64) {
    let arn = &world.secret_arn;
    let refused = match step {
        "setSecret" => format!(
            "Unable to log into database with previous, current, or pending secret of secret arn {arn}"
        ),
        _ => format!("Unable to log into database with pending secret of secret ARN {arn}"),
    };
    let failure = Failure::raised(step, 1.2, &format!("ValueError: {refused}"))
        .after_logging(&format!("{step}: {refused}"));
    world.rotation_fails(hours_ago(hours), &failure);
}

#[track_caller]
fn none_of_the_package(report: &Report) {
    let blamed = report.findings.iter().find(|finding| CODES.contains(&finding.code.as_str()));
    assert!(blamed.is_none(), "{}", told(report));
    // Not for want of an answer.
    let open = report
        .inconclusive
        .iter()
        .find(|open| open.codes.iter().any(|code| CODES.contains(&code.as_str())));
    assert!(open.is_none(), "{}", told(report));
}

/// The cause that was found first, and what else is said of it.
#[track_caller]
fn first(report: &Report, confidence: Confidence, says: &[&str]) {
    let cause = &report.causes[0];
    assert_eq!(cause.confidence, confidence, "{}", told(report));
    let whole = serde_json::to_string(cause).expect("a report is JSON");
    for text in says {
        assert!(whole.contains(text), "{text} is not said: {whole}");
    }
}

/// Builds and deploys as the report prints it, with this handler's file, and
/// diagnoses again after a rotation that went through.
#[track_caller]
fn mended_as_printed(world: &mut World, report: &Report, code: &[u8]) {
    let fixes = &report.causes[0].finding.fixes;
    let fix = fixes.iter().find(|fix| fix.commands.iter().any(|one| one.starts_with("pip ")));
    let fix = fix.unwrap_or_else(|| panic!("no package is built: {fixes:#?}"));
    std::fs::write(world.folder().join("lambda_function.py"), code).expect("a file of the world");
    world.run_as_printed(&fix.commands);
    world.rotation_succeeds(hours_ago(1));
    none_of_the_package(&diagnose(world).report());
}

#[test]
fn a_package_that_fits_is_not_blamed() {
    let libraries = psycopg2("2.9.10", "manylinux2014_x86_64", "3.12");
    let mut world = World::healthy(another(ministack().kind));
    world.package(&borrowed(&with(&current("import psycopg2"), &libraries)));
    world.database_parameters(&[("password_encryption", "scram-sha-256"), ("rds.force_ssl", "1")]);
    let report = diagnose(&world).report();
    assert_eq!(report.verdict, Healthy, "{}", told(&report));
    none_of_the_package(&report);
    let url = world.emulator.url();
    let arguments = ["package", "--function", &world.function_arn, "--endpoint-url", &url];
    let told_alone =
        rotdoctor().with_credentials().args(arguments).args(["--output", "json"]).run();
    let alone = told_alone.report();
    assert_eq!((alone.verdict, told_alone.code), (Healthy, 0), "{}", told(&alone));
    let package = alone.package.expect("the facts");
    assert_eq!(package.libpq[0].release.as_deref(), Some("16"));
    let code = package.code.expect("the handler's file");
    assert_eq!(code.template.as_deref(), Some(TEMPLATE));
}

/// A real libpq of release 9.6, for the processor that the function runs on; the
/// same wheel has one of release 14 for others.
#[test]
fn a_libpq_that_is_older_than_scram() {
    let wanted = |path: &str| {
        path.starts_with("psycopg2/") && path.ends_with(".py")
            || path.contains("_psycopg.cpython-39-")
            || path.contains("/libpq-")
    };
    let package = with(&current("import psycopg2"), &members(&LARGE, wanted));
    let mut world = World::healthy(another(ministack().kind));
    world.package_for(Architecture::Arm64, &borrowed(&package)).runtime("python3.9");
    world.database_parameters(&[("password_encryption", "scram-sha-256")]);
    login_fails(&mut world, "testSecret", 3);
    let report = diagnose(&world).found("DB01", Failing, 1);
    let says = ["PostgreSQL 9.6", "libpq-d97d8807.so.5.9", "password_encryption is scram-sha-256"];
    first(&report, Confidence::Likely, &says);

    // Where the server takes nothing else, no old hash explains it away.
    world.database_parameters(&[("rds.accepted_password_auth_method", "scram")]);
    login_fails(&mut world, "setSecret", 1);
    let report = diagnose(&world).found("DB01", Failing, 1);
    first(&report, Confidence::Confirmed, &["rds.accepted_password_auth_method is scram"]);

    // The same package where it has a libpq of release 14.
    world.package_for(Architecture::X8664, &borrowed(&package));
    let report = diagnose(&world).report();
    assert!(report.findings.iter().all(|finding| finding.code != "DB01"), "{}", told(&report));
}

#[test]
fn a_template_that_is_older_than_tls() {
    let libraries = psycopg2("2.9.10", "manylinux2014_x86_64", "3.12");
    let mut world = World::healthy(another(ministack().kind));
    world.package(&borrowed(&with(&before_tls(), &libraries)));
    world.database_parameters(&[("rds.force_ssl", "1")]);
    login_fails(&mut world, "setSecret", 2);
    let report = diagnose(&world).found("DB02", Failing, 1);
    first(&report, Confidence::Confirmed, &["rds.force_ssl is 1", TEMPLATE]);
}

#[test]
fn a_module_for_another_python() {
    let code = current("import psycopg2");
    let libraries = psycopg2("2.7.7", "manylinux1_x86_64", "3.7");
    let mut world = world_with(&with(&code, &libraries), "python3.10");
    import_fails(&mut world, "No module named 'psycopg2._psycopg'");
    let report = diagnose(&world).found("RUN01", Failing, 1);
    first(&report, Confidence::Confirmed, &["psycopg2._psycopg for Python 3.7", "cpython-37m"]);
    mended_as_printed(&mut world, &report, &code);
}

#[test]
fn libraries_for_another_processor() {
    let code = current("import psycopg2");
    let libraries = psycopg2("2.9.10", "manylinux2014_aarch64", "3.12");
    let mut world = world_with(&with(&code, &libraries), "python3.12");
    import_fails(&mut world, "No module named 'psycopg2._psycopg'");
    let report = diagnose(&world).found("RUN12", Failing, 1);
    first(
        &report,
        Confidence::Confirmed,
        &["_psycopg.cpython-312-aarch64", "Architectures is x86_64"],
    );
    // The other way out: the function goes where its package was built for.
    let mut world = world_with(&with(&code, &libraries), "python3.12");
    let file = world.folder().join("package.zip");
    std::fs::write(file, zip(&borrowed(&with(&code, &libraries)))).expect("a file of the world");
    import_fails(&mut world, "No module named 'psycopg2._psycopg'");
    let report = diagnose(&world).found("RUN12", Failing, 1);
    let fixes = &report.causes[0].finding.fixes;
    let moved = fixes.iter().find(|fix| fix.commands[0].contains("--architectures arm64"));
    world.run_as_printed(&moved.expect("the package fits arm64").commands);
    world.rotation_succeeds(hours_ago(1));
    none_of_the_package(&diagnose(&world).report());
}

#[test]
fn a_module_that_is_nowhere() {
    let code = current("import psycopg2");
    let mut world = world_with(&with(&code, &[]), "python3.12");
    import_fails(&mut world, "No module named 'psycopg2'");
    let report = diagnose(&world).found("RUN02", Failing, 1);
    first(&report, Confidence::Confirmed, &["imports psycopg2", "-t build psycopg2-binary"]);
    mended_as_printed(&mut world, &report, &code);
}

/// The driver of the vended function, which the index has for Linux as source only.
#[test]
fn a_module_that_no_index_has_for_linux() {
    let mut world = world_with(&with(&current("import pg\nimport pgdb"), &[]), "python3.12");
    import_fails(&mut world, "No module named 'pg'");
    let report = diagnose(&world).found("RUN02", Failing, 1);
    let vended = format!("applications/SecretsManager{TEMPLATE}");
    first(&report, Confidence::Confirmed, &["imports pg and pgdb", &vended, "as source only"]);
    let first = &report.causes[0].finding.fixes[0];
    assert!(first.commands.iter().all(|one| !one.contains("pip ")), "cannot work: {first:#?}");
}

#[test]
fn the_wrong_pg() {
    let toolkit = ("pg/__init__.py".to_owned(), b"from .app import App, async, run\n".to_vec());
    let mut world = world_with(&with(&current("import pg"), &[toolkit]), "python3.12");
    let error = "Runtime.UserCodeSyntaxError: Syntax error in module 'lambda_function': invalid \
                 syntax (__init__.py, line 1)";
    world.rotation_fails(hours_ago(2), &Failure::raised("createSecret", 0.2, error));
    let report = diagnose(&world).found("RUN03", Failing, 1);
    first(&report, Confidence::Confirmed, &["pg/__init__.py uses async as a name"]);
}

/// Before the first failure: the same, without a rotation that was tried.
#[test]
fn a_package_that_will_not_load_is_found_before_it_fails() {
    let libraries = psycopg2("2.9.10", "manylinux2014_aarch64", "3.12");
    let world = world_with(&with(&current("import psycopg2"), &libraries), "python3.12");
    diagnose(&world).found("RUN12", AtRisk, 1);
}

/// moto names a bucket of AWS's, which is not asked with what an emulator takes.
#[test]
fn a_package_that_cannot_be_fetched_is_open_and_its_url_untold() {
    let world = World::healthy(moto());
    let ran = diagnose(&world);
    let report = ran.report();
    for code in CODES.iter().filter(|code| code.starts_with("RUN")) {
        let open = |one: &&str| {
            report.inconclusive.iter().any(|open| open.codes.iter().any(|it| it == *one))
        };
        assert!(open(code), "{code}: {}", told(&report));
    }
    assert!(!ran.stdout.contains("awslambda-") && !ran.stderr.contains("awslambda-"), "{ran:#?}");
}
