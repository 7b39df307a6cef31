//! Any bytes as an ELF file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rotdoctor::package::elf;

fuzz_target!(|bytes: &[u8]| {
    let _ = elf::read(bytes);
});
