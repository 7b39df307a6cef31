//! The integration tests of everything but the live part: one binary, one
//! module for each part of the source.

mod audit;
mod bundles;
mod catalogue;
mod cli;
mod confusion;
mod elf_files;
mod field;
mod fixed_since;
mod formats;
mod injection;
mod lab_logs;
mod logs;
mod network;
mod package;
mod package_hostile;
#[path = "../support/packages.rs"]
mod packages;
mod pasted;
mod pipelines;
mod plan;
mod policy;
mod registry;
mod rooms;
mod rotation_log;
#[path = "../support/run.rs"]
mod run;
mod schemas;
mod screens;
mod shell;
mod snapshots;
mod support;
mod template;
mod template_cases;
mod template_faults;
mod template_hostile;
mod template_open;
mod two_formats;
mod words;
#[path = "../support/worlds.rs"]
mod worlds;
