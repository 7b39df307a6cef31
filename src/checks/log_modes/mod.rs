//! Holds the rows of `catalogue/log_modes.toml` against what failed: a run of the
//! function, a CloudTrail event, a stack event, a line. Which of them is looked at
//! is decided by the checks in `checks/log`.

mod matching;
mod names;
mod scene;

#[cfg(test)]
pub(super) mod made;

pub(super) use self::{
    matching::{Arns, explain, findings, hold},
    names::{FACTS, Names},
    scene::{Quote, Scene, source},
};
