//! The table of texts in stack events: `stack_reasons.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Provenance;

/// A text in the reason of a failed stack event.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct StackReason {
    /// The code that it proves.
    pub code: String,
    /// Types of the resource; any where there are none.
    pub resource_types: Vec<String>,
    /// Texts that all occur, in lower case.
    pub texts: Vec<String>,
    /// Where the row comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
}

#[derive(Deserialize)]
struct Table {
    reason: Vec<StackReason>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| super::table(include_str!("stack_reasons.toml")));

/// Whether the reason of a failed event of a resource of that type proves `code`.
pub fn stack_reason_proves(code: &str, resource_type: &str, reason: &str) -> bool {
    let reason = reason.to_lowercase();
    TABLE.reason.iter().any(|row| {
        row.code == code
            && (row.resource_types.is_empty()
                || row.resource_types.iter().any(|known| known == resource_type))
            && row.texts.iter().all(|text| reason.contains(text.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::{super::provenance::assert_sound, TABLE, stack_reason_proves};

    #[test]
    fn texts_are_matched_whatever_their_case() {
        for row in &TABLE.reason {
            assert_sound(&row.provenance);
            assert!(row.texts.iter().all(|text| *text == text.to_lowercase()), "{}", row.code);
        }
        let schedule = "AWS::SecretsManager::RotationSchedule";
        let reason = "A previous rotation isn't complete. That rotation will be reattempted.";
        assert!(stack_reason_proves("CFN05", schedule, reason));
        assert!(!stack_reason_proves("CFN05", "AWS::Lambda::Function", reason));
        assert!(!stack_reason_proves("CFN01", schedule, reason));
    }
}
