//! Steps into a plan's JSON values.

use serde_json::Value;

/// The items of a list; none where it is no list.
pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The value at a path such as `vpc_config.0.subnet_ids`.
pub(super) fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(value, |value, part| match value {
        Value::Array(list) => {
            let index = part.trim_start_matches('~').parse::<usize>().ok();
            index.and_then(|index| list.get(index)).unwrap_or(&Value::Null)
        }
        Value::Object(members) => members.get(part).unwrap_or(&Value::Null),
        _ => &Value::Null,
    })
}

/// Whether something in it is unknown.
pub(super) fn has_unknown(unknown: &Value) -> bool {
    match unknown {
        Value::Bool(unknown) => *unknown,
        Value::Array(list) => list.iter().any(has_unknown),
        Value::Object(members) => members.values().any(has_unknown),
        _ => false,
    }
}
