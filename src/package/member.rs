//! Unpacks one member out of the bytes that were fetched for it. The zip crate
//! does the unpacking and the check sum; sizes come from the central directory,
//! since local headers may leave them open or lie. Nothing touches a disk.

use std::io::Read;

use zip::read::read_zipfile_from_stream;

use super::{
    directory::{Entry, LOCAL_HEADER},
    limits::{Limits, Unreadable},
};

/// Room for extra fields that stand only in the local header.
const SLACK: u64 = 1 << 10;

/// The bytes of the archive that hold a member: to the next one, within reason.
pub(super) fn span(entry: &Entry, next: u64) -> std::ops::Range<u64> {
    let most = entry.offset + LOCAL_HEADER + entry.path.len() as u64 + SLACK + entry.packed;
    entry.offset..most.min(next)
}

/// The bytes of the archive that hold a member's first `bytes`.
pub(super) fn head_span(entry: &Entry, next: u64, bytes: u64) -> std::ops::Range<u64> {
    let whole = span(entry, next);
    let most = entry.offset + LOCAL_HEADER + entry.path.len() as u64 + bytes;
    whole.start..most.min(whole.end)
}

/// Unpacks a member, at most `most` bytes of it; `raw` starts at its local
/// header. A head may be cut off, a whole member may not.
///
/// # Errors
/// Where it is encrypted, damaged, packed in an unknown way, or unpacks to more
/// than its limits allow.
pub(super) fn unpack(
    entry: &Entry,
    raw: &[u8],
    whole: bool,
    limits: &Limits,
) -> Result<Vec<u8>, Unreadable> {
    if entry.encrypted {
        return Err(Unreadable::Encrypted);
    }
    if whole && entry.size > limits.member {
        return Err(Unreadable::TooMuch(format!("{} has {} bytes", entry.path, entry.size)));
    }
    if whole && entry.size > 1 << 20 && entry.size / entry.packed.max(1) > limits.ratio {
        return Err(Unreadable::TooMuch(format!(
            "{} unpacks to {} times its size",
            entry.path,
            entry.size / entry.packed.max(1)
        )));
    }
    let start = data_start(raw)
        .ok_or_else(|| Unreadable::damaged(format!("{} has no local header", entry.path)))?;
    let packed = usize::try_from(entry.packed).unwrap_or(usize::MAX);
    let data = &raw[start..raw.len().min(start.saturating_add(packed))];
    if whole && data.len() < packed {
        return Err(Unreadable::damaged(format!("{} is cut off", entry.path)));
    }
    if !whole && entry.method == 0 {
        return Ok(data.to_vec());
    }
    let mut stream = header_for(entry)?;
    stream.extend_from_slice(data);
    let fail = |error: &dyn std::fmt::Display| {
        Unreadable::damaged(format!("{} cannot be unpacked: {error}", entry.path))
    };
    let mut rest = stream.as_slice();
    let mut file = read_zipfile_from_stream(&mut rest)
        .map_err(|error| fail(&error))?
        .ok_or_else(|| fail(&"no data"))?;
    let most = if whole { limits.member } else { HEAD };
    let mut bytes = Vec::new();
    let outcome = file.by_ref().take(most + 1).read_to_end(&mut bytes);
    if whole {
        outcome.map_err(|error| fail(&error))?;
        if bytes.len() as u64 > most || bytes.len() as u64 != entry.size {
            return Err(Unreadable::damaged(format!(
                "{} unpacks to another size than it claims",
                entry.path
            )));
        }
    }
    bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(bytes)
}

/// Unpacked bytes of a head.
const HEAD: u64 = 4 << 10;

/// Where the data starts, by the local header.
fn data_start(raw: &[u8]) -> Option<usize> {
    let header = raw.get(..LOCAL_HEADER as usize)?;
    if !header.starts_with(b"PK\x03\x04") {
        return None;
    }
    let names = usize::from(u16::from_le_bytes([header[26], header[27]]));
    let extras = usize::from(u16::from_le_bytes([header[28], header[29]]));
    let start = LOCAL_HEADER as usize + names + extras;
    (start <= raw.len()).then_some(start)
}

/// A local header with what the central directory says.
fn header_for(entry: &Entry) -> Result<Vec<u8>, Unreadable> {
    let narrow = |value: u64| {
        u32::try_from(value).map_err(|_| Unreadable::TooMuch(format!("{} is huge", entry.path)))
    };
    let mut header = Vec::with_capacity(LOCAL_HEADER as usize + 1);
    header.extend_from_slice(b"PK\x03\x04");
    header.extend_from_slice(&20_u16.to_le_bytes()); // version
    header.extend_from_slice(&0_u16.to_le_bytes()); // flags
    header.extend_from_slice(&entry.method.to_le_bytes());
    header.extend_from_slice(&[0, 0, 0x21, 0]); // time, date
    header.extend_from_slice(&entry.crc.to_le_bytes());
    header.extend_from_slice(&narrow(entry.packed)?.to_le_bytes());
    header.extend_from_slice(&narrow(entry.size)?.to_le_bytes());
    header.extend_from_slice(&1_u16.to_le_bytes()); // length of the name
    header.extend_from_slice(&0_u16.to_le_bytes()); // length of the extra field
    header.push(b'm');
    Ok(header)
}
