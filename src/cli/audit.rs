//! `rotdoctor audit`.

use std::path::PathBuf;

use super::{
    Failure,
    options::{ReportOptions, SelectOptions},
    source,
};
use crate::{
    examine,
    report::v1::{self, Mode, NotExamined, Report},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Names, ARNs or partial ARNs of the secrets.
    #[arg(value_name = "SECRET")]
    secrets: Vec<String>,
    /// Read the evidence from bundles instead of AWS.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "secrets")]
    bundle: Vec<PathBuf>,
    /// Every secret of the account and region that rotates.
    #[cfg(feature = "live")]
    #[arg(long, conflicts_with_all = ["secrets", "bundle"])]
    all: bool,
    /// Every secret with this tag that rotates.
    #[cfg(feature = "live")]
    #[arg(long, value_name = "KEY=VALUE", conflicts_with_all = ["secrets", "bundle"])]
    tag: Vec<String>,
    /// Every secret whose name begins so and that rotates.
    #[cfg(feature = "live")]
    #[arg(long, value_name = "PREFIX", conflicts_with_all = ["secrets", "bundle"])]
    name_prefix: Option<String>,
    #[command(flatten)]
    select: SelectOptions,
    #[command(flatten)]
    report: ReportOptions,
    #[cfg(feature = "live")]
    #[command(flatten)]
    aws: super::aws::AwsOptions,
}

impl Args {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let selection = self.select.selection()?;
        let mut reports = Vec::new();
        let mut not_examined = Vec::new();
        let mut take =
            |target: String, mode, evidence: Result<_, Failure>| -> Result<(), Failure> {
                match evidence {
                    Ok(evidence) => reports.push(examine(&evidence, mode, &selection)),
                    Err(Failure::CannotExamine(reason)) => {
                        not_examined.push(NotExamined { target, reason })
                    }
                    Err(other) => return Err(other),
                }
                Ok(())
            };
        for path in &self.bundle {
            take(
                path.display().to_string(),
                Mode::Bundle,
                source::read_bundle(path, &self.report),
            )?;
        }
        #[cfg(feature = "live")]
        if self.bundle.is_empty() {
            let secrets = self.which()?;
            self.aws.collect_each(secrets, &selection, &self.report, &mut |target, evidence| {
                take(target, Mode::Live, evidence)
            })?;
        }
        #[cfg(not(feature = "live"))]
        if self.bundle.is_empty() {
            return Err(source::without_live());
        }
        if reports.is_empty() && not_examined.is_empty() {
            return Err(Failure::CannotExamine(self.nothing_matches()));
        }
        let report = audit_report(reports, not_examined);
        self.report.print_audit(&report)?;
        Ok(exit_code(&self.report, &report))
    }
}

#[cfg(not(feature = "live"))]
impl Args {
    /// What is said where there was nothing to examine.
    fn nothing_matches(&self) -> String {
        "no bundle was named".to_owned()
    }
}

#[cfg(feature = "live")]
impl Args {
    /// What is said where there was nothing to examine: a gate that saw nothing
    /// has not passed.
    fn nothing_matches(&self) -> String {
        let mut chosen: Vec<String> =
            self.tag.iter().map(|tag| format!("has the tag {tag}")).collect();
        chosen.extend(self.name_prefix.iter().map(|prefix| format!("is named {prefix}…")));
        match chosen.as_slice() {
            [] => "no secret here rotates: nothing was examined".to_owned(),
            _ => format!("no secret that rotates {}: nothing was examined", chosen.join(" and ")),
        }
    }

    /// The secrets that were asked for; nothing asked for is an error, so that
    /// a variable that is empty by mistake does not audit nothing or everything.
    fn which(&self) -> Result<super::aws::Secrets<'_>, Failure> {
        use super::aws::Secrets;
        let filtered = self.all || !self.tag.is_empty() || self.name_prefix.is_some();
        if !filtered && self.secrets.is_empty() {
            return Err(Failure::Usage(
                "name the secrets, or choose them with --all, --tag, --name-prefix or --bundle"
                    .to_owned(),
            ));
        }
        if !filtered {
            return Ok(Secrets::Named(&self.secrets));
        }
        let tags = self
            .tag
            .iter()
            .map(|tag| {
                let (key, value) = tag
                    .split_once('=')
                    .ok_or_else(|| Failure::Usage(format!("--tag {tag}: write KEY=VALUE")))?;
                Ok((key.to_owned(), value.to_owned()))
            })
            .collect::<Result<Vec<_>, Failure>>()?;
        Ok(Secrets::Listed(crate::collect::SecretFilter {
            tags,
            name_prefix: self.name_prefix.clone(),
        }))
    }
}

/// Worst first: failing, at risk, unknown, healthy; then by name.
fn audit_report(mut reports: Vec<Report>, mut not_examined: Vec<NotExamined>) -> v1::AuditReport {
    reports.sort_by(|a, b| {
        let key = |report: &Report| (report.verdict, report.target.secret_name.clone());
        key(a).cmp(&key(b))
    });
    not_examined.sort_by(|a, b| a.target.cmp(&b.target));
    let count = |verdict| reports.iter().filter(|report| report.verdict == verdict).count();
    v1::AuditReport {
        schema_version: v1::SCHEMA_VERSION.to_owned(),
        tool: v1::Tool::this(),
        summary: v1::AuditSummary {
            secrets: reports.len() + not_examined.len(),
            failing: count(v1::Verdict::Failing),
            at_risk: count(v1::Verdict::AtRisk),
            unknown: count(v1::Verdict::Unknown),
            healthy: count(v1::Verdict::Healthy),
            not_examined: not_examined.len(),
        },
        reports,
        not_examined,
    }
}

/// 1 where any secret gave 1; else 4 where one could not be examined; else 3
/// where something was not seen; else 0.
fn exit_code(options: &ReportOptions, report: &v1::AuditReport) -> u8 {
    let codes: Vec<u8> = report.reports.iter().map(|report| options.exit_code(report)).collect();
    if codes.contains(&1) {
        1
    } else if !report.not_examined.is_empty() {
        4
    } else {
        codes.into_iter().max().unwrap_or(0)
    }
}
