//! What stands in a function's deployment package: libpq and whether it speaks
//! SCRAM, the Python and the machine that compiled modules were built for,
//! missing modules, and which rotation template the code is.
//!
//! Reading is sans-I/O: [`Reading`] says which ranges of the archive it wants,
//! takes their bytes, and says what it wants next, so that a caller can fetch
//! them from wherever they are. [`read`] does it for a [`Source`], [`local`] for a
//! file or a folder. Judging the facts against a function and its database is for
//! the checks.

mod directory;
pub mod elf;
mod facts;
mod interest;
mod libpq;
mod limits;
pub mod local;
mod member;
mod python;
mod reading;
mod source;
pub mod template;

pub use self::{
    facts::{Archive, package},
    limits::{Limits, Unreadable},
    reading::{Contents, Member, Reading, read},
    source::{Source, joined},
};
