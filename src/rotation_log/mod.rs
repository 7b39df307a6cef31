//! The rotation function's log: lines → invocations → attempts. Reads what the
//! log says; what follows for the secret is for checks and diagnosis.

mod attempts;
mod building;
mod csv;
mod dates;
mod excerpt;
mod export;
mod json;
mod layout;
mod model;
mod prefix;
mod reader;
mod secrets;
mod source;
mod strangers;
mod told_step;

pub(crate) use self::excerpt::joined;
pub use self::{
    model::{
        Attempt, AttemptOutcome, Hit, Invocation, Level, Line, RaisedError, RotationLog, RunOutcome,
    },
    reader::{INVOCATIONS_KEPT, Options, Reader},
    source::read,
};
