//! The steps that Secrets Manager asks of a rotation function, with its names.

use std::fmt;

/// The four steps of a rotation, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RotationStep {
    /// Creates the new value and stores it under the staging label AWSPENDING.
    CreateSecret,
    /// Sets the new password in the database.
    SetSecret,
    /// Logs in with the new password.
    TestSecret,
    /// Moves the staging label AWSCURRENT to the new version.
    FinishSecret,
}

impl RotationStep {
    /// Every step, in order.
    pub const ALL: [Self; 4] =
        [Self::CreateSecret, Self::SetSecret, Self::TestSecret, Self::FinishSecret];

    /// The name that Secrets Manager gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateSecret => "createSecret",
            Self::SetSecret => "setSecret",
            Self::TestSecret => "testSecret",
            Self::FinishSecret => "finishSecret",
        }
    }

    /// The step of that name, in Secrets Manager's or in the templates' spelling.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| {
            step.name() == name || step.name().eq_ignore_ascii_case(&name.replace('_', ""))
        })
    }
}

impl fmt::Display for RotationStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
