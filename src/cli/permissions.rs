//! `rotdoctor permissions`.

use std::collections::BTreeSet;

use super::{Failure, options::SelectOptions, output};
use crate::{checks, evidence::Fact, report::json};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// With what --read-secret needs: reading the secret's value.
    #[arg(long)]
    read_secret: bool,
    /// Without what --no-package spares: reading the function's layers.
    #[arg(long)]
    no_package: bool,
    /// With what --simulate needs: AWS's simulation of the role's rights.
    #[arg(long)]
    simulate: bool,
    #[command(flatten)]
    select: SelectOptions,
}

impl Args {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let mut facts = checks::facts(&self.select.selection()?, self.read_secret);
        if self.no_package {
            facts.remove(&Fact::Package);
        }
        if self.simulate {
            facts.insert(Fact::Simulation);
        }
        let mut actions: BTreeSet<&str> =
            facts.iter().flat_map(|fact| fact.actions()).copied().collect();
        if self.read_secret {
            actions.insert("kms:Decrypt");
        }
        let policy = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "RotdoctorReadOnly",
                "Effect": "Allow",
                "Action": actions,
                "Resource": "*",
            }],
        });
        output::print(&json::render(&policy))?;
        Ok(0)
    }
}
