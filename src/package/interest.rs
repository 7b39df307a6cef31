//! Which members of a package matter, and how much of each. Names decide; what
//! stands in the members is read elsewhere.

use super::directory::Entry;

/// How much of a member is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// Its first bytes, enough for an ELF header.
    Head,
}

/// Text beyond this is not a handler or a configuration file.
const TEXT: u64 = 1 << 20;

/// What is wanted of a member at the first look; none where it does not matter.
pub(super) fn extent(entry: &Entry) -> Option<Extent> {
    let path = importable(&entry.path);
    let name = file_name(path);
    if is_libpq(name) {
        return Some(Extent::Whole);
    }
    if is_native(name) {
        return Some(Extent::Head);
    }
    let text = entry.size <= TEXT
        && (is_handler_file(path)
            || matches!(path, "pg/__init__.py" | "pg.py")
            || name.starts_with("freetds") && name.ends_with(".conf"));
    text.then_some(Extent::Whole)
}

/// A path as Python would import it: layers keep theirs under `python/`.
pub(super) fn importable(path: &str) -> &str {
    let Some(rest) = path.strip_prefix("python/") else { return path };
    let deeper = rest
        .strip_prefix("lib/python")
        .and_then(|rest| rest.split_once("/site-packages/"))
        .map(|(_, rest)| rest);
    deeper.unwrap_or(rest)
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a file is a shared libpq.
pub(super) fn is_libpq(name: &str) -> bool {
    let named = name.strip_prefix("libpq").is_some_and(|rest| rest.starts_with(['.', '-']));
    named && name.contains(".so")
}

/// Whether a file is a compiled one by its name.
pub(super) fn is_native(name: &str) -> bool {
    name.ends_with(".so")
        || name.split_once(".so.").is_some_and(|(_, rest)| {
            rest.chars().next().is_some_and(|first| first.is_ascii_digit())
        })
}

/// Whether a module may carry a libpq of its own.
pub(super) fn may_link_libpq(path: &str) -> bool {
    let name = file_name(path);
    name.ends_with(".so") && (name.starts_with("_psycopg") || name.starts_with("_pg."))
}

/// A Python file at the top, where Lambda looks for the handler.
pub(super) fn is_handler_file(path: &str) -> bool {
    !path.contains('/') && path.ends_with(".py")
}

#[cfg(test)]
mod tests {
    use super::{importable, is_libpq, is_native, may_link_libpq};

    #[test]
    fn names_tell_what_matters() {
        for name in ["libpq.so.5", "libpq-7eace4d5.so.5.14", "libpq.so"] {
            assert!(is_libpq(name), "{name}");
        }
        assert!(!is_libpq("libpqxx.so.6") && !is_libpq("libpq.5.14.dylib"));
        assert!(is_native("libssl-0e9eb9f5.so.1.1") && is_native("_pg.so"));
        assert!(!is_native("notes.so.txt"));
        assert!(may_link_libpq("psycopg2/_psycopg.cpython-39-x86_64-linux-gnu.so"));
        assert!(may_link_libpq("_pg.cpython-39-x86_64-linux-gnu.so"));
    }

    #[test]
    fn layers_keep_their_modules_deeper() {
        assert_eq!(importable("python/lib/python3.9/site-packages/pg.py"), "pg.py");
        assert_eq!(importable("python/pg.py"), "pg.py");
        assert_eq!(importable("pg.py"), "pg.py");
    }
}
