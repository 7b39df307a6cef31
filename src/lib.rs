//! A doctor for AWS Secrets Manager rotation.
//!
//! ```text
//! target → collect → seal → Evidence ⇄ bundle file
//!                              │
//!        template / plan ──────┤
//!                              ▼
//!                        checks (pure) → findings, inconclusive, passed
//!                              ▼
//!                     diagnosis (pure) → ranked causes, tried fixes
//!                              ▼
//!                  configuration (pure) → severities, waivers, baseline
//!                              ▼
//!                            report → one file per format
//! ```
//!
//! One direction, no way back. Only `collect` (feature `live`) is async and
//! names an AWS SDK type; checks and diagnosis read nothing but the evidence:
//!
//! ```
//! use rotdoctor::{bundle, checks::Selection, examine, report::v1::{Mode, Verdict}};
//!
//! let text = r#"{"CapturedAt": "2026-11-21T03:00:00Z",
//!                "Secret": {"Name": "prod/orders", "DeletedDate": "2026-11-20T00:00:00Z"}}"#;
//! let evidence = bundle::read(text)?.evidence;
//! let report = examine(&evidence, Mode::Bundle, &Selection::default());
//! assert_eq!(report.verdict, Verdict::AtRisk);
//! # Ok::<(), bundle::BundleError>(())
//! ```
//!
//! # What the library promises
//!
//! Reading and writing bundles ([`bundle`]), examining evidence ([`examine`] and its kin),
//! the report ([`report::v1`]) and the schemas ([`schema`]) follow semantic versions. Every
//! other public module is open to the binary and to this repository's own tests, benches and
//! fuzz targets, and may change at any time.

pub mod aws;
pub mod catalogue;
pub mod checks;
pub mod cli;
#[cfg(feature = "live")]
pub mod collect;
pub mod configuration;
pub mod diagnosis;
pub mod evidence;
pub mod network;
pub mod package;
pub mod policy;
pub mod report;
pub mod rotation_log;
pub mod seal;
pub mod template;

pub use self::seal::bundle;
pub use report::{
    examine, examine_case, examine_in_audit, examine_log, examine_with_profile, finds_by, locate,
    schema,
};
