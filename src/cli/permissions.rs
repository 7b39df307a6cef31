//! `rotdoctor permissions`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

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
    /// Alone: ask AWS what the caller lacks, and print only that. With names (codes, check
    /// names or areas): what these checks need.
    #[arg(long, value_name = "NAME", num_args = 0.., value_delimiter = ',')]
    check: Option<Vec<String>>,
    /// All but these checks.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    skip: Vec<String>,
    #[cfg(feature = "live")]
    #[command(flatten)]
    connection: super::aws::ConnectionOptions,
    #[cfg(feature = "live")]
    #[command(flatten)]
    role: super::aws::RoleOptions,
}

/// What an audit asks for beside the facts about one secret.
const OF_AUDIT: [&str; 3] =
    ["ec2:DescribeRegions", "iam:GetAccountAuthorizationDetails", "secretsmanager:ListSecrets"];
/// Secrets Manager decrypts with the caller's rights; nothing else may.
const VIA: (&str, &str) = ("kms:ViaService", "secretsmanager.*");

/// A statement of the policy.
struct Statement<'a> {
    sid: &'static str,
    actions: BTreeSet<&'a str>,
    resources: Vec<String>,
    via_secrets_manager: bool,
}

impl Statement<'_> {
    fn document(&self) -> Value {
        let mut document = json!({
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": self.actions,
            "Resource": self.resources,
        });
        if self.resources == ["*"] {
            document["Resource"] = json!("*");
        }
        if self.via_secrets_manager {
            document["Condition"] = json!({"StringLike": {VIA.0: VIA.1}});
        }
        document
    }
}

impl Args {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let names = self.check.clone().unwrap_or_default();
        let asks = self.check.is_some() && names.is_empty();
        let select = SelectOptions::of(names, self.skip.clone());
        let mut facts = checks::facts(&select.selection()?, self.read_secret);
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
        let mut statements = self.statements(actions);
        let code = if asks { self.keep_what_lacks(&mut statements)? } else { 0 };
        let statements: Vec<Value> = statements.iter().map(Statement::document).collect();
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        output::print(&json::render(&policy))?;
        Ok(code)
    }

    fn statements<'a>(&self, mut actions: BTreeSet<&'a str>) -> Vec<Statement<'a>> {
        let all = || vec!["*".to_owned()];
        let reads_values = actions.remove("secretsmanager:GetSecretValue");
        let mut statements = vec![Statement {
            sid: "RotdoctorReadOnly",
            actions,
            resources: all(),
            via_secrets_manager: false,
        }];
        if reads_values {
            statements.push(Statement {
                sid: "RotdoctorReadSecret",
                actions: BTreeSet::from(["secretsmanager:GetSecretValue"]),
                resources: if self.secret.is_empty() { all() } else { self.secret.clone() },
                via_secrets_manager: false,
            });
            statements.push(Statement {
                sid: "RotdoctorDecryptSecret",
                actions: BTreeSet::from(["kms:Decrypt"]),
                resources: all(),
                via_secrets_manager: true,
            });
        }
        statements
    }

    #[cfg(not(feature = "live"))]
    #[allow(clippy::unused_self)] // as with the feature
    fn keep_what_lacks(&self, _: &mut Vec<Statement<'_>>) -> Result<u8, Failure> {
        Err(super::source::without_live())
    }

    /// Asks AWS, keeps of each statement what the caller lacks, and says how much that is.
    #[cfg(feature = "live")]
    fn keep_what_lacks(&self, statements: &mut Vec<Statement<'_>>) -> Result<u8, Failure> {
        use super::aws::{interruptible, timings};
        use crate::collect::{Question, Session};

        let questions = |region: &str| -> Vec<Question> {
            let of = |statement: &Statement<'_>, resource: &String| Question {
                resource: resource.clone(),
                actions: statement.actions.iter().map(|action| (*action).to_owned()).collect(),
                context: match statement.via_secrets_manager {
                    true => {
                        let via = VIA.1.replace('*', &format!("{region}.amazonaws.com"));
                        vec![(VIA.0.to_owned(), vec![via])]
                    }
                    false => Vec::new(),
                },
            };
            let each = |statement| move |resource| of(statement, resource);
            statements.iter().flat_map(|one| one.resources.iter().map(each(one))).collect()
        };
        let connection = self.connection.connection(&self.role);
        let secrets: Vec<&str> = self.secret.iter().map(String::as_str).collect();
        let rights = interruptible(async {
            let session = Session::open(&connection, &secrets).await?;
            session.refused(questions(session.region()), self.connection.timeout).await
        })?;
        if self.connection.timings {
            timings(&rights.timings).iter().for_each(|line| output::complain(line));
        }
        let principal = &rights.principal;
        let Some(answers) = &rights.refused else {
            output::complain(&format!(
                "{principal} is the account's root user: no identity policy binds it, and only an \
                 organization's policy may"
            ));
            statements.clear();
            return Ok(0);
        };
        let asked: usize = statements.iter().map(|statement| statement.actions.len()).sum();
        let mut told = BTreeSet::new();
        for refused in answers {
            let action = refused.eval_action_name.as_deref().unwrap_or_default();
            let why = why(refused);
            told.insert(format!("  {action}: {why}"));
        }
        let is_refused = |action: &str| {
            let mut names = answers.iter().filter_map(|one| one.eval_action_name.as_deref());
            names.any(|name| name.eq_ignore_ascii_case(action))
        };
        for statement in statements.iter_mut() {
            statement.actions.retain(|action| is_refused(action));
        }
        statements.retain(|statement| !statement.actions.is_empty());
        let lacking: usize = statements.iter().map(|statement| statement.actions.len()).sum();
        if lacking == 0 {
            output::complain(&format!("{principal} may do all {asked} actions"));
            return Ok(0);
        }
        output::complain(&format!("{principal} lacks {lacking} of {asked} actions:"));
        told.iter().for_each(|line| output::complain(line));
        Ok(1)
    }
}

/// Why AWS says no.
#[cfg(feature = "live")]
fn why(answer: &crate::evidence::SimulatedRequest) -> &'static str {
    let by_organization = answer.organizations_decision_detail.as_ref();
    let by_boundary = answer.permissions_boundary_decision_detail.as_ref();
    if by_organization.is_some_and(|detail| !detail.allowed_by_organizations) {
        "an organization's policy does not let it through"
    } else if by_boundary.is_some_and(|detail| !detail.allowed_by_permissions_boundary) {
        "the permissions boundary does not let it through"
    } else if answer.eval_decision.as_deref() == Some("explicitDeny") {
        "a policy denies it"
    } else {
        "no policy allows it for every resource"
    }
}
