//! Archives and ELF files made to do harm: each ends as a clear refusal or as a
//! problem that is told, with few bytes read, and never in a panic.

use proptest::{collection::vec, prelude::*};
use rotdoctor::package::{Contents, Limits, Reading, Unreadable, elf, read};

use crate::{
    elf_files::{Made, X86_64, elf as made_elf},
    packages::zip,
};

fn tried(bytes: &[u8]) -> Result<Contents, Unreadable> {
    read(&bytes, Limits::default())
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

fn position(bytes: &[u8], of: &[u8]) -> usize {
    bytes.windows(of.len()).rposition(|window| window == of).expect("a record")
}

fn sample() -> Vec<u8> {
    zip(&[("lambda_function.py", b"import pg\n"), ("libpq.so.5", &library())])
}

fn library() -> Vec<u8> {
    made_elf(Made {
        machine: X86_64,
        soname: "libpq.so.5",
        runpath: "/x/PostgreSQL-10.x/lib",
        needed: &["libc.so.6"],
        data: b"authentication method\0SCRAM-SHA-256\0",
    })
}

#[test]
fn a_truncated_archive_is_refused_wherever_it_ends() {
    let whole = sample();
    for cut in 0..whole.len() {
        assert!(tried(&whole[..cut]).is_err(), "{cut} of {} bytes", whole.len());
    }
}

#[test]
fn claimed_counts_and_sizes_are_not_believed() {
    let mut many = sample();
    let end = position(&many, b"PK\x05\x06");
    put(&mut many, end + 8, &[0xfe, 0xff, 0xfe, 0xff]);
    assert!(matches!(tried(&many), Err(Unreadable::Damaged(_))));
    let mut far = sample();
    put(&mut far, end + 16, &[0xff, 0xff, 0xff, 0x7f]);
    assert!(matches!(tried(&far), Err(Unreadable::Damaged(_))));
    let mut huge = sample();
    put(&mut huge, end + 12, &[0, 0, 0, 0x7f]);
    assert!(matches!(tried(&huge), Err(Unreadable::TooMuch(_))));
    let mut size = sample();
    let entry = position(&size, b"PK\x01\x02");
    put(&mut size, entry + 24, &[0xff, 0xff, 0xff, 0x7f]);
    let told = tried(&size).expect("the rest is read").problems;
    assert!(told.iter().any(|text| text.contains("libpq.so.5")), "{told:?}");
}

#[test]
fn files_that_overlap_are_refused() {
    let mut archive = sample();
    let second = position(&archive, b"PK\x01\x02");
    put(&mut archive, second + 42, &[0, 0, 0, 0]);
    assert!(matches!(tried(&archive), Err(Unreadable::Damaged(what)) if what.contains("overlap")));
}

#[test]
fn a_member_that_unpacks_to_more_than_it_is_worth_is_not_unpacked() {
    let zeroes = vec![0_u8; 15 << 20];
    let archive = zip(&[("libpq.so.5", &zeroes), ("lambda_function.py", b"import pg\n")]);
    assert!(archive.len() < 200_000, "{}", archive.len());
    let contents = tried(&archive).expect("the rest is read");
    assert!(contents.problems.iter().any(|text| text.contains("times its size")));
    assert!(contents.members.iter().all(|member| member.path == "lambda_function.py"));
    // The same with a size that lies.
    let mut lying = archive;
    let first = lying.windows(4).position(|window| window == b"PK\x01\x02").expect("a record");
    put(&mut lying, first + 24, &[0, 1, 0, 0]);
    let contents = tried(&lying).expect("the rest is read");
    assert!(contents.problems.iter().any(|text| text.contains("libpq.so.5")), "{contents:?}");
}

#[test]
fn encrypted_and_strangely_packed_members_are_told() {
    for (at, value, says) in [(8, [1_u8, 0], "encrypted"), (10, [99, 0], "cannot be unpacked")] {
        let mut archive = sample();
        let entry = position(&archive, b"PK\x01\x02");
        put(&mut archive, entry + at, &value);
        let told = tried(&archive).expect("the rest is read").problems;
        assert!(told.iter().any(|text| text.contains(says)), "{told:?}");
    }
}

#[test]
fn a_zip64_archive_is_read_and_one_that_lies_is_refused() {
    let archive = sample();
    let end = position(&archive, b"PK\x05\x06");
    let word = |at: usize| u32::from_le_bytes(archive[at..at + 4].try_into().expect("four"));
    let with = |entries: u64, size: u64, offset: u64, record_at: u64| {
        let mut wide = archive[..end].to_vec();
        wide.extend_from_slice(b"PK\x06\x06");
        wide.extend_from_slice(&44_u64.to_le_bytes());
        wide.extend_from_slice(&[45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for value in [entries, entries, size, offset] {
            wide.extend_from_slice(&value.to_le_bytes());
        }
        wide.extend_from_slice(b"PK\x06\x07\0\0\0\0");
        wide.extend_from_slice(&record_at.to_le_bytes());
        wide.extend_from_slice(&1_u32.to_le_bytes());
        wide.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        wide.extend_from_slice(&[0xff; 12]);
        wide.extend_from_slice(&[0, 0]);
        wide
    };
    let (size, offset) = (u64::from(word(end + 12)), u64::from(word(end + 16)));
    let contents = tried(&with(2, size, offset, end as u64)).expect("an archive");
    assert_eq!(contents.members.len(), 2);
    for lie in [
        with(u64::MAX, size, offset, end as u64),
        with(2, u64::MAX, offset, end as u64),
        with(2, size, u64::MAX - 3, end as u64),
        with(2, size, offset, u64::MAX - 10),
        with(2, size, offset, 0),
    ] {
        assert!(tried(&lie).is_err());
    }
}

#[test]
fn archives_inside_and_paths_that_lead_out_are_told_and_not_followed() {
    let inner = sample();
    let members: &[(&str, &[u8])] =
        &[("inner.zip", &inner), ("../../etc/libpq.so.5", &library()), ("lambda_function.py", b"")];
    let contents = tried(&zip(members)).expect("an archive");
    assert!(contents.notes.iter().any(|text| text.contains("not opened")), "{:?}", contents.notes);
    assert!(contents.notes.iter().any(|text| text.contains("lead out")), "{:?}", contents.notes);
}

#[test]
fn many_and_large_files_cost_no_more_than_their_limits() {
    let limits = Limits { entries: 100, ..Limits::default() };
    let names: Vec<String> = (0..200).map(|number| format!("f{number}.txt")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let archive = zip(&members);
    assert!(matches!(read(&archive.as_slice(), limits), Err(Unreadable::TooMuch(_))));
    // A large archive: what is wanted first is its end, not its bytes.
    let reading = Reading::new(250 << 20, Limits::default());
    assert!(reading.bytes_wanted() < 100_000);
    let tight = Limits { fetched: 40_000, unpacked: 1_000, ..Limits::default() };
    let noise: Vec<u8> =
        (0..200_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let archive = zip(&[("libpq.so.5", &noise), ("lambda_function.py", b"import pg\n")]);
    let contents = read(&archive.as_slice(), tight).expect("an archive");
    assert!(contents.problems.iter().any(|text| text.contains("too large")), "{contents:?}");
}

#[test]
fn fewer_bytes_than_asked_for_are_an_error() {
    let mut reading = Reading::new(1_000, Limits::default());
    assert_eq!(reading.wanted().len(), 1);
    assert!(matches!(reading.feed(&[vec![0; 10]]), Err(Unreadable::Source(_))));
}

#[test]
fn a_library_with_tables_outside_the_file_keeps_its_header() {
    let whole = library();
    for at in (32..64).chain(64..176) {
        let mut broken = whole.clone();
        broken[at] ^= 0xff;
        let facts = elf::read(&broken).expect("still an ELF file");
        assert_eq!(facts.machine, "x86_64");
    }
    assert_eq!(elf::read(b"\x7fELF"), None);
    assert_eq!(elf::read(b""), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_change_to_an_archive_makes_it_panic(
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = sample();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(contents) = tried(&bytes) {
            prop_assert!(contents.read <= 4 * bytes.len() as u64);
        }
    }

    #[test]
    fn no_change_to_a_library_makes_it_panic(
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = library();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let _ = elf::read(&bytes);
    }

    #[test]
    fn no_bytes_at_all_make_it_panic(bytes in vec(any::<u8>(), 0..600)) {
        let _ = tried(&bytes);
        let _ = elf::read(&bytes);
    }
}
