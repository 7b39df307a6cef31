//! `rotdoctor package` on real wheels, on ELF files with the RUNPATHs that AWS
//! vended, and on made packages: every libpq judged right, by few bytes.

use std::{cell::RefCell, io, ops::Range};

use rotdoctor::{
    evidence::{Libpq, Package},
    package::{self, Archive, Contents, Limits, Source},
};

use crate::{
    elf_files::{AARCH64, Made, X86_64, elf},
    packages::{LARGE, Wheel, wheel, zip},
    support::{rotdoctor, scratch},
};

fn facts(contents: Contents) -> Package {
    package::package(&[Archive { name: "code".to_owned(), contents }], None)
}

fn facts_of(bytes: &[u8]) -> Package {
    facts(package::read(&bytes, Limits::default()).expect("an archive"))
}

/// Machine, release and SCRAM of each libpq, sorted.
fn verdicts(libpq: &[Libpq]) -> Vec<(String, String, String)> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut all: Vec<_> = libpq
        .iter()
        .map(|one| (text(&one.machine), text(&one.release), text(&one.scram)))
        .collect();
    all.sort();
    all
}

fn one(machine: &str, release: &str, scram: &str) -> (String, String, String) {
    (machine.to_owned(), release.to_owned(), scram.to_owned())
}

#[test]
fn every_libpq_of_the_real_wheels_is_judged_right() {
    let name = "psycopg2-binary";
    let cases = [
        (Wheel(name, "2.7.4", "manylinux1_x86_64", "3.6"), "x86_64", "10"),
        (Wheel(name, "2.7.7", "manylinux1_x86_64", "3.7"), "x86_64", "11"),
        (Wheel(name, "2.7.7", "manylinux1_i686", "3.7"), "i386", "11"),
        (Wheel(name, "2.8.6", "manylinux1_x86_64", "3.8"), "x86_64", "11"),
        (Wheel(name, "2.8.6", "manylinux1_i686", "3.8"), "i386", "11"),
        (Wheel(name, "2.9.9", "manylinux2014_x86_64", "3.9"), "x86_64", "16"),
        (Wheel(name, "2.9.9", "manylinux2014_aarch64", "3.10"), "aarch64", "16"),
        (Wheel(name, "2.9.10", "manylinux2014_x86_64", "3.12"), "x86_64", "16"),
        (Wheel(name, "2.9.10", "manylinux2014_aarch64", "3.12"), "aarch64", "16"),
    ];
    for (which, machine, release) in cases {
        let file = std::fs::File::open(wheel(&which)).expect("the wheel");
        let package = facts(package::read(&file, Limits::default()).expect("read"));
        let expected = [one(machine, release, "yes")];
        assert_eq!(verdicts(&package.libpq), expected, "{} {}", which.1, which.2);
        assert_eq!(package.problems, Vec::<String>::new(), "{} {}", which.1, which.2);
        let module = package.libraries.iter().find(|one| one.module.is_some()).expect("a module");
        assert_eq!(module.module.as_deref(), Some("psycopg2._psycopg"));
        assert_eq!(module.python.as_deref(), Some(which.3));
        assert_eq!(module.machine.as_deref(), Some(machine));
    }
}

/// A source that counts what is asked of it.
struct Counted<S>(S, RefCell<Vec<Range<u64>>>);

impl<S: Source> Source for Counted<S> {
    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }

    fn read(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        self.1.borrow_mut().push(range.clone());
        self.0.read(range)
    }
}

#[test]
fn the_large_wheel_costs_few_bytes_and_its_old_libpq_is_found_among_new_ones() {
    let file = std::fs::File::open(wheel(&LARGE)).expect("the wheel");
    let source = Counted(file, RefCell::default());
    let contents = package::read(&source, Limits::default()).expect("read");
    let size = source.size().expect("a size");
    let asked = source.1.into_inner();
    let bytes: u64 = asked.iter().map(|range| range.end - range.start).sum();
    assert!(size > 70_000_000, "{size}");
    assert!(bytes * 100 < size * 6, "{bytes} of {size} bytes in {} requests", asked.len());
    assert_eq!(bytes, contents.read, "what it says it read is what it read");
    let package = facts(contents);
    assert_eq!(
        verdicts(&package.libpq),
        [
            one("aarch64", "9.6", "no"),
            one("i386", "14", "yes"),
            one("ppc64le", "14", "yes"),
            one("x86_64", "14", "yes")
        ]
    );
}

/// The RUNPATH that AWS's troubleshooting page shows, with a release in it.
fn runpath(release: &str) -> String {
    format!(
        "/local/p4clients/pkgbuild-a1b2c/workspace/build/PostgreSQL/PostgreSQL-{release}_client_only\
         .123456.0/AL2_x86_64/DEV.STD.PTHREAD/build/private/tmp/brazil-path/build.libfarm/lib:\
         /local/p4clients/pkgbuild-a1b2c/workspace/src/PostgreSQL/build/private/install/lib"
    )
}

fn libpq(machine: u16, runpath: &str, data: &[u8]) -> Vec<u8> {
    elf(Made { machine, soname: "libpq.so.5", runpath, needed: &[], data })
}

#[test]
fn the_runpaths_of_vended_functions_tell_their_age() {
    for (release, expected, scram) in
        [("9.4.x", "9.4", "no"), ("10.x", "10", "yes"), ("14.x", "14", "yes")]
    {
        let file = libpq(X86_64, &runpath(release), b"nothing here");
        let package = facts_of(&zip(&[("libpq.so.5", &file)]));
        assert_eq!(verdicts(&package.libpq), [one("x86_64", expected, scram)]);
        let library = package.libraries.first().expect("a library");
        assert_eq!(library.runpath.as_deref(), Some(runpath(release).as_str()));
        assert_eq!(library.soname.as_deref(), Some("libpq.so.5"));
    }
}

#[test]
fn what_the_data_show_outweighs_the_path_and_the_contradiction_is_told() {
    let data = b"authentication method %u not supported\0SCRAM-SHA-256\0";
    let file = libpq(X86_64, &runpath("9.4.x"), data);
    let package = facts_of(&zip(&[("libpq.so.5", &file)]));
    assert_eq!(package.libpq[0].scram.as_deref(), Some("yes"));
    let told = package.libpq[0].disagreement.as_deref().expect("told");
    assert!(told.contains("runpath says no"), "{told}");
}

#[test]
fn a_module_with_a_libpq_inside_is_one() {
    let linked = |data: &[u8], needed: &[&str]| {
        let made = Made { machine: X86_64, soname: "_pg.so", runpath: "", needed, data };
        facts_of(&zip(&[("_pg.cpython-39-x86_64-linux-gnu.so", &elf(made))])).libpq
    };
    let found = linked(b"authentication method SCRAM-SHA-256", &[]);
    assert_eq!(found[0].linked.as_deref(), Some("static"));
    assert_eq!(found[0].scram.as_deref(), Some("yes"));
    assert!(linked(b"SCRAM-SHA-256", &["libpq.so.5"]).is_empty(), "it asks for a shared one");
}

#[test]
fn a_package_is_told_as_a_table_and_as_json_with_its_causes() {
    let code = "import json\nimport pg\nimport pgdb\n";
    let file = libpq(X86_64, &runpath("9.4.x"), b"");
    let module = elf(Made {
        machine: X86_64,
        soname: "_pg.so",
        runpath: "",
        needed: &["libpq.so.5"],
        data: b"",
    });
    let path = scratch("old.zip");
    let archive = zip(&[
        ("lambda_function.py", code.as_bytes()),
        ("pg.py", b"from _pg import *"),
        ("_pg.cpython-37m-x86_64-linux-gnu.so", &module),
        ("libpq.so.5", &file),
    ]);
    std::fs::write(&path, archive).expect("scratch");
    let path = path.to_str().expect("UTF-8");
    let held = ["--runtime", "python3.10", "--architecture", "x86_64"];
    let args = [&["package", path, "--output", "json"][..], &held].concat();
    let run = rotdoctor().args(&args).run();
    let report: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!((run.code, &report["mode"]), (1, &serde_json::json!("package")), "{}", run.stdout);
    assert_eq!(report["package"]["Libpq"][0]["Scram"], "no");
    let codes: Vec<&str> = report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter_map(|finding| finding["code"].as_str())
        .collect();
    assert!(["RUN01", "RUN02", "DB01"].iter().all(|code| codes.contains(code)), "{codes:?}");
    let text = rotdoctor().args([&["package", path][..], &held].concat()).run().stdout;
    for said in ["old.zip", "PostgreSQL 9.4", "_pg", "3.7", "pgdb", "RUN01"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let foreign =
        rotdoctor().args(["package", path, "--architecture", "arm64", "--output", "json"]).run();
    assert!(foreign.stdout.contains("\"RUN12\""), "{}", foreign.stdout);
}

#[test]
fn a_folder_and_a_single_library_are_read_as_an_archive_is() {
    let folder = scratch("package-folder");
    std::fs::create_dir_all(folder.join("psycopg2_binary.libs")).expect("scratch");
    let file = libpq(AARCH64, &runpath("9.4.x"), b"");
    let library = folder.join("psycopg2_binary.libs/libpq-0929ced5.so.5.9");
    std::fs::write(&library, &file).expect("scratch");
    std::fs::write(folder.join("lambda_function.py"), "import boto3\n").expect("scratch");
    for path in [&folder, &library] {
        let run =
            rotdoctor().args(["package", path.to_str().expect("UTF-8"), "--output", "json"]).run();
        let report: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
        let libpq = &report["package"]["Libpq"][0];
        assert_eq!((&libpq["Scram"], &libpq["Machine"]), (&"no".into(), &"aarch64".into()));
        assert_eq!(report["findings"][0]["code"], "DB01", "a note: no database is known");
        assert_eq!(run.code, 0, "{}", run.stdout);
    }
}

#[test]
fn layers_are_read_beside_the_code() {
    let code = scratch("layered.zip");
    std::fs::write(&code, zip(&[("lambda_function.py", b"import pymysql\n")])).expect("scratch");
    let layer = scratch("layer.zip");
    let inside: &[(&str, &[u8])] = &[
        ("python/pymysql/__init__.py", b""),
        ("python/lib/python3.12/site-packages/cryptography/__init__.py", b""),
    ];
    std::fs::write(&layer, zip(inside)).expect("scratch");
    let (code, layer) = (code.to_str().expect("UTF-8"), layer.to_str().expect("UTF-8"));
    let alone = rotdoctor().args(["package", code]).run();
    assert!(alone.code == 1 && alone.stdout.contains("RUN02"), "{}", alone.stdout);
    let both = rotdoctor().args(["package", code, "--layer", layer]).run();
    assert_eq!(both.code, 0, "{}", both.stdout);
    assert!(!both.stdout.contains("RUN02") && !both.stdout.contains("DB04"), "{}", both.stdout);
}

#[test]
fn what_is_no_package_is_said_to_be_none() {
    for (name, bytes, says) in [
        ("text.zip", &b"this is text"[..], "not a zip archive"),
        ("empty.zip", b"", "not a zip archive"),
        ("no-such.zip", b"", ""),
    ] {
        let path = scratch(name);
        if name != "no-such.zip" {
            std::fs::write(&path, bytes).expect("scratch");
        }
        let run = rotdoctor().args(["package", path.to_str().expect("UTF-8")]).run();
        assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{name}");
        assert!(run.stderr.contains(name) && run.stderr.contains(says), "{}", run.stderr);
    }
    assert_eq!(rotdoctor().args(["package"]).run().code, 2);
}
