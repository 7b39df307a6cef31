//! From what was read out of archives to the facts of a package, as the evidence
//! holds them. Nothing is judged against a function or a database here.

use std::collections::BTreeSet;

use super::{
    elf::{self, ElfFacts},
    interest::{file_name, importable, is_handler_file, is_libpq},
    libpq, python,
    reading::{Contents, Member},
    template,
};
use crate::evidence::{
    FreeTdsFile, NativeLibrary, Package, PackageArchive, PackageImport, RotationCode,
};

/// Compiled files kept.
const LIBRARIES: usize = 200;

/// One archive of a package: its code or a layer.
#[derive(Clone, Debug)]
pub struct Archive {
    /// `code`, or the layer's ARN or name.
    pub name: String,
    /// What was read.
    pub contents: Contents,
}

/// The facts of a package: its code first, then its layers. `handler` is the
/// function's, such as `lambda_function.lambda_handler`, where it is known.
pub fn package(archives: &[Archive], handler: Option<&str>) -> Package {
    let all = || archives.iter().flat_map(|one| one.contents.paths.iter().map(String::as_str));
    let mut package = Package {
        modules: python::modules(all()),
        distributions: python::distributions(all()),
        ..Package::default()
    };
    for (index, archive) in archives.iter().enumerate() {
        let contents = &archive.contents;
        let count = |number: usize| i64::try_from(number).ok();
        package.archives.push(PackageArchive {
            name: Some(archive.name.clone()),
            size: i64::try_from(contents.size).ok(),
            bytes_read: i64::try_from(contents.read).ok(),
            entries: count(contents.paths.len()),
            complete: Some(contents.complete()),
        });
        let label = if index == 0 { String::new() } else { format!("{}: ", archive.name) };
        let told = contents.problems.iter().chain(&contents.notes);
        package.problems.extend(told.map(|text| format!("{label}{text}")));
        for member in &contents.members {
            take(&mut package, member);
        }
    }
    package.libraries.truncate(LIBRARIES);
    if let Some((path, code)) = handler_file(archives, handler) {
        let in_code =
            |name: &str| archives.first().is_some_and(|code| offers(&code.contents, name));
        let in_layer =
            |name: &str| archives.iter().skip(1).any(|layer| offers(&layer.contents, name));
        package.imports = python::imports(&code, |name| match name {
            name if in_code(name) => Some("package"),
            name if in_layer(name) => Some("layer"),
            _ => None,
        });
        package.code = Some(read_code(&path, &code, &package.imports));
    }
    package
}

fn read_code(path: &str, code: &str, imports: &[PackageImport]) -> RotationCode {
    let mut read = template::read(path, code);
    let imports_of = |name: &str| imports.iter().any(|one| one.module.as_deref() == Some(name));
    // The mode of python-oracledb means something only where that is the driver.
    if !imports_of("oracledb") && !imports_of("cx_Oracle") {
        read.can.retain(|name| !name.starts_with("oracle-"));
        read.cannot.retain(|name| !name.starts_with("oracle-"));
    }
    if imports_of("oracledb") && read.cannot.iter().any(|name| name == "oracle-oracledb-thick") {
        read.can.push("oracle-oracledb-thin".to_owned());
    }
    read
}

/// Whether an archive has a module of that name at its top.
fn offers(contents: &Contents, name: &str) -> bool {
    python::modules(contents.paths.iter().map(String::as_str))
        .iter()
        .any(|module| module.name.as_deref() == Some(name))
}

impl Contents {
    /// Whether all that matters was read.
    pub fn complete(&self) -> bool {
        self.problems.is_empty()
    }
}

fn take(package: &mut Package, member: &Member) {
    let path = importable(&member.path);
    let name = file_name(path);
    if python::is_compiled(path) || member.bytes.starts_with(b"\x7fELF") {
        if let Some(facts) = elf::read(&member.bytes) {
            let shared = is_libpq(name) || facts.soname.as_deref().is_some_and(is_libpq);
            if shared && (facts.header_only || !member.whole) {
                package.problems.push(format!("{} could not be read as an ELF file", member.path));
            }
            if member.whole
                && let Some(libpq) = libpq::judge(&member.path, &facts, shared)
            {
                package.libpq.push(libpq);
            }
            package.libraries.push(library(member, facts));
        }
        return;
    }
    let text = String::from_utf8_lossy(&member.bytes);
    match path {
        "pg/__init__.py" => {
            let text = text.lines().find(|line| uses_async_as_a_name(line));
            if let Some(line) = text {
                package.wrong_pg = Some(format!(
                    "{} uses async as a name: {}",
                    member.path,
                    cut(&crate::seal::log_line(line.trim()))
                ));
            }
        }
        _ if name.starts_with("freetds") => package.freetds.push(FreeTdsFile {
            path: Some(member.path.clone()),
            encryption: text
                .lines()
                .filter_map(|line| line.split_once('='))
                .find(|(key, _)| key.trim().eq_ignore_ascii_case("encryption"))
                .map(|(_, value)| cut(value.trim())),
        }),
        _ => {}
    }
}

/// `async` where a name is expected: a list of imports, a parameter, a value.
fn uses_async_as_a_name(line: &str) -> bool {
    let code = line.split('#').next().unwrap_or_default();
    code.match_indices("async").any(|(at, word)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].trim_start().chars().next();
        let whole = !before.is_some_and(|c| c.is_alphanumeric() || c == '_');
        whole && matches!(after, Some(',' | '=' | ')' | '.'))
            || whole
                && after.is_none()
                && code.trim_start().starts_with(['f', 'i'])
                && code.contains("import")
    })
}

fn cut(text: &str) -> String {
    text.chars().take(120).collect()
}

fn library(member: &Member, facts: ElfFacts) -> NativeLibrary {
    let extension = python::extension(&member.path);
    NativeLibrary {
        path: Some(member.path.clone()),
        machine: Some(facts.machine),
        bits: Some(i64::from(facts.bits)),
        module: extension.as_ref().map(|extension| extension.module.clone()),
        python: extension.and_then(|extension| extension.python),
        soname: facts.soname,
        needed: facts.needed,
        rpath: facts.rpath,
        runpath: facts.runpath,
    }
}

/// The handler's file: the one that the function names, else the usual one, else
/// the only one that defines a handler.
fn handler_file(archives: &[Archive], handler: Option<&str>) -> Option<(String, String)> {
    let code = &archives.first()?.contents;
    let texts: Vec<&Member> =
        code.members.iter().filter(|member| is_handler_file(&member.path)).collect();
    let named = |wanted: &str| texts.iter().copied().find(|member| member.path == wanted);
    let wanted = handler.and_then(|handler| handler.rsplit_once('.')).map(|(file, _)| file);
    let defines = || {
        let with: BTreeSet<&str> = texts
            .iter()
            .filter(|member| contains(&member.bytes, b"def lambda_handler"))
            .map(|member| member.path.as_str())
            .collect();
        (with.len() == 1).then(|| with.into_iter().next()).flatten()
    };
    let member = wanted
        .and_then(|file| named(&format!("{file}.py")))
        .or_else(|| named("lambda_function.py"))
        .or_else(|| named(defines()?))?;
    Some((member.path.clone(), String::from_utf8_lossy(&member.bytes).into_owned()))
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::{Archive, package, uses_async_as_a_name};
    use crate::package::reading::{Contents, Member};

    fn contents(files: &[(&str, &str)]) -> Contents {
        Contents {
            paths: files.iter().map(|(path, _)| (*path).to_owned()).collect(),
            members: files
                .iter()
                .map(|(path, text)| Member {
                    path: (*path).to_owned(),
                    bytes: text.as_bytes().to_vec(),
                    whole: true,
                })
                .collect(),
            ..Contents::default()
        }
    }

    fn archive(name: &str, files: &[(&str, &str)]) -> Archive {
        Archive { name: name.to_owned(), contents: contents(files) }
    }

    #[test]
    fn a_layer_brings_what_the_code_imports() {
        let code = archive("code", &[("lambda_function.py", "import pymysql\nimport pg\n")]);
        let layer = archive("arn:layer", &[("python/pymysql/__init__.py", "")]);
        let found = package(&[code, layer], None);
        let provided: Vec<_> =
            found.imports.iter().map(|one| one.provided.as_deref().unwrap_or("")).collect();
        assert_eq!(provided, ["layer", "missing"]);
    }

    #[test]
    fn the_other_pg_gives_itself_away() {
        assert!(uses_async_as_a_name("from .loop import async, every"));
        assert!(!uses_async_as_a_name("async def connect():"));
        let wrong = archive("code", &[("pg/__init__.py", "\nfrom .app import App, async, run\n")]);
        assert!(package(&[wrong], None).wrong_pg.is_some());
        let right = archive("code", &[("pg/__init__.py", "from ._pg import *\n")]);
        assert!(package(&[right], None).wrong_pg.is_none());
    }

    #[test]
    fn freetds_and_the_named_handler_are_read() {
        let files = [
            ("freetds_ssl.conf", "[global]\n  encryption = require\n"),
            ("app.py", "import boto3\n"),
            ("lambda_function.py", "import pymssql\n"),
        ];
        let found = package(&[archive("code", &files)], Some("app.handler"));
        assert_eq!(found.freetds[0].encryption.as_deref(), Some("require"));
        assert_eq!(found.code.and_then(|code| code.path).as_deref(), Some("app.py"));
    }
}
