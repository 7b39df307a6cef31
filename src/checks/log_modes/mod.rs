//! Matches the causes of the log table against what failed: a run of the
//! function, a CloudTrail event, a stack event, a line. Which of them is looked at
//! is decided by the checks in `checks/log`.

mod failure_record;
mod known_ids;
mod matching;

#[cfg(test)]
pub(super) mod test_logs;

pub(super) use self::{
    failure_record::{FailureRecord, QuotedText, source},
    known_ids::{FACTS, KnownIds},
    matching::{ComparedArns, explain, findings, match_row},
};
