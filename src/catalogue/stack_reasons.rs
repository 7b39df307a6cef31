//! What the reasons of failed stack events prove: the `stack_reason` rows of the log
//! table.

use serde::Deserialize;

use super::{Provenance, log_table::LOG_TABLE};

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

/// Whether the reason of a failed event of a resource of that type proves `code`.
pub fn stack_reason_proves(code: &str, resource_type: &str, reason: &str) -> bool {
    let reason = reason.to_lowercase();
    LOG_TABLE.stack_reasons.iter().any(|row| {
        row.code == code
            && (row.resource_types.is_empty()
                || row.resource_types.iter().any(|known| known == resource_type))
            && row.texts.iter().all(|text| reason.contains(text.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::{super::provenance::assert_sound, LOG_TABLE, stack_reason_proves};

    #[test]
    fn texts_are_matched_whatever_their_case() {
        for row in &LOG_TABLE.stack_reasons {
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
