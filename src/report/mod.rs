//! From a diagnosis to what people and programs read. The report's structs are
//! `v1`; each format has its own file. Words and colours live here, judgements
//! do not.

mod assemble;
mod examination;
pub mod github;
mod hops;
pub mod json;
pub mod junit;
mod layout;
mod location;
pub mod markdown;
mod package;
pub mod page;
mod place;
pub mod sanitise;
pub mod sarif;
pub mod schema;
mod simulation;
mod story;
mod style;
pub mod table;
pub mod text;
mod unseen;
pub mod v1;
mod words;
mod wrap;

pub use self::{
    assemble::assemble,
    examination::{
        examine, examine_case, examine_in_audit, examine_log, examine_with_profile, finds_by,
    },
    location::locate,
};
