//! Where text goes: reports to stdout or a file, everything else to stderr.

use std::{
    env, fs,
    io::{self, Write},
    path::Path,
    slice,
};

use super::{
    Failure,
    options::{Color, Format, ReportOptions},
};
use crate::report::{
    github, json, junit, markdown, sarif, table,
    text::{self, Layout},
    v1::{AuditReport, Report},
};

/// Beyond this, lines are harder to read, not easier.
const MAX_WIDTH: usize = 110;

/// Says something on stderr.
#[allow(clippy::print_stderr)]
pub(super) fn complain(text: &str) {
    eprintln!("rotdoctor: {}", crate::report::sanitise::for_terminal(text));
}

impl ReportOptions {
    /// Says something on stderr, unless quiet.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            complain(text);
        }
    }

    /// Prints one report.
    pub(super) fn print(&self, report: &Report) -> Result<(), Failure> {
        let text = match self.output {
            Format::Text => text::render(report, self.layout()),
            Format::Json => json::render(report),
            Format::Markdown => markdown::render(report),
            Format::Jsonl => json::line(report),
            Format::Sarif => sarif::render(slice::from_ref(report), &[]),
            Format::Junit => junit::render(slice::from_ref(report), &[]),
            Format::Github => {
                summarise(&markdown::render(report))?;
                github::render(slice::from_ref(report), &[])
            }
        };
        self.deliver(&text)
    }

    /// Prints the reports of an audit.
    pub(super) fn print_audit(&self, report: &AuditReport) -> Result<(), Failure> {
        let text = match self.output {
            Format::Text => table::audit(report, self.layout()),
            Format::Json => json::render(report),
            Format::Markdown => markdown::audit(report),
            Format::Jsonl => {
                let reports = report.reports.iter().map(json::line);
                reports.chain(report.not_examined.iter().map(json::line)).collect()
            }
            Format::Sarif => sarif::render(&report.reports, &report.not_examined),
            Format::Junit => junit::render(&report.reports, &report.not_examined),
            Format::Github => {
                summarise(&markdown::audit(report))?;
                github::render(&report.reports, &report.not_examined)
            }
        };
        self.deliver(&text)
    }

    fn layout(&self) -> Layout {
        let terminal =
            if self.output_file.is_none() { terminal_layout() } else { Layout::default() };
        Layout { verbose: self.verbose, ..terminal }
    }

    fn deliver(&self, text: &str) -> Result<(), Failure> {
        match &self.output_file {
            Some(path) => write_file(path, &plain_unless(self.color == Color::Always, text)),
            None => {
                let choice = match self.color {
                    Color::Auto => anstream::AutoStream::choice(&io::stdout()),
                    Color::Always => anstream::ColorChoice::Always,
                    Color::Never => anstream::ColorChoice::Never,
                };
                write_stdout(&mut anstream::AutoStream::new(io::stdout(), choice), text)
            }
        }
    }
}

/// Adds to the summary of the step, where GitHub Actions has given it a file.
fn summarise(text: &str) -> Result<(), Failure> {
    let Some(path) = env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let file = fs::OpenOptions::new().create(true).append(true).open(&path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
        Failure::Usage(format!("cannot write GITHUB_STEP_SUMMARY {}: {error}", path.display()))
    })
}

fn plain_unless(coloured: bool, text: &str) -> String {
    if coloured { text.to_owned() } else { anstream::adapter::strip_str(text).to_string() }
}

/// As wide as the terminal that stdout is, within reason.
pub(super) fn terminal_layout() -> Layout {
    let terminal = terminal_size::terminal_size_of(io::stdout());
    let width = terminal.map(|(width, _)| usize::from(width.0).min(MAX_WIDTH));
    Layout { width: width.unwrap_or(Layout::default().width), ..Layout::default() }
}

/// Prints text with its colours where stdout shows them.
pub(super) fn print_styled(text: &str) -> Result<(), Failure> {
    let choice = anstream::AutoStream::choice(&io::stdout());
    write_stdout(&mut anstream::AutoStream::new(io::stdout(), choice), text)
}

/// Prints text as it is.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    write_stdout(&mut io::stdout(), text)
}

/// Writes a file whole or not at all, so that a failure loses nothing.
pub(super) fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    let fail =
        |error: io::Error| Failure::Usage(format!("cannot write {}: {error}", path.display()));
    if !path.exists() || path.is_file() {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        write_private(Path::new(&partial), text).map_err(fail)?;
        return std::fs::rename(&partial, path).map_err(fail);
    }
    // A pipe or a device is written to, never replaced.
    std::fs::write(path, text).map_err(fail)
}

/// Writes a new file that only its owner may read: evidence and reports tell how an
/// account is built.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    // What an earlier run left behind keeps its mode.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    file.write_all(text.as_bytes())
}

fn write_stdout(stdout: &mut impl Write, text: &str) -> Result<(), Failure> {
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // The reader has seen enough: that is no failure of ours.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::Usage(format!("cannot write to stdout: {error}"))),
        Ok(()) => Ok(()),
    }
}

#[cfg(feature = "live")]
/// Whether stderr is a terminal that a person watches.
pub(super) fn watched() -> bool {
    io::IsTerminal::is_terminal(&io::stderr()) && std::env::var_os("CI").is_none()
}
