//! The order of the rooms: which folder of `src` may import which, and that no imports run in
//! a circle. Reads the tokens of every source file, macros included; what stands behind
//! `#[cfg(test)]` does not count.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::LazyLock,
};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::support::root;

/// The rooms from the bottom to the top. A room imports rooms of lower floors, and of its own
/// floor only what stands in [`BESIDE`].
const FLOORS: &[&[&str]] = &[
    &["aws"],
    &["evidence"],
    &["seal"],
    &["catalogue"],
    &["network", "policy", "package", "rotation_log"],
    &["checks"],
    &["diagnosis"],
    &["report", "collect", "probe", "template", "configuration"],
    &["cli"],
];

/// Imports within a floor: the room and the one that it may import.
const BESIDE: &[(&str, &str)] = &[
    // The network asks for the decision of an endpoint's policy; policies answer it.
    ("policy", "network"),
    // A finding of a template says where it is declared.
    ("report", "template"),
    // A configuration changes a report.
    ("configuration", "report"),
];

/// A module, as its path within the crate.
type Module = Vec<String>;

/// What the modules import, each import with the name that it takes.
type Imports = BTreeMap<Module, BTreeMap<Module, BTreeSet<String>>>;

/// A path or a part of a use tree, cut at its colons.
type Segments = Vec<String>;

/// One source file, as far as its imports go.
#[derive(Default)]
struct Source {
    /// Paths that begin with `crate`, `super` or `self`, and those of `use` declarations.
    paths: Vec<Segments>,
    /// Paths of `pub use`, each with the name by which it is exported.
    exports: Vec<Segments>,
    /// Names of the items that it defines.
    items: BTreeSet<String>,
    /// Names of the modules that only tests compile.
    test_modules: BTreeSet<String>,
}

impl Source {
    fn read(text: &str) -> Self {
        let mut source = Self::default();
        source.scan(text.parse().expect("Rust"), true);
        source
    }

    fn scan(&mut self, tokens: TokenStream, top: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        let mut public = false;
        while at < tokens.len() {
            if is_test_attribute(&tokens[at..]) {
                at += 2;
                // The item ends with its braces or its semicolon.
                let ends =
                    |it: &&TokenTree| is_punct(it, ';') || group(it, Delimiter::Brace).is_some();
                let end = at + tokens[at..].iter().take_while(|it| !ends(it)).count();
                let names = tokens[at..end].iter().map(ToString::to_string);
                self.test_modules.extend(names.skip_while(|name| name != "mod").nth(1));
                at = end + 1;
                continue;
            }
            match &tokens[at] {
                TokenTree::Ident(word) if word == "pub" => {
                    public = true;
                    at += 1;
                    // `pub(crate)`.
                    if tokens.get(at).is_some_and(|it| group(it, Delimiter::Parenthesis).is_some())
                    {
                        at += 1;
                    }
                    continue;
                }
                TokenTree::Ident(word) if word == "use" => {
                    let end = at + tokens[at..].iter().take_while(|it| !is_punct(it, ';')).count();
                    let mut paths = Vec::new();
                    use_tree(&tokens[at + 1..end], &[], &mut paths);
                    if public {
                        self.exports.extend(paths.iter().cloned());
                    }
                    self.paths.extend(paths);
                    at = end;
                }
                TokenTree::Ident(word)
                    if ["crate", "super", "self"].iter().any(|first| word == first)
                        && is_path_separator(&tokens[at + 1..]) =>
                {
                    let mut path = vec![word.to_string()];
                    at += 1;
                    while is_path_separator(&tokens[at..])
                        && let Some(TokenTree::Ident(next)) = tokens.get(at + 2)
                    {
                        path.push(next.to_string());
                        at += 3;
                    }
                    self.paths.push(path);
                    continue;
                }
                TokenTree::Ident(word) if top && is_item(&word.to_string()) => {
                    if let Some(TokenTree::Ident(name)) = tokens.get(at + 1) {
                        self.items.insert(name.to_string());
                    }
                }
                TokenTree::Group(inner) => self.scan(inner.stream(), false),
                _ => {}
            }
            public = false;
            at += 1;
        }
    }
}

fn is_item(word: &str) -> bool {
    matches!(word, "struct" | "enum" | "fn" | "const" | "static" | "type" | "trait" | "union")
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

fn is_path_separator(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [first, second, ..] if is_punct(first, ':') && is_punct(second, ':'))
}

fn group(token: &TokenTree, delimiter: Delimiter) -> Option<TokenStream> {
    match token {
        TokenTree::Group(group) if group.delimiter() == delimiter => Some(group.stream()),
        _ => None,
    }
}

/// Whether tokens begin with `#[cfg(test)]`.
fn is_test_attribute(tokens: &[TokenTree]) -> bool {
    let [hash, attribute, ..] = tokens else { return false };
    let inside = group(attribute, Delimiter::Bracket);
    is_punct(hash, '#') && inside.is_some_and(|inside| inside.to_string() == "cfg (test)")
}

/// The paths of a use tree, each with its prefix.
fn use_tree(tokens: &[TokenTree], prefix: &[String], paths: &mut Vec<Segments>) {
    let mut path = prefix.to_vec();
    for token in tokens {
        match token {
            TokenTree::Ident(word) if word == "as" => break,
            TokenTree::Ident(word) if word == "self" && !path.is_empty() => {}
            TokenTree::Ident(word) => path.push(word.to_string()),
            TokenTree::Punct(punct) if punct.as_char() == '*' => path.push("*".to_owned()),
            TokenTree::Group(inner) => {
                let inner: Vec<TokenTree> = inner.stream().into_iter().collect();
                for tree in inner.split(|token| is_punct(token, ',')) {
                    if !tree.is_empty() {
                        use_tree(tree, &path, paths);
                    }
                }
                return;
            }
            _ => {}
        }
    }
    paths.push(path);
}

/// The modules of the crate, by their paths.
struct House {
    sources: BTreeMap<Module, Source>,
}

impl House {
    fn read(folder: &Path) -> Self {
        let mut sources = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(&next).expect("a folder").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let module = module_of(path.strip_prefix(folder).expect("a file in src"));
                    let text = std::fs::read_to_string(&path).expect("a source file");
                    sources.insert(module, Source::read(&text));
                }
            }
        }
        let tests: Vec<Module> = sources
            .iter()
            .flat_map(|(module, source)| source.test_modules.iter().map(|it| child(module, it)))
            .collect();
        sources.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
        Self { sources }
    }

    fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (module, source) in &self.sources {
            for path in &source.paths {
                let Some((target, name)) = self.resolve(module, path) else { continue };
                if target != *module {
                    let from = imports.entry(module.clone()).or_default();
                    from.entry(target).or_default().insert(name);
                }
            }
        }
        imports
    }

    /// The module that defines what a path names, and the name; re-exports are followed.
    fn resolve(&self, from: &Module, path: &Segments) -> Option<(Module, String)> {
        let mut rest = path.as_slice();
        let mut module = match rest.first()?.as_str() {
            "crate" => Vec::new(),
            "self" => from.clone(),
            "super" => from[..from.len().checked_sub(1)?].to_vec(),
            first if self.sources.contains_key(&child(from, first)) => child(from, first),
            _ => return None,
        };
        rest = &rest[1..];
        while let Some((first, after)) = rest.split_first() {
            if first == "super" {
                module.pop()?;
            } else if self.sources.contains_key(&child(&module, first)) {
                module.push(first.clone());
            } else {
                break;
            }
            rest = after;
        }
        let Some(name) = rest.first() else { return Some((module, "self".to_owned())) };
        Some((self.definition(&module, name, 0), name.clone()))
    }

    fn definition(&self, module: &Module, name: &str, depth: usize) -> Module {
        let source = &self.sources[module];
        if source.items.contains(name) || depth > 4 {
            return module.clone();
        }
        let named = source.exports.iter().find(|path| path.last().is_some_and(|it| it == name));
        if let Some((target, _)) = named.and_then(|path| self.resolve_export(module, path)) {
            return target;
        }
        let globs = source.exports.iter().filter(|path| path.last().is_some_and(|it| it == "*"));
        for path in globs {
            if let Some((target, _)) = self.resolve_export(module, &path[..path.len() - 1].to_vec())
                && self.sources[&target].items.contains(name)
            {
                return target;
            }
        }
        module.clone()
    }

    fn resolve_export(&self, module: &Module, path: &Segments) -> Option<(Module, String)> {
        let (target, name) = self.resolve(module, path)?;
        (target != *module).then_some((target, name))
    }
}

fn module_of(file: &Path) -> Module {
    let path = file.with_extension("");
    let mut module: Module =
        path.iter().map(|part| part.to_str().expect("a plain name").to_owned()).collect();
    if module.last().is_some_and(|last| last == "mod" || last == "lib" || last == "main") {
        module.pop();
    }
    module
}

fn child(module: &Module, name: &str) -> Module {
    let mut child = module.clone();
    child.push(name.to_owned());
    child
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// Groups of modules that reach each other by their imports, with more than `few` of them.
fn circles(imports: &Imports, few: usize) -> Vec<BTreeSet<&Module>> {
    let reached = |from| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&Module> = vec![from];
        while let Some(next) = open.pop() {
            for target in imports.get(next).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(target) {
                    open.push(target);
                }
            }
        }
        seen
    };
    let all: BTreeMap<&Module, BTreeSet<&Module>> =
        imports.keys().map(|module| (module, reached(module))).collect();
    let mut groups: Vec<BTreeSet<&Module>> = all
        .iter()
        .map(|(module, reached)| {
            let back = |other: &&&Module| all.get(**other).is_some_and(|it| it.contains(module));
            reached.iter().filter(back).copied().collect()
        })
        .filter(|group: &BTreeSet<&Module>| group.len() > few)
        .collect();
    groups.sort();
    groups.dedup();
    groups
}

static HOUSE: LazyLock<House> = LazyLock::new(|| House::read(&root().join("src")));

#[test]
fn no_import_runs_back() {
    let mut back = Vec::new();
    for (module, targets) in HOUSE.imports() {
        let Some(room) = module.first() else { continue };
        let Some(own) = floor(room) else {
            panic!("src/{room} stands on no floor: add it to FLOORS");
        };
        for (target, names) in targets {
            let Some(other) = target.first() else {
                back.push(format!("{} takes {names:?} from lib.rs", module.join("::")));
                continue;
            };
            let beside = BESIDE.contains(&(room.as_str(), other.as_str()));
            if room != other && !beside && floor(other).is_none_or(|other| own <= other) {
                let (module, target) = (module.join("::"), target.join("::"));
                back.push(format!("{module} takes {names:?} from {target}"));
            }
        }
    }
    assert!(back.is_empty(), "imports that run back:\n{}", back.join("\n"));
}

/// A `mod.rs` and the files of its folder belong together: it declares them, and they may use
/// what it defines. Every other import between files of a room counts.
#[test]
fn no_circle_in_a_room_has_more_than_two_files() {
    let mut imports = HOUSE.imports();
    for (module, targets) in &mut imports {
        targets.retain(|target, _| {
            target.first() == module.first()
                && !target.starts_with(module)
                && !module.starts_with(target)
        });
    }
    let circles: Vec<String> = circles(&imports, 2)
        .into_iter()
        .map(|group| {
            let names: Vec<String> = group.iter().map(|module| module.join("::")).collect();
            names.join(", ")
        })
        .collect();
    assert!(circles.is_empty(), "circles of files:\n{}", circles.join("\n"));
}

#[test]
fn imports_are_read_from_use_trees_paths_and_macros_and_not_from_tests() {
    let source = Source::read(
        "use crate::{a::{self, B}, c::*};
         pub(crate) use self::inner::Exported;
         struct Own;
         fn f() { crate::d::g(); println!(\"{}\", crate::e::H); }
         #[cfg(test)]
         mod tests { use crate::f::I; }
         #[cfg(test)]
         use crate::j::K;
         fn last() { super::m::n() }",
    );
    let paths: Vec<String> = source.paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(
        paths,
        [
            "crate::a",
            "crate::a::B",
            "crate::c::*",
            "self::inner::Exported",
            "crate::d::g",
            "crate::e::H",
            "super::m::n"
        ]
    );
    assert_eq!(source.exports.len(), 1);
    assert!(source.items.contains("Own") && source.items.contains("last"));
}

#[test]
fn circles_are_found() {
    let module = |name: &str| vec![name.to_owned()];
    let mut imports = Imports::new();
    for (from, to) in [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e"), ("e", "d")] {
        imports.entry(module(from)).or_default().insert(module(to), BTreeSet::new());
    }
    let [only] = circles(&imports, 2).try_into().expect("one circle");
    assert_eq!(only.len(), 3);
    assert_eq!(circles(&imports, 1).len(), 2);
}
