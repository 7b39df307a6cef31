//! Evidence files: reading (with every leniency that pasting from the AWS CLI
//! needs, and every error that says what to do) and writing.

use serde_json::{Map, Value};

use crate::{
    evidence::nearest,
    evidence::{CliWrapper, Evidence, FACTS, FactOwner, SCHEMA_VERSION},
};

/// Why a bundle cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Not JSON at all, or cut off.
    #[error("not JSON: {0}. A bundle is one JSON object, as `rotdoctor capture` writes it")]
    NotJson(serde_json::Error),
    /// JSON, but no object.
    #[error("a bundle is one JSON object, and this is {0}")]
    NotAnObject(&'static str),
    /// Written by a newer rotdoctor.
    #[error(
        "bundle format {found} is newer than this rotdoctor knows (it reads {SCHEMA_VERSION}): \
         update rotdoctor, or capture again with this version"
    )]
    Newer {
        /// The bundle's version.
        found: u64,
    },
    /// A key that every bundle needs.
    #[error("the key {0} is missing{1}")]
    MissingKey(&'static str, &'static str),
    /// A value of the wrong type.
    #[error("at {path}: {message}. `rotdoctor schema bundle` prints the format")]
    WrongType {
        /// Path of the value, such as `Secret.RotationRules`.
        path: String,
        /// What was expected and what was found.
        message: String,
    },
}

/// A bundle, read.
#[derive(Debug)]
pub struct Bundle {
    /// The evidence in it.
    pub evidence: Evidence,
    /// Keys that this version does not know, with the nearest that it does.
    pub unknown_keys: Vec<(String, Option<String>)>,
}

/// Reads a bundle.
///
/// # Errors
/// [`BundleError`] says what is wrong and what to do.
pub fn read(text: &str) -> Result<Bundle, BundleError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match serde_json::from_str(text).map_err(BundleError::NotJson)? {
        Value::Object(object) => from_object(object),
        Value::Array(_) => Err(BundleError::NotAnObject("a list")),
        Value::Null => Err(BundleError::NotAnObject("null")),
        _ => Err(BundleError::NotAnObject("a single value")),
    }
}

/// Reads a bundle that is JSON already.
///
/// # Errors
/// As [`read`].
pub fn from_object(mut object: Map<String, Value>) -> Result<Bundle, BundleError> {
    match object.get("SchemaVersion") {
        Some(Value::Number(number))
            if number.as_u64().is_some_and(|found| found > SCHEMA_VERSION) =>
        {
            return Err(BundleError::Newer { found: number.as_u64().unwrap_or(u64::MAX) });
        }
        _ => {}
    }
    if !object.contains_key("CapturedAt") {
        return Err(BundleError::MissingKey(
            "CapturedAt",
            ": dates are judged against it. Add it, such as \"CapturedAt\": \"2026-11-21T03:00:00Z\"",
        ));
    }
    unwrap_responses(&mut object);
    let unknown_keys = unknown_keys(&object);
    let whole = Value::Object(object);
    let mut evidence: Evidence =
        serde_path_to_error::deserialize(whole).map_err(|error| BundleError::WrongType {
            path: error.path().to_string(),
            message: error.inner().to_string(),
        })?;
    normalise(&mut evidence);
    Ok(Bundle { evidence, unknown_keys })
}

/// Writes a bundle, as `read` reads it.
pub fn write(evidence: &Evidence) -> String {
    serde_json::to_string_pretty(evidence).expect("only keys that are strings") + "\n"
}

/// Brings evidence into the one form that live runs and bundles share: sealed,
/// events in order, gaps sorted and placed.
pub fn normalise(evidence: &mut Evidence) {
    super::evidence(evidence);
    if let Some(events) = evidence.log_events.known_mut() {
        // A list that runs backwards is reversed first, so that events of the
        // same millisecond keep the order in which they were written.
        let backwards = events.windows(2).all(|pair| pair[0].timestamp >= pair[1].timestamp)
            && events.first().map(|first| first.timestamp)
                > events.last().map(|last| last.timestamp);
        if backwards {
            events.reverse();
        }
        events.sort_by_key(|event| event.timestamp);
    }
    if let Some(events) = evidence.trail_events.known_mut() {
        events.sort_by(|a, b| (a.event_time, &a.event_id).cmp(&(b.event_time, &b.event_id)));
    }
    evidence.gaps.sort();
    evidence.gaps.dedup();
    evidence.settle();
}

/// Takes away what `aws … --output json` wraps around the part that a bundle holds.
fn unwrap_responses(object: &mut Map<String, Value>) {
    for row in FACTS {
        let (inner, is_first) = match row.wrapper {
            CliWrapper::None => continue,
            CliWrapper::Key(inner) => (inner, false),
            CliWrapper::FirstOf(inner) => (inner, true),
        };
        let Some(value) = object.get_mut(row.name) else { continue };
        if let Value::Object(response) = value
            && let Some(part) = response.get_mut(inner)
            && (part.is_array() || part.is_object() || part.is_string())
        {
            *value = part.take();
        }
        if is_first && let Value::Array(list) = value {
            *value = list.first().cloned().unwrap_or(Value::Null);
        }
    }
    // GetResourcePolicy without a policy, pasted whole, still has ARN and Name.
    if let Some(Value::Object(response)) = object.get("SecretPolicy")
        && response.contains_key("ARN")
        && !response.contains_key("Statement")
    {
        object.insert("SecretPolicy".to_owned(), Value::Null);
    }
    if let Some(value @ Value::Array(_)) = object.get_mut("SecretVersions") {
        let list = value.take();
        *value = match &list {
            Value::Array(versions) if versions.is_empty() => Value::Null,
            _ => serde_json::json!({ "Versions": list }),
        };
    }
}

/// The keys of a bundle that hold no fact of their own.
const OTHER_KEYS: [&str; 8] =
    ["SchemaVersion", "CapturedAt", "Partition", "Region", "AccountId", "Database", "Keys", "Gaps"];

fn unknown_keys(object: &Map<String, Value>) -> Vec<(String, Option<String>)> {
    let facts = FACTS.iter().filter(|row| row.owner != FactOwner::Key);
    let known: Vec<&str> = facts.map(|row| row.name).chain(OTHER_KEYS).collect();
    object
        .keys()
        // A leading underscore or `$` is a comment or a schema reference.
        .filter(|key| !known.contains(&key.as_str()) && !key.starts_with(['_', '$']))
        .map(|key| (key.clone(), nearest(key, known.iter().copied()).map(str::to_owned)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{BundleError, read, write};
    use crate::evidence::Observed;

    fn error(text: &str) -> String {
        read(text).expect_err(text).to_string()
    }

    #[test]
    fn bad_bundles_say_what_to_do() {
        assert!(error("{").contains("not JSON"));
        assert!(error("[]").contains("a list"));
        assert!(
            error(r#"{"SchemaVersion":2,"CapturedAt":"2026-11-21T00:00:00Z"}"#).contains("newer")
        );
        assert!(error("{}").contains("CapturedAt"));
        let wrong = error(
            r#"{"CapturedAt":"2026-11-21T00:00:00Z","Secret":{"RotationRules":{"Duration":[]}}}"#,
        );
        assert!(wrong.contains("Secret.RotationRules.Duration"), "{wrong}");
        for (part, says) in [
            (
                r#""SecurityGroups":[{},{"IpPermissions":[{"FromPort":1.5}]}]"#,
                "at SecurityGroups[1].IpPermissions[0].FromPort: invalid type: floating point `1.5`, \
                 expected i64.",
            ),
            (
                r#""Keys":{"arn:k":{"Policy":"{"}}"#,
                "at Keys.arn:k.Policy: policy document is not JSON: EOF",
            ),
            (r#""Gaps":[{"Fact":"Role"}]"#, "at Gaps[0]: missing field `Reason`."),
            (r#""Gaps":null"#, "at Gaps: invalid type: null, expected a sequence."),
        ] {
            let wrong = error(&format!(r#"{{"CapturedAt":"2026-11-21T00:00:00Z",{part}}}"#));
            assert!(wrong.starts_with(says), "{wrong}");
        }
        assert!(matches!(read("\u{0}\u{1}"), Err(BundleError::NotJson(_))));
    }

    #[test]
    fn responses_of_the_cli_may_be_pasted_whole() {
        let bundle = read(
            r#"{"CapturedAt":"2026-11-21T00:00:00Z",
                "Role":{"Role":{"RoleName":"r"}},
                "Stack":{"Stacks":[{"StackName":"s"}]},
                "SecretPolicy":{"ARN":"a","Name":"n"},
                "FunctionPolicy":{"Policy":"{\"Statement\":[]}","RevisionId":"1"},
                "SecretVersions":{"Versions":[{"VersionId":"v"}],"ARN":"a"},
                "DBParameters":{"Parameters":[]}}"#,
        )
        .expect("bundle")
        .evidence;
        assert_eq!(bundle.role.known().and_then(|r| r.role_name.as_deref()), Some("r"));
        assert_eq!(bundle.stack.known().and_then(|s| s.stack_name.as_deref()), Some("s"));
        assert_eq!(bundle.secret_policy, Observed::Absent);
        assert_eq!(bundle.function_policy.known().map(|p| p.statements().count()), Some(0));
        assert_eq!(bundle.secret_versions.known().map(|v| v.versions.len()), Some(1));
        assert_eq!(bundle.db_parameters, Observed::Absent);
    }

    #[test]
    fn a_misspelt_key_is_noticed() {
        let bundle = read(r#"{"CapturedAt":"2026-11-21T00:00:00Z","Secrets":{},"_note":"mine"}"#)
            .expect("bundle");
        assert_eq!(bundle.unknown_keys, [("Secrets".to_owned(), Some("Secret".to_owned()))]);
    }

    #[test]
    fn events_are_sorted_and_ties_keep_their_order() {
        let text = |order: &str| {
            format!(r#"{{"CapturedAt":"2026-11-21T00:00:00Z","LogEvents":[{order}]}}"#)
        };
        let event =
            |at: i64, message: &str| format!(r#"{{"timestamp":{at},"message":"{message}"}}"#);
        let forwards = [event(1, "a"), event(1, "b"), event(2, "c")].join(",");
        let backwards = [event(2, "c"), event(1, "b"), event(1, "a")].join(",");
        let one = read(&text(&forwards)).expect("bundle").evidence;
        assert_eq!(one, read(&text(&backwards)).expect("bundle").evidence);
        assert_eq!(read(&write(&one)).expect("bundle").evidence, one);
    }
}
