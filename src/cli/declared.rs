//! Evidence of what is not deployed yet: templates and plans, their parameters, and the
//! existing resources.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{Failure, files, options::ReportOptions};
use crate::{
    evidence::Time,
    report::v1::Mode,
    template::{self, Declarations, Settings},
};

/// Templates and plans.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct DeclaredOptions {
    /// Read what is to be deployed from CloudFormation templates (YAML or JSON, `-` for stdin);
    /// with --bundle, laid over what stands in the bundles.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "secrets")]
    pub(super) template: Vec<PathBuf>,
    /// Values of the templates' parameters: a file as `aws cloudformation` takes it, or
    /// KEY=VALUE.
    #[arg(long, value_name = "FILE|KEY=VALUE", num_args = 1.., requires = "template")]
    parameters: Vec<String>,
    /// Read what is to be deployed from Terraform plans, as `terraform show -json` prints
    /// them (`-` for stdin).
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "secrets")]
    pub(super) plan: Vec<PathBuf>,
}

/// One file with what it declares, or why it cannot be read.
pub(super) struct ReadFile {
    pub(super) mode: Mode,
    pub(super) name: String,
    pub(super) declarations: Result<Declarations, String>,
}

impl DeclaredOptions {
    /// Whether any file is named.
    pub(super) fn is_given(&self) -> bool {
        !(self.template.is_empty() && self.plan.is_empty())
    }

    /// Reads every file.
    pub(super) fn read(&self, region: Option<&str>) -> Result<Vec<ReadFile>, Failure> {
        let parameters = self.parameters()?;
        let settings = |path: &Path| Settings {
            file: path.display().to_string(),
            region: region.map(str::to_owned),
            account_id: None,
            parameters: parameters.clone(),
            captured_at: Time(jiff::Timestamp::now()),
        };
        let texts: Vec<Result<String, String>> =
            self.template.iter().map(|path| text_of(path)).collect();
        let names: Vec<String> =
            self.template.iter().map(|path| path.display().to_string()).collect();
        let templates = self.template.iter().enumerate().map(|(at, path)| {
            // What one template imports, another of them may export.
            let others: Vec<(&str, &str)> = names
                .iter()
                .zip(&texts)
                .enumerate()
                .filter(|(other, _)| *other != at)
                .filter_map(|(_, (name, text))| Some((name.as_str(), text.as_deref().ok()?)))
                .collect();
            let read = |text: &str| {
                template::cloudformation::read_with(text, &others, &settings(path))
                    .map_err(|error| error.to_string())
            };
            (Mode::Template, path, texts[at].clone().and_then(|text| read(&text)))
        });
        let plans = self.plan.iter().map(|path| {
            let read = |text: String| {
                template::terraform::read(&text, &settings(path)).map_err(|error| error.to_string())
            };
            (Mode::Plan, path, text_of(path).and_then(read))
        });
        let files = templates.chain(plans);
        Ok(files
            .map(|(mode, path, declarations)| ReadFile {
                mode,
                name: path.display().to_string(),
                declarations,
            })
            .collect())
    }

    fn parameters(&self) -> Result<BTreeMap<String, String>, Failure> {
        let mut all = BTreeMap::new();
        for given in &self.parameters {
            let path = Path::new(given);
            if let Some((key, value)) = given.split_once('=').filter(|_| !path.exists()) {
                all.insert(key.to_owned(), value.to_owned());
                continue;
            }
            all.extend(files::read_settings(&format!("--parameters {given}"), path, parameters)?);
        }
        Ok(all)
    }
}

/// The text of a file.
fn text_of(path: &Path) -> Result<String, String> {
    let bytes = files::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes)
        .map_err(|_| "not text: a plan file is binary; `terraform show -json` prints it".to_owned())
}

/// The three forms that AWS's tools take: a list of ParameterKey and ParameterValue, an
/// object under `Parameters`, a plain object.
fn parameters(text: &str) -> Result<BTreeMap<String, String>, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    let written = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        // A list parameter in a plain object.
        Value::Array(items) => {
            let items = items.iter().map(|item| item.as_str().map(str::to_owned));
            items.collect::<Option<Vec<_>>>().map(|items| items.join(","))
        }
        _ => None,
    };
    let expected =
        "write [{\"ParameterKey\": \"…\", \"ParameterValue\": \"…\"}] or {\"KEY\": \"VALUE\"}";
    match &value {
        Value::Array(list) => {
            let pair = |one: &Value| {
                // The previous value is the stack's, which no file tells.
                if one["UsePreviousValue"] == Value::Bool(true) {
                    return Some(None);
                }
                let key = one["ParameterKey"].as_str()?.to_owned();
                Some(Some((key, written(&one["ParameterValue"])?)))
            };
            let pairs = list.iter().map(pair).collect::<Option<Vec<_>>>();
            Ok(pairs.ok_or(expected)?.into_iter().flatten().collect())
        }
        Value::Object(object) => {
            let inner = object.get("Parameters").and_then(Value::as_object).unwrap_or(object);
            let pair = |(key, value): (&String, &Value)| Some((key.clone(), written(value)?));
            inner.iter().map(pair).collect::<Option<_>>().ok_or_else(|| expected.to_owned())
        }
        _ => Err(expected.to_owned()),
    }
}

/// Tells what a file may hide.
pub(super) fn tell_notes(name: &str, declarations: &Declarations, report: &ReportOptions) {
    for note in &declarations.notes {
        report.note(&format!("note: {name}: {note}"));
    }
    if declarations.rotations.is_empty() && declarations.unexamined.is_empty() {
        report.note(&format!("note: {name}: declares no rotation: nothing to judge"));
    }
}

#[cfg(test)]
mod tests {
    use super::parameters;

    #[test]
    fn parameters_are_read_in_the_forms_of_aws() {
        let pair = |text: &str| parameters(text).map(|map| map.into_iter().collect::<Vec<_>>());
        let a = vec![("A".to_owned(), "1".to_owned())];
        assert_eq!(pair(r#"[{"ParameterKey":"A","ParameterValue":"1"}]"#), Ok(a.clone()));
        assert_eq!(pair(r#"{"Parameters":{"A":"1"},"Tags":{"x":"y"}}"#), Ok(a.clone()));
        assert_eq!(pair(r#"{"A":1}"#), Ok(a));
        let list = vec![("A".to_owned(), "b,c".to_owned())];
        assert_eq!(pair(r#"{"A":["b","c"]}"#), Ok(list));
        assert_eq!(pair(r#"[{"ParameterKey":"A","UsePreviousValue":true}]"#), Ok(Vec::new()));
        assert!(pair("[{}]").is_err_and(|why| why.contains("ParameterKey")));
        assert!(pair("no").is_err() && pair("3").is_err());
    }
}
