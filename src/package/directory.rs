//! The end of a zip archive and its central directory, zip64 included, read from
//! slices. What the records claim is checked before it is used; nothing is
//! unpacked here.

use std::ops::Range;

use super::limits::{Limits, Unreadable};

/// A file in an archive, as the central directory describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Path as it is written there; never one on disk.
    pub path: String,
    /// Compression method: 0 stored, 8 deflated.
    pub method: u16,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// CRC-32 of the unpacked bytes.
    pub crc: u32,
    /// Packed bytes.
    pub packed: u64,
    /// Unpacked bytes.
    pub size: u64,
    /// Where its local header starts.
    pub offset: u64,
}

/// The fixed part of a local header.
pub(super) const LOCAL_HEADER: u64 = 30;
/// The fixed part of a central header.
const CENTRAL_HEADER: usize = 46;
/// The end record without its comment.
const END_RECORD: usize = 22;
/// The end record with the longest comment, and the zip64 locator before it.
const LONGEST_TAIL: u64 = 22 + 65_535 + 20 + 56;
/// What the first look at an archive takes: end record, and the directory of a
/// package of some hundred files.
const FIRST_LOOK: u64 = 32 << 10;

/// Where the central directory is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Located {
    /// There.
    At {
        /// Its bytes.
        directory: Range<u64>,
        /// Files that it claims to list.
        entries: u64,
    },
    /// The end record lies further forward: this much of the tail is needed.
    Tail(Range<u64>),
    /// A zip64 end record is needed, at least these bytes.
    Zip64(Range<u64>),
}

/// The range of the first look.
pub(super) fn first_look(len: u64) -> Range<u64> {
    len.saturating_sub(FIRST_LOOK)..len
}

/// Finds the central directory in the archive's last bytes.
///
/// # Errors
/// Where there is no end record, or it says what cannot be.
pub(super) fn locate(tail: &[u8], len: u64, limits: &Limits) -> Result<Located, Unreadable> {
    let tail_start = len.saturating_sub(tail.len() as u64);
    let Some(end) = end_record(tail) else {
        let longest = len.saturating_sub(LONGEST_TAIL)..len;
        return if longest.start < tail_start {
            Ok(Located::Tail(longest))
        } else {
            Err(Unreadable::NotAnArchive)
        };
    };
    let record = &tail[end..];
    let (disk, directory_disk) = (word(record, 4)?, word(record, 6)?);
    let entries = u64::from(word(record, 10)?);
    let size = u64::from(long(record, 12)?);
    let offset = u64::from(long(record, 16)?);
    let limit = tail_start + end as u64;
    let locator = end.checked_sub(20).map(|at| &tail[at..end]);
    let zip64 = locator.filter(|locator| locator.starts_with(b"PK\x06\x07"));
    if let Some(locator) = zip64 {
        let at = quad(locator, 8)?;
        let stop = at.checked_add(56).filter(|stop| *stop <= limit.saturating_sub(20));
        let Some(stop) = stop else {
            return Err(Unreadable::damaged("the zip64 end record lies outside the archive"));
        };
        return match part(tail, tail_start, at..stop) {
            Some(record) => locate_zip64(record, at, limits),
            None => Ok(Located::Zip64(at..stop)),
        };
    }
    if disk != 0 || directory_disk != 0 {
        return Err(Unreadable::damaged("it is one part of a split archive"));
    }
    placed(entries, size, offset, limit, limits)
}

/// Finds the central directory by a zip64 end record that starts at `at`.
///
/// # Errors
/// Where it is no such record, or it says what cannot be.
pub(super) fn locate_zip64(record: &[u8], at: u64, limits: &Limits) -> Result<Located, Unreadable> {
    if !record.starts_with(b"PK\x06\x06") {
        return Err(Unreadable::damaged("no zip64 end record where one is announced"));
    }
    placed(quad(record, 32)?, quad(record, 40)?, quad(record, 48)?, at, limits)
}

/// A directory where the records put it, if that can be.
fn placed(
    entries: u64,
    size: u64,
    offset: u64,
    limit: u64,
    limits: &Limits,
) -> Result<Located, Unreadable> {
    if entries > limits.entries as u64 {
        return Err(Unreadable::TooMuch(format!("{entries} files, more than {}", limits.entries)));
    }
    if size > limits.directory {
        return Err(Unreadable::TooMuch(format!("a directory of {size} bytes")));
    }
    let stop = offset.checked_add(size).filter(|stop| *stop <= limit);
    let Some(stop) = stop else {
        return Err(Unreadable::damaged("its directory lies outside the archive"));
    };
    if entries > size / CENTRAL_HEADER as u64 {
        return Err(Unreadable::damaged("its directory is too small for the files it claims"));
    }
    Ok(Located::At { directory: offset..stop, entries })
}

/// The last end record whose comment reaches to the archive's end, or the last
/// whose comment fits at all.
fn end_record(tail: &[u8]) -> Option<usize> {
    let last = tail.len().checked_sub(END_RECORD)?;
    let mut fallback = None;
    for at in (0..=last).rev().take(usize::from(u16::MAX) + 1) {
        if tail[at..].starts_with(b"PK\x05\x06") {
            let comment = usize::from(u16::from_le_bytes([tail[at + 20], tail[at + 21]]));
            let stop = at + END_RECORD + comment;
            if stop == tail.len() {
                return Some(at);
            }
            if stop < tail.len() && fallback.is_none() {
                fallback = Some(at);
            }
        }
    }
    fallback
}

/// Reads the central directory. Returns the files, by their place in the
/// archive, and what is odd about them.
///
/// # Errors
/// Where a record is cut off or points outside the archive.
pub(super) fn entries(
    bytes: &[u8],
    claimed: u64,
    directory_start: u64,
) -> Result<(Vec<Entry>, Vec<String>), Unreadable> {
    let mut out: Vec<Entry> = Vec::new();
    let mut odd = Vec::new();
    let mut at = 0;
    for _ in 0..claimed {
        let Some(record) = bytes.get(at..).filter(|rest| rest.len() >= CENTRAL_HEADER) else {
            return Err(Unreadable::damaged("its directory ends in the middle"));
        };
        if !record.starts_with(b"PK\x01\x02") {
            return Err(Unreadable::damaged("its directory holds what is no record"));
        }
        let names = usize::from(word(record, 28)?);
        let extras = usize::from(word(record, 30)?);
        let comments = usize::from(word(record, 32)?);
        let stop = CENTRAL_HEADER + names + extras + comments;
        let Some(record) = record.get(..stop) else {
            return Err(Unreadable::damaged("its directory ends in the middle"));
        };
        let name = &record[CENTRAL_HEADER..CENTRAL_HEADER + names];
        let extra = &record[CENTRAL_HEADER + names..CENTRAL_HEADER + names + extras];
        let mut entry = Entry {
            path: String::from_utf8_lossy(name).replace('\\', "/"),
            method: word(record, 10)?,
            encrypted: word(record, 8)? & 1 != 0,
            crc: long(record, 16)?,
            packed: u64::from(long(record, 20)?),
            size: u64::from(long(record, 24)?),
            offset: u64::from(long(record, 42)?),
        };
        widen(&mut entry, extra)?;
        let data = entry.offset.checked_add(LOCAL_HEADER + names as u64);
        let fits = data
            .and_then(|data| data.checked_add(entry.packed))
            .is_some_and(|stop| stop <= directory_start);
        if !fits {
            return Err(Unreadable::damaged("a file lies outside the archive"));
        }
        if !entry.path.ends_with('/') {
            out.push(entry);
        }
        at += stop;
    }
    out.sort_by_key(|entry| entry.offset);
    let overlap =
        out.windows(2).find(|pair| pair[0].offset + LOCAL_HEADER + pair[0].packed > pair[1].offset);
    if let Some(pair) = overlap {
        return Err(Unreadable::damaged(format!(
            "{} and {} overlap, as in an archive made to unpack without end",
            pair[0].path, pair[1].path
        )));
    }
    if out
        .iter()
        .any(|entry| entry.path.starts_with('/') || entry.path.split('/').any(|part| part == ".."))
    {
        odd.push("it holds paths that lead out of the package".to_owned());
    }
    Ok((out, odd))
}

/// Takes the sizes that did not fit from the zip64 extra field.
fn widen(entry: &mut Entry, mut extra: &[u8]) -> Result<(), Unreadable> {
    const UNSET: u64 = u32::MAX as u64;
    while extra.len() >= 4 {
        let (id, len) = (word(extra, 0)?, usize::from(word(extra, 2)?));
        let Some(field) = extra.get(4..4 + len) else { return Ok(()) };
        if id == 1 {
            let mut at = 0;
            for value in [&mut entry.size, &mut entry.packed, &mut entry.offset] {
                if *value == UNSET {
                    *value = quad(field, at)?;
                    at += 8;
                }
            }
        }
        extra = &extra[4 + len..];
    }
    Ok(())
}

/// The part of `bytes`, which start at `start`, that a range names.
pub(super) fn part(bytes: &[u8], start: u64, range: Range<u64>) -> Option<&[u8]> {
    let from = usize::try_from(range.start.checked_sub(start)?).ok()?;
    let to = usize::try_from(range.end.checked_sub(start)?).ok()?;
    bytes.get(from..to)
}

fn word(bytes: &[u8], at: usize) -> Result<u16, Unreadable> {
    array(bytes, at).map(u16::from_le_bytes)
}

fn long(bytes: &[u8], at: usize) -> Result<u32, Unreadable> {
    array(bytes, at).map(u32::from_le_bytes)
}

fn quad(bytes: &[u8], at: usize) -> Result<u64, Unreadable> {
    array(bytes, at).map(u64::from_le_bytes)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Unreadable> {
    bytes
        .get(at..at + N)
        .and_then(|part| part.try_into().ok())
        .ok_or_else(|| Unreadable::damaged("a record is cut off"))
}
