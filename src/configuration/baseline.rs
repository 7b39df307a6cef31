//! A baseline: an earlier report, whose findings are known. What is the same finding is
//! decided here: code, resource and secret, never words or dates.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::report::v1::{Finding, Target};

/// The findings of an earlier run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// Code, resource, secret.
    known: BTreeSet<(String, String, String)>,
}

/// Why a baseline cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// Neither a JSON object nor a line of JSON for each report.
    #[error("line {line}: not JSON: {message}. A baseline is what --output json or jsonl wrote")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// What the reader says.
        message: String,
    },
    /// JSON of another kind.
    #[error("holds no report. A baseline is what --output json or jsonl wrote")]
    NoReport,
}

impl Baseline {
    /// Reads a report, the reports of an audit, or a report on each line.
    ///
    /// # Errors
    /// [`BaselineError`].
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        let mut baseline = Self::default();
        let wrong = |line, error: serde_json::Error| BaselineError::NotJson {
            line,
            message: error.to_string(),
        };
        match serde_json::from_str::<Value>(text) {
            Ok(whole) => baseline.add(&whole)?,
            Err(error) => {
                let mut lines = text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty());
                // One value over several lines is no stream: its own error is the right one.
                if lines.clone().count() < 2 {
                    return Err(wrong(error.line(), error));
                }
                lines.try_for_each(|(index, line)| {
                    let value = serde_json::from_str(line).map_err(|e| wrong(index + 1, e))?;
                    baseline.add(&value)
                })?;
            }
        }
        Ok(baseline)
    }

    fn add(&mut self, value: &Value) -> Result<(), BaselineError> {
        if let Some(reports) = value["reports"].as_array() {
            return reports.iter().try_for_each(|report| self.add(report));
        }
        // A line about a secret that could not be examined.
        if value["findings"].is_null() && value["reason"].is_string() {
            return Ok(());
        }
        let findings = value["findings"].as_array().ok_or(BaselineError::NoReport)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let target = &value["target"];
        let secret = match text(&target["secret_arn"]) {
            arn if arn.is_empty() => text(&target["secret_name"]),
            arn => arn,
        };
        for finding in findings {
            let (code, resource) = (text(&finding["code"]), text(&finding["resource"]));
            self.known.insert((code, resource, secret.clone()));
        }
        Ok(())
    }

    /// Whether the finding stood in it.
    pub fn has(&self, finding: &Finding, target: &Target) -> bool {
        let secret = target.secret_arn.as_ref().or(target.secret_name.as_ref());
        let secret = secret.cloned().unwrap_or_default();
        self.known.contains(&(finding.code.clone(), finding.resource.clone(), secret))
    }
}

#[cfg(test)]
mod tests {
    use super::{Baseline, BaselineError};

    #[test]
    fn reports_audits_and_lines_are_read_and_nothing_else() {
        let report =
            r#"{"target":{"secret_arn":"arn:a"},"findings":[{"code":"NET01","resource":"r"}]}"#;
        let one = Baseline::parse(report).expect("a report");
        let audit = format!(r#"{{"reports":[{report}]}}"#);
        assert_eq!(Baseline::parse(&audit).expect("an audit"), one);
        let lines = format!("{report}\n{report}\n{{\"target\":\"arn:b\",\"reason\":\"gone\"}}\n");
        assert_eq!(Baseline::parse(&lines).expect("lines"), one);
        assert!(matches!(Baseline::parse("[]"), Err(BaselineError::NoReport)));
        assert!(matches!(
            Baseline::parse(&format!("{report}\n{{")),
            Err(BaselineError::NotJson { line: 2, .. })
        ));
        assert!(matches!(Baseline::parse("no"), Err(BaselineError::NotJson { line: 1, .. })));
    }
}
