//! Evidence from AWS: the options, the session, progress and timings.

use std::{path::PathBuf, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

use super::{
    Failure,
    follow::{self, Follow},
    options::ReportOptions,
    output::{complain, watched},
};
use crate::{
    aws::limits,
    checks::{self, Selection},
    collect::{self, CollectError, Collected, Connection, Progress, Request, Session, Timing},
    evidence::{Evidence, Fact, NamedDatabase, Time},
};

/// How AWS is reached.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ConnectionOptions {
    /// Named profile; wins over credentials in the environment.
    #[arg(long, value_name = "NAME", help_heading = "AWS")]
    pub(super) profile: Option<String>,
    /// Region of the secret.
    #[arg(long, value_name = "REGION", help_heading = "AWS")]
    pub(super) region: Option<String>,
    /// Send every call to this endpoint.
    #[arg(long, value_name = "URL", help_heading = "AWS")]
    endpoint_url: Option<String>,
    /// Trust these certificates (PEM) too; AWS_CA_BUNDLE is honoured.
    #[arg(long, value_name = "FILE", help_heading = "AWS")]
    ca_bundle: Option<PathBuf>,
    /// Stop collecting after this long; what is missing then is inconclusive.
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "AWS")]
    pub(super) timeout: Option<Duration>,
    /// Print every call with its wave and milliseconds on stderr.
    #[arg(long, help_heading = "AWS")]
    pub(super) timings: bool,
    /// Show no progress.
    #[arg(long, help_heading = "AWS")]
    no_progress: bool,
}

/// How AWS is reached, and how much is collected about a secret.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct AwsOptions {
    #[command(flatten)]
    connection: ConnectionOptions,
    #[command(flatten)]
    role: RoleOptions,
    /// Read logs and events back to here: 3d, 12h, or a time such as 2026-11-20T03:00:00Z.
    #[arg(long, value_name = "WHEN", value_parser = since, help_heading = "AWS")]
    since: Option<Time>,
    /// Read the secret's value, to keep the names of its keys and the values that name a place.
    #[arg(long, help_heading = "AWS")]
    read_secret: bool,
    /// Do not look into the function's deployment package; what it would tell is inconclusive.
    #[arg(long, help_heading = "AWS")]
    no_package: bool,
    /// How many look-ups CloudTrail is asked for, which takes two a second: 0 leaves it out.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = limits::TRAIL_CALLS,
        help_heading = "AWS"
    )]
    trail_calls: usize,
    /// Ask AWS for its own opinion on the role's rights (SimulatePrincipalPolicy), which knows
    /// the organization's policies; where it differs is shown beside the findings.
    #[arg(long, help_heading = "AWS")]
    simulate: bool,
}

/// `3d` before now, or a time that has passed.
pub(super) fn since(text: &str) -> Result<Time, String> {
    if let Some(time) = Time::parse(text) {
        let ahead = time.0 > jiff::Timestamp::now();
        return if ahead { Err(format!("'{text}' lies in the future")) } else { Ok(time) };
    }
    let span: jiff::Span = text.parse().map_err(|_| {
        format!("'{text}' is neither a span such as 3d nor a time such as 2026-11-20T03:00:00Z")
    })?;
    jiff::Zoned::now()
        .checked_sub(span.abs())
        .map(|at| Time(at.timestamp()))
        .map_err(|_| format!("'{text}' reaches back too far"))
}

/// `90s`, `2m`, or a number of seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<u64>().map(Duration::from_secs).ok();
    seconds
        .or_else(|| Duration::try_from(text.parse::<jiff::SignedDuration>().ok()?).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| format!("'{text}' is no duration such as 90s or 2m"))
}

/// The role that AWS is asked in.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct RoleOptions {
    /// Assume this role first.
    #[arg(long, value_name = "ARN", help_heading = "AWS")]
    role_arn: Option<String>,
    /// The external id that the role asks for.
    #[arg(long, value_name = "ID", requires = "role_arn", help_heading = "AWS")]
    external_id: Option<String>,
}

impl ConnectionOptions {
    pub(super) fn connection(&self, role: &RoleOptions) -> Connection {
        Connection {
            profile: self.profile.clone(),
            region: self.region.clone(),
            endpoint_url: self.endpoint_url.clone(),
            ca_bundle: self.ca_bundle.clone(),
            role_arn: role.role_arn.clone(),
            external_id: role.external_id.clone(),
            patient: false,
        }
    }

    /// Collects what is known of one function, its package included.
    pub(super) fn collect_function(
        &self,
        role: &RoleOptions,
        function: &str,
        report: &ReportOptions,
    ) -> Result<Evidence, Failure> {
        let bar = self.bar(report, function);
        let connection = self.connection(role);
        let collected = interruptible(async {
            let session = Session::open(&connection, &[function]).await?;
            session.collect_function(function, self.timeout).await
        });
        if let Some(bar) = &bar {
            bar.finish_and_clear();
        }
        Ok(self.unpack(collected?, report))
    }

    fn unpack(&self, collected: Collected, report: &ReportOptions) -> Evidence {
        for note in &collected.notes {
            report.note(&format!("note: {note}"));
        }
        if self.timings {
            for line in timings(&collected.timings) {
                complain(&line);
            }
        }
        if let Some(caller) = collected.caller_arn.as_deref().filter(|_| watched()) {
            report.note(&format!("caller identity: {caller}"));
        }
        let mut evidence = collected.evidence;
        crate::seal::bundle::normalise(&mut evidence);
        evidence
    }

    pub(super) fn bar(&self, report: &ReportOptions, subject: &str) -> Option<ProgressBar> {
        if self.no_progress || report.quiet || !watched() {
            return None;
        }
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {msg}").ok()?;
        bar.set_style(style);
        bar.set_message(subject.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Some(bar)
    }
}

impl AwsOptions {
    fn request(
        &self,
        secret: &str,
        selection: &Selection,
        progress: &Option<ProgressBar>,
    ) -> Request {
        let bar = progress.clone();
        let mut facts = checks::facts(selection, self.read_secret);
        if self.no_package {
            facts.remove(&Fact::Package);
        }
        if self.trail_calls == 0 {
            facts.remove(&Fact::TrailEvents);
        }
        if self.simulate {
            facts.insert(Fact::Simulation);
        }
        Request {
            secret: secret.to_owned(),
            facts,
            read_secret: self.read_secret,
            since: self.since,
            trail_calls: Some(self.trail_calls),
            timeout: self.connection.timeout,
            progress: bar.map(|bar| -> Box<dyn Fn(Progress)> {
                Box::new(move |progress| show(&bar, progress))
            }),
            ..Request::default()
        }
    }

    /// Collects the evidence about one secret.
    pub(super) fn collect(
        &self,
        secret: &str,
        database: Option<NamedDatabase>,
        selection: &Selection,
        report: &ReportOptions,
    ) -> Result<Evidence, Failure> {
        let bar = self.connection.bar(report, secret);
        let request = Request { database, ..self.request(secret, selection, &bar) };
        let connection = self.connection.connection(&self.role);
        let collected = interruptible(collect::collect(&connection, &request));
        if let Some(bar) = &bar {
            bar.finish_and_clear();
        }
        Ok(self.connection.unpack(collected?, report))
    }

    /// Waits until an attempt at a rotation ended.
    /// The profile that was named.
    pub(super) fn profile(&self) -> Option<&str> {
        self.connection.profile.as_deref()
    }

    pub(super) fn follow(&self, secret: &str, follow: Follow) -> Result<(), Failure> {
        let connection = self.connection.connection(&self.role);
        interruptible(async {
            let session = Session::open(&connection, &[secret]).await?;
            follow::follow(&session, secret, self.profile(), follow).await
        })
    }
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_message(format!("wave {}: {} of {}", progress.wave, progress.done, progress.total));
}

/// One line a call, in the order of the waves, and what they add up to.
pub(super) fn timings(timings: &[Timing]) -> Vec<String> {
    let mut sorted: Vec<&Timing> = timings.iter().collect();
    sorted.sort_by_key(|timing| timing.wave);
    let mut lines: Vec<String> = sorted
        .iter()
        .map(|timing| {
            let retried = if timing.attempts > 1 {
                format!(", {} attempts", timing.attempts)
            } else {
                String::new()
            };
            format!(
                "wave {} {:>6} ms  {} {}: {}{retried}",
                timing.wave, timing.milliseconds, timing.operation, timing.resource, timing.outcome
            )
        })
        .collect();
    let waves = sorted.iter().map(|timing| timing.wave).max().unwrap_or(0);
    lines.push(format!("{} calls in {waves} waves", timings.len()));
    lines
}

/// Drives the collection, and ends it at Ctrl-C.
pub(super) fn interruptible<T>(
    work: impl Future<Output = Result<T, CollectError>>,
) -> Result<T, Failure> {
    let outcome = collect::block_on(async {
        tokio::select! {
            result = work => result.map(Some),
            _ = tokio::signal::ctrl_c() => Ok(None),
        }
    });
    match outcome {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(Failure::Interrupted),
        Err(CollectError::Configuration(text)) => Err(Failure::Usage(text)),
        Err(error) => Err(Failure::CannotExamine(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::{duration, since};

    #[test]
    fn spans_and_times_are_read() {
        assert!(since("3d").is_ok());
        assert!(since("12h").is_ok());
        assert_eq!(
            since("2025-11-20T03:00:00Z").map(|t| t.to_string()),
            Ok("2025-11-20T03:00:00Z".to_owned())
        );
        assert!(since("yesterday").is_err());
        assert!(since("2999-01-01").is_err_and(|why| why.contains("in the future")));
        assert_eq!(duration("90s").map(|d| d.as_secs()), Ok(90));
        assert_eq!(duration("2m").map(|d| d.as_secs()), Ok(120));
        assert_eq!(duration("45").map(|d| d.as_secs()), Ok(45));
        assert!(duration("0s").is_err() && duration("-5s").is_err() && duration("soon").is_err());
    }
}
