//! Redaction of a text that is one JSON document: member by member, with its layout kept, so
//! that the outcome is JSON again.

use std::sync::LazyLock;

use regex::Regex;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{
    REDACTED,
    names::{Class, class, is_value, names_a_value, worth_hiding},
};

static TOKEN: LazyLock<Regex> =
    LazyLock::new(|| super::pattern(r#""(?:[^"\\]|\\.)*"|[\[\]{},]|-?[0-9][0-9.eE+\-]*"#));

/// The open list or object around a token.
struct Level {
    is_object: bool,
    /// What a list's elements are, by the name before the list.
    elements: Option<Class>,
    /// What this object's `Value` is, by its `Key`.
    pair: Option<Class>,
    /// This object's last member name says what its `Value` is called.
    names_pair: bool,
}

/// Redacts a JSON document; `None` where the text is none.
pub(super) fn document(text: &str) -> Option<String> {
    let start = text.trim_start();
    if !start.starts_with(['{', '[']) || serde_json::from_str::<IgnoredAny>(text).is_err() {
        return None;
    }
    let mut sealed = String::with_capacity(text.len());
    let mut done = 0;
    let mut levels: Vec<Level> = Vec::new();
    let mut hide: Option<Class> = None;
    for token in TOKEN.find_iter(text) {
        let raw = token.as_str();
        match raw.as_bytes()[0] {
            open @ (b'{' | b'[') => {
                let is_object = open == b'{';
                let elements = hide.filter(|_| !is_object);
                hide = elements;
                levels.push(Level { is_object, elements, pair: None, names_pair: false });
            }
            b'}' | b']' => {
                levels.pop();
                hide = None;
            }
            b',' => hide = levels.last().and_then(|level| level.elements),
            b'"' => {
                let Ok(plain) = serde_json::from_str::<String>(raw) else { continue };
                let level = levels.last_mut();
                let is_name = level.as_ref().is_some_and(|level| level.is_object)
                    && text[token.end()..].trim_start().starts_with(':');
                let new = if is_name {
                    hide = class(&plain);
                    if let Some(level) = level {
                        level.names_pair = names_a_value(&plain);
                        if is_value(&plain) {
                            hide = hide.or(level.pair);
                        }
                    }
                    None
                } else {
                    if let Some(level) = level
                        && std::mem::take(&mut level.names_pair)
                    {
                        level.pair = class(&plain);
                    }
                    string(&plain, hide)
                };
                if let Some(new) = new {
                    sealed.push_str(&text[done..token.start()]);
                    sealed.push_str(&Value::String(new).to_string());
                    done = token.end();
                }
            }
            _ => {
                if hide.is_some() {
                    sealed.push_str(&text[done..token.start()]);
                    sealed.push_str(&Value::String(REDACTED.to_owned()).to_string());
                    done = token.end();
                }
            }
        }
    }
    sealed.push_str(&text[done..]);
    Some(sealed)
}

fn string(plain: &str, hide: Option<Class>) -> Option<String> {
    if let Some(class) = hide
        && worth_hiding(plain, class)
    {
        return Some(REDACTED.to_owned());
    }
    match super::log_line(plain) {
        std::borrow::Cow::Borrowed(_) => None,
        std::borrow::Cow::Owned(sealed) => Some(sealed),
    }
}

/// Redacts every text of a value, by its member's name too.
pub(super) fn leaves(value: &mut Value, hide: Option<Class>) {
    match value {
        Value::String(text) => {
            if let Some(sealed) = string(text, hide) {
                *text = sealed;
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|element| leaves(element, hide)),
        Value::Object(members) => {
            let pair = members
                .iter()
                .filter(|(name, _)| names_a_value(name))
                .find_map(|(_, value)| class(value.as_str()?));
            for (name, value) in members {
                let hide = class(name).or(pair.filter(|_| is_value(name)));
                leaves(value, hide);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
