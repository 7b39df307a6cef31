//! Tests that run the real binary against AWS APIs served on loopback.
#![cfg(feature = "live")]

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod bundles;
mod worlds;
