//! The integration tests of everything but the live part: one binary, one
//! module for each part of the source.

mod artefacts;
mod bundles;
mod catalogue;
mod cli;
mod logs;
mod network;
mod package;
mod package_hostile;
mod pasted;
mod policy;
mod registry;
mod rotation_log;
mod snapshots;
mod support;
