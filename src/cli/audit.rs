//! `rotdoctor audit`.

use std::{collections::BTreeSet, path::PathBuf};

use super::{
    Failure,
    declared::{self, DeclaredOptions},
    gather::Gather,
    options::{ConfigurationOptions, ReportOptions, SelectOptions},
    source,
};
use crate::{
    checks::Selection,
    report::{self, examine, v1::Mode},
    template,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Names, ARNs or partial ARNs of the secrets.
    #[arg(value_name = "SECRET")]
    secrets: Vec<String>,
    /// Read the evidence from bundles instead of AWS.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "secrets")]
    bundle: Vec<PathBuf>,
    #[command(flatten)]
    declared: DeclaredOptions,
    /// Region of what is declared.
    #[cfg(not(feature = "live"))]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    #[command(flatten)]
    select: SelectOptions,
    #[command(flatten)]
    configuration: ConfigurationOptions,
    #[command(flatten)]
    report: ReportOptions,
    #[cfg(feature = "live")]
    #[command(flatten)]
    many: super::bulk::BulkOptions,
}

impl Args {
    pub(super) fn run(mut self) -> Result<u8, Failure> {
        let settled = self.configuration.configuration(true)?;
        let selection = self.select.selection_with(&settled)?;
        self.report.settle(&settled);
        let mut gather = Gather::new(&self.report, self.configuration.gate(settled)?);
        if self.declared.is_given() {
            self.declared(&selection, &mut gather)?;
            return gather.finish();
        }
        let mut seen = BTreeSet::new();
        for path in self.bundle.iter().filter(|path| seen.insert(*path)) {
            match source::read_bundle(path, &self.report) {
                Ok(evidence) => gather.report(examine(&evidence, Mode::Bundle, &selection))?,
                Err(Failure::CannotExamine(reason)) => {
                    gather.failed(path.display().to_string(), reason)?;
                }
                Err(other) => return Err(other),
            }
        }
        if self.bundle.is_empty() {
            self.live(&selection, &mut gather)?;
        }
        gather.finish()
    }

    /// Examines what files declare, laid over what exists.
    fn declared(&self, selection: &Selection, gather: &mut Gather<'_>) -> Result<(), Failure> {
        let mut underneath = Vec::new();
        for path in &self.bundle {
            underneath.push(source::read_bundle(path, &self.report)?);
        }
        for file in self.declared.read(self.region())? {
            let declarations = match file.declarations {
                Ok(declarations) => declarations,
                Err(reason) => {
                    gather.failed(file.name, reason)?;
                    continue;
                }
            };
            declared::tell_notes(&file.name, &declarations, &self.report);
            for declared in &declarations.unexamined {
                let mut report = examine(&declared.evidence, file.mode, selection);
                report::locate(&mut report, &declared.origins);
                gather.report(report)?;
            }
            for mut declared in declarations.rotations {
                #[cfg(feature = "live")]
                let live = match self.many.with_live() {
                    true => {
                        Some(self.many.underneath(&declared.evidence, selection, &self.report)?)
                    }
                    false => None,
                };
                #[cfg(not(feature = "live"))]
                let live = None;
                for evidence in underneath.iter().chain(&live) {
                    template::lay_over(&mut declared, evidence);
                }
                let mut report = examine(&declared.evidence, file.mode, selection);
                report::locate(&mut report, &declared.origins);
                gather.report(report)?;
            }
        }
        Ok(())
    }

    /// The region that was named.
    fn region(&self) -> Option<&str> {
        #[cfg(feature = "live")]
        return self.many.region();
        #[cfg(not(feature = "live"))]
        return self.region.as_deref();
    }

    #[cfg(not(feature = "live"))]
    #[allow(clippy::unused_self)] // as with the feature
    fn live(&self, _: &Selection, _: &mut Gather<'_>) -> Result<(), Failure> {
        Err(source::without_live())
    }

    #[cfg(feature = "live")]
    fn live(&self, selection: &Selection, gather: &mut Gather<'_>) -> Result<(), Failure> {
        self.many.examine(&self.secrets, selection, &self.report, gather)?;
        if gather.is_empty() && !self.many.is_a_part() {
            return Err(Failure::CannotExamine(self.many.nothing_matches()));
        }
        Ok(())
    }
}
