//! The JSON Schemas of what rotdoctor reads and writes: the files in `schema/`.
//! A test derives them from the structs and holds the files to that. That of the
//! configuration is written by hand and held to its reader: no struct is read from it,
//! since a mistake in `rotdoctor.toml` is reported with its line and the nearest known word.

/// Schema of a report.
pub fn report() -> &'static str {
    include_str!("../../schema/report.v1.json")
}

/// Schema of an audit's reports.
pub fn audit() -> &'static str {
    include_str!("../../schema/audit.v1.json")
}

/// Schema of a bundle.
pub fn bundle() -> &'static str {
    include_str!("../../schema/bundle.v1.json")
}

/// Schema of `rotdoctor.toml`.
pub fn configuration() -> &'static str {
    include_str!("../../schema/configuration.v1.json")
}

#[cfg(test)]
mod tests {
    use schemars::{JsonSchema, schema_for};

    use super::{audit, bundle, report};
    use crate::{
        evidence::Evidence,
        report::{
            json,
            v1::{AuditReport, Report},
        },
    };

    /// The switch of the snapshots writes the file too, which the next build compiles in.
    fn check<T: JsonSchema>(name: &str, printed: &str) {
        let file = format!("{name}.v1.json");
        let mut schema = schema_for!(T);
        schema.insert("$id".to_owned(), format!("urn:rotdoctor:{name}:v1").into());
        let derived = json::render(&schema);
        if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
            let path = format!("{}/schema/{file}", env!("CARGO_MANIFEST_DIR"));
            std::fs::write(path, derived).expect("write the schema");
            return;
        }
        assert!(
            printed == derived,
            "schema/{file} is not what the code says; run \
             INSTA_UPDATE=always cargo test --no-default-features --lib schema::"
        );
    }

    #[test]
    fn the_report_schema_is_current() {
        check::<Report>("report", report());
    }

    #[test]
    fn the_audit_schema_is_current() {
        check::<AuditReport>("audit", audit());
    }

    #[test]
    fn the_bundle_schema_is_current() {
        check::<Evidence>("bundle", bundle());
    }
}
