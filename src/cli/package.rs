//! `rotdoctor package`.

use std::path::PathBuf;

use super::{
    Failure,
    options::{ReportOptions, SelectOptions},
};
use crate::{
    evidence::{Evidence, Function, FunctionConfiguration, Observed, Package, Time},
    examine,
    package::{self, Archive, Limits, local},
    report::v1::Mode,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A deployment package: a zip, a wheel, a folder, or a single compiled file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A layer that the function has, as a zip or a folder.
    #[arg(long, value_name = "FILE")]
    layer: Vec<PathBuf>,
    /// The function's runtime, such as python3.12, to hold the package against.
    #[arg(long, value_name = "RUNTIME")]
    runtime: Option<String>,
    /// The function's architecture, to hold the package against.
    #[arg(long, value_name = "ARCHITECTURE", value_parser = ["x86_64", "arm64"])]
    architecture: Option<String>,
    /// The function's handler, where it is not lambda_function.lambda_handler.
    #[arg(long, value_name = "HANDLER")]
    handler: Option<String>,
    #[command(flatten)]
    select: SelectOptions,
    #[command(flatten)]
    report: ReportOptions,
}

impl Args {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let selection = self.select.selection()?;
        // Days are judged against today.
        let mut evidence =
            Evidence { captured_at: Time(jiff::Timestamp::now()), ..Evidence::default() };
        evidence.package = Observed::Known(self.read()?);
        evidence.function = Observed::Known(Function {
            configuration: FunctionConfiguration {
                function_name: Some("the function".to_owned()),
                runtime: self.runtime.clone(),
                architectures: self.architecture.iter().cloned().collect(),
                handler: self.handler.clone(),
                ..FunctionConfiguration::default()
            },
            ..Function::default()
        });
        let report = examine(&evidence, Mode::Package, &selection);
        self.report.print(&report)?;
        Ok(self.report.exit_code(&report))
    }

    fn read(&self) -> Result<Package, Failure> {
        let mut archives = Vec::new();
        for path in std::iter::once(&self.file).chain(&self.layer) {
            let contents = local::read(path, Limits::default()).map_err(|error| {
                Failure::CannotExamine(format!("package {}: {error}", path.display()))
            })?;
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            let name = if archives.is_empty() { "code".to_owned() } else { name };
            archives.push(Archive { name, contents });
        }
        let mut package = package::package(&archives, self.handler.as_deref());
        let name = self.file.file_name().unwrap_or(self.file.as_os_str());
        package.source = Some(name.to_string_lossy().into_owned());
        Ok(package)
    }
}
