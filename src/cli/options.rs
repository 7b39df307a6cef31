//! Options that several sub-commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Failure, files};
use crate::{
    catalogue::Severity,
    checks::Selection,
    configuration::{self, Baseline, Configuration, Gate},
    evidence::NamedDatabase,
    report::v1::{Mode, Report, Verdict},
};

/// Which checks run.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct SelectOptions {
    /// Only these checks: codes, code names, check names or areas (NET, SEC, …).
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    check: Vec<String>,
    /// All but these checks.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    skip: Vec<String>,
}

impl SelectOptions {
    pub(super) fn of(check: Vec<String>, skip: Vec<String>) -> Self {
        Self { check, skip }
    }

    pub(super) fn selection(&self) -> Result<Selection, Failure> {
        Selection::new(&self.check, &self.skip)
            .map_err(|unknown| Failure::Usage(unknown.to_string()))
    }

    /// The same with a configuration: what --check says wins over it, what either skips
    /// is skipped.
    pub(super) fn selection_with(&self, settled: &Configuration) -> Result<Selection, Failure> {
        let check = if self.check.is_empty() { &settled.check } else { &self.check };
        let skip: Vec<String> = self.skip.iter().chain(&settled.skip).cloned().collect();
        Selection::new(check, &skip).map_err(|unknown| Failure::Usage(unknown.to_string()))
    }
}

/// What a team has settled.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ConfigurationOptions {
    /// Checks, severities and waivers; an audit reads ./rotdoctor.toml by itself.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Report only what an earlier report (--output json or jsonl) does not have.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
}

impl ConfigurationOptions {
    /// The configuration that was named, or that lies where an audit runs.
    pub(super) fn configuration(&self, of_audit: bool) -> Result<Configuration, Failure> {
        let own = PathBuf::from(configuration::FILE);
        let path = match &self.config {
            Some(path) => path,
            None if of_audit && own.exists() => &own,
            None => return Ok(Configuration::default()),
        };
        files::read_settings(&path.display().to_string(), path, Configuration::parse)
    }

    /// The configuration at work, with the baseline that was named.
    pub(super) fn gate(&self, configuration: Configuration) -> Result<Gate, Failure> {
        let baseline = match &self.baseline {
            None => Baseline::default(),
            Some(path) => {
                let named = format!("--baseline {}", path.display());
                files::read_settings(&named, path, Baseline::parse)?
            }
        };
        Ok(Gate::new(configuration, baseline, jiff::Zoned::now().date()))
    }
}

/// The database, where the caller knows better.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct DatabaseOptions {
    /// The database that the function has to reach; a host of IPv6 stands in brackets.
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    pub(super) db: Option<NamedDatabase>,
}

fn host_and_port(text: &str) -> Result<NamedDatabase, String> {
    let wrong = || format!("'{text}' is no HOST:PORT such as orders.example.com:5432");
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = bracketed.unwrap_or(host);
    let good = match bracketed {
        Some(address) => address.parse::<std::net::IpAddr>().is_ok(),
        None => host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)),
    };
    if host.is_empty() || !good {
        return Err(wrong());
    }
    match port.parse() {
        Ok(0) | Err(_) => Err(wrong()),
        Ok(port) => Ok(NamedDatabase { host: host.to_ascii_lowercase(), port }),
    }
}

/// What is printed, and what it makes of the exit code.
#[derive(Clone, Debug, Args)]
pub(super) struct ReportOptions {
    /// Format of the report.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    pub(super) output: Format,
    /// Write the report to a file instead of stdout.
    #[arg(long, value_name = "FILE")]
    pub(super) output_file: Option<PathBuf>,
    /// When to colour.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub(super) color: Color,
    /// Show everything: all proofs, all causes, all checks.
    #[arg(long, short)]
    pub(super) verbose: bool,
    /// Print nothing but the report.
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// The lowest severity that makes the exit code 1; error where nothing says otherwise.
    #[arg(long, value_name = "LEVEL", value_enum)]
    pub(super) fail_on: Option<FailOn>,
    /// Whether open questions make the exit code 3; allow for templates and plans, else fail.
    #[arg(long, value_name = "HOW", value_enum)]
    pub(super) open: Option<OpenQuestions>,
    /// Exit 0 where it would be 1 or 3.
    #[arg(long)]
    pub(super) exit_zero: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For programs: report version 1.
    Json,
    /// For tickets and chat.
    Markdown,
    /// For programs that read a stream: a report on each line.
    Jsonl,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// For the test view of a pipeline: JUnit XML.
    Junit,
    /// For GitHub Actions: annotations, and the step's summary.
    Github,
}

impl Format {
    /// Whether an audit names the checks too that passed or did not apply.
    pub(super) fn lists_every_check(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl | Self::Junit)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR says otherwise.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Errors.
    Error,
    /// Errors and warnings.
    Warning,
    /// Nothing.
    Never,
}

/// What open questions make of the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OpenQuestions {
    /// Exit 3.
    Fail,
    /// Exit 0.
    Allow,
}

impl ReportOptions {
    /// Takes over what the command line leaves open.
    pub(super) fn settle(&mut self, settled: &Configuration) {
        let level = settled.fail_on.as_deref();
        let level = level.and_then(|level| FailOn::from_str(level, false).ok());
        self.fail_on = self.fail_on.or(level);
        let open = settled.open.as_deref();
        let open = open.and_then(|open| OpenQuestions::from_str(open, false).ok());
        self.open = self.open.or(open);
    }

    /// The exit code of one report.
    pub(super) fn exit_code(&self, report: &Report) -> u8 {
        // A rotation that is seen to fail is an error, even where no check can name its
        // cause; where each cause is accepted or known, so is that it fails.
        let accepted =
            report.causes.is_empty() && !(report.waived.is_empty() && report.baseline.is_empty());
        let failing = report.verdict == Verdict::Failing && !accepted;
        let reached = match self.fail_on.unwrap_or(FailOn::Error) {
            FailOn::Never => false,
            FailOn::Error => failing || worst(report) == Some(Severity::Error),
            FailOn::Warning => {
                failing || worst(report).is_some_and(|severity| severity <= Severity::Warning)
            }
        };
        let unseen = !report.inconclusive.is_empty() || report.verdict == Verdict::Unknown;
        // Of what is declared, parameters and other stacks decide what the file leaves open.
        let by_mode = match report.mode {
            Mode::Template | Mode::Plan => OpenQuestions::Allow,
            _ => OpenQuestions::Fail,
        };
        let unseen = unseen && self.open.unwrap_or(by_mode) == OpenQuestions::Fail;
        match (reached, unseen) {
            _ if self.exit_zero => 0,
            (true, _) => 1,
            (false, true) => 3,
            (false, false) => 0,
        }
    }
}

fn worst(report: &Report) -> Option<Severity> {
    report.findings.iter().map(|finding| finding.severity).min()
}

#[cfg(test)]
mod tests {
    use super::host_and_port;

    #[test]
    fn a_database_is_a_host_and_a_port() {
        let read = |text: &str| host_and_port(text).map(|it| (it.host, it.port)).ok();
        assert_eq!(read("Orders.example.com:5432"), Some(("orders.example.com".to_owned(), 5432)));
        assert_eq!(read("10.0.0.7:3306"), Some(("10.0.0.7".to_owned(), 3306)));
        assert_eq!(read("[fd00::7]:1433"), Some(("fd00::7".to_owned(), 1433)));
        for wrong in ["db", "db:", ":5432", "db:0", "db:70000", "fd00::7:1433", "[db]:1", "a b:1"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
