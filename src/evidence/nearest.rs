//! The name that was probably meant where one is not known. The
//! caller words what it says of it.

/// From here on two names are alike enough to ask "did you mean" (0 to 1).
const ALIKE: f64 = 0.8;

/// Of the known names the one most like this, whatever the case; `None` where none is near.
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower = name.to_ascii_lowercase();
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&lower, &known.to_ascii_lowercase()), known))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_most_alike_is_meant_and_nothing_far() {
        let known = ["SecretPolicy", "SecretVersions", "Function"];
        assert_eq!(nearest("secretpolicies", known), Some("SecretPolicy"));
        assert_eq!(nearest("Functoin", known), Some("Function"));
        assert_eq!(nearest("zzz", known), None);
        assert_eq!(nearest("Function", []), None);
    }
}
