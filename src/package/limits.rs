//! What a package may cost: declared sizes lie, so every count and every byte
//! has a cap. No reading here.

/// Caps on what is read out of one archive.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Files in the archive.
    pub entries: usize,
    /// Bytes of the central directory.
    pub directory: u64,
    /// Bytes of one member once unpacked.
    pub member: u64,
    /// Bytes of all members once unpacked.
    pub unpacked: u64,
    /// Bytes fetched for members.
    pub fetched: u64,
    /// Unpacked bytes for each packed one, in members above a megabyte.
    pub ratio: u64,
    /// Members of which only the first bytes are read.
    pub heads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 65_536,
            directory: 12 << 20,
            member: 16 << 20,
            unpacked: 32 << 20,
            fetched: 24 << 20,
            ratio: 120,
            heads: 96,
        }
    }
}

/// Why an archive, or a part of it, was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It has no end record.
    #[error("not a zip archive, or cut off before its end")]
    NotAnArchive,
    /// What its records say cannot be.
    #[error("damaged archive: {0}")]
    Damaged(String),
    /// It asks for more than is read.
    #[error("not read: {0}")]
    TooMuch(String),
    /// A member is encrypted.
    #[error("encrypted members cannot be read")]
    Encrypted,
    /// The bytes could not be had.
    #[error("{0}")]
    Source(String),
}

impl Unreadable {
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }
}
