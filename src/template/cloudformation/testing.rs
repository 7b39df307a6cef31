//! What the unit tests of this folder share.

use std::collections::HashMap;

use serde_json::Value;

use super::{document, place::place, scope::Scope};
use crate::template::{Declared, Settings};

/// Looks at a template's scope.
pub(super) fn with_scope<T>(text: &str, look: impl FnOnce(&Scope<'_>) -> T) -> T {
    let root = document::read(text).expect("a template").root;
    let settings = Settings::default();
    let (place, _) = place(&root, &settings);
    look(&Scope::of(&root, &settings, &HashMap::new(), place))
}

/// A secret, a function and its rotation, for templates that are about something else.
const ROTATION: &str = "
Parameters:
  Open: {Type: String}
Conditions:
  Unsure: !Equals [!Ref Open, x]
  Never: !Equals [a, b]
Resources:
  S: {Type: 'AWS::SecretsManager::Secret', Properties: {Name: s}}
  Sched: {Type: 'AWS::SecretsManager::RotationSchedule', Properties: {SecretId: !Ref S, RotationLambdaARN: !GetAtt F.Arn}}
";

/// The evidence of that rotation as a bundle, with these resources beside it. Without a
/// function among them there is a plain one.
pub(super) fn evidence(resources: &str) -> Value {
    let function = "  F: {Type: 'AWS::Lambda::Function', Properties: {Runtime: python3.12}}\n";
    let function = if resources.contains("\n  F:") { "" } else { function };
    serde_json::to_value(only(&format!("{ROTATION}{function}{resources}")).evidence)
        .expect("a bundle")
}

/// The only rotation of a template.
pub(super) fn only(text: &str) -> Declared {
    let mut read = super::read(text, &Settings::default()).expect("a template");
    assert_eq!(read.rotations.len(), 1, "{:?}", read.notes);
    read.rotations.remove(0)
}

/// The things that were left open in a fact, by id.
pub(super) fn open_in(evidence: &Value, fact: &str) -> Vec<String> {
    let gaps = evidence["Gaps"].as_array().into_iter().flatten();
    let own = gaps.filter(|gap| gap["Fact"] == fact);
    own.map(|gap| gap["Resource"].as_str().unwrap_or_default().to_owned()).collect()
}
