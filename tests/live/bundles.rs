//! Worlds that no emulator can hold, as bundles: ministack keeps no rotation
//! dates at all, moto sets them to now and to a day in the future, and neither
//! records what Secrets Manager itself writes to CloudTrail.

use rotdoctor::report::v1::Verdict::AtRisk;

use crate::support::{
    run::{Ran, rotdoctor, told},
    worlds,
};

fn diagnose(bundle: &str) -> Ran {
    rotdoctor().args(["diagnose", "--bundle", &worlds::path(bundle), "--output", "json"]).run()
}

/// A NextRotationDate in the past.
#[test]
fn the_next_rotation_is_overdue() {
    let report = diagnose("SCH04/fires").found("SCH04", AtRisk, 1);
    assert!(report.causes[0].finding.summary.contains("2026-11-07"), "{}", told(&report));
}

/// A refused PutSecretValue in CloudTrail. What moto holds of such a secret is
/// proven in `worlds`.
#[test]
fn a_function_writes_to_a_secret_that_rds_manages() {
    let report = diagnose("MGD02/fires").found("MGD02", AtRisk, 1);
    let kinds: Vec<&str> =
        report.causes[0].finding.evidence.iter().map(|proof| proof.kind.as_str()).collect();
    assert!(kinds.contains(&"fact") && kinds.contains(&"trail"), "{}", told(&report));
}
