//! Worlds around one function: what each rule of the engine does to the answer.

mod filters;
mod gaps;
mod laws;
mod names;
mod ways;
pub(crate) mod worlds;
