//! Checks on the secret, its versions and what its value must hold.

mod clone_name;
mod deleted;
mod empty_pending;
mod engine;
mod excluded_characters;
mod foreign_password;
mod host;
mod label_removed;
mod no_current;
mod place;
mod port;
mod replica;
mod rotation_off;
mod second_writer;
mod stale_pending;
mod stuck_pending;
mod superuser_host;
mod superuser_of_cluster;
mod superuser_pointer;
mod superuser_stuck;
mod value_keys;
mod version_quota;

use super::Check;

pub(super) static CHECKS: &[&Check] = &[
    &value_keys::CHECK,
    &engine::CHECK,
    &no_current::CHECK,
    &stuck_pending::CHECK,
    &empty_pending::CHECK,
    &foreign_password::CHECK,
    &stale_pending::CHECK,
    &host::CHECK,
    &superuser_host::CHECK,
    &port::CHECK,
    &excluded_characters::CHECK,
    &deleted::CHECK,
    &rotation_off::CHECK,
    &version_quota::CHECK,
    &clone_name::CHECK,
    &superuser_stuck::CHECK,
    &superuser_of_cluster::CHECK,
    &replica::CHECK,
    &second_writer::CHECK,
    &superuser_pointer::CHECK,
    &label_removed::CHECK,
];
