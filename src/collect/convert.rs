//! Small conversions that every service needs: dates, enums, documents. The
//! shapes themselves are converted where they arrive.

use aws_smithy_types::DateTime;
use jiff::Timestamp;

use crate::evidence::{PolicyDocument, Time};

pub(super) fn time(at: Option<DateTime>) -> Option<Time> {
    let at = at?;
    let nanoseconds = i32::try_from(at.subsec_nanos()).ok()?;
    Timestamp::new(at.secs(), nanoseconds).ok().map(Time)
}

pub(super) fn date_time(at: Time) -> DateTime {
    DateTime::from_millis(at.millis())
}

/// An SDK enum as AWS spells it.
pub(super) fn word<T: AsRef<str>>(value: Option<T>) -> Option<String> {
    value.map(|value| value.as_ref().to_owned())
}

/// A text that is there: an answer in XML may hold the element and nothing in it.
pub(super) fn given(value: Option<String>) -> Option<String> {
    value.filter(|text| !text.is_empty())
}

/// Every value of a list of SDK enums.
pub(super) fn words<T: AsRef<str>>(values: Option<Vec<T>>) -> Vec<String> {
    values.unwrap_or_default().iter().map(|value| value.as_ref().to_owned()).collect()
}

/// Each element of a list, converted.
pub(super) fn list<S, T>(values: Option<Vec<S>>, convert: impl FnMut(S) -> T) -> Vec<T> {
    values.unwrap_or_default().into_iter().map(convert).collect()
}

/// A policy document; text that is no JSON is kept as a JSON string, since it
/// was seen but nobody can read it.
pub(super) fn document(text: &str) -> PolicyDocument {
    PolicyDocument::parse(text).unwrap_or_else(|_| PolicyDocument(text.into()))
}
