//! The one door for raw data: what it lets through holds no secret. Redaction of text and of
//! the few structures that may carry secret values.
//!
//! Passwords, tokens, keys and connection strings are replaced; host names, addresses, ARNs,
//! ids and user names stay, since a diagnosis needs them.

pub mod bundle;
mod json;
mod names;
mod quote;
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

/// What stands where an event stood that could not be read.
const UNREADABLE_EVENT: &str = "(not shown: this event is not JSON)";

/// What stands where an event stood that is larger than any.
const TOO_LARGE_EVENT: &str = "(not shown: this event is too large)";
/// Bytes of an event (quotas of CloudTrail: 256 KB).
const LARGEST_EVENT: usize = 256 << 10;
/// Bytes of a text in an event that is larger than that.
const LONGEST_TEXT: usize = 4 << 10;

/// Redacts a CloudTrail event's JSON text. The values of a function's
/// environment variables pass the same gate as GetFunction's. An event that is
/// cut off, and so cannot be read, is not shown where it may hold any.
pub fn trail_event(text: &str) -> String {
    let mentions_environment = text.to_ascii_lowercase().contains("environment");
    match serde_json::from_str::<Value>(text) {
        // Nothing that CloudTrail writes: to look through it all would take minutes.
        Ok(mut event) if text.len() > LARGEST_EVENT => {
            leave_out_long_texts(&mut event);
            let rest = event.to_string();
            let fits = rest.len() <= LARGEST_EVENT;
            if fits { trail_event(&rest) } else { TOO_LARGE_EVENT.to_owned() }
        }
        Ok(mut event) if mentions_environment => {
            hide_environments(&mut event);
            log_line(&event.to_string()).into_owned()
        }
        Ok(_) => log_line(text).into_owned(),
        Err(_) if mentions_environment || text::is_suspect(text) => UNREADABLE_EVENT.to_owned(),
        Err(_) => text.to_owned(),
    }
}

fn leave_out_long_texts(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(leave_out_long_texts),
        Value::Object(members) => {
            members.iter_mut().for_each(|(_, member)| leave_out_long_texts(member));
        }
        Value::String(text) if text.len() > LONGEST_TEXT => {
            *text = format!("(not shown: {} bytes)", text.len());
        }
        _ => {}
    }
}

fn hide_environments(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(hide_environments),
        Value::Object(members) => {
            for (name, member) in members {
                if name.eq_ignore_ascii_case("environment") {
                    hide_variables(member);
                }
                hide_environments(member);
            }
        }
        _ => {}
    }
}

fn hide_variables(environment: &mut Value) {
    let Value::Object(members) = environment else { return };
    for (name, member) in members {
        if name.eq_ignore_ascii_case("variables") {
            if let Value::Object(variables) = member {
                for (name, value) in variables {
                    if !ROTATION_VARIABLES.contains(&name.as_str()) {
                        *value = Value::String(HIDDEN.to_owned());
                    }
                }
            } else if !member.is_null() {
                *member = Value::String(HIDDEN.to_owned());
            }
        }
    }
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
    for event in evidence.trail_events.known_mut().into_iter().flatten() {
        seal_trail_event(event);
    }
    seal_every_text(evidence);
}

/// No list of fields to forget one in: every string of the evidence passes.
/// Identifiers pass unchanged, since nothing in them looks like a secret.
fn seal_every_text(evidence: &mut Evidence) {
    let mut whole = serde_json::to_value(&*evidence).expect("an evidence is JSON");
    let before = whole.clone();
    json::leaves(&mut whole, None);
    if whole != before {
        *evidence = serde_json::from_value(whole).expect("a text for a text is the same shape");
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

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

#[cfg(test)]
mod tests;
