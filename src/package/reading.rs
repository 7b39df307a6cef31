//! Reads an archive without touching a disk or a network: says which ranges it
//! wants, takes their bytes, and says what it wants next. An async caller fetches
//! the ranges; [`read`] does it for a [`Source`].
//!
//! Three rounds at most: the end with the directory, the members that matter,
//! and the modules that may carry a libpq where no shared one was found.

use std::{collections::BTreeSet, ops::Range};

use super::{
    directory::{self, Entry, Located},
    elf,
    interest::{self, Extent},
    limits::{Limits, Unreadable},
    member,
    source::{Source, joined},
};

/// Ranges nearer than this are fetched as one.
const JOIN: u64 = 8 << 10;
/// Packed bytes of a head: an ELF header and whatever stands before it.
const HEAD: u64 = 512;
/// Modules of one machine that are read for a libpq of their own.
const MODULES_PER_MACHINE: usize = 2;

/// A member that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its path.
    pub path: String,
    /// Its bytes: all, or the first.
    pub bytes: Vec<u8>,
    /// Whether that is all of it.
    pub whole: bool,
}

/// What was read out of one archive, folder or file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Every path in it.
    pub paths: Vec<String>,
    /// The members that matter.
    pub members: Vec<Member>,
    /// Bytes of the archive.
    pub size: u64,
    /// Bytes that were asked for.
    pub read: u64,
    /// What could not be read.
    pub problems: Vec<String>,
    /// What is odd.
    pub notes: Vec<String>,
}

/// An archive while it is read.
#[derive(Debug)]
pub struct Reading {
    limits: Limits,
    len: u64,
    stage: Stage,
    /// What is asked for now.
    wanted: Vec<Range<u64>>,
    /// The tail that was fetched so far.
    tail: Vec<u8>,
    entries: Vec<Entry>,
    directory_start: u64,
    unpacked: u64,
    contents: Contents,
}

#[derive(Debug)]
enum Stage {
    Tail { looks: usize },
    Zip64 { at: u64 },
    Directory { directory: Range<u64>, entries: u64 },
    Members(Vec<(usize, Extent)>),
    Modules(Vec<(usize, Extent)>),
    Done,
}

impl Reading {
    /// Starts on an archive of `len` bytes.
    pub fn new(len: u64, limits: Limits) -> Self {
        let look = directory::first_look(len);
        let mut reading = Self {
            limits,
            len,
            stage: Stage::Tail { looks: 0 },
            wanted: Vec::new(),
            tail: Vec::new(),
            entries: Vec::new(),
            directory_start: 0,
            unpacked: 0,
            contents: Contents { size: len, ..Contents::default() },
        };
        reading.want(vec![look]);
        reading
    }

    /// The ranges that are wanted now, in order; none where it is done.
    pub fn wanted(&self) -> &[Range<u64>] {
        &self.wanted
    }

    /// The bytes of [`Self::wanted`].
    pub fn bytes_wanted(&self) -> u64 {
        self.wanted.iter().map(|range| range.end - range.start).sum()
    }

    /// The bytes that were asked for so far, with those wanted now.
    pub fn bytes_asked(&self) -> u64 {
        self.contents.read
    }

    /// Takes the bytes of the ranges that were wanted, in the same order.
    ///
    /// # Errors
    /// Where the archive as a whole cannot be read. A member that cannot is a
    /// problem of the contents.
    pub fn feed(&mut self, chunks: &[Vec<u8>]) -> Result<(), Unreadable> {
        let wanted = std::mem::take(&mut self.wanted);
        let fits = wanted.len() == chunks.len()
            && wanted
                .iter()
                .zip(chunks)
                .all(|(range, chunk)| chunk.len() as u64 == range.end - range.start);
        if !fits {
            return Err(Unreadable::Source("fewer bytes came than were asked for".to_owned()));
        }
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Tail { looks } => {
                self.tail = chunks.first().cloned().unwrap_or_default();
                self.find_directory(looks)
            }
            Stage::Zip64 { at } => {
                // The record and the tail stand as one, with a hole that nothing reads.
                let record = chunks.first().map_or(&[][..], Vec::as_slice);
                self.find_directory_by(at, record)
            }
            Stage::Directory { directory, entries } => {
                let bytes = chunks.first().map_or(&[][..], Vec::as_slice);
                self.read_directory(bytes, &directory, entries)
            }
            Stage::Members(members) => {
                self.take(&wanted, chunks, &members);
                self.want_modules();
                Ok(())
            }
            Stage::Modules(members) => {
                self.take(&wanted, chunks, &members);
                Ok(())
            }
            Stage::Done => Ok(()),
        }
    }

    /// What was read, once nothing more is wanted.
    ///
    /// # Errors
    /// Where it was not read to its end: an archive of no bytes has none.
    pub fn finish(self) -> Result<Contents, Unreadable> {
        match self.stage {
            Stage::Done => Ok(self.contents),
            _ => Err(Unreadable::NotAnArchive),
        }
    }

    fn want(&mut self, ranges: Vec<Range<u64>>) {
        self.wanted = joined(ranges, JOIN);
        self.contents.read += self.bytes_wanted();
    }

    fn find_directory(&mut self, looks: usize) -> Result<(), Unreadable> {
        match directory::locate(&self.tail, self.len, &self.limits)? {
            Located::Tail(_) if looks > 0 => Err(Unreadable::NotAnArchive),
            Located::Tail(range) => {
                self.stage = Stage::Tail { looks: looks + 1 };
                self.want(vec![range]);
                Ok(())
            }
            Located::Zip64(range) => {
                self.stage = Stage::Zip64 { at: range.start };
                self.want(vec![range]);
                Ok(())
            }
            Located::At { directory, entries } => self.want_directory(directory, entries),
        }
    }

    fn find_directory_by(&mut self, at: u64, record: &[u8]) -> Result<(), Unreadable> {
        match directory::locate_zip64(record, at, &self.limits)? {
            Located::At { directory, entries } => self.want_directory(directory, entries),
            _ => Err(Unreadable::NotAnArchive),
        }
    }

    fn want_directory(&mut self, directory: Range<u64>, entries: u64) -> Result<(), Unreadable> {
        let tail_start = self.len - self.tail.len() as u64;
        let tail = std::mem::take(&mut self.tail);
        if let Some(bytes) = directory::part(&tail, tail_start, directory.clone()) {
            return self.read_directory(bytes, &directory, entries);
        }
        self.want(vec![directory.clone()]);
        self.stage = Stage::Directory { directory, entries };
        Ok(())
    }

    fn read_directory(
        &mut self,
        bytes: &[u8],
        directory: &Range<u64>,
        claimed: u64,
    ) -> Result<(), Unreadable> {
        let (entries, odd) = directory::entries(bytes, claimed, directory.start)?;
        self.contents.notes.extend(odd);
        self.contents.paths = entries.iter().map(|entry| entry.path.clone()).collect();
        self.entries = entries;
        self.directory_start = directory.start;
        let mut members = Vec::new();
        let mut heads = 0;
        for (index, entry) in self.entries.iter().enumerate() {
            match interest::extent(entry) {
                Some(Extent::Head) if heads == self.limits.heads => {}
                Some(extent) => {
                    heads += usize::from(extent == Extent::Head);
                    members.push((index, extent));
                }
                None => {}
            }
        }
        let natives =
            self.entries.iter().filter(|entry| interest::extent(entry) == Some(Extent::Head));
        let left = natives.count() - heads;
        if left > 0 {
            self.contents.problems.push(format!("{left} compiled files more were not looked at"));
        }
        let archives = self.entries.iter().filter(|entry| {
            [".zip", ".whl", ".tar.gz", ".tgz"].iter().any(|end| entry.path.ends_with(end))
        });
        let nested = archives.count();
        if nested > 0 {
            self.contents.notes.push(format!("{nested} archives inside it were not opened"));
        }
        let members = self.affordable(members);
        self.want_members(&members);
        self.stage = Stage::Members(members);
        self.skip_empty();
        Ok(())
    }

    /// The members that the limits allow; the others become problems.
    fn affordable(&mut self, members: Vec<(usize, Extent)>) -> Vec<(usize, Extent)> {
        let mut fetched = self.contents.read;
        let mut kept = Vec::new();
        for (index, extent) in members {
            let span = self.span(index, extent);
            let entry = &self.entries[index];
            let cost = span.end.saturating_sub(span.start);
            let refused = if entry.encrypted {
                Some(format!("{} is encrypted", entry.path))
            } else if extent == Extent::Whole && entry.size > self.limits.member {
                Some(format!("{} claims {} bytes and was not read", entry.path, entry.size))
            } else if fetched + cost > self.limits.fetched {
                Some(format!("{} was not read: the package is too large", entry.path))
            } else {
                None
            };
            match refused {
                Some(problem) => self.contents.problems.push(problem),
                None => {
                    fetched += cost;
                    kept.push((index, extent));
                }
            }
        }
        kept
    }

    fn want_members(&mut self, members: &[(usize, Extent)]) {
        let ranges = members.iter().map(|(index, extent)| self.span(*index, *extent)).collect();
        self.want(ranges);
    }

    /// Where nothing is wanted, the next round begins at once.
    fn skip_empty(&mut self) {
        if self.wanted.is_empty() && matches!(self.stage, Stage::Members(_)) {
            self.stage = Stage::Done;
        }
    }

    fn span(&self, index: usize, extent: Extent) -> Range<u64> {
        let entry = &self.entries[index];
        let next = self.entries.get(index + 1).map_or(self.directory_start, |next| next.offset);
        match extent {
            Extent::Whole => member::span(entry, next),
            Extent::Head => member::head_span(entry, next, HEAD),
        }
    }

    fn take(&mut self, ranges: &[Range<u64>], chunks: &[Vec<u8>], members: &[(usize, Extent)]) {
        for (index, extent) in members {
            let span = self.span(*index, *extent);
            let entry = &self.entries[*index];
            let raw = ranges
                .iter()
                .zip(chunks)
                .find_map(|(range, chunk)| directory::part(chunk, range.start, span.clone()));
            let whole = *extent == Extent::Whole;
            if self.unpacked >= self.limits.unpacked {
                self.contents.problems.push(format!("{} was not unpacked: enough is", entry.path));
                continue;
            }
            let unpacked = raw
                .ok_or_else(|| Unreadable::Source(format!("{} did not arrive", entry.path)))
                .and_then(|raw| member::unpack(entry, raw, whole, &self.limits));
            match unpacked {
                Ok(bytes) => {
                    self.unpacked += bytes.len() as u64;
                    let path = entry.path.clone();
                    self.contents.members.retain(|member| member.path != path);
                    self.contents.members.push(Member { path, bytes, whole });
                }
                Err(error) => self.contents.problems.push(error.to_string()),
            }
        }
    }

    /// The modules that may carry a libpq, for machines without a shared one.
    fn want_modules(&mut self) {
        let machine = |member: &Member| elf::machine(&member.bytes);
        let members = &self.contents.members;
        let mut served: Vec<String> = members
            .iter()
            .filter(|member| interest::is_libpq(interest::file_name(&member.path)))
            .filter_map(machine)
            .collect();
        let mut chosen = BTreeSet::new();
        for member in members.iter().filter(|member| interest::may_link_libpq(&member.path)) {
            let Some(machine) = machine(member) else { continue };
            if served.iter().filter(|other| **other == machine).count() < MODULES_PER_MACHINE
                && !self.has_shared(&machine)
            {
                served.push(machine);
                chosen.insert(member.path.clone());
            }
        }
        let wanted = self
            .entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| chosen.contains(&entry.path))
            .map(|(index, _)| (index, Extent::Whole))
            .collect();
        let wanted = self.affordable(wanted);
        if !wanted.is_empty() {
            self.want_members(&wanted);
            self.stage = Stage::Modules(wanted);
        }
    }

    fn has_shared(&self, machine: &str) -> bool {
        self.contents.members.iter().any(|member| {
            interest::is_libpq(interest::file_name(&member.path))
                && elf::machine(&member.bytes).as_deref() == Some(machine)
        })
    }
}

/// Reads an archive to its end.
///
/// # Errors
/// Where the source fails or the archive as a whole cannot be read.
pub fn read(source: &dyn Source, limits: Limits) -> Result<Contents, Unreadable> {
    let fail = |error: std::io::Error| Unreadable::Source(error.to_string());
    let mut reading = Reading::new(source.size().map_err(fail)?, limits);
    while !reading.wanted().is_empty() {
        let chunks = reading
            .wanted()
            .iter()
            .map(|range| source.read(range.clone()).map_err(fail))
            .collect::<Result<Vec<_>, _>>()?;
        reading.feed(&chunks)?;
    }
    reading.finish()
}
