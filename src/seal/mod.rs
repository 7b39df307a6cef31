//! The one door for raw data: what it lets through holds no secret. Redaction
//! of text and of the few structures that may carry secret values. Where raw
//! data comes from, and what it means, is not this module's business.
//!
//! Passwords, tokens, keys and connection strings are replaced; host names,
//! addresses, ARNs, ids and user names stay, since a diagnosis needs them.

mod text;

use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

use regex::Regex;
use serde_json::Value;

pub use self::text::log_line;
use crate::evidence::{Evidence, Function, Secret, Stack, StageShape, TrailEvent};

/// What stands where a secret stood in a text.
pub const REDACTED: &str = "(redacted)";
/// What stands where a value is not shown because nobody vouched for it.
pub const HIDDEN: &str = "(hidden)";

/// The environment variables that the rotation templates read; only their
/// values are kept.
const ROTATION_VARIABLES: &[&str] = &[
    "SECRETS_MANAGER_ENDPOINT",
    "EXCLUDE_CHARACTERS",
    "EXCLUDE_NUMBERS",
    "EXCLUDE_PUNCTUATION",
    "EXCLUDE_UPPERCASE",
    "EXCLUDE_LOWERCASE",
    "REQUIRE_EACH_INCLUDED_TYPE",
    "PASSWORD_LENGTH",
    "USERNAME_CHARACTER_LIMIT",
    "SECRET_ARN",
    "USER_NAME",
    "AUTHENTICATION_CREATION_ENABLED",
];

/// The keys of a secret whose values name a place, not a secret.
const PLACE_KEYS: &[&str] = &[
    "engine",
    "host",
    "port",
    "dbname",
    "username",
    "masterarn",
    "dbInstanceIdentifier",
    "dbClusterIdentifier",
    "ssl",
];

/// Keeps the values of the rotation templates' own variables and hides all others.
pub fn environment(variables: BTreeMap<String, String>) -> BTreeMap<String, String> {
    variables
        .into_iter()
        .map(|(name, value)| {
            let value = if ROTATION_VARIABLES.contains(&name.as_str()) {
                log_line(&value).into_owned()
            } else {
                HIDDEN.to_owned()
            };
            (name, value)
        })
        .collect()
}

/// The shape of a secret value: its key names, and the values that name a
/// place. The value itself ends here.
pub fn shape(secret_value: &str) -> StageShape {
    let Ok(Value::Object(object)) = serde_json::from_str::<Value>(secret_value) else {
        return StageShape { is_json: Some(false), ..StageShape::default() };
    };
    let mut keys: Vec<String> = object.keys().cloned().collect();
    keys.sort();
    let values = object
        .into_iter()
        .filter(|(key, _)| PLACE_KEYS.contains(&key.as_str()))
        .filter_map(|(key, value)| Some((key, place(value)?)))
        .collect();
    StageShape { keys, is_json: Some(true), values }
}

/// A place is a scalar; a list or an object under such a key is not one.
fn place(value: Value) -> Option<Value> {
    match value {
        Value::String(text) => Some(Value::String(log_line(&text).into_owned())),
        Value::Object(_) | Value::Array(_) => None,
        scalar => Some(scalar),
    }
}

/// Hides the value of a stack parameter whose name says that it is secret.
/// ARNs, URLs without credentials and what AWS already masked stay.
pub fn stack_parameter(name: &str, value: &str) -> String {
    static SECRET_NAME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)passw|pwd|secret|token|api_?key|access_?key|private_?key|credential")
            .expect("a constant pattern")
    });
    let open = value.is_empty()
        || value.starts_with("arn:")
        || value.starts_with("https://")
        || value.chars().all(|c| c == '*')
        || matches!(value, "true" | "false");
    if SECRET_NAME.is_match(name) && !open {
        HIDDEN.to_owned()
    } else {
        log_line(value).into_owned()
    }
}

/// Redacts a CloudTrail event's JSON text. The values of a function's
/// environment variables pass the same gate as GetFunction's.
pub fn trail_event(text: &str) -> String {
    let mut text = Cow::Borrowed(text);
    if text.contains("\"environment\"")
        && let Ok(mut event) = serde_json::from_str::<Value>(&text)
    {
        for side in ["requestParameters", "responseElements"] {
            let pointer = format!("/{side}/environment/variables");
            if let Some(Value::Object(variables)) = event.pointer_mut(&pointer) {
                for (name, value) in variables {
                    if !ROTATION_VARIABLES.contains(&name.as_str()) {
                        *value = Value::String(HIDDEN.to_owned());
                    }
                }
            }
        }
        text = Cow::Owned(event.to_string());
    }
    log_line(&text).into_owned()
}

/// Seals a whole evidence again. What `collect` made passes unchanged; a bundle
/// from elsewhere is made as clean as one of ours.
pub fn evidence(evidence: &mut Evidence) {
    for secret in [&mut evidence.secret, &mut evidence.superuser_secret] {
        if let Some(secret) = secret.known_mut() {
            seal_secret(secret);
        }
    }
    if let Some(shapes) = evidence.secret_shape.known_mut() {
        shapes.values_mut().for_each(seal_shape);
    }
    if let Some(function) = evidence.function.known_mut() {
        seal_function(function);
    }
    if let Some(stack) = evidence.stack.known_mut() {
        seal_stack(stack);
    }
    for event in evidence.stack_events.known_mut().into_iter().flatten() {
        seal_text(&mut event.resource_status_reason);
    }
    for resource in evidence.stack_resources.known_mut().into_iter().flatten() {
        seal_text(&mut resource.resource_status_reason);
    }
    for event in evidence.log_events.known_mut().into_iter().flatten() {
        if let Cow::Owned(sealed) = log_line(&event.message) {
            event.message = sealed;
        }
    }
    for event in evidence.trail_events.known_mut().into_iter().flatten() {
        seal_trail_event(event);
    }
    for parameter in evidence.db_parameters.known_mut().into_iter().flatten() {
        seal_text(&mut parameter.parameter_value);
    }
    for gap in &mut evidence.gaps {
        gap.message = log_line(&gap.message).into_owned();
    }
}

fn seal_text(text: &mut Option<String>) {
    if let Some(text) = text
        && let Cow::Owned(sealed) = log_line(text)
    {
        *text = sealed;
    }
}

/// A secret's description is free text that people write.
pub(crate) fn seal_secret(secret: &mut Secret) {
    seal_text(&mut secret.description);
    for tag in &mut secret.tags {
        seal_text(&mut tag.value);
    }
}

fn seal_shape(shape: &mut StageShape) {
    let values = std::mem::take(&mut shape.values);
    shape.values = values
        .into_iter()
        .filter(|(key, _)| PLACE_KEYS.contains(&key.as_str()))
        .filter_map(|(key, value)| Some((key, place(value)?)))
        .collect();
}

pub(crate) fn seal_function(function: &mut Function) {
    let configuration = &mut function.configuration;
    if let Some(environment) = &mut configuration.environment {
        environment.variables = self::environment(std::mem::take(&mut environment.variables));
        if let Some(error) = &mut environment.error {
            seal_text(&mut error.message);
        }
    }
    seal_text(&mut configuration.description);
    seal_text(&mut configuration.state_reason);
    seal_text(&mut configuration.last_update_status_reason);
}

pub(crate) fn seal_stack(stack: &mut Stack) {
    seal_text(&mut stack.stack_status_reason);
    for parameter in &mut stack.parameters {
        let name = parameter.parameter_key.as_deref().unwrap_or_default();
        if let Some(value) = &mut parameter.parameter_value {
            *value = stack_parameter(name, value);
        }
    }
}

pub(crate) fn seal_trail_event(event: &mut TrailEvent) {
    if let Some(text) = &mut event.cloud_trail_event {
        *text = trail_event(text);
    }
}

#[cfg(test)]
mod tests;
