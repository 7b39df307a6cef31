//! Policy documents: the model and how it is read. Reading never fails on odd
//! JSON: what AWS would refuse is kept as a fault, and matches nothing.
//!
//! Semantics: IAM User Guide, "Grammar of the IAM JSON policy language".

use std::{fmt, sync::Arc};

use serde_json::Value;

use super::{
    action::ActionPattern,
    arn_pattern::ResourcePattern,
    condition::{Condition, texts},
    principal::Names,
};
use crate::evidence::PolicyDocument;

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Allows.
    Allow,
    /// Denies.
    Deny,
}

impl fmt::Display for Effect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        })
    }
}

/// A policy document with the name it is known by.
#[derive(Clone, Debug)]
pub struct Policy {
    name: String,
    document: Arc<Value>,
    pub(super) statements: Vec<Statement>,
    faults: Vec<String>,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its place in the document, from 0.
    pub index: usize,
    /// Its Sid, where it has one.
    pub sid: Option<String>,
    /// What it does.
    pub effect: Effect,
    pub(super) principal: Option<Listed<Names>>,
    pub(super) action: Option<Listed<Vec<ActionPattern>>>,
    pub(super) resource: Option<Listed<Vec<ResourcePattern>>>,
    pub(super) conditions: Vec<Condition>,
    /// Whether `${…}` is a variable in it.
    pub(super) variables: bool,
    source: Arc<Value>,
}

/// An element, or its `Not…` form.
#[derive(Clone, Debug)]
pub(super) enum Listed<T> {
    These(T),
    AllBut(T),
}

impl<T> Listed<T> {
    /// The list, whichever way it counts.
    pub(super) fn list(&self) -> &T {
        match self {
            Self::These(list) | Self::AllBut(list) => list,
        }
    }
}

impl Policy {
    /// Reads a document: an object, or a string that holds one, percent-encoded
    /// or not.
    ///
    /// # Errors
    /// A string that holds no JSON.
    pub fn read(name: impl Into<String>, document: &Value) -> Result<Self, serde_json::Error> {
        let document = match document {
            Value::String(text) => PolicyDocument::parse(text)?.0,
            other => other.clone(),
        };
        Ok(Self::new(name, document))
    }

    /// A policy from a document that is decoded already.
    pub fn new(name: impl Into<String>, document: Value) -> Self {
        let mut faults = Vec::new();
        let variables = match document.get("Version") {
            Some(Value::String(version)) => {
                if version != "2012-10-17" && version != "2008-10-17" {
                    faults.push(format!("Version {version} does not exist"));
                }
                version == "2012-10-17"
            }
            // Without a Version it is 2008-10-17, which knows no variables.
            _ => false,
        };
        let list = match document.get("Statement") {
            Some(Value::Array(list)) => list.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => {
                faults.push("the document has no Statement".to_owned());
                &[]
            }
        };
        let mut statements = Vec::with_capacity(list.len());
        for (index, source) in list.iter().enumerate() {
            match Statement::read(index, source, variables) {
                Ok(statement) => statements.push(statement),
                Err(fault) => faults.push(format!("statement {index}: {fault}")),
            }
        }
        Self { name: name.into(), document: Arc::new(document), statements, faults }
    }

    /// The name it is known by, such as that of an inline policy.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The document as it was read.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Its statements, without those that AWS would refuse.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// What AWS would refuse in it.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }
}

impl Statement {
    fn read(index: usize, source: &Value, variables: bool) -> Result<Self, String> {
        if !source.is_object() {
            return Err("is not an object".to_owned());
        }
        let effect = match source.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            Some(other) => return Err(format!("Effect {other} is neither Allow nor Deny")),
            None => return Err("has no Effect".to_owned()),
        };
        let actions =
            |value: &Value| texts(value).iter().map(|text| ActionPattern::read(text)).collect();
        let resources = |value: &Value| {
            texts(value).iter().map(|text| ResourcePattern::read(text, variables)).collect()
        };
        Ok(Self {
            index,
            sid: source.get("Sid").and_then(Value::as_str).map(str::to_owned),
            effect,
            principal: listed(source, "Principal", "NotPrincipal", Names::read),
            action: listed(source, "Action", "NotAction", actions),
            resource: listed(source, "Resource", "NotResource", resources),
            conditions: source
                .get("Condition")
                .map(|element| Condition::read_all(element, variables))
                .unwrap_or_default(),
            variables,
            source: Arc::new(source.clone()),
        })
    }

    /// The statement as it stands in the document.
    pub fn source(&self) -> &Arc<Value> {
        &self.source
    }

    /// Its Sid, else its place as `#0`.
    pub fn label(&self) -> String {
        self.sid.clone().unwrap_or_else(|| format!("#{}", self.index))
    }
}

fn listed<T>(
    source: &Value,
    these: &str,
    all_but: &str,
    read: impl Fn(&Value) -> T,
) -> Option<Listed<T>> {
    match (source.get(these), source.get(all_but)) {
        (Some(value), _) => Some(Listed::These(read(value))),
        (None, Some(value)) => Some(Listed::AllBut(read(value))),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn object_string_and_percent_encoding_are_one() {
        let text = r#"{"Statement":{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let encoded = text.replace('{', "%7B").replace('}', "%7D").replace('"', "%22");
        let object: Value = serde_json::from_str(text).expect("json");
        for document in [object, json!(text), json!(encoded)] {
            let policy = Policy::read("p", &document).expect("readable");
            assert_eq!(policy.statements().len(), 1, "{document}");
            assert_eq!(policy.statements()[0].label(), "A");
            assert_eq!(policy.faults(), [""; 0]);
        }
        assert!(Policy::read("p", &json!("not json")).is_err());
    }

    #[test]
    fn what_aws_would_refuse_is_a_fault_and_keeps_the_index_of_the_rest() {
        let policy = Policy::new(
            "p",
            json!({"Version": "2013-01-01", "Statement": [
                3,
                {"Effect": "allow", "Action": "*"},
                {"Action": "*"},
                {"Effect": "Deny", "Action": ["a:b"], "NotResource": "*", "Sid": "with space"},
            ]}),
        );
        assert_eq!(policy.faults().len(), 4, "{:?}", policy.faults());
        assert_eq!(policy.statements().len(), 1);
        assert_eq!(policy.statements()[0].index, 3);
        assert_eq!(policy.statements()[0].label(), "with space");
        assert!(matches!(policy.statements()[0].resource, Some(Listed::AllBut(_))));
        assert_eq!(Policy::new("p", json!([])).faults().len(), 1);
    }
}
