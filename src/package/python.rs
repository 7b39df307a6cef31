//! What the names in a package tell about its Python: compiled modules and the
//! version they were built for, modules that can be imported, installed projects;
//! and what the handler's file imports.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::Regex;

use super::interest::{file_name, importable, is_native};
use crate::{
    catalogue::{is_runtime_module, is_standard_module},
    evidence::{Distribution, PackageImport, PackageModule},
};

/// Names kept of what can be imported.
const MODULES: usize = 2_000;
/// Imports kept of the handler's file.
const IMPORTS: usize = 200;

/// A compiled module, by its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extension {
    /// Its dotted name.
    pub module: String,
    /// `3.9`, `abi3`, or none where the name does not tell.
    pub python: Option<String>,
}

/// Reads the name of a compiled module; none for a plain library.
pub(super) fn extension(path: &str) -> Option<Extension> {
    static TAGGED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(.+?)\.(?:cpython-(\d)(\d{1,2})[a-z]*|(abi3))(?:-[A-Za-z0-9_.-]+)?\.so$")
            .expect("a constant pattern")
    });
    let path = importable(path);
    let name = file_name(path);
    if !name.ends_with(".so") || path.split('/').any(|part| part.ends_with(".libs")) {
        return None;
    }
    let (stem, python) = match TAGGED.captures(name) {
        Some(tags) => {
            let python = match (tags.get(2), tags.get(3)) {
                (Some(major), Some(minor)) => format!("{}.{}", major.as_str(), minor.as_str()),
                _ => "abi3".to_owned(),
            };
            (tags[1].to_owned(), Some(python))
        }
        None if name.starts_with("lib") => return None,
        None => (name.trim_end_matches(".so").to_owned(), None),
    };
    let folder = path.strip_suffix(name).unwrap_or_default();
    let module = format!("{}{stem}", folder.replace('/', "."));
    Some(Extension { module, python })
}

/// The names at the top of the import path.
pub(super) fn modules<'p>(paths: impl Iterator<Item = &'p str>) -> Vec<PackageModule> {
    let mut found: BTreeMap<String, &str> = BTreeMap::new();
    for path in paths {
        let inside = importable(path);
        let name = match inside.split_once('/') {
            Some((folder, _)) => folder.to_owned(),
            None if inside.ends_with(".py") => inside.trim_end_matches(".py").to_owned(),
            None => match extension(path) {
                Some(extension) => extension.module,
                None => continue,
            },
        };
        let identifier = name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !name.is_empty() && identifier && (found.len() < MODULES || found.contains_key(&name)) {
            found.entry(name).or_insert(path);
        }
    }
    found
        .into_iter()
        .map(|(name, path)| PackageModule { name: Some(name), path: Some(path.to_owned()) })
        .collect()
}

/// The projects that `dist-info` and `egg-info` folders name.
pub(super) fn distributions<'p>(paths: impl Iterator<Item = &'p str>) -> Vec<Distribution> {
    let mut found = BTreeMap::new();
    for path in paths {
        let folder = importable(path).split('/').next().unwrap_or_default();
        let named = folder
            .strip_suffix(".dist-info")
            .or_else(|| folder.strip_suffix(".egg-info"))
            .and_then(|rest| rest.split_once('-'));
        if let Some((name, version)) = named {
            let version = version.split("-py").next().unwrap_or(version);
            if found.len() < MODULES {
                found.insert((name.to_owned(), version.to_owned()), ());
            }
        }
    }
    found
        .into_keys()
        .map(|(name, version)| Distribution { name: Some(name), version: Some(version) })
        .collect()
}

/// What a file imports at its top level: an import that stands deeper is tried,
/// not needed.
pub(super) fn imports(
    code: &str,
    provides: impl Fn(&str) -> Option<&'static str>,
) -> Vec<PackageImport> {
    static IMPORT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?m)^(?:from[ \t]+([A-Za-z_]\w*)[\w.]*[ \t]+import|import[ \t]+([^#\n;]+))")
            .expect("a constant pattern")
    });
    let mut names: Vec<String> = Vec::new();
    for found in IMPORT.captures_iter(code) {
        let listed = found.get(1).or_else(|| found.get(2)).map_or("", |text| text.as_str());
        for one in listed.split(',') {
            let name: String =
                one.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !name.is_empty() && !names.contains(&name) && names.len() < IMPORTS {
                names.push(name);
            }
        }
    }
    names
        .into_iter()
        .map(|name| {
            let provided = provides(&name).unwrap_or_else(|| {
                if is_standard_module(&name) {
                    "python"
                } else if is_runtime_module(&name) {
                    "runtime"
                } else {
                    "missing"
                }
            });
            PackageImport { module: Some(name), provided: Some(provided.to_owned()) }
        })
        .collect()
}

/// Whether a path is a compiled file.
pub(super) fn is_compiled(path: &str) -> bool {
    is_native(file_name(path))
}

#[cfg(test)]
mod tests {
    use super::{distributions, extension, imports, modules};

    fn module(path: &str) -> Option<(String, Option<String>)> {
        extension(path).map(|found| (found.module, found.python))
    }

    #[test]
    fn compiled_modules_tell_their_python() {
        let some = |name: &str, python: &str| Some((name.to_owned(), Some(python.to_owned())));
        assert_eq!(module("_pg.cpython-37m-x86_64-linux-gnu.so"), some("_pg", "3.7"));
        assert_eq!(
            module("psycopg2/_psycopg.cpython-310-aarch64-linux-gnu.so"),
            some("psycopg2._psycopg", "3.10")
        );
        assert_eq!(module("cryptography/_rust.abi3.so"), some("cryptography._rust", "abi3"));
        assert_eq!(module("_mssql.so"), Some(("_mssql".to_owned(), None)));
        assert_eq!(module("lib/libssl.so"), None);
        assert_eq!(module("psycopg2_binary.libs/odd.so"), None);
        assert_eq!(
            module("python/lib/python3.9/site-packages/_pg.cpython-39-x86_64-linux-gnu.so"),
            some("_pg", "3.9")
        );
    }

    #[test]
    fn names_at_the_top_can_be_imported() {
        let paths = [
            "pg.py",
            "pymysql/__init__.py",
            "_pg.cpython-39-x86_64-linux-gnu.so",
            "PyMySQL-1.0.2.dist-info/METADATA",
            "README.md",
        ];
        let found: Vec<String> =
            modules(paths.into_iter()).into_iter().filter_map(|one| one.name).collect();
        assert_eq!(found, ["_pg", "pg", "pymysql"]);
        let projects = distributions(paths.into_iter());
        assert_eq!(projects[0].version.as_deref(), Some("1.0.2"));
    }

    #[test]
    fn only_imports_at_the_top_are_needed() {
        let code = "import json, pg as p, pgdb\nfrom boto3.session import Session\n\
                    try:\n    import tried\nexcept ImportError:\n    pass\nimport pymysql.cursors # x\n";
        let found = imports(code, |name| (name == "pg").then_some("package"));
        let found: Vec<(String, String)> =
            found.into_iter().filter_map(|one| one.module.zip(one.provided)).collect();
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            found,
            [
                pair("json", "python"),
                pair("pg", "package"),
                pair("pgdb", "missing"),
                pair("boto3", "runtime"),
                pair("pymysql", "missing")
            ]
        );
    }
}
