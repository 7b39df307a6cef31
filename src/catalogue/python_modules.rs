//! The table of Python modules: `python_modules.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Provenance;

/// Modules that are there without the package.
#[derive(Debug, Deserialize)]
struct Given {
    modules: Vec<String>,
    #[serde(flatten)]
    #[cfg_attr(not(test), allow(dead_code))] // read by the test of the table
    provenance: Provenance,
}

/// A module that a rotation template needs.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleNeed {
    /// Its name.
    pub module: String,
    /// What `pip install` takes for it.
    pub project: String,
    /// The compiled module that it does not work without.
    pub compiled: Option<String>,
    /// Who says that the index has no wheel of it for Linux; none where it has.
    pub source_only: Option<String>,
}

#[derive(Deserialize)]
struct Table {
    standard: Given,
    runtime: Given,
    need: Vec<ModuleNeed>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| super::table(include_str!("python_modules.toml")));

/// Whether a module is part of Python.
pub fn is_standard_module(name: &str) -> bool {
    TABLE.standard.modules.iter().any(|module| module == name)
}

/// Whether Lambda's Python runtimes bring a module.
pub fn is_runtime_module(name: &str) -> bool {
    TABLE.runtime.modules.iter().any(|module| module == name)
}

/// Whether the index has a project for Linux as source only, so that `pip` cannot
/// install it for another machine than its own.
pub fn is_source_only(project: &str) -> bool {
    TABLE.need.iter().any(|need| need.project == project && need.source_only.is_some())
}

/// What is known of a module that a template needs.
pub fn module_need(name: &str) -> Option<&'static ModuleNeed> {
    TABLE.need.iter().find(|need| need.module == name)
}

#[cfg(test)]
mod tests {
    use super::{
        super::provenance::assert_sound, TABLE, is_runtime_module, is_standard_module, module_need,
    };

    #[test]
    fn what_is_given_and_what_is_needed_do_not_meet() {
        assert_sound(&TABLE.standard.provenance);
        assert_sound(&TABLE.runtime.provenance);
        assert!(is_standard_module("json") && is_standard_module("logging"));
        assert!(is_runtime_module("boto3") && !is_standard_module("boto3"));
        for need in &TABLE.need {
            assert!(!is_standard_module(&need.module) && !is_runtime_module(&need.module));
        }
        assert!(super::is_source_only("PyGreSQL") && !super::is_source_only("psycopg2-binary"));
        assert_eq!(module_need("pg").map(|need| need.project.as_str()), Some("PyGreSQL"));
    }
}
