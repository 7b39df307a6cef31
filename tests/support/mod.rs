//! What the integration tests stand on: emulators of AWS, worlds that are made
//! in them through the API, and the built binary.

pub(crate) mod emulators;
pub(crate) mod log_lines;
pub(crate) mod packages;
pub(crate) mod run;
pub(crate) mod world;
