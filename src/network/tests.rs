//! Worlds around one function: what each rule of the engine does to the answer.

mod laws;
mod ways;
pub(crate) mod worlds;
