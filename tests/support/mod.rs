//! What the integration tests stand on: emulators of AWS, worlds that are made
//! in them through the API, and the built binary.

pub mod emulators;
pub mod log_lines;
pub mod run;
pub mod world;
