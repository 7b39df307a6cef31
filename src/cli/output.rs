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
    github,
    json::{self, LineType},
    junit, markdown, sarif, table,
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
            Format::Jsonl => json::line(LineType::Report, report),
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
                let reports = report.reports.iter();
                let reports = reports.map(|report| json::line(LineType::Report, report));
                let others = report.not_examined.iter();
                let others = others.map(|other| json::line(LineType::NotExamined, other));
                reports.chain(others).collect()
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

/// Writes a file whole or not at all, so that a failure loses nothing. Only its owner may
/// read it: evidence and reports tell how an account is built.
pub(super) fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    let fail =
        |error: io::Error| Failure::Usage(format!("cannot write {}: {error}", path.display()));
    if path.exists() && !path.is_file() {
        // A pipe or a device is written to, never replaced.
        return fs::write(path, text).map_err(fail);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // In the same folder, so that it can be renamed, which replaces a link and never follows
    // it. It has a random name and mode 0600, and is deleted where anything fails.
    let mut file =
        tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(fail)?;
    file.write_all(text.as_bytes()).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::write_file;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        for text in ["first, and longer", "second"] {
            write_file(&path, text).expect("it is written");
            assert_eq!(fs::read_to_string(&path).expect("a file"), text);
        }
        assert_eq!(fs::read_dir(&folder).expect("the folder").count(), 1);
        assert!(write_file(&folder.path().join("no/such/folder"), "text").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_it_and_a_link_is_replaced_not_followed() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let folder = tempfile::tempdir().expect("a folder");
        let (victim, link) = (folder.path().join("victim"), folder.path().join("out.json"));
        fs::write(&victim, "precious").expect("a file");
        symlink(&victim, &link).expect("a link");
        write_file(&link, "report").expect("it is written");
        assert_eq!(fs::read_to_string(&victim).expect("a file"), "precious");
        let written = fs::symlink_metadata(&link).expect("a file");
        assert!(written.is_file());
        assert_eq!(written.permissions().mode() & 0o777, 0o600);
    }
}
