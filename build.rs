//! Packs what is compiled in as text (tables, pages of codes, schemas) into one
//! compressed stream for each folder, and writes an index of where each file begins
//! and ends. `src/packed.rs` reads both. Says how the released binary is linked.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
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

/// What makes the released binary a megabyte smaller. The relocations of a
/// position-independent one are 0.8 MB; stack, heap and libraries lie where chance puts
/// them all the same. And functions that were compiled to the same code are kept once,
/// which only LLVM's linker can do.
fn link() {
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    if is("PROFILE", "release")
        && is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu")
    {
        println!("cargo::rustc-link-arg-bins=-no-pie");
        if links_with_lld() {
            println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
        }
    }
}

/// Whether rustc links with its own lld: on this one target it does where it has one,
/// unless somebody chose a linker.
fn links_with_lld() -> bool {
    const TARGET: &str = "x86_64-unknown-linux-gnu";
    let given = |name: &str| env::var(name).unwrap_or_default();
    let chosen = !given("RUSTC_LINKER").is_empty()
        || ["linker", "link-arg", "link-self-contained"]
            .iter()
            .any(|option| given("CARGO_ENCODED_RUSTFLAGS").contains(option));
    if given("TARGET") != TARGET || given("HOST") != TARGET || chosen {
        return false;
    }
    let sysroot = Command::new(given("RUSTC")).args(["--print", "sysroot"]).output();
    sysroot.is_ok_and(|sysroot| {
        let sysroot = String::from_utf8_lossy(&sysroot.stdout);
        let tools = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).join("bin");
        tools.join("gcc-ld/ld.lld").exists()
    })
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
