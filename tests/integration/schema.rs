//! The schemas in the repository are those of the code. `ROTDOCTOR_BLESS=1`
//! rewrites them.

use rotdoctor::schema;

use crate::support::root;

fn check(name: &str, generated: &str) {
    let path = root().join("schema").join(name);
    if std::env::var_os("ROTDOCTOR_BLESS").is_some() {
        std::fs::write(&path, generated).expect("write the schema");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "schema/{name} is not what the code says; run ROTDOCTOR_BLESS=1 cargo test --no-default-features schema"
    );
}

#[test]
fn the_report_schema_is_current() {
    check("report.v1.json", &schema::report());
}

#[test]
fn the_audit_schema_is_current() {
    check("audit.v1.json", &schema::audit());
}

#[test]
fn the_bundle_schema_is_current() {
    check("bundle.v1.json", &schema::bundle());
}
