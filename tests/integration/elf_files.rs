//! ELF files made by hand: just enough of one for what is read out of it.

/// How a made ELF file looks.
#[derive(Clone, Copy)]
pub(crate) struct Made<'a> {
    /// The header's machine, such as 62 for x86-64.
    pub(crate) machine: u16,
    pub(crate) soname: &'a str,
    pub(crate) runpath: &'a str,
    pub(crate) needed: &'a [&'a str],
    /// What stands in `.rodata`.
    pub(crate) data: &'a [u8],
}

pub(crate) const X86_64: u16 = 62;
pub(crate) const AARCH64: u16 = 183;

/// A shared library of 64 bits with a dynamic section and read-only data, and
/// nothing else.
pub(crate) fn elf(made: Made<'_>) -> Vec<u8> {
    const HEADER: u64 = 64;
    const SEGMENT: u64 = 56;
    const SECTION: usize = 64;
    let mut strings = vec![0_u8];
    let mut string = |text: &str| {
        let at = strings.len() as u64;
        strings.extend_from_slice(text.as_bytes());
        strings.push(0);
        at
    };
    let mut dynamic: Vec<(u64, u64)> = Vec::new();
    for name in made.needed {
        dynamic.push((1, string(name)));
    }
    dynamic.push((14, string(made.soname)));
    if !made.runpath.is_empty() {
        dynamic.push((29, string(made.runpath)));
    }
    let strings_at = HEADER + 2 * SEGMENT;
    let data_at = strings_at + strings.len() as u64;
    let dynamic_at = (data_at + made.data.len() as u64).next_multiple_of(8);
    dynamic.extend([(5, strings_at), (10, strings.len() as u64), (0, 0)]);
    let dynamic_size = dynamic.len() as u64 * 16;
    let names = b"\0.rodata\0.shstrtab\0";
    let names_at = dynamic_at + dynamic_size;
    let sections_at = (names_at + names.len() as u64).next_multiple_of(8);
    let end = sections_at + 3 * SECTION as u64;

    let mut file = Vec::new();
    file.extend_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    file.extend_from_slice(&3_u16.to_le_bytes());
    file.extend_from_slice(&made.machine.to_le_bytes());
    file.extend_from_slice(&1_u32.to_le_bytes());
    for word in [0, HEADER, sections_at] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    file.extend_from_slice(&0_u32.to_le_bytes());
    for half in [64_u16, 56, 2, 64, 3, 2] {
        file.extend_from_slice(&half.to_le_bytes());
    }
    for (kind, flags, at, size) in [(1_u32, 4_u32, 0, end), (2, 6, dynamic_at, dynamic_size)] {
        file.extend_from_slice(&kind.to_le_bytes());
        file.extend_from_slice(&flags.to_le_bytes());
        for word in [at, at, at, size, size, 8] {
            file.extend_from_slice(&word.to_le_bytes());
        }
    }
    file.extend_from_slice(&strings);
    file.extend_from_slice(made.data);
    file.resize(usize::try_from(dynamic_at).expect("small"), 0);
    for (tag, value) in dynamic {
        file.extend_from_slice(&tag.to_le_bytes());
        file.extend_from_slice(&value.to_le_bytes());
    }
    file.extend_from_slice(names);
    file.resize(usize::try_from(sections_at).expect("small"), 0);
    file.extend_from_slice(&[0; SECTION]);
    let sections = [
        (1_u32, 1_u32, 2_u64, data_at, made.data.len() as u64),
        (9, 3, 0, names_at, names.len() as u64),
    ];
    for (name, kind, flags, at, size) in sections {
        file.extend_from_slice(&name.to_le_bytes());
        file.extend_from_slice(&kind.to_le_bytes());
        for word in [flags, at, at, size] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(&[0; 8]); // link, info
        for word in [1_u64, 0] {
            file.extend_from_slice(&word.to_le_bytes());
        }
    }
    file
}
