//! The rotation function's log: lines → invocations → attempts. Reads what the
//! log says; what follows for the secret is for checks and diagnosis.

mod model;

pub use self::model::{
    Attempt, AttemptOutcome, Hit, Invocation, Level, Line, RaisedError, RotationLog, RunOutcome,
    Step,
};
