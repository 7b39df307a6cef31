//! The shape of the secret's value under a staging label, as the checks on the
//! value read it.

use crate::{
    checks::{Case, Stop},
    evidence::StageShape,
};

/// The shape of the value under a label.
///
/// # Errors
/// Not applicable where the value was not to be read or has no such label,
/// inconclusive where reading it was refused.
pub(super) fn shape<'c>(case: &'c Case<'_>, label: &str) -> Result<&'c StageShape, Stop> {
    let reading = case.secret_shape();
    if reading.is_not_asked() {
        return Err(Stop::not_applicable(
            "the keys of the value were not read; --read-secret reads them",
        ));
    }
    reading
        .or_not_applicable("the secret holds no value")?
        .get(label)
        .ok_or_else(|| Stop::not_applicable(format!("no value carries {label}")))
}

/// Whether a file declares a key whose value it leaves open, such as what an attachment to
/// a database of another stack adds.
pub(super) fn has_open_value(case: &Case<'_>, shape: &StageShape, key: &str) -> bool {
    case.is_declared() && shape.keys.iter().any(|own| own == key) && !shape.values.contains_key(key)
}

/// Whether a value looks like the credentials of a database, as the vended
/// templates and the console lay them out.
pub(super) fn is_for_a_database(shape: &StageShape) -> bool {
    let has = |key: &str| shape.keys.iter().any(|name| name == key);
    has("username")
        && ["host", "engine", "dbInstanceIdentifier", "dbClusterIdentifier"]
            .iter()
            .any(|key| has(key))
}
