//! What the unit tests of this folder share.

use serde_json::Value;

use super::{document, place::Place, scope::Scope};
use crate::template::{Declared, Settings};

/// Looks at a template's scope.
pub(super) fn with_scope<T>(text: &str, look: impl FnOnce(&Scope<'_>) -> T) -> T {
    let root = document::read(text).expect("a template").root;
    let settings = Settings::default();
    let (place, _) = Place::of(&root, &settings);
    look(&Scope::of(&root, &settings, place))
}

/// The only rotation of a template.
pub(super) fn only(text: &str) -> Declared {
    let mut read = super::read(text, &Settings::default()).expect("a template");
    assert_eq!(read.rotations.len(), 1, "{:?}", read.notes);
    read.rotations.remove(0)
}

/// The evidence of the only rotation as a bundle.
pub(super) fn evidence(text: &str) -> Value {
    serde_json::to_value(only(text).evidence).expect("a bundle")
}
