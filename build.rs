//! Packs what is compiled in as text (tables, pages of codes, schemas) into one
//! compressed stream for each folder, and writes an index of where each file begins
//! and ends. `src/packed.rs` reads both. Says how the released binary is linked.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::DeflateEncoder};

/// The name of a stream, its folder, and how the names of its files end.
const STREAMS: [(&str, &str, &str); 3] = [
    ("tables", "src/catalogue", ".toml"),
    ("pages", "src/catalogue/pages", ".md"),
    ("schemas", "schema", ".json"),
];

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for (name, folder, ending) in STREAMS {
        println!("cargo::rerun-if-changed={folder}");
        pack(name, Path::new(folder), ending, &out)?;
    }
    println!("cargo::rerun-if-changed=build.rs");
    link();
    Ok(())
}

/// The relocations that make a binary position-independent are 0.8 MB of it, a twentieth.
/// Stack, heap and libraries lie where chance puts them all the same.
fn link() {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    if is("PROFILE", "release")
        && is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
    {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}

fn pack(name: &str, folder: &Path, ending: &str, out: &Path) -> io::Result<()> {
    let mut files = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| file.ends_with(ending));
    files.sort();

    let mut stream = DeflateEncoder::new(Vec::new(), Compression::best());
    let mut index = String::from("&[\n");
    let mut begin = 0;
    for file in &files {
        let text = fs::read_to_string(folder.join(file))?;
        stream.write_all(text.as_bytes())?;
        let end = begin + text.len();
        index += &format!("    ({file:?}, {begin}..{end}),\n");
        begin = end;
    }
    index += "]\n";
    fs::write(out.join(format!("{name}.deflate")), stream.finish()?)?;
    fs::write(out.join(format!("{name}.rs")), index)
}
