//! `rotdoctor package`.

use std::path::{Path, PathBuf};

use super::{
    Failure,
    options::{ReportOptions, SelectOptions},
};
use crate::{
    evidence::{Evidence, Function, FunctionConfiguration, Observed, Package, Time},
    package::{self, Archive, Limits, local},
    report::{examine_with_profile, v1::Mode},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A deployment package: a zip, a wheel, a folder, or a single compiled file.
    #[arg(value_name = "FILE")]
    #[cfg_attr(feature = "live", arg(required_unless_present = "function"))]
    #[cfg_attr(not(feature = "live"), arg(required = true))]
    file: Option<PathBuf>,
    /// Look into the package and the layers of this function instead, by name or ARN.
    #[cfg(feature = "live")]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["file", "layer", "runtime", "architecture", "handler"])]
    function: Option<String>,
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
    #[cfg(feature = "live")]
    #[command(flatten)]
    connection: super::aws::ConnectionOptions,
    #[cfg(feature = "live")]
    #[command(flatten)]
    role: super::aws::RoleOptions,
}

impl Args {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let selection = self.select.selection()?;
        let evidence = self.evidence()?;
        #[cfg(feature = "live")]
        let profile = self.connection.profile.as_deref().filter(|_| self.function.is_some());
        #[cfg(not(feature = "live"))]
        let profile = None;
        let report = examine_with_profile(&evidence, Mode::Package, &selection, profile);
        self.report.print(&report)?;
        Ok(self.report.exit_code(&report))
    }

    fn evidence(&self) -> Result<Evidence, Failure> {
        #[cfg(feature = "live")]
        if let Some(function) = &self.function {
            return self.connection.collect_function(&self.role, function, &self.report);
        }
        let Some(file) = &self.file else {
            return Err(Failure::Usage("name a deployment package".to_owned()));
        };
        // Days are judged against today.
        let mut evidence =
            Evidence { captured_at: Time(jiff::Timestamp::now()), ..Evidence::default() };
        evidence.package = Observed::Known(self.read(file)?);
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
        Ok(evidence)
    }

    fn read(&self, file: &Path) -> Result<Package, Failure> {
        let mut archives = Vec::new();
        for path in std::iter::once(file).chain(self.layer.iter().map(PathBuf::as_path)) {
            let contents = local::read(path, Limits::default()).map_err(|error| {
                Failure::CannotExamine(format!("package {}: {error}", path.display()))
            })?;
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            let name = if archives.is_empty() { "code".to_owned() } else { name };
            archives.push(Archive { name, contents });
        }
        let mut package = package::package(&archives, self.handler.as_deref());
        let name = file.file_name().unwrap_or(file.as_os_str());
        package.source = Some(name.to_string_lossy().into_owned());
        Ok(package)
    }
}
