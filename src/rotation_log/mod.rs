//! The rotation function's log: lines → invocations → attempts. Reads what the
//! log says; what follows for the secret is for checks and diagnosis.

mod attempts;
mod building;
mod by_secret;
mod columns;
mod csv;
mod event_list;
mod event_order;
mod excerpt;
mod export;
mod json_record;
mod layout;
mod lines;
mod model;
mod other_secrets;
mod prefix;
mod query_results;
mod reader;
mod rows;
mod source;
mod step_in_text;
mod template_age;
mod utf16;
mod yaml;

pub(crate) use self::excerpt::{is_of_a_deployment, joined};
pub use self::{
    model::{
        Attempt, AttemptOutcome, Hit, Invocation, Level, Line, RaisedError, RotationLog, RunOutcome,
    },
    reader::{INVOCATIONS_KEPT, Options, Reader},
    source::read,
};
