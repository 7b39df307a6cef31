//! A doctor for AWS Secrets Manager rotation.
//!
//! ```text
//! target → collect → seal → Evidence ⇄ bundle file
//!                              ▼
//!                        checks (pure) → findings, inconclusive, passed
//!                              ▼
//!                     diagnosis (pure) → ranked causes
//!                              ▼
//!                            report → text · json
//! ```
//!
//! One direction, no way back. Only [`collect`] (feature `live`) is async and
//! names an AWS SDK type; checks and diagnosis read nothing but the evidence.

pub mod catalogue;
pub mod checks;
pub mod evidence;
pub mod policy;
pub mod rotation_log;
