//! Where the bytes of a package come from: something of known length that gives
//! ranges. No network here; a file, memory, or what an async caller fetched.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
};

/// Bytes of known length that can be read in ranges.
pub trait Source {
    /// Bytes in all.
    ///
    /// # Errors
    /// Where the length cannot be told.
    fn size(&self) -> io::Result<u64>;

    /// The bytes of a range, all of them.
    ///
    /// # Errors
    /// Where they cannot be read, or the range reaches past the end.
    fn read(&self, range: Range<u64>) -> io::Result<Vec<u8>>;
}

impl Source for &[u8] {
    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        let part = usize::try_from(range.start)
            .ok()
            .zip(usize::try_from(range.end).ok())
            .and_then(|(start, end)| self.get(start..end));
        part.map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl Source for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        let mut file = self;
        file.seek(SeekFrom::Start(range.start))?;
        let wanted = range.end.saturating_sub(range.start);
        let mut bytes = Vec::with_capacity(usize::try_from(wanted).unwrap_or(0).min(1 << 26));
        file.take(wanted).read_to_end(&mut bytes)?;
        if bytes.len() as u64 == wanted {
            Ok(bytes)
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
}

/// Joins ranges that overlap or stand at most `gap` bytes apart: a request costs
/// more than a few bytes that nobody wanted.
pub fn joined(mut ranges: Vec<Range<u64>>, gap: u64) -> Vec<Range<u64>> {
    ranges.retain(|range| range.start < range.end);
    ranges.sort_by_key(|range| range.start);
    let mut out: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(gap) => {
                last.end = last.end.max(range.end);
            }
            _ => out.push(range),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Source, joined};

    #[test]
    fn near_ranges_become_one() {
        assert_eq!(joined(vec![50..60, 0..10, 12..20], 2), [0..20, 50..60]);
        assert_eq!(joined(vec![0..10, 2..4, 10..10, 30..31], 0), [0..10, 30..31]);
        assert_eq!(joined(vec![0..u64::MAX, 5..9], u64::MAX).first(), Some(&(0..u64::MAX)));
    }

    #[test]
    fn memory_ends_where_it_ends() {
        let bytes: &[u8] = b"abc";
        assert_eq!(bytes.read(1..3).expect("bytes"), b"bc");
        assert!(bytes.read(1..4).is_err());
    }
}
