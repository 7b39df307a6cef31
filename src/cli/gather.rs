//! The reports of an audit on their way out: counted, put in order, or printed one by
//! one where the format is a stream.

use super::{
    Failure,
    options::{Format, ReportOptions},
    output,
};
use crate::{
    configuration::Gate,
    report::{
        json::{self, LineType},
        v1::{self, AuditReport, AuditSummary, NotExamined, Report, Verdict},
    },
};

/// The reports of an audit.
pub(super) struct Gather<'a> {
    options: &'a ReportOptions,
    gate: Gate,
    summary: AuditSummary,
    /// The exit codes that single reports would have.
    codes: Vec<u8>,
    reports: Vec<Report>,
    not_examined: Vec<NotExamined>,
}

impl<'a> Gather<'a> {
    pub(super) fn new(options: &'a ReportOptions, gate: Gate) -> Self {
        Self {
            options,
            gate,
            summary: AuditSummary::default(),
            codes: Vec::new(),
            reports: Vec::new(),
            not_examined: Vec::new(),
        }
    }

    /// Lines go out as they come, so that an organization's reports are never held at once.
    fn streams(&self) -> bool {
        self.options.output == Format::Jsonl && self.options.output_file.is_none()
    }

    /// Takes the report about one secret.
    pub(super) fn report(&mut self, mut report: Report) -> Result<(), Failure> {
        self.gate.pass(&mut report);
        self.summary.secrets += 1;
        let count = match report.verdict {
            Verdict::Failing => &mut self.summary.failing,
            Verdict::Recovering => &mut self.summary.recovering,
            Verdict::AtRisk => &mut self.summary.at_risk,
            Verdict::Unknown => &mut self.summary.unknown,
            Verdict::Healthy => &mut self.summary.healthy,
        };
        *count += 1;
        let code = self.options.exit_code(&report);
        if !self.codes.contains(&code) {
            self.codes.push(code);
        }
        if self.streams() {
            return output::print(&json::line(LineType::Report, &report));
        }
        if !self.options.output.lists_every_check() {
            // What is not shown is not held: of ten thousand secrets it is most of the memory.
            report.passed = Vec::new();
            report.not_applicable = Vec::new();
        }
        self.reports.push(report);
        Ok(())
    }

    /// Takes what could not be examined, and why.
    pub(super) fn failed(&mut self, target: String, reason: String) -> Result<(), Failure> {
        self.summary.secrets += 1;
        self.summary.not_examined += 1;
        let failed = NotExamined { target, reason };
        if self.streams() {
            return output::print(&json::line(LineType::NotExamined, &failed));
        }
        self.not_examined.push(failed);
        Ok(())
    }

    /// Whether nothing was taken.
    #[cfg(feature = "live")]
    pub(super) fn is_empty(&self) -> bool {
        self.summary.secrets == 0
    }

    /// Prints what was not printed yet, worst first, and says how the run ends.
    pub(super) fn finish(mut self) -> Result<u8, Failure> {
        let code = self.exit_code();
        let notes = self.gate.notes();
        for note in &notes {
            self.options.note(&format!("note: {note}"));
        }
        if self.streams() {
            return Ok(code);
        }
        // Failing, at risk, unknown, healthy; then by name and place.
        self.reports.sort_by(|a, b| {
            let (one, other) = (&a.target, &b.target);
            (a.verdict, &one.secret_name, &one.secret_arn).cmp(&(
                b.verdict,
                &other.secret_name,
                &other.secret_arn,
            ))
        });
        self.not_examined.sort_by(|a, b| a.target.cmp(&b.target));
        self.options.print_audit(&AuditReport {
            schema_version: v1::SCHEMA_VERSION.to_owned(),
            tool: v1::Tool::this(),
            summary: self.summary,
            reports: self.reports,
            not_examined: self.not_examined,
            notes,
        })?;
        Ok(code)
    }

    /// 1 where any secret gave 1; else 4 where one could not be examined; else 3 where
    /// something was not seen; else 0.
    fn exit_code(&self) -> u8 {
        if self.codes.contains(&1) {
            1
        } else if self.summary.not_examined > 0 {
            4
        } else {
            self.codes.iter().copied().max().unwrap_or(0)
        }
    }
}
