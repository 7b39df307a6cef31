//! What an ELF file says about itself. goblin reads it, behind one function that
//! also stops panics; nothing is judged here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use goblin::elf::{Elf, header, program_header::PF_W, program_header::PT_LOAD, section_header};

/// The facts of an ELF file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElfFacts {
    /// `x86_64`, `aarch64`, `i386`, `ppc64le`, …
    pub machine: String,
    /// 32 or 64.
    pub bits: u8,
    /// SONAME.
    pub soname: Option<String>,
    /// NEEDED.
    pub needed: Vec<String>,
    /// RPATH.
    pub rpath: Option<String>,
    /// RUNPATH.
    pub runpath: Option<String>,
    /// Defines functions of libpq itself.
    pub defines_libpq: bool,
    /// Leaves functions of libpq to another file.
    pub imports_libpq: bool,
    /// Its read-only data name the mechanism SCRAM-SHA-256; none where they are
    /// no libpq's or could not be looked at.
    pub scram: Option<bool>,
    /// Only the header could be read.
    pub header_only: bool,
}

/// What libpq looks for among the server's mechanisms.
const MECHANISM: &[u8] = b"SCRAM-SHA-256";
/// What every libpq says of a method that it does not know: data with this text
/// are a libpq's, so that a missing mechanism means something.
const OWN_TEXT: &[u8] = b"authentication method";
/// A function that every libpq defines and every program with libpq calls.
const CONNECT: [&str; 3] = ["PQconnectdb", "PQconnectdbParams", "PQconnectStart"];
/// Names from a hostile file are cut here.
const NAME: usize = 512;
/// NEEDED entries from a hostile file are cut here.
const NAMES: usize = 128;
/// Symbols from a hostile file are cut here.
const SYMBOLS: usize = 200_000;

/// Reads an ELF file, or its header where only that can be read. None where it
/// is no ELF file. Never panics.
pub fn read(bytes: &[u8]) -> Option<ElfFacts> {
    let (machine, bits) = ident(bytes)?;
    let header_only =
        || ElfFacts { machine: machine.clone(), bits, header_only: true, ..ElfFacts::default() };
    let whole = catch_unwind(AssertUnwindSafe(|| {
        Elf::parse(bytes).ok().map(|elf| facts(&elf, bytes, &machine, bits))
    }));
    Some(whole.ok().flatten().unwrap_or_else(header_only))
}

/// The machine of an ELF file, by its first bytes.
pub fn machine(bytes: &[u8]) -> Option<String> {
    ident(bytes).map(|(machine, _)| machine)
}

fn ident(bytes: &[u8]) -> Option<(String, u8)> {
    let head = bytes.get(..20).filter(|head| head.starts_with(b"\x7fELF"))?;
    let bits = if head[4] == header::ELFCLASS64 { 64 } else { 32 };
    let little = head[5] == header::ELFDATA2LSB;
    let pair = [head[18], head[19]];
    let number = if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) };
    let name = match (number, little) {
        (header::EM_X86_64, _) => "x86_64",
        (header::EM_AARCH64, _) => "aarch64",
        (header::EM_386, _) => "i386",
        (header::EM_ARM, _) => "arm",
        (header::EM_PPC64, true) => "ppc64le",
        (header::EM_PPC64, false) => "ppc64",
        (header::EM_S390, _) => "s390x",
        (other, _) => return Some((format!("machine {other}"), bits)),
    };
    Some((name.to_owned(), bits))
}

fn facts(elf: &Elf<'_>, bytes: &[u8], machine: &str, bits: u8) -> ElfFacts {
    let joined = |paths: &[&str]| (!paths.is_empty()).then(|| cut(&paths.join(":")));
    let mut facts = ElfFacts {
        machine: machine.to_owned(),
        bits,
        soname: elf.soname.map(cut),
        needed: elf.libraries.iter().take(NAMES).map(|name| cut(name)).collect(),
        rpath: joined(&elf.rpaths),
        runpath: joined(&elf.runpaths),
        scram: mechanism(elf, bytes),
        ..ElfFacts::default()
    };
    // A stripped module keeps its dynamic symbols; a linked-in library that is
    // hidden shows only in the full table.
    for (symbols, names) in [(&elf.dynsyms, &elf.dynstrtab), (&elf.syms, &elf.strtab)] {
        for symbol in symbols.iter().take(SYMBOLS) {
            let Some(name) = names.get_at(symbol.st_name) else { continue };
            if CONNECT.contains(&name) {
                if symbol.is_import() || symbol.st_shndx == 0 {
                    facts.imports_libpq = true;
                } else {
                    facts.defines_libpq = true;
                }
            }
        }
    }
    facts
}

/// Looks for the mechanism in the read-only data: the sections where there are
/// any, else the segments that are not writable.
fn mechanism(elf: &Elf<'_>, bytes: &[u8]) -> Option<bool> {
    let within = |offset: u64, size: u64| {
        let start = usize::try_from(offset).ok()?;
        let stop = start.checked_add(usize::try_from(size).ok()?)?;
        bytes.get(start..stop)
    };
    let sections = elf.section_headers.iter().filter(|section| {
        let flags = section.sh_flags;
        section.sh_type == section_header::SHT_PROGBITS
            && flags & u64::from(section_header::SHF_ALLOC) != 0
            && flags & u64::from(section_header::SHF_WRITE) == 0
            && flags & u64::from(section_header::SHF_EXECINSTR) == 0
    });
    let mut parts: Vec<&[u8]> = sections
        .take(256)
        .filter_map(|section| within(section.sh_offset, section.sh_size))
        .collect();
    if parts.is_empty() {
        parts = elf
            .program_headers
            .iter()
            .filter(|segment| segment.p_type == PT_LOAD && segment.p_flags & PF_W == 0)
            .take(64)
            .filter_map(|segment| within(segment.p_offset, segment.p_filesz))
            .collect();
    }
    // Overlapping tables of a hostile file would be searched again and again.
    let budget: usize = parts.iter().map(|part| part.len()).sum();
    if parts.is_empty() || budget > bytes.len().saturating_mul(2) {
        return None;
    }
    let holds = |text| parts.iter().any(|part| contains(part, text));
    if holds(MECHANISM) { Some(true) } else { holds(OWN_TEXT).then_some(false) }
}

/// Whether `needle` stands in `hay`.
fn contains(hay: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else { return true };
    let mut hay = hay;
    while let Some(at) = hay.iter().position(|byte| byte == first) {
        hay = &hay[at + 1..];
        if hay.starts_with(rest) {
            return true;
        }
    }
    false
}

fn cut(text: &str) -> String {
    text.chars().take(NAME).collect()
}
