//! Puts a configuration to a report: severities that a team has set, findings that it has
//! accepted, findings that it knows. None of them vanishes: each stands under `waived` or
//! `baseline` in the report.

use jiff::civil::Date;

use super::{Baseline, Configuration};
use crate::{
    catalogue::Severity,
    report::v1::{Cause, Finding, Report, Verdict, WaivedBy},
};

/// A configuration at work.
#[derive(Debug)]
pub struct Gate {
    configuration: Configuration,
    baseline: Baseline,
    /// The day by which waivers expire.
    today: Date,
    /// By waiver, whether it covered something.
    used: Vec<bool>,
}

impl Gate {
    /// A gate that judges waivers by that day.
    pub fn new(configuration: Configuration, baseline: Baseline, today: Date) -> Self {
        let used = vec![false; configuration.waivers.len()];
        Self { configuration, baseline, today, used }
    }

    /// Changes a report.
    pub fn pass(&mut self, report: &mut Report) {
        self.set_severities(report);
        let findings = std::mem::take(&mut report.findings);
        for mut finding in findings {
            if let Some(waived) = self.waived(&finding, report) {
                finding.waived_by = Some(waived);
                report.waived.push(finding);
            } else if self.baseline.has(&finding, &report.target) {
                report.baseline.push(finding);
            } else {
                report.findings.push(finding);
            }
        }
        let Report { waived, baseline, causes, .. } = report;
        let set_aside = |cause: &Cause| {
            waived.iter().chain(&*baseline).any(|finding| {
                finding.code == cause.finding.code && finding.resource == cause.finding.resource
            })
        };
        causes.retain(|cause| !set_aside(cause));
        recount(report);
    }

    fn set_severities(&self, report: &mut Report) {
        let causes = report.causes.iter_mut().map(|cause| &mut cause.finding);
        for finding in causes.chain(&mut report.findings) {
            if let Some(severity) = self.configuration.severity.get(&finding.code) {
                finding.severity = *severity;
            }
        }
    }

    /// The waiver that covers a finding today, where one does.
    fn waived(&mut self, finding: &Finding, report: &Report) -> Option<WaivedBy> {
        let mut covering = None;
        for (waiver, used) in self.configuration.waivers.iter().zip(&mut self.used) {
            if !waiver.covers(finding, &report.target) {
                continue;
            }
            *used = true;
            if !waiver.has_expired(self.today) && covering.is_none() {
                covering = Some(WaivedBy {
                    reason: waiver.reason.clone(),
                    until: waiver.until.to_string(),
                });
            }
        }
        covering
    }

    /// What a run should be told in the end: waivers that covered nothing, and those that
    /// have expired.
    pub fn notes(&self) -> Vec<String> {
        let waivers = self.configuration.waivers.iter().zip(&self.used);
        waivers
            .filter_map(|(waiver, used)| {
                let name = format!(
                    "the waiver of {} for {} (line {})",
                    waiver.code, waiver.resource, waiver.line
                );
                if !used {
                    return Some(format!("{name} covers nothing: remove or correct it"));
                }
                let expired = waiver.has_expired(self.today);
                expired.then(|| format!("{name} expired after {}: it counts again", waiver.until))
            })
            .collect()
    }
}

/// Counts again what stands in the report, and says at risk where something still is, or
/// where a waiver or the baseline covers what is.
fn recount(report: &mut Report) {
    let count = |severity| report.findings.iter().filter(|one| one.severity == severity).count();
    let (errors, warnings, notes) =
        (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
    report.summary.causes = report.causes.len();
    report.summary.errors = errors;
    report.summary.warnings = warnings;
    report.summary.notes = notes;
    let set_aside = report.waived.iter().chain(&report.baseline);
    let covered = set_aside.filter(|finding| finding.severity <= Severity::Warning).count();
    let at_risk = errors + warnings + covered > 0;
    report.verdict = match report.verdict {
        Verdict::AtRisk if !at_risk && report.inconclusive.is_empty() => Verdict::Healthy,
        Verdict::AtRisk if !at_risk => Verdict::Unknown,
        Verdict::Healthy | Verdict::Unknown if at_risk => Verdict::AtRisk,
        verdict => verdict,
    };
}
