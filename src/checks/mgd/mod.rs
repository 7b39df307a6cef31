//! Checks on managed secrets.

mod default_interval;
mod impaired;
mod managed;
mod orphan_function;
mod owner;
mod restored;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[
    &impaired::CHECK,
    &managed::CHECK,
    &restored::CHECK,
    &orphan_function::CHECK,
    &default_interval::CHECK,
];
