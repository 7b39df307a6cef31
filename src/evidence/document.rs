//! Policy documents as the APIs hand them out: an object, a JSON string, or a
//! percent-encoded JSON string. `policy/` decides what they mean.

use percent_encoding::percent_decode_str;

use super::value::single_values;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;

/// A policy document, decoded to JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct PolicyDocument(pub Value);

impl PolicyDocument {
    /// Decodes a document that an API returned as text.
    ///
    /// # Errors
    /// The text is neither JSON nor percent-encoded JSON.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let text = text.trim();
        match serde_json::from_str(text) {
            // Encoders differ in what they leave as it is, the braces among it.
            Err(_) if text.contains('%') => {
                let decoded = percent_decode_str(text).decode_utf8_lossy();
                serde_json::from_str(&decoded).map(Self)
            }
            read => read.map(Self),
        }
    }

    /// The statements, whether the document holds one or a list.
    pub fn statements(&self) -> impl Iterator<Item = &Value> {
        let statements = match self.0.get("Statement") {
            Some(Value::Array(list)) => list.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        statements.iter()
    }
}

impl<'de> Deserialize<'de> for PolicyDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Self::parse(&text)
                .map_err(|error| D::Error::custom(format!("policy document is not JSON: {error}"))),
            object @ Value::Object(_) => Ok(Self(object)),
            other => Err(D::Error::custom(format!(
                "policy document must be an object or a JSON string, not {other}"
            ))),
        }
    }
}

single_values!(PolicyDocument);

#[cfg(test)]
mod tests {
    use super::PolicyDocument;

    #[test]
    fn decodes_object_string_and_percent_encoding() {
        for text in [
            r#"{"Statement":{"Effect":"Allow"}}"#,
            r#""{\"Statement\":{\"Effect\":\"Allow\"}}""#,
            r#""%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%7D%7D""#,
        ] {
            let document: PolicyDocument = serde_json::from_str(text).expect(text);
            assert_eq!(document.statements().count(), 1, "{text}");
        }
        assert!(serde_json::from_str::<PolicyDocument>("3").is_err());
    }
}
