//! Texts that are compiled in, compressed: tables, pages of codes and schemas are
//! 0.8 MB as they stand in the repository and 0.2 MB here. Only the bytes; what they
//! mean is known where they are read. `build.rs` packs them.

use std::{io::Read, ops::Range, sync::LazyLock};

use flate2::read::DeflateDecoder;

/// Files of one folder, unpacked when the first of them is read.
pub(crate) struct Texts {
    whole: LazyLock<String>,
    /// The name of each file, and its bytes in `whole`.
    index: &'static [(&'static str, Range<usize>)],
}

impl Texts {
    /// The text of a file.
    ///
    /// # Panics
    /// There is no such file: names are constants, and tests read each of them.
    pub(crate) fn file(&'static self, name: &str) -> &'static str {
        let found = self.index.iter().find(|(file, _)| *file == name);
        let (_, range) = found.unwrap_or_else(|| panic!("{name} is not compiled in"));
        &self.whole[range.clone()]
    }
}

macro_rules! texts {
    ($name:literal) => {
        Texts {
            whole: LazyLock::new(|| {
                unpack(include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".deflate")))
            }),
            index: include!(concat!(env!("OUT_DIR"), "/", $name, ".rs")),
        }
    };
}

fn unpack(packed: &[u8]) -> String {
    let mut text = String::new();
    DeflateDecoder::new(packed).read_to_string(&mut text).expect("build.rs packed UTF-8");
    text
}

/// The tables of facts in `src/catalogue`.
pub(crate) static TABLES: Texts = texts!("tables");
/// The pages in `src/catalogue/pages`.
pub(crate) static PAGES: Texts = texts!("pages");
/// The JSON Schemas in `schema`.
pub(crate) static SCHEMAS: Texts = texts!("schemas");

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{PAGES, SCHEMAS, TABLES};

    #[test]
    fn every_file_is_as_it_stands_in_the_repository() {
        let folders =
            [("src/catalogue", &TABLES), ("src/catalogue/pages", &PAGES), ("schema", &SCHEMAS)];
        for (folder, texts) in folders {
            assert!(!texts.index.is_empty(), "{folder}");
            for (name, _) in texts.index {
                let path = format!("{}/{folder}/{name}", env!("CARGO_MANIFEST_DIR"));
                let file = fs::read_to_string(path).expect("a file of the repository");
                assert!(texts.file(name) == file, "{folder}/{name}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "nothing.toml is not compiled in")]
    fn a_file_that_is_not_there_is_named() {
        TABLES.file("nothing.toml");
    }
}
