//! Whether a libpq speaks SCRAM, from signs that do not depend on each other:
//! the RUNPATH of its build, the minor of its name, and its own read-only data.

use std::sync::LazyLock;

use regex::Regex;

use super::elf::ElfFacts;
use crate::{
    catalogue::{libpq_release, release_speaks_scram},
    evidence::{Libpq, LibpqSignal},
};

/// Judges a shared libpq, or a module with one inside. None where the file has
/// no libpq of its own.
pub(super) fn judge(path: &str, facts: &ElfFacts, shared: bool) -> Option<Libpq> {
    let asks_for_shared = facts.needed.iter().any(|name| name.starts_with("libpq"));
    // A module whose libpq is hidden defines no symbol, but names the mechanism.
    let inside = !asks_for_shared
        && !facts.imports_libpq
        && (facts.defines_libpq || facts.scram == Some(true));
    if !shared && !inside {
        return None;
    }
    let mut signals = Vec::new();
    let mut release = None;
    let paths = [&facts.runpath, &facts.rpath];
    for path in paths.into_iter().flatten() {
        if let Some(found) = release_in_path(path) {
            signals.push(signal("runpath", path, release_speaks_scram(&found)));
            release.get_or_insert(found);
        }
    }
    let names = [Some(path), facts.soname.as_deref()];
    if shared && let Some(minor) = names.into_iter().flatten().find_map(minor_of) {
        let known = libpq_release(minor);
        let scram = known.as_deref().and_then(release_speaks_scram);
        signals.push(signal("minor", &format!("5.{minor}"), scram));
        release = release.or(known);
    }
    signals.push(match facts.scram {
        Some(true) => signal("rodata", "names SCRAM-SHA-256", Some(true)),
        Some(false) => signal("rodata", "does not name SCRAM-SHA-256", Some(false)),
        None => signal("rodata", "no text of libpq found", None),
    });
    let says = |wanted: &str| {
        signals
            .iter()
            .filter(|one| one.scram.as_deref() == Some(wanted))
            .filter_map(|one| one.kind.as_deref())
            .collect::<Vec<_>>()
    };
    let (yes, no) = (says("yes"), says("no"));
    let disagreement = (!yes.is_empty() && !no.is_empty())
        .then(|| format!("{} says yes, {} says no", yes.join(" and "), no.join(" and ")));
    // The data are the library itself; names and paths only tell where it came from.
    let scram = match facts.scram {
        Some(known) => Some(known),
        None if disagreement.is_some() => None,
        None if !yes.is_empty() => Some(true),
        None if !no.is_empty() => Some(false),
        None => None,
    };
    Some(Libpq {
        path: Some(path.to_owned()),
        machine: Some(facts.machine.clone()),
        linked: Some(if shared { "shared" } else { "static" }.to_owned()),
        release,
        scram: Some(word(scram).to_owned()),
        signals,
        disagreement,
    })
}

fn signal(kind: &str, found: &str, scram: Option<bool>) -> LibpqSignal {
    LibpqSignal {
        kind: Some(kind.to_owned()),
        found: Some(found.to_owned()),
        scram: Some(word(scram).to_owned()),
    }
}

fn word(scram: Option<bool>) -> &'static str {
    match scram {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    }
}

/// The release that a build's path names: `…/PostgreSQL-9.4.x_client_only…`.
fn release_in_path(path: &str) -> Option<String> {
    static RELEASE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)postgresql-(\d{1,2})(?:\.(\d{1,2}))?").expect("a constant pattern")
    });
    let found = RELEASE.captures(path)?;
    let major: u32 = found[1].parse().ok()?;
    // Up to 9 a major release has two numbers.
    Some(match found.get(2) {
        Some(second) if major < 10 => format!("{major}.{}", second.as_str()),
        _ => major.to_string(),
    })
}

/// The minor of `libpq.so.5.9`; none where only `.so.5` is given.
fn minor_of(name: &str) -> Option<u32> {
    static MINOR: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\.so\.5\.(\d{1,3})(?:\.|$)").expect("a constant pattern"));
    MINOR.captures(name)?[1].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{judge, minor_of, release_in_path};
    use crate::package::elf::ElfFacts;

    fn facts(runpath: Option<&str>, scram: Option<bool>) -> ElfFacts {
        ElfFacts {
            machine: "x86_64".to_owned(),
            bits: 64,
            runpath: runpath.map(str::to_owned),
            scram,
            ..ElfFacts::default()
        }
    }

    fn scram(path: &str, facts: &ElfFacts) -> String {
        judge(path, facts, true).and_then(|libpq| libpq.scram).expect("a verdict")
    }

    #[test]
    fn paths_and_names_tell_the_release() {
        let path = "/local/p4clients/pkgbuild-a1b2c/workspace/build/PostgreSQL/PostgreSQL-9.4.x_client_only.123.0/AL2_x86_64/DEV.STD.PTHREAD/build/private/install/lib";
        assert_eq!(release_in_path(path).as_deref(), Some("9.4"));
        assert_eq!(release_in_path("/x/PostgreSQL-14.x/lib").as_deref(), Some("14"));
        assert_eq!(release_in_path("/x/postgresql-10.23/lib").as_deref(), Some("10"));
        assert_eq!(release_in_path("$ORIGIN"), None);
        assert_eq!(minor_of("libpq-d97d8807.so.5.9"), Some(9));
        assert_eq!(minor_of("libpq.so.5"), None);
    }

    #[test]
    fn each_sign_alone_decides() {
        assert_eq!(scram("libpq.so.5", &facts(Some("/b/PostgreSQL-9.4.x/lib"), None)), "no");
        assert_eq!(scram("libpq.so.5", &facts(Some("/b/PostgreSQL-10.x/lib"), None)), "yes");
        assert_eq!(scram("libpq.so.5.9", &facts(None, None)), "no");
        assert_eq!(scram("libpq.so.5.14", &facts(None, None)), "yes");
        assert_eq!(scram("libpq.so.5", &facts(None, Some(true))), "yes");
        assert_eq!(scram("libpq.so.5", &facts(None, None)), "unknown");
    }

    #[test]
    fn signs_that_disagree_are_said_to_and_the_data_decide() {
        let odd = facts(Some("/b/PostgreSQL-9.4.x/lib"), Some(true));
        let libpq = judge("libpq.so.5", &odd, true).expect("a libpq");
        assert_eq!(libpq.scram.as_deref(), Some("yes"));
        assert_eq!(libpq.disagreement.as_deref(), Some("rodata says yes, runpath says no"));
        let blind = facts(Some("/b/PostgreSQL-9.4.x/lib"), None);
        assert_eq!(scram("libpq.so.5.14", &blind), "unknown");
    }

    #[test]
    fn a_module_counts_only_with_a_libpq_inside() {
        let mut module = facts(None, Some(true));
        let linked = judge("_psycopg.so", &module, false).and_then(|libpq| libpq.linked);
        assert_eq!(linked.as_deref(), Some("static"));
        module.needed = vec!["libpq.so.5".to_owned()];
        assert_eq!(judge("_psycopg.so", &module, false), None);
        let other = facts(None, Some(false));
        assert_eq!(judge("_psycopg.so", &other, false), None);
    }
}
