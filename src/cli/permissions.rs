//! `rotdoctor permissions`.

use std::collections::BTreeSet;

use super::{Failure, options::SelectOptions, output};
use crate::{checks, evidence::Fact, report::json};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// With what --read-secret needs: reading the secret's value.
    #[arg(long)]
    read_secret: bool,
    /// The secrets whose values --read-secret may read; without it the policy says all.
    #[arg(long, value_name = "ARN", requires = "read_secret")]
    secret: Vec<String>,
    /// Without what --no-package spares: reading the function's layers.
    #[arg(long)]
    no_package: bool,
    /// With what --simulate needs: AWS's simulation of the role's rights.
    #[arg(long)]
    simulate: bool,
    /// With what an audit of many needs: the list of secrets, the account's roles at once,
    /// and the regions for --all-regions.
    #[arg(long)]
    audit: bool,
    #[command(flatten)]
    select: SelectOptions,
}

/// What an audit asks for beside the facts about one secret.
const OF_AUDIT: [&str; 3] =
    ["ec2:DescribeRegions", "iam:GetAccountAuthorizationDetails", "secretsmanager:ListSecrets"];

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
        if self.audit {
            actions.extend(OF_AUDIT);
        }
        let reads_values = actions.remove("secretsmanager:GetSecretValue");
        let mut statements = vec![serde_json::json!({
            "Sid": "RotdoctorReadOnly",
            "Effect": "Allow",
            "Action": actions,
            "Resource": "*",
        })];
        if reads_values {
            let all = ["*".to_owned()];
            let secrets = if self.secret.is_empty() { &all[..] } else { &self.secret };
            statements.push(serde_json::json!({
                "Sid": "RotdoctorReadSecret",
                "Effect": "Allow",
                "Action": "secretsmanager:GetSecretValue",
                "Resource": secrets,
            }));
            // Secrets Manager decrypts with the caller's rights; nothing else may.
            statements.push(serde_json::json!({
                "Sid": "RotdoctorDecryptSecret",
                "Effect": "Allow",
                "Action": "kms:Decrypt",
                "Resource": "*",
                "Condition": {"StringLike": {"kms:ViaService": "secretsmanager.*"}},
            }));
        }
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement": statements});
        output::print(&json::render(&policy))?;
        Ok(0)
    }
}
